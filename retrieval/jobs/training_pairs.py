"""Pairs of a request and the films that answer it, to train the vector half of the enhancer on.

Knows the shape of a pair and how our own knowledge becomes pairs: archetypes, neighbour lists,
descriptions, templates. Does not know dialogues (they come as a file of pairs from `python -m evals
pairs`) nor networks. Called by make_training_data.py.
"""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from retrieval.jobs.make_requests import Names, phrases
from retrieval.movie import Movie

DIALOGUE, ARCHETYPE, NEIGHBOUR, DESCRIPTION, TEMPLATE = (
    "dialogue",
    "archetype",
    "neighbour",
    "description",
    "template",
)
SEEDS = (1, 1, 2, 3, 4)
"""Films named as examples in a pair from a neighbour list."""
MIN_FAME = 3
"""Films that a templated request may mean: people recommend what is known."""
TARGETS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """One request with right answers; ids are those of the training catalogue."""

    source: str
    group: str
    """Pairs of one group (a dialogue, a film) fall into the same split."""
    text: str
    seeds: tuple[str, ...]
    """The last named first."""
    exclude: tuple[str, ...]
    """Films that were no possible answer: named before."""
    films: tuple[str, ...]


def write_pairs(pairs: Iterable[Pair], path: Path) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for pair in pairs:
            file.write(json.dumps(asdict(pair)) + "\n")


def read_pairs(path: Path) -> list[Pair]:
    """What `write_pairs` wrote."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [
        Pair(
            **{
                **row,
                "seeds": tuple(row["seeds"]),
                "exclude": tuple(row["exclude"]),
                "films": tuple(row["films"]),
            }
        )
        for row in rows
    ]


# --- from our own knowledge -----------------------------------------------------------------------


def archetype_pairs(
    requests: Sequence[str], lists: Sequence[Sequence[str]], rng: random.Random
) -> list[Pair]:
    """Each request as it stands and once in other words."""
    pairs = []
    for number, (request, films) in enumerate(zip(requests, lists, strict=True)):
        for text in (request, reworded(request, rng)):
            best = tuple(films[:TARGETS])
            pairs.append(Pair(ARCHETYPE, f"archetype {number}", text, (), (), best))
    return pairs


def neighbour_pairs(lists: Mapping[str, Sequence[str]], rng: random.Random) -> list[Pair]:
    """Of each list, some films named as examples and the others as answers.

    The list's own film is never an example: its list alone would be the answer.
    """
    said = phrases()["similarity_based"]
    pairs = []
    for film, listed in sorted(lists.items()):
        around = [film, *listed]
        if len(around) < 8:
            continue
        seeds = rng.sample(around[1:], rng.choice(SEEDS))
        rest = [m for m in around if m not in seeds][:TARGETS]
        text = rng.choice([*said["clause"], *said["post"]]).replace("*", "")
        for slot in ("{title}", "{person}"):
            text = text.replace(slot, "")
        pairs.append(
            Pair(NEIGHBOUR, film, " ".join(text.split()), tuple(seeds), tuple(seeds), tuple(rest))
        )
    return pairs


def description_pairs(movies: Sequence[Movie], rng: random.Random) -> list[Pair]:
    """Our own words about a film, without its title: a sentence, or a few of its tags."""
    pairs = []
    for movie in movies:
        tags = [*movie.themes, *movie.keywords]
        if rng.random() < 0.5 and movie.overview:
            text = rng.choice([s for s in movie.overview.split(". ") if s])
        elif tags:
            text = "a film about " + " and ".join(rng.sample(tags, min(len(tags), 3)))
        else:
            continue
        pairs.append(
            Pair(DESCRIPTION, movie.movie_id, reworded(text, rng), (), (), (movie.movie_id,))
        )
    return pairs


def template_pairs(
    movies: Sequence[Movie], names: Names, count: int, rng: random.Random
) -> list[Pair]:
    """Genre, mood, era and people in any combination, and the best known films that fit all."""
    known = sorted((m for m in movies if (m.fame or 0) >= MIN_FAME), key=lambda m: -(m.fame or 0))
    openings = [one for one in phrases()["open"] if one]
    pairs: list[Pair] = []
    while len(pairs) < count:
        like = rng.choice(known)
        parts = _parts(like, rng)
        chosen = rng.sample(parts, min(len(parts), rng.choice((1, 1, 2, 2, 3))))
        fitting = [m for m in known if all(fits(m) for _, fits in chosen)]
        rng.shuffle(fitting)
        fitting.sort(key=lambda m: -(m.fame or 0))
        words = " ".join(text for text, _ in chosen)
        text = reworded(f"{rng.choice(openings)} a film {words}", rng)
        films = tuple(m.movie_id for m in fitting[:TARGETS])
        pairs.append(Pair(TEMPLATE, like.movie_id, text, (), (), films))
    return pairs


def _parts(like: Movie, rng: random.Random):  # type: ignore[no-untyped-def]
    """(words, whether a film fits them) for everything that is known of one film."""
    parts = []
    if like.genres:
        genre = rng.choice(like.genres)
        parts.append((f"that is {genre}", lambda m: genre in m.genres))
    if like.moods:
        mood = rng.choice(like.moods)
        parts.append((f"that feels {mood}", lambda m: mood in m.moods))
    if like.themes:
        theme = rng.choice(like.themes)
        parts.append((f"about {theme}", lambda m: theme in m.themes))
    if like.year:
        decade = like.year // 10 * 10
        parts.append((f"from the {decade}s", lambda m: m.year and m.year // 10 * 10 == decade))
    if like.cast:
        person = rng.choice(like.cast[:3])
        parts.append((f"with {person}", lambda m: person in m.cast))
    return parts


SYNONYMS: Mapping[str, Sequence[str]] = {
    "film": ("movie", "flick", "picture"),
    "movie": ("film", "flick"),
    "films": ("movies", "flicks"),
    "movies": ("films",),
    "good": ("great", "nice", "decent"),
    "scary": ("frightening", "creepy", "terrifying"),
    "funny": ("hilarious", "amusing"),
    "sad": ("heartbreaking", "tearful"),
    "kids": ("children", "little ones"),
    "old": ("vintage", "older"),
    "romantic": ("romance", "love"),
    "exciting": ("thrilling", "gripping"),
    "about": ("on", "dealing with"),
    "something": ("anything", "a movie"),
}


def reworded(text: str, rng: random.Random) -> str:
    """In other words: synonyms, halves swapped, a typo. A negation keeps what it negates."""
    words = [
        rng.choice(SYNONYMS[word.lower()])
        if word.lower() in SYNONYMS and rng.random() < 0.5
        else word
        for word in text.split()
    ]
    halves = " ".join(words).split(", ")
    if len(halves) == 2 and rng.random() < 0.3:
        halves.reverse()
    words = ", ".join(halves).split()
    at = rng.randrange(len(words))
    if rng.random() < 0.2 and len(words[at]) > 4:
        i = rng.randrange(1, len(words[at]) - 1)
        words[at] = words[at][:i] + words[at][i + 1 :]
    return " ".join(words)
