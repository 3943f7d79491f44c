"""Entities in a request as the product understands them, scored against marks people made.

Knows the names and the span habits of the MIT movie corpus (what a year includes, where a genre
ends), and span-exact F1. Does not know how anything is understood: it reads the marks of
retrieval/understand.py. Pure. Called by extract_command.py.

A title or person that the catalogue does not have cannot be found by a product that links to it:
such gold spans are dropped from recall, and a prediction equal to one counts neither way.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evals.recorded.extract_input import Entity, Marked
from retrieval.movie import fold, title_key
from retrieval.nlu.lexicon import Lexicon
from retrieval.understand import understand
from retrieval.understanding import Mark

TYPES: Final[Mapping[str, str]] = {
    "title": "TITLE",
    "actor": "ACTOR",
    "person": "ACTOR",
    "director": "DIRECTOR",
    "genre": "GENRE",
    "subgenre": "GENRE",
    "mood": "MODIFIER",
    "language": "MODIFIER",
    "country": "MODIFIER",
    "year": "YEAR",
    "certificate": "RATING",
    "theme": "PLOT",
    "keyword": "PLOT",
}
"""What was read -> the corpus's name for it. A person in no role is the more common one; what is
called a modifier here belongs to a genre after it ("british horror") and is nothing alone."""
_KIND_OF_FILM: Final = frozenset({"GENRE", "MODIFIER"})
LINKED: Final = frozenset({"TITLE", "ACTOR", "DIRECTOR"})
"""Types that must be in the catalogue to be found."""
_NOT_OF_IT: Final[Mapping[str, re.Pattern[str]]] = {
    "YEAR": re.compile(
        r"^(?:(?:from|in|of|the|year|made|released|during|within|out|for|over|that|came|is|are|an?|some)\s+)+"
        r"|\s+(?:movies?|films?|flicks?|ones?|stuff|releases?)$"
    ),
    "GENRE": re.compile(
        r"^(?:an?|the|some|for|with|my|our|whole|entire)\s+|\s+(?:movies?|films?|flicks?)$"
    ),
    "RATING": re.compile(r"^rated\s+|\s+rated$"),
}
"""What the understanding reads with it and the corpus does not."""
_FILM_AFTER: Final = re.compile(r"(?: [\w']+){0,4}? (?:movies?|films?|flicks?)\b")
_CHILDREN: Final = re.compile(r"kids?|child(?:ren)?")
_VAGUE: Final = re.compile(r"\b(?:new|newest|recent|recently|latest|modern|old|older|classics?)\b")
"""Eras that the corpus hardly ever marks."""
_COUNTED: Final = ("correct", "predicted", "gold")
_TOKEN: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one type."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predictions that are right; 0 without any."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found; 0 without any."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0


@dataclass(frozen=True, slots=True)
class Extraction:
    """Counts by type that the file marks, with and without the drop."""

    queries: int
    kept: Mapping[str, Tally]
    """Without the gold spans that the catalogue lacks."""
    every: Mapping[str, Tally]
    dropped: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The figures; `f1` is the one with the drop."""
        types = sorted(self.every)
        return {
            "queries": self.queries,
            "f1": {t: round(self.kept[t].f1, 4) for t in types},
            "f1_without_drop": {t: round(self.every[t].f1, 4) for t in types},
            "precision": {t: round(self.kept[t].precision, 4) for t in types},
            "recall": {t: round(self.kept[t].recall, 4) for t in types},
            "gold": {t: self.kept[t].gold for t in types},
            "predicted": {t: self.kept[t].predicted for t in types},
            "dropped": dict(self.dropped),
        }


def entities_of(text: str, marks: Sequence[Mark]) -> tuple[Entity, ...]:
    """The marks of an understanding as entities of the corpus."""
    places = [m.span() for m in _TOKEN.finditer(text)]
    found = []
    for mark in marks:
        kind = _type_of(mark, text.lower())
        if kind is None:
            continue
        start, end = _trimmed(text, mark, kind)
        covered = [i for i, (a, b) in enumerate(places) if a < end and b > start]
        if covered:
            first, last = covered[0], covered[-1] + 1
            words = " ".join(text[a:b] for a, b in places[first:last])
            found.append(Entity(kind, first, last, words))
    genres = _joined(sorted((e for e in found if e.type in _KIND_OF_FILM), key=lambda e: e.start))
    within = {n for e in genres for n in range(e.start, e.end)}
    rest = [e for e in found if e.type not in _KIND_OF_FILM]
    plots = [e for e in rest if e.type != "PLOT" or e.start not in within]
    return tuple(dict.fromkeys([*genres, *plots]))


def _type_of(mark: Mark, lower: str) -> str | None:
    """The corpus's type of a mark; None where it has none."""
    if mark.kind == "mood" and _FILM_AFTER.match(lower, mark.end):
        return "GENRE"
    if mark.kind == "companion" and _CHILDREN.fullmatch(lower, mark.start, mark.end):
        return "GENRE"
    if mark.kind == "year" and _VAGUE.search(lower, mark.start, mark.end):
        return None
    if mark.kind == "runtime" and lower.startswith("short", mark.start):
        return "GENRE"
    return TYPES.get(mark.kind)


def _trimmed(text: str, mark: Mark, kind: str) -> tuple[int, int]:
    start, end = mark.start, mark.end
    around = _NOT_OF_IT.get(kind)
    while around and (found := around.search(text[start:end].lower())):
        before = start, end
        start, end = (
            (start + found.end(), end) if found.start() == 0 else (start, start + found.start())
        )
        if start >= end:
            return before
    return start, end


def _joined(found: Sequence[Entity]) -> list[Entity]:
    """Neighbouring words for one kind of film as one: "british horror", "science fiction comedy".

    A nation or mood counts in front of a genre only.
    """
    joined: list[Entity] = []
    for entity in found:
        last = joined[-1] if joined else None
        if last and entity.start < last.end:
            continue
        if last and last.end == entity.start and (entity.type == "GENRE" or last.type != "GENRE"):
            joined[-1] = Entity(entity.type, last.start, entity.end, f"{last.text} {entity.text}")
        else:
            joined.append(entity)
    return [e for e in joined if e.type == "GENRE"]


def in_catalogue(lexicon: Lexicon, entity: Entity) -> bool:
    """Whether the catalogue has this title or person, by normalised exact match.

    What stands before a colon counts as a title ("Star Wars"), and so do other titles of a film.
    """
    if entity.type == "TITLE":
        return any(key in lexicon.titles for key in (fold(entity.text), title_key(entity.text)))
    return fold(entity.text) in lexicon.people


def extract(
    queries: Sequence[Marked], lexicon: Lexicon, tell: Callable[[int, int], None] | None = None
) -> Extraction:
    """Understand every query and count, type by type."""
    kept: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    every: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    dropped: Counter[str] = Counter()
    for n, query in enumerate(queries):
        gold = set(query.entities)
        predicted = set(entities_of(query.text, understand(query.text, lexicon).marks))
        lacking = {e for e in gold if e.type in LINKED and not in_catalogue(lexicon, e)}
        dropped.update(e.type for e in lacking)
        _count(every, gold, predicted)
        _count(kept, gold - lacking, predicted - lacking)
        if tell:
            tell(n + 1, len(queries))
    types = sorted(every["gold"])
    return Extraction(len(queries), _tallies(kept, types), _tallies(every, types), dropped)


def _count(counts: dict[str, Counter[str]], gold: set[Entity], predicted: set[Entity]) -> None:
    counts["correct"].update(e.type for e in gold & predicted)
    counts["predicted"].update(e.type for e in predicted)
    counts["gold"].update(e.type for e in gold)


def _tallies(counts: dict[str, Counter[str]], types: Iterable[str]) -> dict[str, Tally]:
    return {
        t: Tally(counts["correct"][t], counts["predicted"][t], counts["gold"][t]) for t in types
    }
