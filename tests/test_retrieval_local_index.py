"""LocalIndex: the contract, and what only an index in a folder can get wrong."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts_changes import ChangesContract
from contracts_index import DIMENSION, EVERYONE, MOVIES, ROWS, MovieIndexContract, ids, vector
from random_movies import match
from retrieval.encoder import EncoderIdentity
from retrieval.index import (
    EncoderMismatch,
    IndexCorrupt,
    IndexMissing,
    IndexReadOnly,
    ListLeg,
    PopularLeg,
    Row,
    TextLeg,
)
from retrieval.local import snapshot as local_snapshot
from retrieval.local import writer as local_writer
from retrieval.local.files import CURRENT, Manifest, current_generation, write_lock
from retrieval.local.legs import LONG
from retrieval.local.snapshot import open_snapshot
from retrieval.local.writer import change, remove_old_generations, write_generation
from retrieval.local_index import LocalIndex
from retrieval.movie import (
    ATTRIBUTES,
    Constraints,
    Movie,
    Range,
    RangeField,
    satisfies,
)

ROOT = Path(__file__).resolve().parents[1]
ENCODER = EncoderIdentity("test", "0123456789abcdef", DIMENSION)
MANIFEST = Manifest(ENCODER.name, ENCODER.sha, DIMENSION, "2024-01-01T00:00:00+00:00", "tests")


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def write(folder: Path, rows: tuple[Row, ...] = ()) -> Path:
    """A new generation of an index with these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with write_lock(folder):
        return folder / write_generation(folder, MANIFEST, rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "index")
    return tmp_path / "index"


class TestLocalIndex(MovieIndexContract, ChangesContract):
    @pytest.fixture
    def index(self, folder: Path, executor: Executor) -> LocalIndex:
        return LocalIndex.open(folder, ENCODER, executor)


# --- the filter is `satisfies` -----------------------------------------------------------------

_words = st.sampled_from(["war", "wars", "sci-fi", "high school", "Amélie's", "...", "x"])
_tags = st.lists(_words, max_size=3).map(tuple)
_years = st.none() | st.integers(1970, 1974)
_movies = st.builds(
    Movie,
    movie_id=st.sampled_from("abcdefgh"),
    title=_words,
    year=_years,
    runtime_min=_years,
    genres=_tags,
    directors=_tags,
    cast=_tags,
    overview=st.lists(_words, max_size=5).map(" ".join) | st.text(max_size=20),
    themes=_tags,
    moods=_tags,
    keywords=_tags,
    kind=st.sampled_from(["movie", "series", None]),
    language=st.sampled_from(["en", "", None]),
    certificate=st.sampled_from(["PG-13", None]),
    country=_tags,
    attributes=st.dictionaries(st.sampled_from(ATTRIBUTES), st.integers(0, 3), max_size=3),
    available_on=st.dictionaries(st.sampled_from(["US", "x"]), _tags, max_size=2),
)
_fields = (
    "genre mood theme keyword topic person director actor language country certificate"
).split()
_matches = st.builds(
    match,
    st.sampled_from([*_fields, "kind", "service"]),
    _words | st.sampled_from(["en", "pg 13", "movie", "us:war", "x:x", "", "school"]),
)
_numbers: list[RangeField] = ["year", "runtime", *ATTRIBUTES]
_ranges = st.builds(Range, st.sampled_from(_numbers), _years, _years | st.integers(0, 3))
_clauses = st.lists(_matches | _ranges, max_size=2).map(tuple)
_some_ids = st.frozensets(st.sampled_from("abcdefghz"), max_size=4)
_constraints = st.builds(Constraints, _clauses, _clauses, st.none() | _some_ids, _some_ids)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(movies=st.lists(_movies, max_size=8), asked=st.lists(_constraints, min_size=1, max_size=12))
def test_filter_is_satisfies(
    tmp_path_factory: pytest.TempPathFactory, movies: list[Movie], asked: list[Constraints]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    kept = {m.movie_id: m for m in movies}
    write(folder, tuple(Row(m, vector(1.0)) for m in kept.values()))
    snapshot = open_snapshot(folder)
    for constraints in asked:
        expected = {m.movie_id for m in kept.values() if satisfies(m, constraints)}
        [hits] = snapshot.search([ListLeg(dict.fromkeys(kept, 1.0))], constraints, 100)
        assert set(hits.movie_ids) == expected
        assert snapshot.count(constraints) == len(expected)
    assert snapshot.movies(list(kept)) == kept
    shutil.rmtree(folder)


# --- opening ------------------------------------------------------------------------------------


def test_missing_index_says_how_to_make_one(tmp_path: Path, executor: Executor) -> None:
    (tmp_path / "file").write_text("not a folder")
    for place in (tmp_path / "nowhere", tmp_path, tmp_path / "file"):
        with pytest.raises(IndexMissing, match="usher index build"):
            LocalIndex.open(place, ENCODER, executor)


@pytest.mark.parametrize("content", [b"", b"\n", b"000009-gone\n", b"\xff\xfe\x00", b"../..\n"])
def test_current_without_a_generation(folder: Path, executor: Executor, content: bytes) -> None:
    (folder / CURRENT).write_bytes(content)
    with pytest.raises(IndexCorrupt, match="usher index build"):
        LocalIndex.open(folder, ENCODER, executor)


def test_another_encoder_is_refused(folder: Path, executor: Executor) -> None:
    for other in (replace(ENCODER, sha="fedcba"), replace(ENCODER, dimension=9)):
        with pytest.raises(EncoderMismatch, match=r"built with the encoder test .* index build"):
            LocalIndex.open(folder, other, executor)
    LocalIndex.open(folder, None, executor)


def files_of(generation: Path) -> list[Path]:
    every = [p for p in generation.rglob("*") if p.is_file() and p.stat().st_size]
    return [p for p in every if p.suffix != ".lock" and p.name != ".managed.json"]


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damage_to_any_file_is_found(
    tmp_path: Path, executor: Executor, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_snapshot, "_PAUSE_S", 0)
    write(tmp_path, ROWS)
    change(tmp_path, ROWS[:1], ["m2"])
    pristine = current_generation(tmp_path)
    copy = tmp_path / "copy"
    for place in files_of(pristine):
        shutil.copytree(pristine, copy)
        content = place.read_bytes()
        middle = len(content) // 2
        if damage == "flip":
            place.write_bytes(
                content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
            )
        elif damage == "cut":
            place.write_bytes(content[:middle])
        else:
            place.unlink()
        with pytest.raises(IndexCorrupt, match="usher index build"):
            LocalIndex.open(tmp_path, ENCODER, executor)
        shutil.rmtree(pristine)
        copy.rename(pristine)
    LocalIndex.open(tmp_path, ENCODER, executor)


# --- changes that do not finish -----------------------------------------------------------------


STEPS = ["Appender.sync", "TextWriter.commit", "_text_files", "write_manifest"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_change_that_stops_before_its_manifest_never_happened(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write(tmp_path, ROWS)
    index = LocalIndex.open(tmp_path, ENCODER, executor)
    before = await index.revision()
    new = Row(Movie("n1", "Newcomer", overview="zebra"), vector(1.0))
    changed = Row(replace(MOVIES[0], title="Changed", overview="zebra"), vector(1.0))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(f"retrieval.local.writer.{step}", stop)
        change(tmp_path, [new, changed], ["m2"])
    for opened in (index, LocalIndex.open(tmp_path, ENCODER, executor)):
        assert await opened.revision() == before
        assert set(await ids(opened, TextLeg("alien"))) >= {"m1", "m2"}
        assert await ids(opened, TextLeg("zebra")) == ()
        excluding = Constraints(exclude=(match("theme", "zebra"),))
        assert await opened.count(excluding) == len(MOVIES)
    # The next change starts from what counts, though the same row numbers are used again.
    await index.upsert([Row(Movie("n2", "Second", overview="yak"), vector(1.0))])
    assert await ids(index, TextLeg("zebra")) == ()
    assert await ids(index, TextLeg("yak")) == ("n2",)
    assert set(await ids(index, PopularLeg())) == {*(m.movie_id for m in MOVIES), "n2"}


def stop(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_generation_that_stops_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path, ROWS)
    before = sorted(tmp_path.iterdir())

    def breaking() -> Iterator[Row]:
        yield ROWS[0]
        raise KeyboardInterrupt

    with write_lock(tmp_path), pytest.raises(KeyboardInterrupt):
        write_generation(tmp_path, MANIFEST, breaking())
    assert sorted(tmp_path.iterdir()) == before
    assert open_snapshot(tmp_path).count(Constraints()) == len(MOVIES)


def test_a_second_writer_is_told_who_writes(folder: Path) -> None:
    with write_lock(folder), pytest.raises(IndexReadOnly, match=r"written by process \d+; try"):
        change(folder, ROWS, [], wait_s=0.05)
    change(folder, ROWS, [])


def test_a_file_in_place_of_the_lock_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexReadOnly, match="write access"), write_lock(tmp_path / "file"):
        pass


_FULL_DISK = """
import resource, sys
from pathlib import Path
from contracts_index import vector
from retrieval.index import IndexReadOnly, Row
from retrieval.local.writer import change
from retrieval.movie import Movie
rows = [Row(Movie(f"b{i}", "Big", overview="many words " * 50), vector(1.0)) for i in range(500)]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    change(Path(sys.argv[1]), rows, ["m1"])
except IndexReadOnly as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [600, 20_000, 200_000])
def test_a_full_disk_changes_nothing(folder: Path, limit: int) -> None:
    change(folder, ROWS, [])
    before = open_snapshot(folder).revision
    done = python(_FULL_DISK, str(folder), str(limit))
    assert "nothing was changed" in done.stdout, done.stderr
    after = open_snapshot(folder)
    assert (after.revision, after.count(Constraints())) == (before, len(MOVIES))
    change(folder, [Row(Movie("n1", "New"), vector(1.0))], [])
    assert open_snapshot(folder).count(Constraints()) == len(MOVIES) + 1


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


# --- several processes and generations ----------------------------------------------------------

_WRITE_BATCHES = """
import sys
from pathlib import Path
from contracts_index import vector
from retrieval.index import Row
from retrieval.local.writer import change
from retrieval.movie import Movie
for batch in range(1, 13):
    movies = [Movie(f"m{i}", f"Batch {batch}", year=batch) for i in range(40)]
    change(Path(sys.argv[1]), [Row(movie, vector(1.0, batch)) for movie in movies], [])
"""


async def test_readers_see_whole_revisions_while_another_process_writes(
    folder: Path, executor: Executor
) -> None:
    index = LocalIndex.open(folder, ENCODER, executor)
    leg = ListLeg({f"m{i}": 1.0 for i in range(40)})
    writing = asyncio.create_task(asyncio.to_thread(python, _WRITE_BATCHES, str(folder)))
    seen: set[int] = set()
    while not writing.done() or max(seen) < 12:
        found = await index.get([f"m{i}" for i in range(40)])
        years = {movie.year for movie in found.values()}
        assert (len(found), len(years)) in ((0, 0), (40, 1))
        seen.add(max(y or 0 for y in (*years, 0)))
        newest = max(seen)
        hits = await index.search([leg, TextLeg(f"batch {newest}")], Constraints(), 50)
        assert len(hits[0].movie_ids) in (0, 40)
        if writing.done():
            assert writing.result().returncode == 0, writing.result().stderr
    assert len(seen) > 2


async def test_open_readers_outlive_a_new_generation(tmp_path: Path, executor: Executor) -> None:
    write(tmp_path, ROWS)
    old = open_snapshot(tmp_path)
    index = LocalIndex.open(tmp_path, ENCODER, executor)
    for number in range(3):
        write(tmp_path, (Row(Movie("x", f"New {number}"), vector(1.0)),))
        with write_lock(tmp_path):
            remove_old_generations(tmp_path)
    assert len([p for p in tmp_path.iterdir() if p.is_dir()]) == 2
    assert old.movies(["m1"])["m1"] == MOVIES[0]
    assert old.search([TextLeg("alien")], Constraints(), 5)[0].movie_ids[0] == "m1"
    assert await ids(index, TextLeg("alien")) == ()
    assert (await index.get(["x"]))["x"].title == "New 2"


async def test_many_changes_are_packed_into_a_new_generation(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_writer, "SLACK", 3)
    write(tmp_path, ROWS)
    index = LocalIndex.open(tmp_path, ENCODER, executor)
    await index.put_knowledge("neighbours", b"kept", "sha")
    generation = current_generation(tmp_path)
    for _ in range(4):
        await index.upsert(ROWS[:5])
    assert current_generation(tmp_path) != generation
    assert open_snapshot(tmp_path).manifest.rows < 4 * 5
    assert set(await ids(index, EVERYONE)) == {m.movie_id for m in MOVIES}
    assert await index.knowledge("neighbours") == b"kept"
    assert (await index.stats()).knowledge == {"neighbours": "sha"}


async def test_a_rebuild_with_another_encoder_is_noticed(folder: Path, executor: Executor) -> None:
    index = LocalIndex.open(folder, ENCODER, executor)
    with write_lock(folder):
        write_generation(folder, replace(MANIFEST, encoder_sha="other"), [])
    with pytest.raises(EncoderMismatch, match="start this process again"):
        await index.count(Constraints())


async def test_an_open_index_outlives_its_folder(tmp_path: Path, executor: Executor) -> None:
    write(tmp_path / "index", ROWS)
    index = LocalIndex.open(tmp_path / "index", ENCODER, executor)
    shutil.rmtree(tmp_path / "index")
    assert (await ids(index, TextLeg("alien")))[0] == "m1"
    assert (await index.get(["m1"]))["m1"] == MOVIES[0]


@pytest.mark.parametrize("movie_id", ["", "two\nlines"])
def test_an_id_that_cannot_be_stored_is_refused(folder: Path, movie_id: str) -> None:
    with pytest.raises(ValueError, match="one non-empty line"):
        change(folder, [Row(Movie(movie_id, "Title"), vector(1.0))], [])


def test_long_lists_are_told_apart_and_follow_the_filter(folder: Path) -> None:
    """Their rows are kept by identity: another list, or another filter, is another answer."""
    rows = [Row(Movie(f"l{i:04}", "Title", year=1990 + i % 2), vector(1.0)) for i in range(LONG)]
    change(folder, rows, [])
    snapshot = open_snapshot(folder)
    rising = {row.movie.movie_id: float(at) for at, row in enumerate(rows)}
    falling = {movie_id: -score for movie_id, score in rising.items()}
    for _ in range(2):
        for scores, year, best in (
            (rising, 1990, f"l{LONG - 2:04}"),
            (rising, 1991, f"l{LONG - 1:04}"),
            (falling, 1991, "l0001"),
        ):
            wanted = Constraints(require=(Range("year", year, year),))
            [hits] = snapshot.search([ListLeg(scores)], wanted, 5)
            assert hits.movie_ids[0] == best and hits.scores[0] == scores[best]
    change(folder, [], ["l0001"])
    [hits] = open_snapshot(folder).search([ListLeg(falling)], Constraints(), 2)
    assert hits.movie_ids == ("l0000", "l0002")
