"""Tables that follow the index: after any changes they are those that a new process would make."""

import asyncio
import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts_index import DIMENSION
from retrieval.encoder import EncoderIdentity
from retrieval.index import Row
from retrieval.knowledge import FILES, NEIGHBOURS
from retrieval.local.files import Manifest, write_lock
from retrieval.local.writer import write_generation
from retrieval.local_index import LocalIndex
from retrieval.movie import Movie
from retrieval.neighbours import Knowledge
from retrieval.nlu.lexicon_builder import build_lexicon
from tools.catalogue import Catalogue, Tables

ENCODER = EncoderIdentity("test", "0123456789abcdef", DIMENSION)
MANIFEST = Manifest(ENCODER.name, ENCODER.sha, DIMENSION, "2024-01-01T00:00:00+00:00", "tests")
IDS = [f"f{n:02}" for n in range(40)]
TITLES = [
    f"{a} {b}" for a in ("The Dark", "Star", "Harry:", "Up") for b in "River Wars Jazz".split()
]
PEOPLE = ["Ann Lee", "ann lee", "Bo de Niro", "Best Actor", "Cy", "José Ruiz", "Dan Lee", ""]
TAGS = ["heist", "Heist", "time travel", "war"]
WORDS = "river war jazz night dark star city love death".split()


def film(rng: random.Random, movie_id: str) -> Movie:
    """A film that shares names, tags and words with others."""

    def some(of: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(rng.sample(of, rng.randrange(most + 1)))

    return Movie(
        movie_id,
        rng.choice(TITLES),
        year=rng.choice([None, 1990, 2001]),
        alt_titles=some(TITLES, 1),
        directors=some(PEOPLE, 2),
        cast=some(PEOPLE, 3),
        genres=some(["crime", "comedy"], 2),
        themes=some(TAGS, 2),
        moods=some(["tense", "dark"], 1),
        keywords=some(TAGS, 2),
        overview=" ".join(some(WORDS, 6)),
        kind=rng.choice([None, "movie", "movie", "series"]),
        fame=rng.choice([None, 1, 3, 5]),
        popularity=rng.choice([None, 0.0, 3.7, 1234.5]),
        rating=rng.choice([None, 7.1]),
    )


def row(movie: Movie) -> Row:
    return Row(movie, np.eye(DIMENSION, dtype=np.float32)[0])


def differences(a: Any, b: Any, at: str = "") -> list[str]:
    """Where two tables differ; mappings must also have the same order where it is one of rows."""
    if is_dataclass(a) and type(a) is type(b):
        names = [field.name for field in fields(a)]
        return [d for n in names for d in differences(getattr(a, n), getattr(b, n), f"{at}.{n}")]
    if isinstance(a, np.ndarray):
        return [] if np.array_equal(a, b) and a.dtype == b.dtype else [at]
    ordered = at.endswith((".rows", "._films", ".row_of"))
    return [] if a == b and (not ordered or list(a) == list(b)) else [at]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def opened(folder: Path, executor: Executor) -> LocalIndex:
    return LocalIndex.open(folder, ENCODER, executor)


async def newest(catalogue: Catalogue, index: LocalIndex) -> Tables:
    """The tables, once they are those of the newest revision."""
    revision = await index.revision()
    async with asyncio.timeout(10):
        while (tables := await catalogue.tables()).revision != revision:
            await asyncio.sleep(0.001)
    return tables


async def anew(folder: Path, executor: Executor) -> Tables:
    """The tables as another process makes them, from the whole index."""
    return await Catalogue(
        opened(folder, executor), executor, Knowledge.load, tuple(FILES)
    ).tables()


class Watched(LocalIndex):
    """Counts how often everything is read."""

    scans = 0

    def scan(self) -> Any:
        self.scans += 1
        return super().scan()


@pytest.mark.parametrize("seed", range(4))
async def test_tables_after_changes_equal_those_built_anew(
    seed: int, tmp_path: Path, executor: Executor
) -> None:
    rng = random.Random(seed)
    with write_lock(tmp_path):
        write_generation(tmp_path, MANIFEST, [row(film(rng, i)) for i in IDS[::2]])
    index = Watched.open(tmp_path, ENCODER, executor)
    assert isinstance(index, Watched)
    await index.put_knowledge(NEIGHBOURS, lists(rng), "one")
    catalogue = Catalogue(index, executor, Knowledge.load, tuple(FILES))
    await catalogue.tables()
    for step in range(6):
        await index.upsert([row(film(rng, i)) for i in rng.sample(IDS, rng.randrange(6))])
        if step % 2:
            await index.delete(rng.sample(IDS, 5))
        if step == 3:
            await index.put_knowledge(NEIGHBOURS, lists(rng), "two")
        tables = await newest(catalogue, index)
        assert differences(tables, await anew(tmp_path, executor)) == []
    assert index.scans == 1
    await catalogue.close()


async def test_another_generation_is_read_whole(tmp_path: Path, executor: Executor) -> None:
    rng = random.Random(0)
    with write_lock(tmp_path):
        write_generation(tmp_path, MANIFEST, [row(film(rng, i)) for i in IDS])
    index = opened(tmp_path, executor)
    catalogue = Catalogue(index, executor, Knowledge.load, tuple(FILES))
    await catalogue.tables()
    with write_lock(tmp_path):
        write_generation(tmp_path, MANIFEST, [row(film(rng, i)) for i in IDS[:5]])
    tables = await newest(catalogue, index)
    assert list(tables.films.rows) == IDS[:5]
    assert differences(tables, await anew(tmp_path, executor)) == []
    await catalogue.close()


def test_the_order_of_films_makes_no_other_names() -> None:
    rng = random.Random(1)
    films = [film(rng, i) for i in IDS]
    assert build_lexicon(films) == build_lexicon(reversed(films))


def lists(rng: random.Random) -> bytes:
    """Neighbour lists, also of and with films that are not there."""
    made: Mapping[str, Sequence[str]] = {i: rng.sample(IDS, 8) for i in rng.sample(IDS, 20)}
    return gzip.compress(json.dumps(made).encode())
