"""Knowledge files: joined to a catalogue by id or title and year, stored and read back."""

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.service.index_durability import DIMENSION, HashEncoder
from retrieval.catalog import CatalogError, open_catalogue
from retrieval.jobs.build_index import build_local
from retrieval.knowledge import (
    ARCHETYPES,
    COMENTION,
    NEIGHBOURS,
    TAGS,
    Archetypes,
    CoMention,
    Joined,
    Neighbours,
    join_files,
    join_tags,
    with_tags,
)
from retrieval.local.snapshot import open_snapshot
from retrieval.movie import Movie
from retrieval.title_join import TitleJoin

CATALOGUE = (
    Movie("heat", "Heat", year=1995, imdb="tt0113277", popularity=900.0),
    Movie("heat86", "Heat", year=1986, popularity=10.0),
    Movie("ronin", "Ronin", year=1998),
    Movie("amelie", "Amélie", ("Le Fabuleux Destin d'Amélie Poulain",), 2001, tmdb=194),
    Movie("it90", "It", year=1990),
    Movie("it17", "It", year=2017, imdb="tt1396484"),
    Movie("twin1", "Twin", year=2000, popularity=1.0),
    Movie("twin2", "Twin", year=2000, popularity=2.0),
    Movie("undated", "Undated"),
    Movie("odd", "???", year=2000),
)


@pytest.fixture
def join() -> TitleJoin:
    titles = TitleJoin()
    for movie in CATALOGUE:
        titles.add(movie)
    return titles


def write(path: Path, rows: list[Any]) -> str:
    content = gzip.compress("\n".join(map(json.dumps, rows)).encode())
    path.write_bytes(content)
    return sha256(content).hexdigest()


def ref(title: str, year: int | None = None, **ids: Any) -> dict[str, Any]:
    return {"title": title, "year": year, **ids}


@pytest.mark.parametrize(
    ("reference", "movie_id"),
    [
        (ref("Heat", 1995), "heat"),
        (ref("HEAT!", 1996), "heat"),
        (ref("Heat", 1987), "heat86"),
        (ref("Heat", 1991), None),
        # Without a year, the most popular.
        (ref("Heat"), "heat"),
        (ref("Something else", 1900, imdb="tt0113277"), "heat"),
        (ref("Something else", 1900, tmdb=194), "amelie"),
        (ref("amelie", 2001), "amelie"),
        (ref("Le fabuleux destin d'Amelie Poulain", 2001), "amelie"),
        # The same title and year, but known to be another film.
        (ref("It", 2017, imdb="tt9999999"), None),
        (ref("It", 1990, imdb="tt0099864"), "it90"),
        (ref("Twin", 2000), "twin2"),
        (ref("Undated", 1960), "undated"),
        (ref("???", 2000), None),
        (ref("", 2000), None),
        ({}, None),
    ],
)
def test_a_reference_finds_its_movie(
    join: TitleJoin, reference: dict[str, Any], movie_id: str | None
) -> None:
    assert join.find(reference) == movie_id


def test_nothing_there_is_nothing_joined(tmp_path: Path, join: TitleJoin) -> None:
    assert join_tags(tmp_path, join) == ({}, None)
    assert join_files(tmp_path, join, HashEncoder().encode) == []


def test_tags_fill_only_what_the_catalogue_lacks(tmp_path: Path, join: TitleJoin) -> None:
    tags = {"moods": ["tense"], "themes": ["loyalty"], "attributes": {"violence": 2, "other": 1}}
    sha = write(tmp_path / TAGS, [{**ref("Heat", 1995), **tags, "fame": 5}, ref("No such", 1999)])
    found, joined = join_tags(tmp_path, join)
    assert joined == Joined("tags", b"", sha, entries=2, matched=1)
    own = Movie("heat", "Heat", moods=("cool",), fame=None)
    merged = with_tags(own, found["heat"])
    assert (merged.moods, merged.themes, merged.fame) == (("cool",), ("loyalty",), 5)
    assert merged.attributes == {"violence": 2}
    assert with_tags(own, found.get("ronin")) is own
    assert with_tags(Movie("x", "X", fame=1, attributes={"pace": 0}), found["heat"]).fame == 1


def test_neighbours(tmp_path: Path, join: TitleJoin) -> None:
    lists = [ref("Ronin", 1998), ref("No such", 1), ref("Heat", 1995), ref("Ronin", 1998)]
    rows = [{**ref("Heat", 1995), "neighbours": lists}, {**ref("Gone", 1990), "neighbours": lists}]
    sha = write(tmp_path / "neighbours.jsonl.gz", rows)
    [joined] = join_files(tmp_path, join, HashEncoder().encode)
    assert (joined.name, joined.sha, joined.entries, joined.matched) == (NEIGHBOURS, sha, 2, 1)
    assert Neighbours.load(joined.content).lists == {"heat": ("ronin",)}


def test_archetypes(tmp_path: Path, join: TitleJoin) -> None:
    good = {"request": "a heist", "tags": {"genres": ["Crime"]}, "films": [ref("Heat", 1995)]}
    lost = {"request": "unknown films", "tags": {}, "films": [ref("No such", 1999)]}
    write(tmp_path / "archetypes.jsonl.gz", [good, lost])
    [joined] = join_files(tmp_path, join, HashEncoder().encode)
    assert (joined.name, joined.entries, joined.matched) == (ARCHETYPES, 2, 1)
    loaded = Archetypes.load(joined.content)
    assert (loaded.requests, loaded.lists) == (("a heist",), (("heat",),))
    assert loaded.tags == ({"genres": ["Crime"]},)
    assert loaded.vectors.shape == (1, DIMENSION)
    assert np.array_equal(loaded.vectors, HashEncoder().encode(["a heist"]))


def test_comention_merges_spellings_of_one_film(tmp_path: Path, join: TitleJoin) -> None:
    named = (("Heat", 1995, 5), ("Ronin", 1998, 3), ("heat", 1996, 2), ("No such", 1999, 9))
    films = [{**ref(title, year), "n": n} for title, year, n in named]
    pairs = [[0, 1, 2], [2, 1, 1], [0, 2, 4], [1, 3, 7]]
    counts = {"films": films, "pairs": pairs, "dialogues": ["00ff00ff00ff00ff"]}
    (tmp_path / "comention.json.gz").write_bytes(gzip.compress(json.dumps(counts).encode()))
    [joined] = join_files(tmp_path, join, HashEncoder().encode)
    assert (joined.name, joined.entries, joined.matched) == (COMENTION, 4, 3)
    loaded = CoMention.load(joined.content)
    assert loaded.ids == ("heat", "ronin")
    assert loaded.mentions.tolist() == [7, 3]
    assert (loaded.pairs.tolist(), loaded.counts.tolist()) == ([[0, 1]], [3])
    assert loaded.dialogues == {"00ff00ff00ff00ff"}


def test_a_broken_file_is_named(tmp_path: Path, join: TitleJoin) -> None:
    (tmp_path / "neighbours.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(CatalogError, match=r"neighbours\.jsonl\.gz is a broken gzip"):
        join_files(tmp_path, join, HashEncoder().encode)
    (tmp_path / "neighbours.jsonl.gz").write_bytes(gzip.compress(b"{}\nnot json\n"))
    with pytest.raises(CatalogError, match=r"neighbours\.jsonl\.gz line 2 is not JSON"):
        join_files(tmp_path, join, HashEncoder().encode)


def test_a_build_stores_what_it_joined(tmp_path: Path) -> None:
    rows = [{"movie_id": m.movie_id, "title": m.title, "year": m.year} for m in CATALOGUE]
    (tmp_path / "films.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lists = [{**ref("Heat", 1995), "neighbours": [ref("Ronin", 1998)]}]
    sha = write(tmp_path / "neighbours.jsonl.gz", lists)
    catalogue = open_catalogue(tmp_path / "films.jsonl")
    build_local(catalogue, HashEncoder(), tmp_path / "out", knowledge=tmp_path)
    snapshot = open_snapshot(tmp_path / "out")
    content = snapshot.knowledge(NEIGHBOURS)
    assert content is not None
    assert Neighbours.load(content).lists == {"heat": ("ronin",)}
    assert snapshot.stats().knowledge == {NEIGHBOURS: sha}
    assert snapshot.knowledge(COMENTION) is None
