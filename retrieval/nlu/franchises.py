"""Series of films asked for as such: "a Harry Potter film", "all the Rocky movies", "a Bond film".

Knows how a series is asked for, that its films begin with its name or stand in wording.yaml, and
when one of them is asked about ("the longest of the Rocky films"). Does not know what is refused
(brands.py) nor what a single title means (linking.py). Pure; called by understand.py.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from retrieval.movie import fold
from retrieval.nlu.brands import brand_named, films_of_brand
from retrieval.nlu.lexicon import TitleEntry
from retrieval.nlu.linking import Linker
from retrieval.nlu.scope import Reach, mode_at
from retrieval.nlu.vocabulary import names_a_topic
from retrieval.nlu.wording import STOPWORDS, SUPERLATIVES
from retrieval.understanding import Finding, Mention, Question, QuestionField, Understanding

LEAST_FILMS = 3
"""Films that make a series."""
LONGEST_NAME = 6
"""Words of the name of a series."""
SHORTEST_NAME = 3
"""Letters of the name of a series."""
_FILMS = re.compile(r"['’]?s? (?:movies?|films?|flicks?|series\b|franchise|trilogy|saga|ones?\b)")
_COMPARED = re.compile(
    r"\b(?:like|than|love|loved|loves|liked|enjoy|enjoyed|adore|fan of|similar to|reminds? me of"
    r"|remake of|vibes? of|style of|seen|watched|saw|hate|hated|know|after|finished|about|is|was"
    r"|are|were|many|heard of)"
    r"(?: (?:in|to))?(?: (?:all|most|some|almost|nearly|both|of|the|any|every|those|these|new|old"
    r"|first|last|recent))* $"
)
"""Before a series that is an example, or was seen, and is not asked for itself."""
_REMARKED = re.compile(r" (?:are|were|is|was|have been) ")
"""After a series that is talked of: "all of the Godfather movies are excellent"."""
_TITLED = re.compile(r"['’]?s? (?:movie|film|series|saga) \((?:19|20)\d\d\)")
"""After a name: with it a title, "The Lego Movie (2014)", and no series."""
_MOST = "|".join(sorted(map(re.escape, SUPERLATIVES), key=len, reverse=True))
_MOST_OF = re.compile(
    rf"\b(?P<most>{_MOST})(?: one)?(?: (?:of|among|in))?(?: (?:all|of|the|these|those|any))* $"
)
_IS_THE_MOST = re.compile(rf"[^.?!;]{{0,12}}\b(?:is|was|are)(?: the)? (?P<most>{_MOST})\b")
_WHICH = re.compile(r"\b(?:which|what)(?:'s| is| was)?\b")


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """A series that is asked for, and where its name stands."""

    name: str
    start: int
    end: int
    films: tuple[TitleEntry, ...]
    """Best known first."""

    @property
    def wish(self) -> Finding:
        """Only films of it; where none fits the rest, this gives way before what is laid down."""
        value = {"title": f"{self.name} films", "also": [e.movie_id for e in self.films]}
        return Finding("franchise", value, "want", True, loose=True)

    @property
    def asked(self) -> tuple[Mention, ...]:
        """All its films, as what a question is about."""
        return tuple(
            Mention(e.movie_id, e.title, e.year, "asked", self.start, self.end) for e in self.films
        )


def find_franchises(linker: Linker, reaches: Sequence[Reach]) -> list[FoundSeries]:
    """The series that are asked for; each takes the span of its name."""
    found: list[FoundSeries] = []
    for n in range(LONGEST_NAME, 0, -1):
        for i in range(len(linker.tokens) - n + 1):
            series = _series_at(linker, i, i + n, reaches)
            if series:
                linker.take(series.start, series.end)
                linker.title_spans.append((series.start, series.end))
                found.append(series)
    return found


def most_of(linker: Linker, found: Sequence[FoundSeries]) -> Understanding | None:
    """The question which film of a series goes furthest: "the shortest Bond film"."""
    for series in found:
        before, after = linker.lower[: series.start], linker.lower[series.end :]
        most = _MOST_OF.search(before) or _IS_THE_MOST.match(after)
        about, sign = SUPERLATIVES[most.group("most")] if most else ("", 0)
        # "The best Bond film" asks for films.
        if most and (about != "rating" or _WHICH.search(before)):
            extreme = cast(Literal[-1, 1], sign)
            asked = Question(cast(QuestionField, about), series.films[0].movie_id, None, extreme)
            return Understanding(linker.text, question=asked, mentions=series.asked)
    return None


def _series_at(linker: Linker, i: int, j: int, reaches: Sequence[Reach]) -> FoundSeries | None:
    start, end = linker.tokens[i].start, linker.tokens[j - 1].end
    films = _FILMS.match(linker.lower, end)
    if films is None or not linker.free(start, end) or linker.tokens[i].folded in STOPWORDS:
        return None
    if _TITLED.match(linker.lower, end) or _names_one_film(linker, i, j, films):
        return None
    before = linker.lower[:start]
    negated = any(r.start <= start < r.end for r in reaches)
    asked = mode_at(linker.lower, start) == "request" or _WHICH.search(before)
    after = linker.lower[films.end() :]
    told = _REMARKED.match(after) and not (_WHICH.search(before) or _IS_THE_MOST.match(after))
    if negated or told or _COMPARED.search(before) or not asked:
        return None
    key = " ".join(t.folded for t in linker.tokens[i:j])
    counted = any(start < q.end and q.start < end for q in linker.quantities)
    if counted or key.isdigit() or len(key) < SHORTEST_NAME:
        return None  # "PG 13 movies", "1960 s movies"
    if not brand_named(key) and not _means_a_series(linker, i, j, key):
        return None
    entries = _films_of(linker, key)
    if len(entries) < LEAST_FILMS:
        return None
    name = _written(brand_named(key) or linker.text[start:end])
    return FoundSeries(name, start, end, entries)


def _names_one_film(linker: Linker, i: int, j: int, films: re.Match[str]) -> bool:
    """Whether name and "movie" are a title: "he liked The Lego Movie", but "a Lego movie"."""
    before = linker.tokens[i - 1].folded if i else ""
    whole = fold(linker.text[linker.tokens[i].start : films.end()])
    return before == "the" and whole in linker.lexicon.titles


def _means_a_series(linker: Linker, i: int, j: int, key: str) -> bool:
    """Whether it is the name of a series: no topic ("haunted house"), one word only a name."""
    written = any(token.capital for token in linker.tokens[i:j])
    if not written and names_a_topic(key, linker.lexicon):
        return False
    if j - i > 1:
        return True
    # Of "Psycho" there are II, III and IV; "Heat and Dust" goes on from no "Heat".
    return key not in linker.lexicon.small or len(linker.lexicon.sequels_of(key)) > 1


def _films_of(linker: Linker, key: str) -> tuple[TitleEntry, ...]:
    brand = brand_named(key)
    if brand:
        return _best_known(films_of_brand(brand, linker.lexicon))
    for name in dict.fromkeys((key, key.removesuffix("s"))):
        begun = [*linker.lexicon.series_of(name), *linker.lexicon.beginning_with(name)]
        if len(_best_known(begun)) >= LEAST_FILMS:
            # A single word stands in titles that have nothing to do with it: "Rocky Mountain".
            further = linker.lexicon.naming(name) if " " in name else ()
            return _best_known([*begun, *further])
    return ()


def _best_known(entries: Iterable[TitleEntry]) -> tuple[TitleEntry, ...]:
    each = {e.movie_id: e for e in entries}
    return tuple(sorted(each.values(), key=lambda e: (-e.prior, e.movie_id)))


def _written(name: str) -> str:
    small = {"of", "the", "and", "in", "to", "a"}
    words = name.strip("\"'").split()
    each = [w if n and w in small else w[:1].upper() + w[1:] for n, w in enumerate(words)]
    return "DC" if name.lower() == "dc" else " ".join(each)
