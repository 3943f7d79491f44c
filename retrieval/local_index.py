"""The embedded MovieIndex: tantivy and numpy in one folder, no server.

Knows asyncio, the executor and when to look at the folder again. Does not know files or scores:
those are local/snapshot.py (reading) and local/writer.py (writing). Any number of processes may
read a folder while one writes it; each call sees one whole revision. Opened by infra/wiring.py,
the CLI and jobs/.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np

from retrieval.encoder import EncoderIdentity
from retrieval.index import (
    Changed,
    EncoderMismatch,
    Hits,
    IndexCorrupt,
    IndexMissing,
    IndexStats,
    Leg,
    Row,
)
from retrieval.knowledge import Joined
from retrieval.local.files import MANIFEST, current_generation
from retrieval.local.snapshot import Mark, Snapshot, open_snapshot
from retrieval.local.writer import change, store_knowledge
from retrieval.movie import Clause, Constraints, Movie

T = TypeVar("T")
_Stamp = tuple[str, bytes] | None

KEPT_REVISIONS = 16
"""How many of the last revisions are known well enough to say what changed since."""
SCAN_CHUNK = 256
"""Movies decoded per visit to the executor, so that a scan lets others in."""


class LocalIndex:
    """MovieIndex over a folder that jobs/build_index.py made."""

    def __init__(self, folder: Path, snapshot: Snapshot, stamp: _Stamp, executor: Executor) -> None:
        self._folder = folder
        self._snapshot = snapshot
        self._stamp = stamp
        self._executor = executor
        self._lock = Lock()
        self._marks: dict[str, Mark] = {snapshot.revision: snapshot.mark}

    @classmethod
    def open(
        cls, folder: Path, encoder: EncoderIdentity | None, executor: Executor
    ) -> "LocalIndex":
        """Check and open an index; `encoder` is the one whose vectors will be searched for."""
        stamp = _stamp(folder)
        snapshot = open_snapshot(folder)
        _check_encoder(folder, snapshot, encoder)
        return cls(folder, snapshot, stamp, executor)

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        return await self._read(lambda s: s.search(legs, constraints, k))

    async def count(self, constraints: Constraints) -> int:
        return await self._read(lambda s: s.count(constraints))

    async def unknown(self, constraints: Constraints, clause: Clause) -> tuple[int, int]:
        return await self._read(lambda s: s.unknown(constraints, clause))

    async def get(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        return await self._read(lambda s: s.movies(movie_ids))

    async def vectors(self, movie_ids: Sequence[str]) -> dict[str, np.ndarray]:
        return await self._read(lambda s: s.vectors(movie_ids))

    async def priors(self, movie_ids: Sequence[str]) -> dict[str, float]:
        """How well known each movie is, 0-1: the order of PopularLeg, for the ranker."""
        return await self._read(lambda s: s.priors(movie_ids))

    async def scan(self) -> AsyncIterator[Movie]:
        """Every movie of one revision, by movie_id."""
        snapshot = await self._run(self._fresh)
        ids = sorted(snapshot.row_of)
        for at in range(0, len(ids), SCAN_CHUNK):
            chunk = ids[at : at + SCAN_CHUNK]
            for movie in await self._run(partial(snapshot.decode, chunk)):
                yield movie

    async def upsert(self, rows: Sequence[Row]) -> None:
        await self._run(lambda: self._change(rows, ()))

    async def delete(self, movie_ids: Sequence[str]) -> int:
        return await self._run(lambda: self._change((), movie_ids))

    async def stats(self) -> IndexStats:
        return await self._read(lambda s: s.stats())

    async def knowledge(self, name: str) -> bytes | None:
        return await self._read(lambda s: s.knowledge(name))

    async def put_knowledge(self, name: str, content: bytes, sha: str) -> None:
        await self._run(lambda: store_knowledge(self._folder, Joined(name, content, sha)))

    async def revision(self) -> str:
        # Asked several times a turn; to wake a thread costs more than two short reads.
        return (
            self._snapshot.revision if self._is_fresh() else await self._read(lambda s: s.revision)
        )

    async def changed_since(self, revision: str) -> Changed | None:
        return await self._read(lambda s: s.changed_since(self._marks.get(revision)))

    async def close(self) -> None:
        """Nothing is held that needs a farewell: files go with the last search that uses them."""

    def _change(self, upserts: Sequence[Row], deletes: Sequence[str]) -> int:
        return change(self._folder, upserts, deletes, known=self._fresh())

    async def _read(self, work: Callable[[Snapshot], T]) -> T:
        return await self._run(lambda: work(self._fresh()))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _is_fresh(self) -> bool:
        """Whether nothing changed: two short reads."""
        # Also when the folder was taken away: what is open stays readable.
        return _stamp(self._folder) in (self._stamp, None)

    def _fresh(self) -> Snapshot:
        """The newest revision."""
        stamp = _stamp(self._folder)
        if stamp in (self._stamp, None):
            return self._snapshot
        with self._lock:
            if stamp != self._stamp:
                snapshot = open_snapshot(self._folder, verify=False)
                _check_same_encoder(self._folder, snapshot, self._snapshot)
                self._snapshot, self._stamp = snapshot, stamp
                last = list(self._marks.items())[1 - KEPT_REVISIONS :]
                self._marks = dict([*last, (snapshot.revision, snapshot.mark)])
            return self._snapshot


def _stamp(folder: Path) -> _Stamp:
    """Generation and the checksum at the head of its manifest: differs after every change."""
    try:
        generation = current_generation(folder)
        with (generation / MANIFEST).open("rb") as file:
            return generation.name, file.read(8)
    except (OSError, IndexMissing, IndexCorrupt):
        return None


def _check_encoder(folder: Path, snapshot: Snapshot, encoder: EncoderIdentity | None) -> None:
    manifest = snapshot.manifest
    built = (manifest.encoder_sha, manifest.dimension)
    if encoder is not None and built != (encoder.sha, encoder.dimension):
        raise EncoderMismatch(
            f"{folder} was built with the encoder {manifest.encoder_name} "
            f"({manifest.encoder_sha[:12]}, {manifest.dimension} numbers), "
            f"not {encoder.name} ({encoder.sha[:12]}, {encoder.dimension}): "
            f"use that encoder, or build again with: usher index build --out {folder}"
        )


def _check_same_encoder(folder: Path, new: Snapshot, old: Snapshot) -> None:
    if new.manifest.encoder_sha != old.manifest.encoder_sha:
        raise EncoderMismatch(
            f"{folder} was rebuilt with another encoder ({new.manifest.encoder_name}) "
            "while it was open: start this process again"
        )
