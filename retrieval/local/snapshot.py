"""A local index as it was at one revision: opened, checked, searchable, never changing.

Knows how the files of a generation fit together. Does not know how they are written
(local/writer.py) nor asyncio (local_index.py). Safe to use from several threads at once.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.index import Changed, Hits, IndexCorrupt, IndexStats, Leg
from retrieval.local.columns import ROW, Columns, Mask, Postings
from retrieval.local.files import (
    MANIFEST,
    REBUILD,
    Extent,
    KnowledgeFile,
    Manifest,
    current_generation,
    extent_of,
    read_manifest,
)
from retrieval.local.filter import Filter
from retrieval.local.legs import Searchable, run_legs
from retrieval.local.text import TextReader, segments_of
from retrieval.movie import Clause, Constraints, Movie
from retrieval.record import from_json

MOVIES, IDS, ROWS = "movies.jsonl", "ids.txt", "rows.bin"
VALUES, VECTORS, DEAD = "values.u64", "vectors.f32", "dead.u32"
"""The files that only grow: JSON lines; one id a line; ROW records; value hashes; float32 vectors;
the rows that were replaced or deleted."""
APPENDED = [MOVIES, IDS, ROWS, VALUES, VECTORS, DEAD]
TEXT = "text"
_TRIES = 8
_PAUSE_S = 0.02
"""Between tries: a writer in the middle of a change needs a moment."""
_DECODED = 4096
"""Movies kept decoded per snapshot, about 3 KB each: every list is made of 200, mostly the same."""


def open_snapshot(folder: Path, verify: bool = True) -> "Snapshot":
    """The index as it is now; `verify` compares every byte with its checksum (1 s per GB)."""
    generation, manifest, text = _settled(folder)
    try:
        if verify:
            _verify(generation, manifest)
        return Snapshot(generation, manifest, text)
    except (OSError, ValueError) as error:
        raise IndexCorrupt(f"{error}; {REBUILD} {folder}") from error


def _settled(folder: Path) -> tuple[Path, Manifest, TextReader]:
    """A manifest and a text folder of the same revision.

    Two changes later tantivy drops rows that this manifest still counts, so the manifest must be
    the newest one after the text folder was opened, too. The other files only grow.
    """
    problem: Exception = IndexCorrupt(f"{folder} keeps changing")
    for _ in range(_TRIES):
        generation = current_generation(folder)
        try:
            manifest = read_manifest(generation)
            text = TextReader(generation / TEXT)
            if is_newest(generation, manifest):
                return generation, manifest, text
        except (OSError, ValueError, IndexCorrupt) as error:  # tantivy says ValueError
            problem = error
        time.sleep(_PAUSE_S)
    if isinstance(problem, IndexCorrupt):
        raise problem
    raise IndexCorrupt(f"{problem}; {REBUILD} {folder}")


def is_newest(generation: Path, manifest: Manifest) -> bool:
    """Whether nothing was written since."""
    same = current_generation(generation.parent) == generation
    return same and read_manifest(generation).counter == manifest.counter


def _verify(generation: Path, manifest: Manifest) -> None:
    for name, extent in manifest.files.items():
        _compare(generation / name, extent)
    for known in manifest.knowledge.values():
        _compare(generation / known.file, known.extent)
    for name, extent in manifest.text_files.items():
        try:
            _compare(generation / TEXT / name, extent)
        except FileNotFoundError:
            # A later change may have merged the segment away, or listed its dead rows anew.
            if name.partition(".")[0] in segments_of(generation / TEXT) and ".del" not in name:
                raise


def _compare(path: Path, extent: Extent) -> None:
    if extent_of(path, extent.size) != extent:
        raise ValueError(f"{path} is damaged")


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the files of a generation went at one revision: they only grow."""

    generation: str
    rows: int
    dead: int
    knowledge: Mapping[str, KnowledgeFile]


class Snapshot:
    """One revision of a local index."""

    def __init__(self, generation: Path, manifest: Manifest, text: TextReader) -> None:
        self.generation = generation
        self.manifest = manifest
        rows = self._array(ROWS, ROW)
        if len(rows) != manifest.rows:
            raise ValueError(f"{generation / ROWS} has {len(rows)} rows, not {manifest.rows}")
        self.ids = self._bytes(IDS).decode().split("\n")[:-1]
        self.live: Mask = np.ones(manifest.rows, dtype=np.bool_)
        self.dead = self._array(DEAD, np.dtype("<u4"))
        self.live[self.dead] = False
        self.row_of = {self.ids[row]: int(row) for row in np.flatnonzero(self.live)}
        self.columns = Columns(rows)
        postings = Postings(self._array(VALUES, np.dtype("<u8")), rows["values"].astype(np.int64))
        self._searchable = Searchable(
            ids=self.ids,
            row_of=self.row_of,
            id_rank=_ranks(self.ids),
            columns=self.columns,
            postings=postings,
            text=text,
            vectors=self._vectors(),
        )
        self._filter = Filter(self.columns, postings, text, self.row_of, self.live)
        # No reference to self: a snapshot must go when its last search is done, not at a later
        # sweep.
        self._movie = lru_cache(maxsize=_DECODED)(
            partial(_movie_at, _MovieFile(generation / MOVIES), self.columns)
        )

    @property
    def revision(self) -> str:
        return f"{self.generation.name}.{self.manifest.counter}"

    @property
    def mark(self) -> Mark:
        """For `changed_since`, of a later snapshot."""
        manifest = self.manifest
        return Mark(self.generation.name, manifest.rows, len(self.dead), manifest.knowledge)

    def changed_since(self, mark: Mark | None) -> Changed | None:
        """What came after a mark; None where the two are of different builds."""
        if mark is None or mark.generation != self.generation.name:
            return None
        rows = [*range(mark.rows, len(self.ids)), *self.dead[mark.dead :]]
        knowledge = self.manifest.knowledge != mark.knowledge
        return Changed(frozenset(self.ids[row] for row in rows), knowledge)

    def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        return run_legs(self._searchable, legs, self._filter.mask(constraints), k)

    def count(self, constraints: Constraints) -> int:
        return int(np.count_nonzero(self._filter.mask(constraints)))

    def unknown(self, constraints: Constraints, clause: Clause) -> tuple[int, int]:
        others = self._filter.mask(constraints.without(clause))
        lacking = others & ~self._filter.known(clause)
        return int(np.count_nonzero(lacking)), int(np.count_nonzero(others))

    def movies(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        found = ((i, self.row_of.get(i)) for i in movie_ids)
        return {i: self._movie(row) for i, row in found if row is not None}

    def decode(self, movie_ids: Sequence[str]) -> list[Movie]:
        """Known ids only; past the small cache of `movies`, for whoever reads everything once."""
        return [self._movie.__wrapped__(self.row_of[i]) for i in movie_ids]

    def vectors(self, movie_ids: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        found = ((i, self.row_of.get(i)) for i in movie_ids)
        return {i: self._searchable.vectors[row].copy() for i, row in found if row is not None}

    def priors(self, movie_ids: Sequence[str]) -> dict[str, float]:
        """How well known each movie is, 0-1 (see `prior` in local/columns.py)."""
        found = ((i, self.row_of.get(i)) for i in movie_ids)
        return {i: float(self.columns.prior[row]) for i, row in found if row is not None}

    def knowledge(self, name: str) -> bytes | None:
        known = self.manifest.knowledge.get(name)
        if known is None:
            return None
        try:
            return (self.generation / known.file).read_bytes()
        except OSError as error:
            raise IndexCorrupt(f"{error}; {REBUILD} {self.generation.parent}") from error

    def stats(self) -> IndexStats:
        manifest = self.manifest
        return IndexStats(
            movies=len(self.row_of),
            encoder_name=manifest.encoder_name,
            encoder_sha=manifest.encoder_sha,
            dimension=manifest.dimension,
            revision=self.revision,
            built_at=manifest.built_at,
            source=manifest.source,
            known=self.columns.known_counts(self.live),
            knowledge={name: known.sha for name, known in manifest.knowledge.items()},
        )

    def _bytes(self, name: str) -> bytes:
        size = self.manifest.files[name].size
        with (self.generation / name).open("rb") as file:
            content = file.read(size)
        if len(content) != size:
            raise ValueError(f"{self.generation / name} is shorter than {MANIFEST} says")
        return content

    def _array(self, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        return np.frombuffer(self._bytes(name), dtype=dtype)

    def _vectors(self) -> npt.NDArray[np.float32]:
        shape = (self.manifest.rows, self.manifest.dimension)
        path = self.generation / VECTORS
        if path.stat().st_size < shape[0] * shape[1] * 4:
            raise ValueError(f"{path} is shorter than {MANIFEST} says")
        if not shape[0]:
            return np.zeros(shape, dtype=np.float32)
        # As a plain array: each row of a memmap is a memmap, which costs three times as much.
        return np.asarray(np.memmap(path, dtype="<f4", mode="r", shape=shape))


class _MovieFile:
    """Reads at a place; the file is closed with its last user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)


def _movie_at(file: _MovieFile, columns: Columns, row: int) -> Movie:
    try:
        return from_json(file.read(int(columns.start[row]), int(columns.length[row])))
    except (OSError, ValueError) as error:
        folder = file.path.parent.parent
        raise IndexCorrupt(f"{file.path}: {error}; {REBUILD} {folder}") from error


def _ranks(ids: Sequence[str]) -> npt.NDArray[np.int32]:
    ranks = np.empty(len(ids), dtype=np.int32)
    ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids), dtype=np.int32)
    return ranks
