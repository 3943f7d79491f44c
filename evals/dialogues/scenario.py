"""Scenarios: what a user says, and what must be true of each answer.

Knows the form of `scenarios/*.yaml` and turns steps into the labels of expected.py.
Does not play or score anything. Called by play.py and scorers.py.

A step may say: acts (all of them), acts_any, cards (some, none, any), asks, says (each of them in
the prose), every / none (clauses that hold for each card of this turn), hold (named clauses that
hold from now on) and release, gone (titles that must not be shown from now on), ledger_has /
ledger_lacks, repeats (films may be shown again: the user asked for that), never_says, scope (in,
out), undoes and compared ([{what: runtime, side: less}]).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from agent.events import Act
from evals.dialogues.expected import ClauseForm, Compared, Expected, LedgerLine, Wish
from evals.dialogues.transcript_files import EvalInputProblem, fault_of, objects_of, read_yaml
from retrieval.movie import ATTRIBUTES, Clause, Match, MatchField, Range, RangeField

FOLDER = Path(__file__).parents[1] / "scenarios"
_RANGES: frozenset[str] = frozenset({"year", "runtime", *ATTRIBUTES})
_MATCHES: frozenset[str] = frozenset(get_args(MatchField))


class ScenarioProblem(EvalInputProblem):
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


def _written(clauses: tuple[Clause, ...]) -> list[dict[str, Any]]:
    """As JSON in one order only: a set has another one in each process, and shas must agree."""
    return [ClauseForm.of(c).model_dump(mode="json", exclude_none=True) for c in clauses]


Clauses = Annotated[tuple[Any, ...], BeforeValidator(_clauses), PlainSerializer(_written)]


class Hold(_Form):
    """Clauses under a name, so that a later step can release them."""

    every: Clauses = ()
    none: Clauses = ()


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
    never_says: tuple[str, ...] = ()
    scope: Literal["in", "out"] | None = None
    undoes: bool = False
    compared: tuple[Compared, ...] = ()
    ledger_has: tuple[LedgerLine, ...] = ()
    ledger_lacks: tuple[LedgerLine, ...] = ()


class Scenario(_Form):
    """A dialogue with expectations."""

    id: str
    covers: tuple[str, ...]
    turns: tuple[Step, ...]


def labels(scenario: Scenario) -> list[Expected]:
    """For each turn, what its step says and all that earlier steps hold and did not release.

    Raises: ScenarioProblem when a step releases what is not held.
    """
    held: dict[str, tuple[Wish, ...]] = {}
    gone: tuple[str, ...] = ()
    result = []
    for number, step in enumerate(scenario.turns, 1):
        for name in step.release:
            if held.pop(name, None) is None:
                raise ScenarioProblem(f"{scenario.id} turn {number} releases unknown {name!r}")
        held |= {name: _wishes(hold.every, hold.none, number) for name, hold in step.hold.items()}
        gone += step.gone
        own = _wishes(step.every, step.none, number)
        standing = (*own, *(wish for wishes in held.values() for wish in wishes))
        result.append(
            Expected(
                wishes=standing,
                gone_titles=() if step.repeats else gone,
                may_repeat=step.repeats,
                **{name: getattr(step, name) for name in _LABELS},
            )
        )
    return result


_LABELS = (
    *("acts", "acts_any", "cards", "asks", "says", "never_says", "scope", "undoes", "compared"),
    *("ledger_has", "ledger_lacks"),
)
"""What a step says of its own turn in the words of `Expected`."""


def _wishes(every: Sequence[Clause], none: Sequence[Clause], number: int) -> tuple[Wish, ...]:
    wanted = (Wish(clause=ClauseForm.of(c), since=number) for c in every)
    avoided = (Wish(clause=ClauseForm.of(c), avoid=True, since=number) for c in none)
    return (*wanted, *avoided)


def load_scenarios(place: Path = FOLDER) -> list[Scenario]:
    """Every scenario of a folder, or those of a file: one in YAML, or JSON lines with an id each.

    Raises: EvalInputProblem.
    """
    files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
    if not files:
        raise ScenarioProblem(f"{place} holds no *.yaml scenario")
    scenarios = [scenario for file in files for scenario in _load(file)]
    if not scenarios:
        raise ScenarioProblem(f"{place} is empty: it needs one scenario a line")
    for scenario in scenarios:
        labels(scenario)
    return scenarios


def _load(file: Path) -> Iterator[Scenario]:
    if ".jsonl" in file.suffixes:
        for number, row in objects_of(file):
            yield _scenario(row, f"{file} line {number}")
        return
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise ScenarioProblem(f"{file} is no scenario: it needs covers and turns")
    yield _scenario({"id": file.stem, **content}, str(file))


def _scenario(content: dict[str, Any], where: str) -> Scenario:
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        raise ScenarioProblem(f"{where}, {fault_of(error)}") from None


def lengths(scenarios: Sequence[Scenario]) -> int:
    """How many turns there are in all."""
    return sum(len(scenario.turns) for scenario in scenarios)
