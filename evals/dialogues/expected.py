"""What must be true of an answer: the labels that a scenario puts on each turn.

Knows the form in which labels travel inside a transcript, so that a file can be scored again
without the scenario, the simulated user or the agent. Does not know how labels come about: scripted
scenarios (scenario.py `labels`) and simulated users write them. Read by the scorers.
"""

from collections.abc import Iterable
from typing import Literal, cast, get_args

from pydantic import model_validator

from agent.events import Act, EntryKind, LedgerEntryView
from agent.ledger_labels import label
from evals.form import Form
from retrieval.movie import Clause, Constraints, Match, MatchField, Range, RangeField
from retrieval.understanding import Polarity


class ClauseForm(Form):
    """A clause of retrieval/movie.py as JSON: values of a match field, or bounds of a range."""

    field: MatchField | RangeField
    values: tuple[str, ...] | None = None
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _match_or_range(self) -> "ClauseForm":
        ranged = self.min is not None or self.max is not None
        if ranged == (self.values is not None) or ranged == (self.field in get_args(MatchField)):
            raise ValueError("values for a match field, min or max for a range field")
        return self

    @classmethod
    def of(cls, clause: Clause) -> "ClauseForm":
        """From a clause."""
        if isinstance(clause, Range):
            return cls(field=clause.field, min=clause.min, max=clause.max)
        return cls(field=clause.field, values=tuple(sorted(clause.values)))

    def clause(self) -> Clause:
        """The clause."""
        if self.values is None:
            return Range(cast(RangeField, self.field), self.min, self.max)
        return Match(cast(MatchField, self.field), frozenset(self.values))


def clause_label(clause: Clause, avoid: bool = False) -> str:
    """What people call a clause: the words that it would have on a chip."""
    polarity = "avoid" if avoid else "want"
    if isinstance(clause, Match):
        return label(clause.field, " or ".join(sorted(clause.values)), polarity)
    bounds = {k: v for k, v in (("min", clause.min), ("max", clause.max)) if v is not None}
    if clause.field in ("year", "runtime"):
        return label(clause.field, bounds, polarity)
    return label("attribute", {"name": clause.field, **bounds}, polarity)


class Wish(Form):
    """A clause that the user has uttered and not taken back."""

    clause: ClauseForm
    avoid: bool = False
    """True: no film may satisfy it."""
    hard: bool = True
    since: int
    """The turn that brought it (1 = first)."""


class LedgerLine(Form):
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


class Compared(Form):
    """The user asked for more or less of something than the films shown last."""

    what: RangeField
    side: Literal["less", "more"]


class Expected(Form):
    """The labels of one turn; None or empty = not said, so nobody is judged by it."""

    wishes: tuple[Wish, ...] = ()
    """Everything that binds this turn's cards, earlier turns' wishes included."""
    gone_ids: tuple[str, ...] = ()
    """Films that must not be shown: named as seen, disliked or as an example."""
    gone_titles: tuple[str, ...] = ()
    """The same as "Title (Year)", where no id is known."""
    may_repeat: bool = False
    """The user asked to see films again."""
    acts: tuple[Act, ...] = ()
    """All of these."""
    acts_any: tuple[Act, ...] = ()
    """One of these."""
    cards: Literal["some", "none", "any"] = "any"
    asks: bool | None = None
    """Whether a question back is right; None = either is."""
    says: tuple[str, ...] = ()
    """Each of them stands in the prose."""
    never_says: tuple[str, ...] = ()
    """None of them does: planted instructions, refusals of what is in scope."""
    scope: Literal["in", "out"] | None = None
    """Whether the message is about films."""
    undoes: bool = False
    """The message takes back the last change."""
    compared: tuple[Compared, ...] = ()
    ledger_has: tuple[LedgerLine, ...] = ()
    ledger_lacks: tuple[LedgerLine, ...] = ()

    @property
    def constraints(self) -> Constraints:
        """What every card must satisfy."""
        return constraints_of_wishes(self.wishes)


def constraints_of_wishes(wishes: Iterable[Wish]) -> Constraints:
    """The hard ones as constraints."""
    hard = [wish for wish in wishes if wish.hard]
    return Constraints(
        tuple(w.clause.clause() for w in hard if not w.avoid),
        tuple(w.clause.clause() for w in hard if w.avoid),
    )
