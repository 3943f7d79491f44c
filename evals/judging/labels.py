"""Dialogues graded by people: what a judge is held against.

Knows the form of `uss_redial_satisfaction_*.jsonl.gz` (one dialogue a line: {"dialogue_id",
"turns": [{"role", "text", "satisfaction": [1-5] or null}], "overall_satisfaction": [1-5]}), any
number of raters each. Does not know agreement. Called by calibration.py and calibrate_command.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from evals.dialogues.transcript_files import EvalInputProblem, objects_of, validated

Level = Literal["dialogue", "turn"]
Grade = Annotated[int, Field(ge=1, le=5)]
Said = tuple[str, str]
"""(role, text); role is "user" or "assistant"."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LabelledTurn(_Form):
    """One message; people graded how satisfied the user of it is so far."""

    role: Literal["user", "system", "assistant"]
    text: str
    satisfaction: tuple[Grade, ...] | None = None


class LabelledDialogue(_Form):
    """One dialogue."""

    dialogue_id: str
    turns: tuple[LabelledTurn, ...] = Field(min_length=1)
    overall_satisfaction: tuple[Grade, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that people graded."""

    item_id: str
    dialogue_id: str
    said: tuple[Said, ...]
    """All that was said up to the grade."""
    ratings: tuple[int, ...]

    @property
    def consensus(self) -> int:
        """The median of the raters, the lower one of two."""
        return median_low(self.ratings)


def read_items(path: Path, level: Level) -> list[Item]:
    """Everything graded by at least two people. Raises: EvalInputProblem."""
    items: list[Item] = []
    seen: set[str] = set()
    for number, row in objects_of(path):
        one = validated(LabelledDialogue, row, f"{path} line {number}")
        if one.dialogue_id in seen:
            raise EvalInputProblem(
                f"{path} line {number}, field dialogue_id: {one.dialogue_id} is there twice"
            )
        seen.add(one.dialogue_id)
        items += _items(one, level)
    if not items:
        field = "overall_satisfaction" if level == "dialogue" else "turns.satisfaction"
        raise EvalInputProblem(f"{path} has no {field} by two people or more")
    return items


def _items(one: LabelledDialogue, level: Level) -> Iterator[Item]:
    said: Sequence[Said] = [
        ("user" if t.role == "user" else "assistant", t.text) for t in one.turns
    ]
    if level == "dialogue":
        if len(one.overall_satisfaction) > 1:
            yield Item(one.dialogue_id, one.dialogue_id, tuple(said), one.overall_satisfaction)
        return
    for number, turn in enumerate(one.turns, 1):
        if turn.satisfaction and len(turn.satisfaction) > 1:
            item_id = f"{one.dialogue_id}-{number}"
            yield Item(item_id, one.dialogue_id, tuple(said[:number]), turn.satisfaction)
