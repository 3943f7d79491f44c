"""What `python -m evals rank` reads: turns, proposals, candidates, names of mentioned films.

Knows their formats and says file and line of whatever is wrong. Does not know retrieval or metrics.
Called by rank.py.

A turn is one JSON object a line (.gz ok): {"qid", "context", "exclude_ids"?, "target_movie_ids"?,
"context_entities"?}. `context` is a list of {"role", "text"}, or of plain strings that alternate
and end with the user's; turns after the user's last are not read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.replay import Role
from evals.problem import EvalProblem
from retrieval.catalogs.sources import CatalogError, json_rows
from retrieval.comention import films_named

ROLES: Mapping[str, Role] = {
    **{"user": "user", "seeker": "user"},
    **{"system": "system", "assistant": "system", "agent": "system", "recommender": "system"},
}
_FILM_NAME = re.compile(r"\((?:18|19|20)\d\d\)\s*$")


class InputProblem(EvalProblem):
    """A file cannot be used as given; names file, line and what to change."""


@dataclass(frozen=True, slots=True)
class Case:
    """One turn to answer, and what is known about the right answer."""

    qid: str
    turns: tuple[tuple[Role, str], ...]
    """(role, text), oldest first; the last is the user's."""
    exclude_ids: frozenset[str] | None
    """Films mentioned so far; None where the line does not say."""
    targets: tuple[str, ...] = ()
    entities: tuple[str, ...] | None = None
    proposals: tuple[str, ...] = ()
    """Titles that a model proposed, best first."""

    @property
    def dialogue_id(self) -> str:
        """The qid without its last -N."""
        head, dash, tail = self.qid.rpartition("-")
        return head if dash and tail.isdigit() else self.qid

    @property
    def mentioned(self) -> frozenset[str]:
        """Films that must not be recommended."""
        return self.exclude_ids or frozenset()

    @property
    def new_targets(self) -> tuple[str, ...]:
        """Targets that were not mentioned yet."""
        return tuple(t for t in self.targets if t not in self.mentioned)


def read_cases(path: Path) -> list[Case]:
    """Every turn of the file. Raises: InputProblem."""
    cases = [_case(row, f"{path} line {number}") for number, row in rows_of(path)]
    if not cases:
        raise InputProblem(f"{path} is empty: it needs one turn a line")
    seen: set[str] = set()
    for case in cases:
        if case.qid in seen:
            raise InputProblem(f"{path}: qid {case.qid!r} occurs twice; qids must differ")
        seen.add(case.qid)
    return cases


def _case(row: Mapping[str, Any], where: str) -> Case:
    qid = row.get("qid")
    if not isinstance(qid, str) or not qid:
        raise InputProblem(f'{where}: "qid" must be a text')
    exclude = _texts(row, "exclude_ids", where)
    entities = _texts(row, "context_entities", where)
    return Case(
        qid=qid,
        turns=_turns(row.get("context"), where),
        exclude_ids=None if exclude is None else frozenset(exclude),
        targets=tuple(dict.fromkeys(_texts(row, "target_movie_ids", where) or ())),
        entities=entities,
    )


def _turns(context: object, where: str) -> tuple[tuple[Role, str], ...]:
    if not isinstance(context, list) or not context:
        raise InputProblem(f'{where}: "context" must be a list of turns')
    if all(isinstance(turn, str) for turn in context):
        last = len(context) - 1
        return tuple(
            ("user" if (last - i) % 2 == 0 else "system", text) for i, text in enumerate(context)
        )
    turns = [_turn(turn, where) for turn in context]
    users = [i for i, (role, _) in enumerate(turns) if role == "user"]
    if not users:
        raise InputProblem(f'{where}: "context" has no user turn to answer')
    return tuple(turns[: users[-1] + 1])


def _turn(turn: object, where: str) -> tuple[Role, str]:
    if isinstance(turn, dict) and isinstance(turn.get("text"), str):
        role = ROLES.get(str(turn.get("role")))
        if role is not None:
            return role, turn["text"]
        raise InputProblem(f"{where}: role {turn.get('role')!r}; use one of {', '.join(ROLES)}")
    raise InputProblem(f'{where}: a turn is {{"role", "text"}}, or every turn is a plain text')


def _texts(row: Mapping[str, Any], name: str, where: str) -> tuple[str, ...] | None:
    """A list of texts; nulls (films that the catalogue lacks) are left out."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(v is None or isinstance(v, str) for v in value):
        raise InputProblem(f'{where}: "{name}" must be a list of texts')
    return tuple(v for v in value if v is not None)


def needs_names(cases: Sequence[Case]) -> bool:
    """Whether mentioned films are given by name only."""
    return any(case.exclude_ids is None and case.entities is not None for case in cases)


def with_names(cases: Sequence[Case], names: Mapping[str, str]) -> list[Case]:
    """The cases with `exclude_ids` from `context_entities` where they were absent.

    Never from the agent's own linking, which would measure itself.
    """
    return [
        replace(case, exclude_ids=named_in(case, names) or frozenset())
        if case.exclude_ids is None
        else case
        for case in cases
    ]


def named_in(case: Case, names: Mapping[str, str]) -> frozenset[str] | None:
    """The films of `context_entities` by id; None where the line has no entities."""
    if case.entities is None:
        return None
    return frozenset(names[e] for e in case.entities if e in names)


def unknown_names(cases: Sequence[Case], names: Mapping[str, str]) -> int:
    """How many entities look like films ("Title (Year)") and have no id."""
    every = {e for case in cases for e in case.entities or () if _FILM_NAME.search(e)}
    return len(every - names.keys())


def read_dialogues(path: Path) -> dict[str, dict[str, str]]:
    """{dialogue_id: {movie_id: name}} of conversations in the ReDial layout."""
    dialogues: dict[str, dict[str, str]] = {}
    for number, row in rows_of(path):
        if not isinstance(row.get("dialogue_id"), str):
            raise InputProblem(f'{path} line {number}: "dialogue_id" must be a text')
        dialogues[row["dialogue_id"]] = films_named(row)
    return dialogues


def names_of(dialogues: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """{"Title (Year)": movie_id} over all conversations."""
    return {name: movie_id for films in dialogues.values() for movie_id, name in films.items()}


def with_proposals(cases: Sequence[Case], path: Path) -> list[Case]:
    """The cases with the titles that a model proposed, from {"qid", "titles"} lines."""
    proposed: dict[str, tuple[str, ...]] = {}
    for number, row in rows_of(path):
        where = f"{path} line {number}"
        titles = _texts(row, "titles", where)
        if not isinstance(row.get("qid"), str) or titles is None:
            raise InputProblem(f'{where}: needs "qid" and "titles"')
        proposed[row["qid"]] = titles
    if not any(case.qid in proposed for case in cases):
        raise InputProblem(f"{path} has no qid of the input: give the proposals for these turns")
    return [replace(case, proposals=proposed.get(case.qid, ())) for case in cases]


def read_ids(path: Path) -> frozenset[str]:
    """One movie id a line. Raises: InputProblem."""
    try:
        ids = frozenset(line.strip() for line in path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputProblem(f"{path} cannot be read ({error}): give one movie id a line") from None
    ids -= {""}
    if not ids:
        raise InputProblem(f"{path} is empty: give one movie id a line")
    return ids


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every JSON object of the file with its line number. Raises: InputProblem."""
    try:
        for number, row in json_rows(path):
            if isinstance(row, ValueError):
                raise InputProblem(f"{path} line {number} {row}: give one JSON object a line")
            yield number, row
    except CatalogError as error:
        raise InputProblem(str(error)) from None
