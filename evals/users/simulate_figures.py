"""The figures of simulated dialogues: success, how soon, what the agent broke, what the user did.

Knows which scores and faults are told, and how a share with its uncertainty is written. Does not
know how anything was played, scored or audited. Called by simulate_command.py.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.model import Tokens
from evals.dialogues.scored import Scored
from evals.dialogues.transcript import Transcript
from evals.statistics import mean_interval
from evals.users.audit import STAND_IN, Fault
from evals.users.user_model import AGAIN

SHOWN = 30
BY_TURN = (1, 2, 3, 5, 8)
TOLD = (
    *("constraint_violations", "repeated_films", "seen_or_disliked_films", "off_catalogue_films"),
    *("unfinished_turns", "broken_streams"),
)
"""Floors that are named one by one; the others are in the JSON."""


@dataclass(frozen=True)
class Figures:
    """Simulated dialogues, scored and audited."""

    found: Scored
    faults: Sequence[Fault]
    left_out: Sequence[str]
    """Scenarios that this catalogue cannot play, with the reason."""
    seconds: float
    speaker: str | None = None
    """The model that played the users."""
    tokens: Tokens = Tokens()
    """What it read and wrote; without what an interrupted run had used before."""

    def replies(self) -> dict[str, int]:
        """{messages, again:leak, stand_in:failed ...}: how often a model's user was corrected."""
        turns = [turn for t in self.found.transcripts for turn in t.turns]
        acts = Counter(act for turn in turns for act in turn.user_acts or ())
        corrected = {a: n for a, n in sorted(acts.items()) if a.startswith((AGAIN, STAND_IN))}
        return {"messages": len(turns), **corrected}

    @property
    def wanted(self) -> list[Transcript]:
        """The dialogues of users who wanted a film."""
        told = (t for t in self.found.transcripts if t.outcome is not None)
        return [t for t in told if t.outcome and (t.outcome.accepted_ids or t.outcome.abandoned)]

    def success(self, among: Iterable[Transcript]) -> tuple[int, int]:
        """(how many took a film, of how many)."""
        kept = list(among)
        return sum(took_a_film(t) for t in kept), len(kept)

    def by_turn(self) -> dict[int, float]:
        """{turns: share that had taken a film by then}; who never did counts as not yet."""
        turns = [t.outcome.accepted_turn for t in self.wanted if t.outcome]
        total = len(turns) or 1
        return {n: sum(1 for t in turns if t is not None and t <= n) / total for n in BY_TURN}

    def median_turns(self) -> int | None:
        """The turn by which half had taken a film; None when fewer than half ever did."""
        taken = sorted(t.outcome.accepted_turn or math.inf for t in self.wanted if t.outcome)
        middle = taken[(len(taken) - 1) // 2] if taken else math.inf
        return None if middle == math.inf else int(middle)

    def slices(self, tag: str) -> dict[str, tuple[int, int]]:
        """{value of a tag: (took a film, of)}."""
        groups: dict[str, list[Transcript]] = {}
        for transcript in self.wanted:
            for value in transcript.tags.get(tag, ()):
                groups.setdefault(value, []).append(transcript)
        return {value: self.success(group) for value, group in sorted(groups.items())}

    def floors_of(self, speech: str | None) -> dict[str, int]:
        """{floor: faults} in dialogues in one language; None = in any but English."""
        spoken = {
            t.dialogue_id
            for t in self.found.transcripts
            if (t.tags.get("speaks", ("en",))[0] == (speech or "en")) == (speech is not None)
        }
        counts = dict.fromkeys(TOLD, 0)
        for score in self.found.scores:
            if score.scorer in counts and score.dialogue_id in spoken:
                counts[score.scorer] += int(score.value or 0)
        return counts

    def user_first(self) -> int:
        """Dialogues with a fault of the user: their outcome says little of the agent (tau2)."""
        return len({fault.dialogue_id for fault in self.faults})

    def as_json(self) -> dict[str, Any]:
        """All figures in one object."""
        taken, of = self.success(self.wanted)
        kinds = Counter(fault.kind for fault in self.faults)
        return {
            **self.found.as_json(),
            "goal_success": round(taken / of, 4) if of else None,
            "goal_success_ci95": [round(x, 4) for x in interval_of(self.wanted)],
            "wanted_a_film": of,
            "success_by_turn": {str(n): round(share, 4) for n, share in self.by_turn().items()},
            "median_turns_to_success": self.median_turns(),
            "floors_in_english": self.floors_of("en"),
            "floors_in_other_languages": self.floors_of(None),
            "leaks": kinds["leak"],
            "invented_facts": kinds["invented fact"],
            "user_errors": kinds["user error"],
            "dialogues_with_user_faults": self.user_first(),
            "success_by_kind": {k: f"{a}/{b}" for k, (a, b) in self.slices("kind").items()},
            "scenarios_left_out": list(self.left_out),
            "seconds": round(self.seconds, 1),
            **({"user": self._user()} if self.speaker else {}),
        }

    def _user(self) -> dict[str, Any]:
        tokens = {"input": self.tokens.total - self.tokens.output, "output": self.tokens.output}
        return {"model_id": self.speaker, "replies": self.replies(), "tokens": tokens}


def took_a_film(one: Transcript) -> bool:
    """Whether its user took one."""
    return bool(one.outcome and one.outcome.accepted_ids)


def interval_of(among: Sequence[Transcript]) -> tuple[float, float]:
    """95 % interval of the share who took a film; whole goals are drawn. (0, 1) of nothing."""
    if not among:
        return 0.0, 1.0
    passes = np.array([took_a_film(t) for t in among], dtype=np.float64)
    goals = [t.scenario_id or t.dialogue_id for t in among]
    found = mean_interval(passes, goals, np.random.default_rng(0), shares=True)
    return found.low, found.high


def print_figures(figures: Figures) -> None:
    """For people, on standard output."""
    found = figures.found
    for fault in list(figures.faults)[:SHOWN]:
        print(fault)
    for score in _broken(found)[:SHOWN]:
        print(score)
    Console(width=100).print(_kinds(figures))
    taken, of = figures.success(figures.wanted)
    low, high = interval_of(figures.wanted)
    share = taken / of if of else 0.0
    print(f"{len(found.transcripts)} dialogues, {found.turns} turns, {figures.seconds:.0f} s")
    print(f"goal success  {share:.1%} [{low:.1%}, {high:.1%}] of {of} users who wanted a film")
    curve = ", ".join(f"{n}: {x:.0%}" for n, x in figures.by_turn().items())
    print(f"took a film by turn  {curve}; median {figures.median_turns() or 'never'}")
    for speech, who in (("en", "in English"), (None, "in other languages")):
        floors = figures.floors_of(speech)
        print(f"agent, {who}: {', '.join(f'{name} {n}' for name, n in floors.items())}")
    kinds = Counter(fault.kind for fault in figures.faults)
    told = ", ".join(f"{kinds[k]} {k}s" for k in ("leak", "invented fact", "user error"))
    print(f"users: {told}; {figures.user_first()} dialogues are not clean")
    if figures.speaker:
        told = ", ".join(f"{name} {n}" for name, n in figures.replies().items())
        print(f"users were played by {figures.speaker}: {told}; {figures.tokens.total} tokens")
    for reason in figures.left_out:
        print(f"left out: {reason}")


def _broken(found: Scored) -> list[str]:
    return [
        f"{score.dialogue_id} turn {spot.turn}: {score.scorer}: {spot.detail}"
        for score in found.scores
        if score.scorer in TOLD and score.value
        for spot in score.evidence
    ]


def _kinds(figures: Figures) -> Table:
    table = Table("covers", "took a film", "of", "share")
    for kind, (taken, of) in figures.slices("kind").items():
        table.add_row(kind, str(taken), str(of), f"{taken / of:.0%}")
    return table
