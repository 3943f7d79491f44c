"""What every index agrees on: the fields of a movie that are searched, the words, the weights.

Knows which values, texts and titles of a movie can be asked for and how much each counts. Does not
know how an index stores or scores them. Called by the local_*.py and opensearch_*.py files.
"""

import re
from collections.abc import Iterable

from retrieval.movie import MatchField, Movie, stems, words
from retrieval.record import FIELD_NAMES

# --- values ---------------------------------------------------------------------------------------

STORED: tuple[MatchField, ...] = (
    *("genre", "mood", "theme", "keyword", "director", "actor"),
    *("language", "country", "certificate", "kind", "service"),
)
UNIONS: dict[MatchField, tuple[MatchField, ...]] = {
    "person": ("director", "actor"),
    "topic": ("genre", "theme", "mood", "keyword"),
}
"""Fields that are answered from several stored ones."""
GUESSED: tuple[MatchField, ...] = ("mood", "theme")
"""Fields for which a model may have predicted tags."""


def parts_of(name: MatchField) -> tuple[MatchField, ...]:
    """The stored fields behind a match field."""
    return UNIONS.get(name, (name,))


def guessed_parts(name: MatchField) -> tuple[MatchField, ...]:
    """The stored fields whose predicted tags rank for a match field: moods, and themes by name.

    Not `topic`: with guessed themes in it, requests for a theme found no more (`evals tags`:
    precision at ten .636 against .637 without), since the text's own words do it better.
    """
    return (name,) if name in GUESSED else ()


def known_fields(movie: Movie) -> Iterable[str]:
    """The names of the fields that have a value; services without a name are none."""
    for name in FIELD_NAMES:
        value = getattr(movie, name)
        if name == "available_on":
            value = any(value.values())
        if isinstance(value, int | float) and not isinstance(value, bool) or value:
            yield name


# --- text -----------------------------------------------------------------------------------------

BOOSTS = {"title": 0.7, "people": 1.0, "tags": 1.0, "body": 1.0}
"""Weight of a word in each field; the best field counts whole, the others by TIE_BREAKER.

Titles are short, so BM25 favours them by itself, and whole titles are found apart (`title_spans`).
Descriptions of half-remembered films (500 of tomt_dev_1000, R@10/R@200): a title weight of 3 gives
.082/.246, of 1 .134/.350, these weights .13-.14/.36-.37; ReDial last utterances stay at .05/.12.
"""
TIE_BREAKER = 0.6
MAX_TERMS = 96
MAX_CHARS = 8_000
"""Distinct words of a query that are searched, and how far a text is read: a 50 kB message costs no
more than a long one."""

STOPWORDS = frozenset(
    """a about an and any anything are as at be been but by can could do does find for from give
    good got great had has have hello hey hi i i'd i'll i'm i've if im in is it it's kind like
    liked looking love loved maybe me more movie movies my need of ok on one or other please
    really recommend recommendation some someone something sort suggest suggestion tell thank
    thanks that the them then there they thing this to too tonight try us very want was watch
    watched watching we were what what's which who will with would yes you your film films flick
    show seen see""".split()
)
"""Words of a request that say nothing of the film; they count only where nothing else is said."""


def texts_of(movie: Movie) -> dict[str, str]:
    """{text field: the stems that are searched, separated by spaces}."""
    parts = {
        "title": (movie.title, *movie.alt_titles),
        "people": (*movie.directors, *movie.cast),
        "tags": (*movie.genres, *movie.moods, *movie.themes, *movie.keywords),
        # Exactly the text in which `is_excluded_by` looks for words, in the same order.
        "body": (*movie.keywords, movie.overview),
    }
    return {name: " ".join(stems(" ; ".join(texts))) for name, texts in parts.items()}


def query_terms(text: str) -> tuple[str, ...]:
    """The distinct telling stems of a request, in order; all of them if none is telling."""
    every = stems(text[:MAX_CHARS])
    telling = [w for w in every if w not in STOPWORDS]
    return tuple(dict.fromkeys(telling or every))[:MAX_TERMS]


# --- titles in a text -----------------------------------------------------------------------------

TITLE_WORDS = 8
"""Longest title looked for inside a text."""
TITLE_CHARS = 500
"""Titles are looked for at the start of a text; nothing longer is a title."""
EXACT_TITLE = 1000.0
"""Added to the score of a title that is the whole text: above every BM25 score."""
TITLE_INSIDE = 6.0
"""Added per word of a title of several words that stands in the text."""
_YEAR_AT_END = re.compile(r"^(.+?)\s*\(?\b((?:18|19|20)\d\d)\)?\s*$")


def title_spans(text: str) -> dict[str, int]:
    """{what may be a title of several words inside the text: how many words}."""
    tokens = [word.replace("'", "") for word in words(text[:TITLE_CHARS])]
    return {
        " ".join(tokens[i : i + n]): n
        for n in range(2, TITLE_WORDS + 1)
        for i in range(len(tokens) - n + 1)
        if not STOPWORDS.issuperset(tokens[i : i + n])
    }


def dated_title(text: str) -> tuple[str, int] | None:
    """("Cinderella", 2015) of "Cinderella (2015)"; None when no year ends the text."""
    dated = _YEAR_AT_END.match(text)
    return (dated[1], int(dated[2])) if dated else None


# --- tags -----------------------------------------------------------------------------------------

PREDICTED = 0.5
"""How much a tag counts that a model guessed."""
TIE_PRIOR = 1e-3
"""Times the prior (0-1): orders movies that fulfil the same wishes by how well known they are."""
