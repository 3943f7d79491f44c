"""Scenarios: what a user says, and what must be true of each answer.

Knows the form of `scenarios/*.yaml` and turns clauses into the constraints of retrieval/movie.py.
Does not play or score anything. Called by play.py and scorers.py.

A step may say: acts (all of them), acts_any, cards (some, none, any), asks, says (each of them in
the prose), every / none (clauses that hold for each card of this turn), hold (named clauses that
hold from now on) and release, gone (titles that must not be shown from now on), ledger_has /
ledger_lacks, and repeats (films may be shown again: the user asked for that).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from agent.events import Act, EntryKind, LedgerEntryView
from evals.problem import EvalProblem
from retrieval.movie import ATTRIBUTES, Clause, Constraints, Match, MatchField, Range, RangeField
from retrieval.understanding import Polarity

FOLDER = Path(__file__).parent / "scenarios"
_RANGES: frozenset[str] = frozenset({"year", "runtime", *ATTRIBUTES})
_MATCHES: frozenset[str] = frozenset(get_args(MatchField))


class ScenarioProblem(EvalProblem):
    """A scenario file cannot be used; names file and place."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _clauses(value: object) -> object:
    """{genre: [comedy], year: {min: 1990}} as clauses."""
    if not isinstance(value, dict):
        raise ValueError("clauses look like {genre: comedy, year: {min: 1990}}")
    return tuple(_clause(str(name), wanted) for name, wanted in value.items())


def _clause(name: str, wanted: object) -> Clause:
    if name in _RANGES and isinstance(wanted, dict) and wanted.keys() <= {"min", "max"}:
        return Range(cast(RangeField, name), wanted.get("min"), wanted.get("max"))
    if name in _MATCHES and isinstance(wanted, str | list):
        values = [wanted] if isinstance(wanted, str) else wanted
        return Match(cast(MatchField, name), frozenset(str(value) for value in values))
    raise ValueError(f"{name}: {wanted!r} is no clause")


Clauses = Annotated[tuple[Any, ...], BeforeValidator(_clauses)]


class Hold(_Form):
    """Clauses under a name, so that a later step can release them."""

    every: Clauses = ()
    none: Clauses = ()


class Entry(_Form):
    """A ledger entry to look for; what is not said does not matter."""

    kind: EntryKind | None = None
    value: str | dict[str, int] | None = None
    polarity: Polarity | None = None

    def matches(self, view: LedgerEntryView) -> bool:
        """Whether an entry of the ledger is the one meant."""
        value = view.value
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if v is not None and k in ("min", "max")}
        return (
            self.kind in (None, view.kind)
            and self.polarity in (None, view.polarity)
            and (self.value is None or self.value == value)
        )


class Step(_Form):
    """One message and what must be true of the answer."""

    user: str
    acts: tuple[Act, ...] = ()
    acts_any: tuple[Act, ...] = ()
    cards: Literal["some", "none", "any"] = "any"
    asks: bool | None = None
    says: tuple[str, ...] = ()
    every: Clauses = ()
    none: Clauses = ()
    hold: dict[str, Hold] = {}
    release: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    repeats: bool = False
    ledger_has: tuple[Entry, ...] = ()
    ledger_lacks: tuple[Entry, ...] = ()


class Scenario(_Form):
    """A dialogue with expectations."""

    id: str
    covers: tuple[str, ...]
    turns: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What must be true of the cards of one turn, earlier steps included."""

    constraints: Constraints
    gone: tuple[str, ...]


def standing(scenario: Scenario) -> list[Standing]:
    """For each turn, its own clauses and all that were held and not released.

    Raises: ScenarioProblem when a step releases what is not held.
    """
    held: dict[str, Hold] = {}
    gone: tuple[str, ...] = ()
    result = []
    for number, step in enumerate(scenario.turns, 1):
        for name in step.release:
            if held.pop(name, None) is None:
                raise ScenarioProblem(f"{scenario.id} turn {number} releases unknown {name!r}")
        held |= step.hold
        gone += step.gone
        require = [*step.every, *(c for hold in held.values() for c in hold.every)]
        exclude = [*step.none, *(c for hold in held.values() for c in hold.none)]
        constraints = Constraints(tuple(require), tuple(exclude))
        result.append(Standing(constraints, () if step.repeats else gone))
    return result


def load_scenarios(place: Path = FOLDER) -> list[Scenario]:
    """Every scenario of a folder, or the one of a file. Raises: ScenarioProblem."""
    files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
    if not files:
        raise ScenarioProblem(f"{place} holds no *.yaml scenario")
    scenarios = [_load(file) for file in files]
    for scenario in scenarios:
        standing(scenario)
    return scenarios


def _load(file: Path) -> Scenario:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ScenarioProblem(f"{file} is no scenario: it needs covers and turns")
        return Scenario.model_validate({"id": file.stem, **content})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioProblem(f"{file} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ScenarioProblem(f"{file} at {place}: {first['msg']}") from None


def lengths(scenarios: Sequence[Scenario]) -> int:
    """How many turns there are in all."""
    return sum(len(scenario.turns) for scenario in scenarios)
