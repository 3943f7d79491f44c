"""Goals: what a simulated user wants, in the typed words of retrieval, and how they will say it.

The second kind of scenario. The first (scenario.py) fixes every message; here only the wishes are
fixed, and a simulated user talks its way to them. Knows the form of `scenarios/goals/*` and what
binds after which move. Does not know a catalogue (goal_world.py), nor how anything is said or
judged. A title stands here only where the user may name it (`like`, `than`, `gone`); what they are
looking for is given by conditions or ids. Called by the simulated users, simulate.py and audit.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agent.events import Act
from evals.dialogues.scenario import FOLDER, Clauses, ScenarioProblem
from evals.dialogues.transcript_files import fault_of, objects_of, read_yaml
from retrieval.movie import Clause, RangeField
from retrieval.understanding import QuestionField

GOALS = FOLDER / "goals"
HELD_OUT = FOLDER / "held_out"
"""Goals of the split "test": nobody reads them while they work on the agent."""
ONCE_HELD_OUT = FOLDER / "once_held_out"
"""Goals that were read after all; the gate does not play them."""
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Disclosure = Literal["passive", "answers", "volunteers"]
"""passive: answers what is asked, says what is wrong with a list only when it happens again;
answers: also says at once what is wrong with a list; volunteers: adds a wish whenever it speaks."""
Speech = Literal["en", "de", "es", "fr"]
End = Literal["accepted", "gave_up", "done"]
"""accepted: took a film; gave_up: patience ended; done: every move made, no film wanted."""
MoveKind = Literal[
    "add", "revise", "drop", "undo", "ask", "why", "seen", "dislike", "more", "say", "reset"
]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Than(_Form):
    """Compared with a film that the user names: {film: Heat (1995), runtime: less}."""

    film: str
    what: RangeField
    side: Literal["less", "more"]


class Slot(_Form):
    """One wish. Exactly one of the forms; `say` are the user's own wordings of it."""

    every: Clauses = ()
    """Hard: true of every film they would take."""
    none: Clauses = ()
    """Hard: true of no film they would take."""
    prefer: Clauses = ()
    """Soft."""
    like: str | None = None
    """A film they name as an example."""
    than: Than | None = None
    """Hard, relative to a film they name."""
    gone: str | None = None
    """A film they have seen or dislike, and name as such."""
    say: Texts = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = (self.every, self.none, self.prefer, self.like, self.than, self.gone)
        if sum(bool(form) for form in forms) != 1:
            raise ValueError("a wish is exactly one of every, none, prefer, like, than, gone")
        if len(self.clauses) > 1:
            raise ValueError("a wish has one clause; write two wishes")
        return self

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Its clause, if it has one by itself."""
        return (*self.every, *self.none, *self.prefer)

    @property
    def title(self) -> str | None:
        """The film that saying it names."""
        return self.like or self.gone or (self.than.film if self.than else None)

    @property
    def hard(self) -> bool:
        """Whether a film that breaks it is refused."""
        return bool(self.every or self.none or self.than)


class Move(_Form):
    """Something the user does at a fixed point, and what the agent should do then."""

    at: int = Field(ge=2)
    """Their how-manieth message at the earliest (1 = the opening)."""
    do: MoveKind
    slot: str | None = None
    """What is added, revised or dropped."""
    to: str | None = None
    """revise: the wish that takes its place."""
    about: QuestionField | None = None
    """ask: what is asked of the first film shown last, or of `film`."""
    film: str | None = None
    say: Texts = ()
    acts: tuple[Act, ...] = ()
    acts_any: tuple[Act, ...] = ()
    cards: Literal["some", "none", "any"] = "any"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needs = {"add": ("slot",), "revise": ("slot", "to"), "drop": ("slot",), "say": ("say",)}
        lacking = [n for n in needs.get(self.do, ()) if not getattr(self, n)]
        if lacking:
            raise ValueError(f"{self.do} needs {lacking[0]}")
        return self


class Noise(_Form):
    """How the words come out."""

    typos: float = Field(default=0.0, ge=0, le=0.5)
    """Chance that a word of four letters or more has one."""
    lower: bool = False
    """No capitals, no final punctuation."""
    filler: float = Field(default=0.0, ge=0, le=1)
    """Chance of "um", "please", "haha" around a message."""
    mixes: Literal["de", "es", "fr"] | None = None
    """Some words come out in this language."""


class Target(_Form):
    """Which films the user would be happiest with: conditions, or ids looked up by IMDb id."""

    every: Clauses = ()
    none: Clauses = ()
    imdb: tuple[str, ...] = ()


class Goal(_Form):
    """A goal-driven scenario."""

    id: str
    split: Split
    covers: tuple[str, ...] = Field(min_length=1)
    who: str
    """The person, for people and for a model-based user."""
    wants: dict[str, Slot] = Field(min_length=1)
    opening: Texts = Field(min_length=1)
    """Ways to begin; all of them say exactly the wishes of `opens`."""
    opens: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    target: Target | None = None
    """Beyond the wishes; most users take anything that satisfies those."""
    tells: Disclosure = "answers"
    patience: int = Field(default=8, ge=3, le=30)
    """Messages after which they give up."""
    picky: float = Field(default=0.4, ge=0, le=0.9)
    """Share of fitting films that they do not fancy, for no reason they could name."""
    seen: float = Field(default=0.2, ge=0, le=0.9)
    """Share of very famous films that they have seen already."""
    may_drop: tuple[str, ...] = ()
    """Wishes they give up when told that nothing fits."""
    noise: Noise = Noise()
    speaks: Speech = "en"
    acts_any: tuple[Act, ...] = ()
    """What the agent should do on the opening (one of)."""
    ends: tuple[End, ...] = ("accepted",)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [*self.opens, *self.may_drop]
        named += [s for m in self.moves for s in (m.slot, m.to) if s]
        unknown = [name for name in named if name not in self.wants]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no wish of this scenario")
        early = [name for name in self.opens if name in self.later]
        if early:
            raise ValueError(f"{early[0]!r} is said in the opening but comes with a move")
        if self.patience < len(self.moves) + 3:
            raise ValueError("patience must leave three messages beside the moves")
        for before, move in zip((None, *self.moves), self.moves, strict=False):
            if before is not None and move.at <= before.at:
                raise ValueError("moves are written in their order, one a message")
            if move.do == "undo" and (before is None or before.do not in _UNDONE):
                raise ValueError("undo follows the add, revise or drop that it takes back")
        return self

    @property
    def later(self) -> frozenset[str]:
        """Wishes that do not exist before a move brings them."""
        brought = {m.slot if m.do == "add" else m.to for m in self.moves if m.do in _BRINGS}
        return frozenset(name for name in brought if name)


_BRINGS = ("add", "revise")
_UNDONE = ("add", "revise", "drop")


def binding(goal: Goal, moves_done: int) -> tuple[str, ...]:
    """The wishes that exist once so many moves were made, in their order."""
    live = [name for name in goal.wants if name not in goal.later]
    history: list[list[str]] = []
    for move in goal.moves[:moves_done]:
        if move.do == "undo":
            live = history.pop() if history else live
            continue
        if move.do in _UNDONE:
            history.append(list(live))
        if move.do in ("revise", "drop") and move.slot in live:
            live.remove(move.slot)
        brought = move.slot if move.do == "add" else move.to
        if move.do in _BRINGS and brought:
            live.append(brought)
        if move.do == "reset":
            live, history = [], []
    return tuple(live)


# --- files ----------------------------------------------------------------------------------------


def load_goals(place: Path = GOALS) -> list[Goal]:
    """Every goal of a folder or file, YAML (a list) or JSON lines. Raises: EvalInputProblem."""
    files = sorted(_files(place)) if place.is_dir() else [place]
    goals = [goal for file in files for goal in _goals_of(file)]
    if not goals:
        if place.is_dir():
            raise ScenarioProblem(f"{place} holds no goal (*.yaml or *.jsonl)")
        raise ScenarioProblem(f"{place} is empty: it needs one goal a line")
    seen: set[str] = set()
    for goal in goals:
        if goal.id in seen:
            raise ScenarioProblem(f"{place}: the id {goal.id!r} is there twice")
        seen.add(goal.id)
    return goals


def _files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.yaml")
    yield from folder.glob("*.jsonl")


def _goals_of(file: Path) -> Iterator[Goal]:
    for where, row in _rows_of(file):
        try:
            yield Goal.model_validate(row)
        except ValidationError as error:
            raise ScenarioProblem(f"{where}, {fault_of(error)}") from None


def _rows_of(file: Path) -> Iterator[tuple[str, object]]:
    """(where it stands, what stands there)."""
    if ".jsonl" in file.suffixes:
        yield from ((f"{file} line {number}", row) for number, row in objects_of(file))
        return
    rows = read_yaml(file)
    if not isinstance(rows, list):
        raise ScenarioProblem(f"{file} is no list of goals: begin each with - and its id")
    for number, row in enumerate(rows, 1):
        name = row.get("id", number) if isinstance(row, dict) else number
        yield f"{file}, goal {name}", row


def every_goal_of_ours() -> list[Goal]:
    """Those that are played by default, those held out and those that once were."""
    return [goal for place in (GOALS, ONCE_HELD_OUT, HELD_OUT) for goal in load_goals(place)]


# --- coverage -------------------------------------------------------------------------------------


def coverage(labelled: Iterable[tuple[Split, Sequence[str]]]) -> dict[str, dict[Split, int]]:
    """{what is covered: {split: how many scenarios}}."""
    table: dict[str, dict[Split, int]] = {}
    for split, covers in labelled:
        for what in dict.fromkeys(covers):
            table.setdefault(what, dict.fromkeys(SPLITS, 0))[split] += 1
    return dict(sorted(table.items()))
