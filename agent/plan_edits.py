"""What is believed of the ledger changes that a model plans: what the user's own words ask for.

Knows which values the ledger takes, that each change must quote the message, and that what the
rules heard stays. Does not know prompts or calls (model_decider.py). Pure.

A model may obey an instruction hidden in a title or an old message. So a change counts only with
words of the user's newest message; in English, where the rules can read those words themselves,
they must also name what is changed, and nothing binding may go. What a model reads between the
lines there still steers the list: through its search words and the films it proposes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz import fuzz

from agent.ledger import Entry, Ledger, LedgerEdit
from agent.ledger_labels import COUNTRIES, LANGUAGES
from agent.plan import Plan, PlannedDrop, PlannedFilm, PlannedWish
from retrieval.movie import ATTRIBUTES, GENRES, fold, stems, title_key, words
from retrieval.nlu.lexicon import Lexicon, is_vocabulary
from retrieval.nlu.wording import OCCASION_WISHES, SERVICES, STOPWORDS

ENGLISH = 0.3
"""Share of small English words from which a message is taken for English, whatever a model says."""
NAMED = 75.0
"""Likeness (0-100) of a quote and a title from which the quote names the film."""
_LETS_GO = re.compile(
    r"\b(forget|drop|remove|never ?mind|matters?|no longer|any ?more|ignore|skip|scrap|lose|fine|"
    r"(don't|do not) (need|care|mind)|changed my mind|after all|okay with|ok with)\b",
    re.IGNORECASE,
)
YEARS, MINUTES = range(1880, 2101), range(1, 601)
TOPICS = ("theme", "keyword")
CERTIFICATES = frozenset("g pg pg-13 r nc-17 tv-y tv-y7 tv-g tv-pg tv-14 tv-ma".split())


@dataclass(frozen=True, slots=True)
class Believed:
    """The edits that count, and how many did not."""

    edits: tuple[LedgerEdit, ...]
    refused: int


def believed_edits(
    plan: Plan, message: str, ledger: Ledger, ruled: Sequence[LedgerEdit], lexicon: Lexicon
) -> Believed:
    """The planned edits that the message itself asks for, beyond those the rules heard."""
    reader = _Reader(message, ledger, lexicon, is_english(plan.language, message))
    found = [
        *(reader.drop(drop) for drop in plan.drop),
        *(reader.film(film) for film in plan.films),
        *(reader.wish(wish) for wish in plan.wishes),
    ]
    after, _ = ledger.apply(ruled, "now")
    kept: list[LedgerEdit] = []
    for edit in found:
        if edit is None or not reader.leaves_binding(edit, after):
            continue
        trial, changes = after.apply([edit], "now")
        if changes:
            after = trial
            kept.append(edit)
    return Believed(tuple(kept), len(found) - len(kept))


def with_free_topics(edits: Iterable[LedgerEdit]) -> tuple[LedgerEdit, ...]:
    """The rules' edits for a turn on which a model proposes films: topics rank, and do not bind.

    "A heist film" binds by the tags of the catalogue where nothing else tells heist films from
    others. Those tags are thin, and a model knows films that have none: its proposals count.
    """
    return tuple(
        replace(e, hard=False, loose=False) if e.loose and e.kind in TOPICS else e for e in edits
    )


def is_english(language: str, message: str) -> bool:
    """Whether the rules could read the message; a model's word alone is not enough to say no."""
    tokens = words(message)
    small = sum(token in STOPWORDS for token in tokens)
    return language == "en" or (bool(tokens) and small / len(tokens) >= ENGLISH)


@dataclass(frozen=True)
class _Reader:
    """Reads planned changes against one message."""

    message: str
    ledger: Ledger
    lexicon: Lexicon
    english: bool

    def quoted(self, said: str) -> bool:
        """Whether these are words of the user: whole ones, more than a syllable."""
        quote = fold(said)
        return len(quote) > 1 and f" {quote} " in f" {fold(self.message)} "

    def leaves_binding(self, edit: LedgerEdit, ledger: Ledger) -> bool:
        """Whether no binding entry goes because of an addition that only the model heard."""
        if edit.op != "add" or not self.english:
            return True
        _, changes = ledger.apply([edit], "now")
        return not any(c.what == "replaced" and c.entry.hard for c in changes)

    def drop(self, drop: PlannedDrop) -> LedgerEdit | None:
        entry = next((e for e in self.ledger.entries if e.id == drop.id), None)
        if entry is None or not self.quoted(drop.said):
            return None
        if self.english and not (_LETS_GO.search(drop.said) and _shares_a_word(drop.said, entry)):
            return None
        return LedgerEdit("withdraw", entry_id=entry.id)

    def film(self, film: PlannedFilm) -> LedgerEdit | None:
        entry = self.lexicon.resolve(film.title)
        if entry is None or not self.quoted(film.said):
            return None
        likeness = fuzz.partial_ratio(title_key(entry.title), fold(film.said))
        long_enough = len(fold(film.said)) >= min(3, len(title_key(entry.title)))
        if self.english and (likeness < NAMED or not long_enough):
            return None
        value = {"movie_id": entry.movie_id, "title": entry.title, "year": entry.year}
        seed = film.stance == "seed"
        polarity = "want" if seed else "avoid"
        return LedgerEdit("add", kind=film.stance, value=value, polarity=polarity, hard=not seed)  # type: ignore[arg-type]  # one of the two

    def wish(self, wish: PlannedWish) -> LedgerEdit | None:
        value = self._value(wish)
        if value is None or not self.quoted(wish.said):
            return None
        if self.english and not _names_value(wish, value):
            return None
        # Moods and topics are free words: a film without the tag may still be just that.
        hard = wish.hard and (wish.avoid or wish.kind not in ("mood", *TOPICS))
        return LedgerEdit(
            "add",
            kind=wish.kind,
            value=value,
            polarity="avoid" if wish.avoid else "want",
            hard=hard,
            joins=True,
        )

    def _value(self, wish: PlannedWish) -> str | Mapping[str, Any] | None:
        """The value as the ledger has it; None for what no catalogue could satisfy."""
        text = wish.value.strip()
        if wish.kind in ("year", "runtime"):
            return _range(wish, YEARS if wish.kind == "year" else MINUTES)
        if wish.kind == "attribute":
            return {"name": text, "min": 2} if text in ATTRIBUTES else None
        if wish.kind in ("person", "actor", "director"):
            person = self.lexicon.people.get(fold(text))
            return person.name if person else None
        if wish.kind in ("theme", "keyword", "mood"):
            return self._topic(fold(text))
        known: Mapping[str, Iterable[str]] = {
            "genre": GENRES,
            "language": LANGUAGES,
            "country": (*COUNTRIES, *LANGUAGES),
            "certificate": CERTIFICATES,
            "kind": ("movie", "series"),
            "service": {fold(service) for service in SERVICES},
            "companion": OCCASION_WISHES,
        }
        lowered = text.lower()
        if lowered not in known[wish.kind]:
            return None
        return text.upper() if wish.kind == "certificate" else lowered

    def _topic(self, topic: str) -> str | None:
        """A free word that the catalogue knows: invented names must not become wishes."""
        ordinary = all(word in self.lexicon.common for word in topic.split())
        known = topic in self.lexicon.tags or is_vocabulary(topic) or ordinary
        return topic if topic and known else None


def _range(wish: PlannedWish, sane: range) -> Mapping[str, int] | None:
    bounds = {"min": wish.min, "max": wish.max}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if not given or any(bound not in sane for bound in given.values()):
        return None
    if "min" in given and "max" in given and given["min"] > given["max"]:
        return None
    return given


def _names_value(wish: PlannedWish, value: str | Mapping[str, Any]) -> bool:
    """Whether the quote names the value: a word of it, or its numbers."""
    named = value if isinstance(value, str) else str(value.get("name", ""))
    if named:
        if wish.kind in ("language", "country"):
            named = f"{LANGUAGES.get(named, '')} {COUNTRIES.get(named, '')}"
        return bool(set(stems(named)) & set(stems(wish.said)) - STOPWORDS)
    said = words(wish.said)
    if wish.kind == "runtime" and not {"minutes", "minute", "min", "mins", "hours"} & set(said):
        return False
    return isinstance(value, Mapping) and all(str(bound) in said for bound in value.values())


def _shares_a_word(said: str, entry: Entry) -> bool:
    """Whether a quote names the entry: "any length is fine" does not name "no horror"."""
    content = {word for word in stems(said) if word not in STOPWORDS}
    return bool(content & set(stems(f"{entry.kind} {entry.label}")))
