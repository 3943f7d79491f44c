"""Random movies and constraints with few values, so that they meet: for tests of filters."""

import random
from collections.abc import Sequence

from retrieval.movie import Clause, Constraints, Match, MatchField, Movie, Range


def match(field: MatchField, *values: str) -> Match:
    return Match(field, frozenset(values))


_WORDS = ("zombie", "war", "high school", "love", "robots", "the sea", "sci-fi", "it's")
_PEOPLE = ("Ann Lee", "Bo Ek", "Zoë O'Hara")


def random_movie(rng: random.Random, number: int) -> Movie:
    """A movie with a few values in every field that can be asked for, or none."""

    def some(values: Sequence[str], most: int = 3) -> tuple[str, ...]:
        return tuple(rng.sample(values, rng.randint(0, most)))

    grades = {"violence": rng.randint(0, 3), "pace": rng.randint(0, 3)}
    return Movie(
        f"r{number:03}",
        " ".join(some(_WORDS)) or "untitled",
        year=rng.choice([None, 1950, 1979, 1980, 1999, 2000]),
        kind=rng.choice([None, "movie", "series"]),
        genres=some(("war", "horror", "science fiction")),
        directors=some(_PEOPLE, 1),
        cast=some(_PEOPLE, 2),
        runtime_min=rng.choice([None, 80, 100, 120]),
        language=rng.choice([None, "en", "fr"]),
        country=some(("US", "FR"), 2),
        certificate=rng.choice([None, "PG", "PG-13", "R"]),
        overview=". ".join(some(_WORDS, 4)),
        themes=some(_WORDS, 2),
        moods=some(("Dark", "war", "feel-good"), 2),
        keywords=some(_WORDS, 2),
        attributes=grades if rng.random() < 0.5 else {},
        available_on={"US": some(("Netflix", "Hulu"), 2)} if rng.random() < 0.5 else {},
    )


_VALUES: dict[MatchField, tuple[str, ...]] = {
    **{field: ("war", "dark", "horror") for field in ("genre", "mood")},
    **{field: (*_WORDS, "zombies", "school", "no such") for field in ("theme", "keyword", "topic")},
    **{field: _PEOPLE for field in ("person", "director", "actor")},
    **{"language": ("en", "fr"), "country": ("us", "FR", "GB"), "certificate": ("pg-13", "R")},
    **{"kind": ("movie",), "service": ("netflix", "us:hulu", "fr:netflix")},
}
_SPANS = ((None, 1979), (1980, None), (1979, 1980), (None, None), (2, 90))


def random_constraints(rng: random.Random) -> Constraints:
    """Up to two clauses on each side, now and then ids."""

    def clause() -> Clause:
        if rng.random() < 0.25:
            low, high = rng.choice(_SPANS)
            return Range(rng.choice(["year", "runtime", "violence", "pace"]), low, high)
        field = rng.choice(list(_VALUES))
        values = _VALUES[field]
        return match(field, *rng.sample(values, rng.randint(1, len(values) // 2 or 1)))

    def few(most: int) -> frozenset[str]:
        return frozenset(f"r{rng.randint(0, 210):03}" for _ in range(rng.randint(0, most)))

    return Constraints(
        require=tuple(clause() for _ in range(rng.randint(0, 2))),
        exclude=tuple(clause() for _ in range(rng.randint(0, 2))),
        only_ids=few(150) if rng.random() < 0.2 else None,
        exclude_ids=few(40) if rng.random() < 0.2 else frozenset(),
    )
