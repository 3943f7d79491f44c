"""What a model may decide: the one object that the prompt `decide` asks for.

Knows the fields, their bounds and what is cut rather than refused. Does not know what is believed
of it: model_decider.py does. Pure; its JSON schema is what the model sees.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from agent.events import Act
from retrieval.understanding import SlotKind

MAX_TITLES = 20
MAX_EDITS = 10


def _at_most(n: int) -> BeforeValidator:
    """Too many is no reason to ask again: the first ones count. Null means none."""
    return BeforeValidator(
        lambda value: value[:n] if isinstance(value, list) else [] if value is None else value
    )


def _cut(n: int) -> BeforeValidator:
    """A text that is too long is cut; null means none."""
    return BeforeValidator(
        lambda value: value[:n] if isinstance(value, str) else "" if value is None else value
    )


Quote = Annotated[str, _cut(200)]
"""The words of the user that ask for a change."""


class PlannedWish(BaseModel):
    """A wish; `value` is a word, or for attribute its name; year and runtime have min and max."""

    kind: SlotKind
    value: Annotated[str, _cut(60)] = ""
    min: int | None = None
    max: int | None = None
    avoid: bool = False
    hard: bool = True
    said: Quote


class PlannedFilm(BaseModel):
    """A film that the user named: seed is an example of what they like."""

    title: Annotated[str, _cut(120)]
    stance: Literal["seed", "seen", "disliked", "not_now"]
    said: Quote


class PlannedDrop(BaseModel):
    """A ledger entry that the user lets go of."""

    id: Annotated[str, _cut(40)]
    said: Quote


class Plan(BaseModel):
    """Call this once with your decision."""

    acts: Annotated[list[Act], _at_most(3)] = Field(min_length=1)
    language: str = Field("en", pattern="^[a-z]{2}$")
    wishes: Annotated[list[PlannedWish], _at_most(MAX_EDITS)] = []
    films: Annotated[list[PlannedFilm], _at_most(MAX_EDITS)] = []
    drop: Annotated[list[PlannedDrop], _at_most(MAX_EDITS)] = []
    query: Annotated[str, _cut(300)] = ""
    wants_list: bool = False
    titles: Annotated[list[str], _at_most(MAX_TITLES)] = []
    question: Annotated[str, _cut(160)] = ""
    options: Annotated[list[str], _at_most(4)] = []
    look_up: bool = False
