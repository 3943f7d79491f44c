"""Builds of a local index: whole or not at all, resumed after a kill, with the knowledge joined."""

import gzip
import itertools
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.service.index_durability import HashEncoder, measure
from retrieval.catalog import CatalogError, ReadReport, open_catalogue
from retrieval.document import document
from retrieval.encoder import EncoderIdentity, FloatArray
from retrieval.index import IndexReadOnly, TextLeg
from retrieval.jobs.build_index import BuildReport, build_local
from retrieval.jobs.prepare import Progress, rows_of
from retrieval.jobs.vector_cache import VectorCache, key_of
from retrieval.local.files import write_lock
from retrieval.local.snapshot import open_snapshot
from retrieval.movie import Constraints, Match, Movie

ROOT = Path(__file__).resolve().parents[1]
FILMS: list[dict[str, Any]] = [
    {"movie_id": f"m{i}", "title": f"Film {i}", "year": 1950 + i % 50} for i in range(300)
]


class CountingEncoder(HashEncoder):
    """Counts texts; breaks off after `most` of them."""

    def __init__(self, most: int | None = None) -> None:
        self.encoded = 0
        self._most = most

    def encode(self, texts: Sequence[str]) -> FloatArray:
        if self._most is not None and self.encoded >= self._most:
            raise KeyboardInterrupt
        self.encoded += len(texts)
        return super().encode(texts)


def catalogue(folder: Path, rows: Iterable[Any] = FILMS) -> Path:
    path = folder / "films.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def build(source: Path, out: Path, **options: Any) -> BuildReport:
    encoder = options.pop("encoder", HashEncoder())
    return build_local(open_catalogue(source), encoder, out, **{"knowledge": None, **options})


def test_a_build_reports_and_can_be_searched(tmp_path: Path) -> None:
    said: list[Progress] = []
    source = catalogue(tmp_path, [*FILMS, "broken", {**FILMS[0], "colour": "red"}])
    report = build(source, tmp_path / "out", report=said.append)
    assert (report.rows, report.kept, report.bad_count) == (302, 300, 2)
    assert [bad.row for bad in report.bad] == [301, 302]
    assert report.unused == ("colour",)
    assert (report.new_vectors, report.cached_vectors) == (300, 0)
    snapshot = open_snapshot(tmp_path / "out")
    assert snapshot.search([TextLeg("film 7")], Constraints(), 3)[0].movie_ids[0] == "m7"
    film = snapshot.movies(["m7"])["m7"]
    expected = HashEncoder().encode([document(film)])[0]
    assert np.array_equal(snapshot.vectors(["m7"])["m7"], expected)
    stats = snapshot.stats()
    assert (stats.movies, stats.encoder_name, stats.known["year"]) == (300, "hash", 300)
    assert str(source) in stats.source
    assert not list(tmp_path.glob("out/cache/spool*"))
    encoding = [p for p in said if p.phase == "encode"]
    assert (encoding[-1].done, encoding[-1].total, encoding[-1].eta_s) == (300, 300, 0.0)
    assert all(p.rate > 0 for p in encoding)
    assert said[0].phase == "read"


def test_a_second_build_encodes_what_changed(tmp_path: Path) -> None:
    build(catalogue(tmp_path), tmp_path / "out")
    encoder = CountingEncoder()
    changed = [*FILMS[:-1], {"movie_id": "new", "title": "New"}]
    report = build(catalogue(tmp_path, changed), tmp_path / "out", encoder=encoder)
    assert (report.new_vectors, report.cached_vectors, encoder.encoded) == (1, 299, 1)
    assert set(open_snapshot(tmp_path / "out").row_of) == {str(row["movie_id"]) for row in changed}


def test_single_movies_become_rows(tmp_path: Path) -> None:
    tags = {"title": "Film 7", "year": 1957, "moods": ["tense"]}
    (tmp_path / "tags.jsonl.gz").write_bytes(gzip.compress(json.dumps(tags).encode()))
    counts = ReadReport()
    source = open_catalogue(catalogue(tmp_path, ["broken", *FILMS[7:9]]))
    rows = rows_of(source, HashEncoder(), counts, tmp_path)
    assert [row.movie.moods for row in rows] == [("tense",), ()]
    assert np.array_equal(rows[0].vector, HashEncoder().encode([document(rows[0].movie)])[0])
    assert counts.bad_count == 1


def test_films_with_the_same_text_share_a_vector(tmp_path: Path) -> None:
    twins = [{"movie_id": str(i), "title": "Twin"} for i in range(5)]
    report = build(catalogue(tmp_path, twins), tmp_path / "out")
    assert report.new_vectors == 1
    assert len(open_snapshot(tmp_path / "out").row_of) == 5


def test_a_build_that_breaks_off_leaves_the_old_index_and_its_vectors(tmp_path: Path) -> None:
    build(catalogue(tmp_path, FILMS[:3]), tmp_path / "out")
    before = open_snapshot(tmp_path / "out").revision
    with pytest.raises(KeyboardInterrupt):
        build(catalogue(tmp_path), tmp_path / "out", encoder=CountingEncoder(most=128))
    assert open_snapshot(tmp_path / "out").revision == before
    assert len(list((tmp_path / "out").glob("0*"))) == 1
    encoder = CountingEncoder()
    report = build(catalogue(tmp_path), tmp_path / "out", encoder=encoder)
    assert report.cached_vectors >= 128
    assert encoder.encoded == 300 - report.cached_vectors


def test_a_broken_catalogue_leaves_the_old_index(tmp_path: Path) -> None:
    build(catalogue(tmp_path), tmp_path / "out")
    before = open_snapshot(tmp_path / "out").revision
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(json.dumps(FILMS[0]).encode() * 9)[:-9])
    with pytest.raises(CatalogError, match="broken gzip"):
        build(broken, tmp_path / "out")
    assert open_snapshot(tmp_path / "out").revision == before


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    source = catalogue(tmp_path)
    for out in (source, source / "below"):
        with pytest.raises(IndexReadOnly, match="cannot write"):
            build(source, out)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cache").write_text("a file in place of the folder")
    with pytest.raises(IndexReadOnly, match="cannot write"):
        build(source, tmp_path / "out")


_FULL_DISK = """
import resource, sys
from pathlib import Path
from evals.service.index_durability import HashEncoder
from retrieval.catalog import open_catalogue
from retrieval.index import IndexReadOnly
from retrieval.jobs.build_index import build_local
source, out, limit = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
try:
    build_local(open_catalogue(Path(source)), HashEncoder(), Path(out), knowledge=None)
except IndexReadOnly as error:
    print(error)
"""


@pytest.mark.parametrize(("limit", "before_it"), [(1000, 3), (20_000, 3), (10_000, 300)])
def test_a_full_disk_leaves_the_old_index(tmp_path: Path, limit: int, before_it: int) -> None:
    # With all vectors cached, space runs out while the generation is written.
    build(catalogue(tmp_path, FILMS[:before_it]), tmp_path / "out")
    before = open_snapshot(tmp_path / "out").revision
    command = [sys.executable, "-c", _FULL_DISK, str(catalogue(tmp_path)), str(tmp_path / "out")]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(limit)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "nothing was changed" in done.stdout, done.stderr
    assert open_snapshot(tmp_path / "out").revision == before
    assert len(list((tmp_path / "out").glob("0*"))) == 1
    build(catalogue(tmp_path), tmp_path / "out")
    assert len(open_snapshot(tmp_path / "out").row_of) == 300


def test_two_builds_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = catalogue(tmp_path)
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("time.monotonic", itertools.count(step=10).__next__)
    with write_lock(tmp_path / "out"), pytest.raises(IndexReadOnly, match="written by process"):
        build(source, tmp_path / "out")


def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    figure = measure(4, tmp_path, random.Random(5))
    assert (figure.lost, figure.mixed) == (0, 0)
    assert figure.rounds == 4


# --- the cache of vectors -----------------------------------------------------------------------

IDENTITY = EncoderIdentity("test", "a" * 16, 3)


def test_the_cache_survives_a_torn_or_damaged_record(tmp_path: Path) -> None:
    keys = [key_of(text) for text in ("a", "b", "c")]
    vectors = np.eye(3, dtype=np.float32)
    with VectorCache(tmp_path, IDENTITY) as cache:
        cache.put(keys, vectors)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    with VectorCache(tmp_path, IDENTITY) as cache:
        assert cache.missing(keys) == keys[2:]
        cache.put(keys[2:], vectors[2:])
    assert file.read_bytes() == whole
    file.write_bytes(whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:])
    with VectorCache(tmp_path, IDENTITY) as cache:
        assert cache.missing(keys) == keys[1:]
        assert np.array_equal(cache.get(keys[:1]), vectors[:1])
    file.write_bytes(b"something else entirely")
    with VectorCache(tmp_path, IDENTITY) as cache:
        assert (len(cache), cache.missing(keys)) == (0, keys)


def test_encoders_do_not_share_vectors(tmp_path: Path) -> None:
    with VectorCache(tmp_path, IDENTITY) as cache:
        cache.put([key_of("a")], np.ones((1, 3), np.float32))
    with VectorCache(tmp_path, EncoderIdentity("test", "b" * 16, 3)) as cache:
        assert cache.missing([key_of("a")]) == [key_of("a")]


def test_the_cache_forgets_what_builds_no_longer_use(tmp_path: Path) -> None:
    build(catalogue(tmp_path), tmp_path / "out")
    [file] = (tmp_path / "out" / "cache").iterdir()
    before = file.stat().st_size
    build(catalogue(tmp_path, FILMS[:10]), tmp_path / "out")
    assert file.stat().st_size < before / 10
    report = build(catalogue(tmp_path, FILMS[:11]), tmp_path / "out")
    assert (report.cached_vectors, report.new_vectors) == (10, 1)


# --- documents ----------------------------------------------------------------------------------


def test_a_document_tells_the_most_first() -> None:
    movie = Movie(
        *("m", "Heat", (), 1995),
        genres=("crime", "drama"),
        directors=("Michael Mann",),
        cast=("Al Pacino", "Robert De Niro", "Val Kilmer", "Jon Voight", "Tom Sizemore"),
        moods=("tense",),
        keywords=("heist", "tense"),
        overview="word " * 500,
    )
    text = document(movie)
    assert text.startswith("Heat (1995). crime, drama. tense, heist. Directed by Michael Mann. ")
    assert "Sizemore" not in text
    assert len(text.split()) < 100
    assert document(Movie("m", "Heat")) == "Heat"


def test_tags_reach_hard_filters(tmp_path: Path) -> None:
    tags = {"title": "Film 7", "year": 1957, "moods": ["Tense"], "fame": 5}
    (tmp_path / "tags.jsonl.gz").write_bytes(gzip.compress(json.dumps(tags).encode()))
    report = build(catalogue(tmp_path), tmp_path / "out", knowledge=tmp_path)
    snapshot = open_snapshot(tmp_path / "out")
    tense = Constraints(require=(Match("mood", frozenset({"tense"})),))
    assert snapshot.count(tense) == 1
    assert snapshot.movies(["m7"])["m7"].fame == 5
    assert [(k.name, k.entries, k.matched) for k in report.knowledge] == [("tags", 1, 1)]
    assert list(snapshot.stats().knowledge) == ["tags"]
