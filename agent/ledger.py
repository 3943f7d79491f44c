"""The ledger: what the agent holds true about the user's wishes, as visible, versioned entries.

Knows how entries are added, revised, withdrawn and undone, which entries contradict each other, and
how the active ones become constraints, seeds and wishes. Does not know how text becomes an entry
(retrieval/understand.py, decide.py) nor how anything is shown. Pure: every operation returns a new
ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent import ledger_labels
from agent.events import EntryKind, LedgerEntryView
from retrieval.understanding import Polarity

UNDO_DEPTH = 20
"""How many earlier ledgers are kept; more would only grow the stored state."""

MOVIE_KINDS: frozenset[str] = frozenset({"seed", "seen", "disliked", "not_now"})
RANGE_KINDS: frozenset[str] = frozenset({"year", "runtime", "attribute"})
ONE_OF_A_KIND: frozenset[str] = frozenset({"language", "kind", "certificate", "runtime", "year"})
"""A new wanted value of these kinds takes the place of the old one."""
NEWEST_COUNTS: frozenset[str] = frozenset({"genre", "mood", "companion", "franchise"})
"""Wanted in a later turn without "also", these take the place of earlier ones."""

Value = str | Mapping[str, Any]


class StaleEdit(Exception):
    """An edit names an entry that is not there, or a version that is not the current one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the user wants or avoids, with the turn it came from."""

    id: str
    kind: EntryKind
    value: Value
    polarity: Polarity
    hard: bool
    source_turn: str
    loose: bool = False
    """Said without a number or worked out from a list ("short", "shorter"): gives way first."""

    @property
    def label(self) -> str:
        """A short phrase for chips and sentences: "no horror", "under 120 min", "like Heat"."""
        return ledger_labels.label(self.kind, self.value, self.polarity)

    def view(self) -> LedgerEntryView:
        """The entry as events show it."""
        shown = self.value if isinstance(self.value, str) else dict(self.value)
        value = shown if isinstance(shown, str) else {k: v for k, v in shown.items() if k != "also"}
        return LedgerEntryView(
            id=self.id,
            kind=self.kind,
            value=value,
            polarity=self.polarity,
            hard=self.hard,
            source_turn=self.source_turn,
            label=self.label,
            remove_text=ledger_labels.remove_text(self.label),
        )


@dataclass(frozen=True, slots=True)
class LedgerEdit:
    """One change: `add` needs kind and value, `withdraw` and `revise` name an entry."""

    op: Literal["add", "revise", "withdraw", "undo", "clear"]
    kind: EntryKind | None = None
    value: Value | None = None
    polarity: Polarity = "want"
    hard: bool = True
    entry_id: str | None = None
    loose: bool = False
    joins: bool = False
    """Said with "also": stands beside earlier wishes of its kind instead of taking their place."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did, for the answer: an entry came, went, or lost to a newer one."""

    what: Literal["added", "removed", "replaced", "restored"]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Ledger:
    """The active entries in the order they came, with the ledgers before for undo."""

    version: int = 0
    entries: tuple[Entry, ...] = ()
    past: tuple[tuple[Entry, ...], ...] = ()
    issued: int = 0
    """How many entry ids were given out; ids are never used again."""

    def of(self, *kinds: str, polarity: Polarity | None = None) -> tuple[Entry, ...]:
        """The active entries of some kinds."""
        return tuple(e for e in self.entries if e.kind in kinds and polarity in (None, e.polarity))

    def apply(self, edits: Iterable[LedgerEdit], turn_id: str) -> tuple["Ledger", list[Change]]:
        """Apply the edits of one turn as one step that a single undo takes back.

        What two of them take away ("forget the nineties, any year is fine") is gone once.

        Raises: StaleEdit when an edit names an unknown entry.
        """
        changes: list[Change] = []
        ledger = self
        for edit in edits:
            if edit.op == "withdraw" and self._holds(edit) and not ledger._holds(edit):
                continue
            if edit.op == "undo":
                ledger, undone = ledger._undo()
                changes += undone
            else:
                ledger = ledger._one(edit, turn_id, changes)
        if ledger.entries == self.entries:
            return self, []
        undone_only = all(c.what == "restored" for c in changes) and len(ledger.past) < len(
            self.past
        )
        past = ledger.past if undone_only else (*self.past, self.entries)[-UNDO_DEPTH:]
        return replace(ledger, version=self.version + 1, past=past), changes

    def _holds(self, edit: LedgerEdit) -> bool:
        return any(e.id == edit.entry_id for e in self.entries)

    def _one(self, edit: LedgerEdit, turn_id: str, changes: list[Change]) -> "Ledger":
        if edit.op == "clear":
            changes += [Change("removed", e) for e in self.entries]
            return replace(self, entries=())
        if edit.op == "add":
            return self._add(edit, turn_id, changes)
        old = next((e for e in self.entries if e.id == edit.entry_id), None)
        if old is None:
            raise StaleEdit(f"no entry {edit.entry_id!r} in the ledger; reload the conversation")
        if edit.op == "withdraw":
            changes.append(Change("removed", old))
            return replace(self, entries=tuple(e for e in self.entries if e is not old))
        if edit.value is None:
            raise StaleEdit("a revision needs a value")
        new = replace(old, value=edit.value, source_turn=turn_id)
        changes += [Change("replaced", old), Change("added", new)]
        return replace(self, entries=tuple(new if e is old else e for e in self.entries))

    def _add(self, edit: LedgerEdit, turn_id: str, changes: list[Change]) -> "Ledger":
        if edit.kind is None or edit.value is None:
            raise ValueError("an added entry needs a kind and a value")
        new = Entry(
            id=f"e{self.issued + 1}",
            kind=edit.kind,
            value=edit.value,
            polarity=edit.polarity,
            hard=edit.hard,
            source_turn=turn_id,
            loose=edit.loose,
        )
        if any(_same(e, new) for e in self.entries):
            return self
        beaten = [e for e in self.entries if _contradicts(new, e, edit.joins)]
        changes += [Change("replaced", e) for e in beaten]
        left = {e.id: less for e in beaten if (less := _without(e, new))}
        changes += [Change("added", e) for e in (*left.values(), new)]
        kept = tuple(left.get(e.id, e) for e in self.entries if e not in beaten or e.id in left)
        return replace(self, entries=(*kept, new), issued=self.issued + 1)

    def _undo(self) -> tuple["Ledger", list[Change]]:
        if not self.past:
            return self, []
        before = self.past[-1]
        gone = [Change("restored", e) for e in self.entries if e not in before]
        back = [Change("restored", e) for e in before if e not in self.entries]
        return replace(self, entries=before, past=self.past[:-1]), [*gone, *back]

    def to_json(self) -> dict[str, Any]:
        """The ledger as stored."""
        return {
            "version": self.version,
            "issued": self.issued,
            "entries": [_entry_json(e) for e in self.entries],
            "past": [[_entry_json(e) for e in entries] for entries in self.past],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Ledger":
        """The ledger as loaded."""
        return cls(
            version=stored["version"],
            issued=stored["issued"],
            entries=tuple(Entry(**e) for e in stored["entries"]),
            past=tuple(tuple(Entry(**e) for e in entries) for entries in stored["past"]),
        )


def _entry_json(entry: Entry) -> dict[str, Any]:
    value = entry.value if isinstance(entry.value, str) else dict(entry.value)
    return {
        "id": entry.id,
        "kind": entry.kind,
        "value": value,
        "polarity": entry.polarity,
        "hard": entry.hard,
        "source_turn": entry.source_turn,
        "loose": entry.loose,
    }


def _same(a: Entry, b: Entry) -> bool:
    return (a.kind, a.value, a.polarity, a.hard) == (b.kind, b.value, b.polarity, b.hard)


def movie_ids_of(entry: Entry) -> tuple[str, ...]:
    """All movies that such an entry is about: "not Star Wars" refuses every one of them."""
    first = movie_id_of(entry)
    if first is None or isinstance(entry.value, str):
        return ()
    return (first, *(str(m) for m in entry.value.get("also", ())))


def series_ids_of(entry: Entry) -> frozenset[str]:
    """The films of a series that is asked for; none of another entry."""
    if entry.kind != "franchise" or isinstance(entry.value, str):
        return frozenset()
    return frozenset(str(m) for m in entry.value["also"])


def movie_id_of(entry: Entry) -> str | None:
    """The movie that a seed, seen, disliked or not_now entry is about."""
    if entry.kind in MOVIE_KINDS and not isinstance(entry.value, str):
        return str(entry.value["movie_id"])
    return None


def _contradicts(new: Entry, old: Entry, joins: bool) -> bool:
    """Whether `new` takes the place of `old`: new beats old."""
    if movie_id_of(new) is not None:
        return _movie_contradicts(new, old)
    if new.kind != old.kind:
        apart = {new.kind, old.kind} == {"actor", "director"} and new.polarity != old.polarity
        # "Directed by Clint Eastwood, but not starring him" is no contradiction.
        return _is_person(new) and _is_person(old) and new.value == old.value and not apart
    if new.loose and not old.loose and _tightens(new, old):
        return False  # what was said stays beside what was worked out, and outlives it
    if new.kind == "attribute":
        return _attribute(new) == _attribute(old)
    if new.kind in ONE_OF_A_KIND and new.polarity == old.polarity == "want":
        # "Shorter", then "longer": the second takes the first back; two stated bounds make a span.
        return (new.loose and old.loose) or not _complementary(new, old)
    if _values(new) & _values(old):
        return True
    another_turn = old.source_turn != new.source_turn
    both_wanted = new.polarity == old.polarity == "want"
    return new.kind in NEWEST_COUNTS and both_wanted and another_turn and not joins


def _movie_contradicts(new: Entry, old: Entry) -> bool:
    if movie_id_of(new) != movie_id_of(old):
        return False
    # A film can be an example and seen at once; liking and disliking it exclude each other.
    return {new.kind, old.kind} != {"seed", "seen"}


def _without(old: Entry, new: Entry) -> Entry | None:
    """What is left of a choice of which one is refused: "Japanese or Korean", "not Korean"."""
    refused = new.polarity == "avoid" and old.polarity == "want" and new.kind == old.kind
    if not refused or not isinstance(old.value, str):
        return None
    rest = [v for v in old.value.split(" or ") if v not in _values(new)]
    return replace(old, value=" or ".join(rest)) if rest else None


def _is_person(entry: Entry) -> bool:
    return entry.kind in ("person", "actor", "director")


def _attribute(entry: Entry) -> str:
    return "" if isinstance(entry.value, str) else str(entry.value.get("name"))


def _values(entry: Entry) -> set[str]:
    return set(entry.value.split(" or ")) if isinstance(entry.value, str) else set()


def _tightens(new: Entry, old: Entry) -> bool:
    """Whether the new bound lies within the old one: under 80 minutes, then shorter than 76."""
    if isinstance(new.value, str) or isinstance(old.value, str) or new.polarity != old.polarity:
        return False
    if _attribute(new) != _attribute(old) or set(new.value) != set(old.value):
        return False
    tighter_top = int(new.value.get("max") or 0) <= int(old.value.get("max") or 0)
    low, old_low = int(new.value.get("min") or 0), int(old.value.get("min") or 0)
    return tighter_top and (low <= old_low if new.polarity == "avoid" else low >= old_low)


def _complementary(new: Entry, old: Entry) -> bool:
    """Two ranges that bound different ends and leave something between: both stay."""
    if isinstance(new.value, str) or isinstance(old.value, str):
        return False
    if set(new.value) & set(old.value) & {"min", "max"}:
        return False
    low = new.value.get("min", old.value.get("min"))
    high = new.value.get("max", old.value.get("max"))
    return low is not None and high is not None and low <= high
