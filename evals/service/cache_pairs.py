"""Near-duplicate requests made by code: the same in other words, and with one thing changed.

Knows templates, and takes titles, people and years from the starter catalogue. Does not know the
cache. Everything follows from one seed. Called by cache.py.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.jobs.build_index import STARTER
from retrieval.movie import Movie

T = TypeVar("T")
Change = Literal["constraint", "seed", "person", "negation", "language", "detail"]
CHANGES: tuple[Change, ...] = get_args(Change)

GENRES: tuple[str, ...] = (
    "thriller",
    "comedy",
    "drama",
    "western",
    "war movie",
    "crime movie",
    "romance",
)
GENRES += ("horror movie", "documentary", "fantasy movie", "mystery", "musical")
MOODS = ("tense", "funny", "dark", "uplifting", "sad", "romantic", "scary", "cozy", "gritty")
DECADES = ("60s", "70s", "80s", "90s", "2000s", "2010s")
MINUTES = (80, 90, 100, 110, 120, 150)
LANGUAGES = ("French", "Korean", "Spanish", "Italian", "Japanese", "German", "Danish")
WITH = ("romance", "violence", "musical numbers", "horror", "jump scares", "war scenes")
DETAILS: tuple[str, ...] = (
    "a chess player",
    "twins",
    "a lighthouse",
    "a bank robbery",
    "a wedding",
    "a submarine",
)
DETAILS += ("Paris", "Tokyo", "Antarctica", "a small town", "a train", "a boxing gym")
OPENERS = ("", "I'm looking for ", "can you recommend ", "show me ", "I want to see ")
CLOSERS = ("", " please", ", thanks", " if there is one", " for me")
WORDINGS = 50
FAMOUS = 120
"""How many of the best-known films are named."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, apart from how it is worded; None where nothing is said."""

    genre: str
    mood: str | None = None
    decade: str | None = None
    minutes: int | None = None
    language: str | None = None
    seed: str | None = None
    director: str | None = None
    holds: tuple[str, bool] | None = None
    """What should be in it, or (False) should not."""
    detail: str | None = None

    def say(self, wording: int) -> str:
        """The request in one of its `WORDINGS`: small talk around it, order of its parts."""
        opener, closer = OPENERS[wording % 5], CLOSERS[wording // 5 % 5]
        words = [w for w in (self.mood, self.language, self.genre) if w]
        what = f"{'an' if words[0][0].lower() in 'aeiou' else 'a'} {' '.join(words)}"
        parts = [
            f" like {self.seed}" if self.seed else "",
            f" about {self.detail}" if self.detail else "",
            f" directed by {self.director}" if self.director else "",
            f" from the {self.decade}" if self.decade else "",
            f" under {self.minutes} minutes" if self.minutes else "",
            f" {'with' if self.holds[1] else 'without'} {self.holds[0]}" if self.holds else "",
        ]
        said = "".join(parts if wording < 25 else reversed(parts))
        return f"{opener}{what}{said}{closer}"


@dataclass(frozen=True, slots=True)
class RequestPair:
    """Two requests; `change` is what the second has otherwise, None for other words only."""

    first: str
    second: str
    change: Change | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the starter catalogue gives."""

    titles: Sequence[str]
    directors: Sequence[str]


def starter_facts() -> Facts:
    """Titles and directors of the best-known films of the starter."""
    movies: list[Movie] = list(open_catalogue(STARTER / "movies.jsonl.gz").movies(ReadReport()))
    known = sorted(movies, key=lambda m: (-(m.fame or 0), m.movie_id))[:FAMOUS]
    directors = dict.fromkeys(name for movie in known for name in movie.directors[:1])
    return Facts([movie.label() for movie in known], list(directors))


def pairs(facts: Facts, count: int, rng: random.Random) -> Iterator[RequestPair]:
    """`count` pairs with one thing changed, evenly over the changes, and as many reworded ones."""
    for n in range(count):
        change = CHANGES[n % len(CHANGES)]
        first, wording = with_slot(draw(facts, rng), change, facts, rng), rng.randrange(WORDINGS)
        other = changed(first, change, facts, rng)
        yield RequestPair(first.say(wording), other.say(wording), change)
        again = (wording + rng.randrange(1, WORDINGS)) % WORDINGS
        yield RequestPair(first.say(wording), first.say(again), None)


def draw(facts: Facts, rng: random.Random) -> Request:
    """A request with one to three things said; what is first in a list is asked more often."""
    request = Request(_often(GENRES, rng))
    for change in rng.sample(CHANGES, rng.randrange(3)):
        request = with_slot(request, change, facts, rng)
    return request


def with_slot(request: Request, change: Change, facts: Facts, rng: random.Random) -> Request:
    """The request with something said that `changed` can change."""
    match change:
        case "constraint" if rng.random() < 0.5:
            return replace(request, decade=_often(DECADES, rng))
        case "constraint":
            return replace(request, minutes=_often(MINUTES, rng))
        case "seed":
            return replace(request, seed=_often(facts.titles, rng))
        case "person":
            return replace(request, director=_often(facts.directors, rng))
        case "negation":
            return replace(request, holds=(_often(WITH, rng), rng.random() < 0.5))
        case "language":
            return replace(request, language=_often(LANGUAGES, rng))
        case "detail":
            return replace(request, detail=_often(DETAILS, rng))


def changed(request: Request, change: Change, facts: Facts, rng: random.Random) -> Request:
    """The same request with one thing otherwise."""
    match change:
        case "constraint" if request.decade and rng.random() < 0.5:
            return replace(request, decade=_other(DECADES, request.decade, rng))
        case "constraint" if request.minutes:
            return replace(request, minutes=_other(MINUTES, request.minutes, rng))
        case "constraint":
            return replace(request, genre=_other(GENRES, request.genre, rng))
        case "seed":
            return replace(request, seed=_other(facts.titles, request.seed, rng))
        case "person":
            return replace(request, director=_other(facts.directors, request.director, rng))
        case "negation":
            assert request.holds is not None
            return replace(request, holds=(request.holds[0], not request.holds[1]))
        case "language":
            return replace(request, language=_other(LANGUAGES, request.language, rng))
        case "detail":
            return replace(request, detail=_other(DETAILS, request.detail, rng))


def dialogue(facts: Facts, rng: random.Random) -> list[str]:
    """One to three turns: a request, then one thing more or otherwise, each worded anew."""
    request, turns = draw(facts, rng), list[str]()
    for _ in range(rng.randrange(1, 4)):
        turns.append(request.say(rng.randrange(WORDINGS)))
        change = rng.choice(CHANGES)
        request = with_slot(request, change, facts, rng)
    return turns


def _often(choices: Sequence[T], rng: random.Random) -> T:
    """One of the choices, the n-th with a weight of 1/n (Zipf), as requests are."""
    return rng.choices(choices, [1 / (n + 1) for n in range(len(choices))])[0]


def _other(choices: Sequence[T], than: T | None, rng: random.Random) -> T:
    return rng.choice([choice for choice in choices if choice != than])
