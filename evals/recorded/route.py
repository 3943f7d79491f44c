"""Acts per user turn of recorded conversations, as the product routes them, against labels.

Knows the replay of a conversation through the agent's understanding, rules and router, and the
figures: micro- and macro-F1, per act, single-act turns and clarify apart. Does not know files or
flags. Called by route_command.py and figures.py.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.events import Act
from agent.replay import replayed
from agent.router import acts_called_for
from evals.recorded.route_input import LabelledDialogue
from infra.wiring import Services
from retrieval.nlu.moves import After
from retrieval.understanding import Understanding

ROUTED: Final[tuple[Act, ...]] = ("search", "refine", "inform", "chat")
"""The acts that the labels know; explain has no label, clarify is scored apart."""


@dataclass(frozen=True, slots=True)
class Routed:
    """One user turn: its labels, what the product routed, what its rules alone decided."""

    dialogue_id: str
    gold: frozenset[Act]
    routed: frozenset[Act]
    by_rules: frozenset[Act]
    clarifies: bool
    answered_by_question: bool
    heard: Understanding
    after: After


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one act, or of all together."""

    correct: int
    predicted: int
    gold: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where nothing is correct."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0

    def as_json(self) -> dict[str, float | int]:
        """Precision, recall, F1 and how many there are."""
        precision = self.correct / self.predicted if self.predicted else 0.0
        recall = self.correct / self.gold if self.gold else 0.0
        return {
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(self.f1, 4),
            "gold": self.gold,
            "predicted": self.predicted,
        }


Pair = tuple[frozenset[Act], frozenset[Act]]
"""(labels, predicted) of one turn."""


async def route(
    dialogues: Sequence[LabelledDialogue],
    services: Services,
    tell: Callable[[int, int], None] | None = None,
) -> list[Routed]:
    """Replay every conversation and route its user turns."""
    found: list[Routed] = []
    for number, dialogue in enumerate(dialogues):
        users = [turn for turn in dialogue.turns if turn.role == "user"]
        spoken = [(turn.role, turn.text) for turn in dialogue.turns]
        turns = [t async for t in replayed(spoken, services.toolbox)]
        opened = False
        for turn, label in zip(turns, users, strict=True):
            routed = frozenset(acts_called_for(turn.understanding, turn.after, opened))
            opened = opened or bool(routed & {"search", "refine"})
            if label.acts:
                found.append(
                    Routed(
                        dialogue_id=dialogue.dialogue_id,
                        gold=label.acts,
                        routed=routed,
                        by_rules=frozenset(turn.decision.acts),
                        clarifies="clarify" in turn.decision.acts,
                        answered_by_question=label.answered_by_question,
                        heard=turn.understanding,
                        after=turn.after,
                    )
                )
        if tell:
            tell(number + 1, len(dialogues))
    return found


def by_act(pairs: Iterable[Pair]) -> dict[Act, Score]:
    """Counts per act over all turns."""
    correct: Counter[Act] = Counter()
    predicted: Counter[Act] = Counter()
    gold: Counter[Act] = Counter()
    for labels, said in pairs:
        correct.update(labels & said)
        predicted.update(said)
        gold.update(labels)
    return {a: Score(correct[a], predicted[a], gold[a]) for a in ROUTED}


def together(scores: Mapping[Act, Score]) -> Score:
    """The counts of all acts as one: its F1 is the micro-F1."""
    return Score(
        sum(s.correct for s in scores.values()),
        sum(s.predicted for s in scores.values()),
        sum(s.gold for s in scores.values()),
    )


def macro_f1(scores: Mapping[Act, Score]) -> float:
    """The mean F1 of the acts that occur in the labels."""
    present = [s.f1 for s in scores.values() if s.gold]
    return sum(present) / len(present) if present else 0.0


def figures_of(turns: Sequence[Routed]) -> dict[str, Any]:
    """All figures of a run."""
    scores = by_act((t.gold, t.routed) for t in turns)
    single = [t for t in turns if len(t.gold) == 1]
    rules = by_act((t.gold, t.by_rules & frozenset(ROUTED)) for t in turns)
    clarify = Score(
        sum(t.clarifies and t.answered_by_question for t in turns),
        sum(t.clarifies for t in turns),
        sum(t.answered_by_question for t in turns),
    )
    return {
        "dialogues": len({t.dialogue_id for t in turns}),
        "turns": len(turns),
        "micro_f1": round(together(scores).f1, 4),
        "macro_f1": round(macro_f1(scores), 4),
        "per_class": {act: score.as_json() for act, score in scores.items()},
        "single_act": {
            "turns": len(single),
            "micro_f1": round(together(by_act((t.gold, t.routed) for t in single)).f1, 4),
            "exact": round(_share(t.gold == t.routed for t in single), 4),
        },
        "several_acts": {
            "turns": len(turns) - len(single),
            "micro_f1": round(
                together(by_act((t.gold, t.routed) for t in turns if len(t.gold) > 1)).f1, 4
            ),
        },
        "exact": round(_share(t.gold == t.routed for t in turns), 4),
        "rules_alone_micro_f1": round(together(rules).f1, 4),
        "clarify": clarify.as_json(),
    }


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / len(values) if values else 0.0
