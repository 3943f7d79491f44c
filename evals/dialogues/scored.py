"""Dialogues with all their scores, summed up for people.

Knows which scorers are floors and which say what a scenario hoped for. Does not know how dialogues
came about, nor confidence intervals (`compare`, `report`). Called by run_command.py,
score_command.py and suite.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.dialogues.reference import Reference
from evals.dialogues.scores import Score
from evals.dialogues.transcript import Transcript
from evals.scorers.all import score_all

EXPECTATIONS = (
    *("act_accuracy", "cards_as_expected", "question_accuracy", "answer_accuracy"),
    "ledger_accuracy",
)
"""What the scenario hoped for; the floors are what must never happen."""
SPOTS_SHOWN = 40


def scored(
    transcripts: Sequence[Transcript],
    reference: Reference | None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> "Scored":
    """Score dialogues."""
    return Scored(transcripts, score_all(transcripts, reference, report))


@dataclass(frozen=True)
class Scored:
    """Dialogues with their scores."""

    transcripts: Sequence[Transcript]
    scores: Sequence[Score]

    @property
    def floors(self) -> dict[str, int]:
        """{scorer: faults} of what must never happen, for every such scorer that applied."""
        found: dict[str, int] = {}
        for score in self.scores:
            if score.floor and score.value is not None:
                found[score.scorer] = found.get(score.scorer, 0) + int(score.value)
        return found

    def looked_at(self, scorer: str) -> int:
        """How many cards, turns or names a scorer looked at."""
        return sum(score.of or 0 for score in self.scores if score.scorer == scorer)

    @property
    def turns(self) -> int:
        return sum(len(transcript.turns) for transcript in self.transcripts)

    @property
    def cards(self) -> int:
        return sum(len(turn.cards) for t in self.transcripts for turn in t.turns)

    @property
    def holds(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not any(self.floors.values())

    @property
    def met(self) -> float:
        """Share of turns on which every expectation of the scenario was met."""
        spots = {
            (score.dialogue_id, spot.turn)
            for score in self.scores
            if score.scorer in EXPECTATIONS
            for spot in score.evidence
        }
        return 1 - len(spots) / self.turns if self.turns else 0.0

    def means(self) -> dict[str, dict[str, Any]]:
        """{scorer: mean, dialogues it applied to, unit, direction}."""
        found: dict[str, list[Score]] = {}
        for score in self.scores:
            found.setdefault(score.scorer, []).append(score)
        return {name: _summary(scores) for name, scores in found.items()}

    def as_json(self) -> dict[str, Any]:
        """All figures in one object."""
        return {
            "dialogues": len(self.transcripts),
            "turns": self.turns,
            "cards": self.cards,
            "floors": self.floors,
            "turns_as_expected": round(self.met, 4),
            "scores": self.means(),
        }


def _summary(scores: Sequence[Score]) -> dict[str, Any]:
    values = [score.value for score in scores if score.value is not None]
    return {
        "mean": round(sum(values) / len(values), 4) if values else None,
        "applicable": len(values),
        "of": sum(score.of or 0 for score in scores),
        "unit": scores[0].unit,
        "direction": scores[0].direction,
    }


def tell(found: Scored) -> None:
    """Faults with their places, then every scorer's mean, on standard output."""
    told = [s for s in found.scores if s.floor or s.scorer in EXPECTATIONS]
    spots = [
        f"{s.dialogue_id} turn {e.turn}: {s.scorer}: {e.detail}" for s in told for e in s.evidence
    ]
    for spot in spots[:SPOTS_SHOWN]:
        print(spot)
    if len(spots) > SPOTS_SHOWN:
        print(f"... and {len(spots) - SPOTS_SHOWN} more")
    Console(width=100).print(_table(found))
    print(f"{len(found.transcripts)} dialogues, {found.turns} turns, {found.cards} cards")
    broken = {name: count for name, count in found.floors.items() if count}
    silent = sorted({s.scorer for s in found.scores if s.floor} - found.floors.keys())
    unknown = f"; not measured: {', '.join(silent)}" if silent else ""
    print(f"floors: {broken or 'none broken'}{unknown}")


def _table(found: Scored) -> Table:
    table = Table("scorer", "mean", "unit", "better", "dialogues", "not applicable", "looked at")
    for name, row in found.means().items():
        total = sum(score.scorer == name for score in found.scores)
        mean = "-" if row["mean"] is None else f"{row['mean']:.4g}"
        cells = (mean, row["unit"], row["direction"], row["applicable"])
        table.add_row(name, *map(str, (*cells, total - row["applicable"], row["of"])))
    return table
