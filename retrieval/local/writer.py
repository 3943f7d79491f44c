"""How a local index is written: new generations, and changes to a live one.

Every change follows one order: append to the files, commit tantivy, replace the manifest. Only
the last step counts, so a kill at any point leaves the old revision or the new one. tantivy never
loses a row that the manifest in force still counts: replaced rows are dropped one change later.
Does not know asyncio nor encoding. Called by local_index.py and jobs/build_index.py.
"""

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from retrieval.index import Row, check_row
from retrieval.knowledge import Joined
from retrieval.local.columns import hashes_of, row_of
from retrieval.local.files import (
    CURRENT,
    LOCK_WAIT_S,
    Appender,
    Extent,
    KnowledgeFile,
    Manifest,
    current_generation,
    extent_of,
    read_manifest,
    refusing,
    switch_current,
    sync_folder,
    write_lock,
    write_manifest,
)
from retrieval.local.snapshot import (
    APPENDED,
    DEAD,
    IDS,
    MOVIES,
    ROWS,
    TEXT,
    VALUES,
    VECTORS,
    Snapshot,
    is_newest,
    open_snapshot,
)
from retrieval.local.text import TextWriter
from retrieval.record import to_json

SLACK = 1000
"""Dead rows that are always tolerated; beyond, more dead than live rows cause a new generation."""


class _Batch:
    """Rows on their way into a generation."""

    def __init__(self, generation: Path, manifest: Manifest, text: TextWriter) -> None:
        self._files = Appender(generation, manifest.files, APPENDED)
        self._text = text
        self._dimension = manifest.dimension
        self.rows = manifest.rows

    def add(self, row: Row) -> int:
        check_row(row, self._dimension)
        line = to_json(row.movie) + b"\n"
        values = hashes_of(row.movie)
        record = row_of(row.movie, self._files.size(MOVIES), len(line), len(values))
        self._files.append(MOVIES, line)
        self._files.append(IDS, f"{row.movie.movie_id}\n".encode())
        self._files.append(ROWS, record)
        self._files.append(VALUES, values.tobytes())
        self._files.append(VECTORS, row.vector.astype("<f4").tobytes())
        self._text.add(self.rows, row.movie)
        self.rows += 1
        return self.rows - 1

    def bury(self, rows: Sequence[int]) -> None:
        self._files.append(DEAD, np.array(rows, dtype="<u4").tobytes())

    def finish(self) -> dict[str, Extent]:
        extents = self._files.sync()
        self._text.commit()
        return extents

    def close(self) -> None:
        self._files.close()


def write_generation(
    folder: Path, manifest: Manifest, rows: Iterable[Row], knowledge: Sequence[Joined] = ()
) -> str:
    """Write a whole new generation and make it the current one; its name. Hold the write lock."""
    name = _new_name(folder)
    generation = folder / name
    try:
        with refusing(folder):
            generation.mkdir()
            _fill(generation, _blank(manifest), rows, knowledge)
            sync_folder(generation)
            sync_folder(folder)
            switch_current(folder, name)
    finally:
        if not _is_current(folder, name):
            shutil.rmtree(generation, ignore_errors=True)
    return name


def _fill(
    generation: Path, manifest: Manifest, rows: Iterable[Row], knowledge: Sequence[Joined]
) -> None:
    with TextWriter(generation / TEXT, create=True) as text:
        batch = _Batch(generation, manifest, text)
        try:
            for row in rows:
                batch.add(row)
            files = batch.finish()
        finally:
            batch.close()
    sync_folder(generation / TEXT)
    write_manifest(
        generation,
        replace(
            manifest,
            rows=batch.rows,
            files=files,
            text_files=_text_files(generation),
            knowledge={k.name: _store(generation, k) for k in knowledge},
        ),
    )


def _blank(manifest: Manifest) -> Manifest:
    """The same encoder and source, nothing written yet."""
    return Manifest(
        encoder_name=manifest.encoder_name,
        encoder_sha=manifest.encoder_sha,
        dimension=manifest.dimension,
        built_at=manifest.built_at,
        source=manifest.source,
    )


def _new_name(folder: Path) -> str:
    """Numbered for people, with a random part: a rebuilt folder never repeats a revision."""
    numbers = [int(p.name[:6]) for p in folder.glob("[0-9]*-*") if p.name[:6].isdigit()]
    return f"{max(numbers, default=0) + 1:06d}-{uuid.uuid4().hex[:8]}"


def _is_current(folder: Path, name: str) -> bool:
    path = folder / CURRENT
    return path.exists() and path.read_text(encoding="ascii", errors="replace").strip() == name


def _text_files(generation: Path) -> dict[str, Extent]:
    """The files of tantivy that never change once written."""
    folder = generation / TEXT
    names = sorted(p.name for p in folder.iterdir() if p.is_file())
    changing = {"meta.json", ".managed.json"}
    fixed = [n for n in names if n not in changing and not n.endswith(".lock")]
    return {name: extent_of(folder / name) for name in fixed}


def _store(generation: Path, knowledge: Joined) -> KnowledgeFile:
    """Named by content, so that readers of an older manifest still find their file."""
    file = f"knowledge-{sha256(knowledge.content).hexdigest()[:16]}.bin"
    with (generation / file).open("wb") as out:
        out.write(knowledge.content)
        out.flush()
        os.fsync(out.fileno())
    return KnowledgeFile(knowledge.sha, file, extent_of(generation / file))


def remove_old_generations(folder: Path, keep: int = 2) -> None:
    """Delete all but the current generation and the newest others; open readers keep theirs."""
    current = current_generation(folder).name
    names = sorted(
        (p.name for p in folder.glob("[0-9]*-*") if p.is_dir() and p.name != current), reverse=True
    )
    for name in names[keep - 1 :]:
        shutil.rmtree(folder / name, ignore_errors=True)


def change(
    folder: Path,
    upserts: Sequence[Row],
    deletes: Sequence[str],
    known: Snapshot | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> int:
    """Replace and remove rows in one revision; how many of `deletes` were there.

    `known` is the caller's open snapshot: used when it is still the newest, else opened again.
    """
    with write_lock(folder, wait_s):
        fresh = known is not None and is_newest(known.generation, known.manifest)
        before = known if known and fresh else open_snapshot(folder, verify=False)
        rows = list({row.movie.movie_id: row for row in upserts}.values())
        for row in rows:
            check_row(row, before.manifest.dimension)
        gone = {i for i in deletes if i in before.row_of}
        replaced = gone | {
            row.movie.movie_id for row in rows if row.movie.movie_id in before.row_of
        }
        if not rows and not replaced:
            return 0
        dead = sorted(before.row_of[i] for i in replaced)
        after = len(before.row_of) - len(dead) + len(rows)
        if before.manifest.rows + len(rows) - after > after + SLACK:
            _rewrite(folder, before, rows, replaced)
        else:
            _append(folder, before, rows, dead)
        return len(gone)


def _append(folder: Path, before: Snapshot, rows: Sequence[Row], dead: Sequence[int]) -> None:
    manifest = before.manifest
    with refusing(folder), TextWriter(before.generation / TEXT) as text:
        # What the manifest no longer counts can go now; what this change replaces goes with the
        # next.
        text.forget(manifest.rows)
        text.drop(before.dead[manifest.purged :].tolist())
        batch = _Batch(before.generation, manifest, text)
        try:
            for row in rows:
                batch.add(row)
            batch.bury(dead)
            files = batch.finish()
        finally:
            batch.close()
        sync_folder(before.generation / TEXT)
        changed = replace(
            manifest,
            counter=manifest.counter + 1,
            rows=batch.rows,
            files=files,
            text_files=_text_files(before.generation),
            purged=len(before.dead),
        )
        write_manifest(before.generation, changed)


def _rewrite(folder: Path, before: Snapshot, rows: Sequence[Row], replaced: set[str]) -> None:
    """The live rows as a new generation: else files would grow with every change for ever."""
    manifest = before.manifest
    knowledge = [
        Joined(name, before.knowledge(name) or b"", known.sha)
        for name, known in manifest.knowledge.items()
    ]
    write_generation(folder, manifest, _all_rows(before, rows, replaced), knowledge)
    remove_old_generations(folder)


def _all_rows(before: Snapshot, rows: Sequence[Row], replaced: set[str]) -> Iterator[Row]:
    for movie_id in before.row_of:
        if movie_id not in replaced:
            movie = before.movies([movie_id])[movie_id]
            yield Row(movie, before.vectors([movie_id])[movie_id])
    yield from rows


def store_knowledge(folder: Path, knowledge: Joined, wait_s: float = LOCK_WAIT_S) -> None:
    """Add or replace one knowledge file of the live index."""
    with write_lock(folder, wait_s):
        generation = current_generation(folder)
        manifest = read_manifest(generation)
        with refusing(folder):
            stored = _store(generation, knowledge)
            sync_folder(generation)
            every = {**manifest.knowledge, knowledge.name: stored}
            write_manifest(
                generation, replace(manifest, counter=manifest.counter + 1, knowledge=every)
            )
