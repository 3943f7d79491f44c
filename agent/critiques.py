"""Critiques worth tapping under a list: only those that really change it.

Knows the critiques there are and what each would do to the candidates at hand: the ledger edit that
tapping it makes is made here on a copy, and the candidates are checked against it. Does not know
how a message is understood or searched. Pure. Called by searching.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.events import Option
from agent.ledger import Ledger
from agent.ledger_edits import bound_of
from agent.query import constraints_of
from retrieval.movie import Constraints, Movie, satisfies
from retrieval.understanding import Comparison

TOP = 5
MIN_CHANGED = 3
"""Of the five films at the top; a critique that changes fewer is not offered."""
MIN_COMING = 4
"""The same of the five that would come next without it, as far as the candidates at hand tell: the
search anew brings some near again (of 108 chips offered at three, 3 changed only two)."""
MAX_CHIPS = 4
OTHERS = Option(label="Show me others", text="show me more")
CRITIQUES: tuple[tuple[Option, Comparison], ...] = (
    (Option(label="Shorter", text="something shorter"), Comparison("runtime", -1)),
    (Option(label="Newer", text="something newer"), Comparison("year", 1)),
    (Option(label="Older", text="something older"), Comparison("year", -1)),
    (Option(label="Lighter", text="something lighter"), Comparison("sadness", -1)),
    (Option(label="Less violent", text="less violent"), Comparison("violence", -1)),
    (Option(label="Funnier", text="something funnier"), Comparison("humour", 1)),
    (Option(label="Less scary", text="less scary"), Comparison("scariness", -1)),
    (Option(label="Longer", text="something longer"), Comparison("runtime", 1)),
)
"""Tapping one sends its text, which is understood as this comparison with the list."""


@dataclass(frozen=True)
class AfterList:
    """What a critique is judged by: the list just shown, what comes next, and what binds."""

    shown: Sequence[Movie]
    rest: Sequence[Movie]
    """The candidates behind the list, best first."""
    ledger: Ledger
    unknowable: frozenset[str] = frozenset()

    def with_critique(self, comparison: Comparison) -> tuple[list[Movie], list[Movie]]:
        """The films of the list, and those behind it, that the critique would leave.

        Where it changes too little of the list, nothing behind it is looked at: ten times as many.
        """
        movies: Mapping[str, Movie] = {m.movie_id: m for m in self.shown}
        edit = bound_of(comparison, list(movies), movies)
        if edit is None:
            return list(self.shown), list(self.rest)
        ledger, _ = self.ledger.apply([edit], "critique")
        bound = _added(constraints_of(ledger, (), self.unknowable), self._now)
        kept = [m for m in self.shown if satisfies(m, bound)]
        behind = self.rest if len(self.shown) - len(kept) >= MIN_CHANGED else ()
        return kept, [m for m in behind if satisfies(m, bound)]

    @cached_property
    def _now(self) -> Constraints:
        return constraints_of(self.ledger, (), self.unknowable)


def _added(bound: Constraints, now: Constraints) -> Constraints:
    """What is new in `bound`: the films at hand satisfy `now`, and asking them again costs time."""
    return Constraints(
        tuple(c for c in bound.require if c not in now.require),
        tuple(c for c in bound.exclude if c not in now.exclude),
    )


def critiques(after: AfterList) -> list[Option]:
    """Up to four chips, the one that splits what is left most evenly first."""
    offered: list[tuple[float, Option]] = []
    for option, comparison in CRITIQUES:
        if takes_back(comparison, after.ledger):
            continue
        kept, rest = after.with_critique(comparison)
        if changes(after, kept, rest):
            share = len(rest) / len(after.rest)
            offered.append((abs(share - 0.5), option))
    chosen = [option for _, option in sorted(offered, key=lambda o: o[0])][: MAX_CHIPS - 1]
    return [*chosen, OTHERS] if len(after.rest) >= MIN_CHANGED else chosen


def takes_back(comparison: Comparison, ledger: Ledger) -> bool:
    """Whether it is the opposite of what they asked for: "longer" after "under two hours"."""
    for entry in ledger.entries:
        if isinstance(entry.value, str) or entry.value.get("name", entry.kind) != comparison.what:
            continue
        low, high = entry.value.get("min") is not None, entry.value.get("max") is not None
        low, high = (low, high) if entry.polarity == "want" else (high, low)
        if low != high and high == (comparison.direction > 0):
            return True
    return False


def changes(after: AfterList, kept: Sequence[Movie], rest: Sequence[Movie]) -> bool:
    """Whether the critique would change three of five, both of this list and of the next one."""
    if len(rest) < MIN_CHANGED:
        return False
    now = len(after.shown) - len(kept)
    coming = {m.movie_id for m in after.rest[:TOP]}
    fresh = [m for m in rest[:TOP] if m.movie_id not in coming]
    return now >= MIN_CHANGED and len(fresh) + TOP - len(rest[:TOP]) >= MIN_COMING
