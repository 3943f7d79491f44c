"""Plays scenarios through the real assistant and scores them: the core of `make eval`.

Knows the order: play, fetch the movies shown, score, count. Does not know what is a fault
(scorers.py) nor where services come from (place.py). Called by `python -m evals run` and suite.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.scenario import Scenario, lengths
from evals.scorers import EXPECTATIONS, FLOORS, Case, Problem, Scorer
from evals.transcript import Transcript
from infra.script import Dialogue, play
from infra.wiring import Services

Report = Callable[[int, int], None]


@dataclass
class Played:
    """What came of the scenarios."""

    dialogues: int
    turns: int
    cards: int = 0
    raw: list[dict[str, Any]] = field(default_factory=list)
    """The transcripts, as `usher chat --script` writes them."""
    floors: dict[str, list[Problem]] = field(default_factory=dict)
    expectations: dict[str, list[Problem]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not any(self.floors.values())

    @property
    def met(self) -> float:
        """Share of turns on which every expectation of the scenario was met."""
        failed = {(p.dialogue_id, p.turn) for ps in self.expectations.values() for p in ps}
        return 1 - len(failed) / self.turns if self.turns else 0.0

    def as_json(self) -> dict[str, Any]:
        """All figures in one object."""
        return {
            "dialogues": self.dialogues,
            "turns": self.turns,
            "cards": self.cards,
            "floors": {name: len(problems) for name, problems in self.floors.items()},
            "expectations": {name: len(ps) for name, ps in self.expectations.items()},
            "turns_as_expected": round(self.met, 4),
        }


async def play_scenarios(
    scenarios: Sequence[Scenario], services: Services, report: Report = lambda done, total: None
) -> Played:
    """Play all scenarios, each as a stranger's fresh conversation, and score them."""
    played = Played(len(scenarios), lengths(scenarios))
    unknowable = await _unknowable(services)
    cases = []
    for number, scenario in enumerate(scenarios, 1):
        dialogue = Dialogue(scenario.id, tuple(step.user for step in scenario.turns))
        raw = await play(services.assistant, dialogue)
        transcript = Transcript.from_events(raw)
        movies = await services.index.get(sorted(transcript.shown_ids))
        cases.append(Case(transcript, scenario, movies, unknowable))
        played.raw.append(raw)
        played.cards += sum(len(turn.cards) for turn in transcript.turns)
        report(number, len(scenarios))
    played.floors = _score(FLOORS, cases)
    played.expectations = _score(EXPECTATIONS, cases)
    return played


async def _unknowable(services: Services) -> frozenset[str]:
    """The agent lets a wish for a streaming service go where the catalogue knows none."""
    known = (await services.index.stats()).known
    return frozenset() if known.get("available_on") else frozenset({"service"})


def _score(scorers: Mapping[str, Scorer], cases: Sequence[Case]) -> dict[str, list[Problem]]:
    return {name: [p for case in cases for p in scorer(case)] for name, scorer in scorers.items()}
