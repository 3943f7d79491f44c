"""What `python -m evals extract` reads: queries with the entities that people marked in them.

Knows the format and says file, line and field of whatever is wrong. Does not know understanding.
Called by extract_command.py.

A query is one JSON object a line (.gz ok): {"qid", "text", "entities": [{"type", "text",
"start_token"}]}; tokens are what spaces part, and an entity's text stands there word for word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.recorded.rank_input import InputProblem, rows_of


@dataclass(frozen=True, slots=True)
class Entity:
    """A span of tokens [start, end) that means something of a type."""

    type: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A query and what was marked in it."""

    qid: str
    text: str
    entities: tuple[Entity, ...]


def read_marked(path: Path) -> list[Marked]:
    """Every query of the file. Raises: InputProblem."""
    found = [_marked(row, f"{path} line {number}") for number, row in rows_of(path)]
    if not found:
        raise InputProblem(f"{path} is empty: it needs one query a line")
    return found


def _marked(row: Mapping[str, Any], where: str) -> Marked:
    for name in ("qid", "text"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise InputProblem(f'{where}: "{name}" must be a text')
    entities = row.get("entities")
    if not isinstance(entities, list):
        raise InputProblem(f'{where}: "entities" must be a list')
    tokens = row["text"].split()
    found = (_entity(e, tokens, f"{where}, entities[{n}]") for n, e in enumerate(entities))
    return Marked(row["qid"], row["text"], tuple(found))


def _entity(entity: object, tokens: list[str], where: str) -> Entity:
    if not isinstance(entity, dict):
        raise InputProblem(f'{where}: must be {{"type", "text", "start_token"}}')
    for name in ("type", "text"):
        if not isinstance(entity.get(name), str) or not entity[name].strip():
            raise InputProblem(f'{where}: "{name}" must be a text')
    start, words = entity.get("start_token"), entity["text"].split()
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise InputProblem(f'{where}: "start_token" must be a number of words, from 0')
    if tokens[start : start + len(words)] != words:
        raise InputProblem(f'{where}: "text" does not stand at "start_token" {start}')
    return Entity(entity["type"], start, start + len(words), entity["text"])
