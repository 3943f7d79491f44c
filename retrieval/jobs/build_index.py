"""Builds a local index from a catalogue: one finished generation or none.

Knows the order: lock, read, encode, write, switch. Does not know formats, encoders or files: see
catalog.py, jobs/prepare.py, local/writer.py. Called by `usher index build`, `make start` and tests.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval.catalog import BadRow, Catalogue
from retrieval.encoder import Encoder
from retrieval.jobs.prepare import Prepared, Report, prepared, silent
from retrieval.knowledge import Joined
from retrieval.local.files import Manifest, refusing, write_lock
from retrieval.local.writer import remove_old_generations, write_generation

CACHE = "cache"
STARTER = Path(__file__).resolve().parents[1] / "starter"
"""The knowledge files that ship."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What `usher index build` prints."""

    rows: int
    kept: int
    bad_count: int
    bad: tuple[BadRow, ...]
    """The first ones, one by one."""
    unused: tuple[str, ...]
    """Columns that no field reads."""
    new_vectors: int
    cached_vectors: int
    knowledge: tuple[Joined, ...]
    """Per file: how many entries, how many of them matched a movie."""
    guessed: int
    """Movies that lack moods, themes or grades and were given to the tagger."""
    generation: str
    seconds: float
    rejected: tuple[tuple[str, str], ...] = ()
    """(movie id, reason) of what a server refused; a local index refuses nothing."""


def build_local(
    catalogue: Catalogue,
    encoder: Encoder,
    out: Path,
    knowledge: Path | None = STARTER,
    report: Report = silent,
) -> BuildReport:
    """Build a new generation under `out` and make it the current one.

    Raises CatalogError, IndexReadOnly (no space, no access, another writer) or EncoderError; the
    index that was there stays in use then. A build that was killed continues with the vectors it
    had made.
    """
    start = time.monotonic()
    with refusing(out):
        out.mkdir(parents=True, exist_ok=True)
    with write_lock(out), refusing(out):
        with prepared(catalogue, encoder, out / CACHE, knowledge, report) as ready:
            generation = write_generation(
                out,
                _manifest(catalogue, encoder),
                ready.rows,
                ready.knowledge,
            )
        remove_old_generations(out)
    return report_of(ready, generation, time.monotonic() - start)


def _manifest(catalogue: Catalogue, encoder: Encoder) -> Manifest:
    identity = encoder.identity
    return Manifest(
        encoder_name=identity.name,
        encoder_sha=identity.sha,
        dimension=identity.dimension,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=f"{catalogue.path} ({catalogue.format})",
    )


def report_of(ready: Prepared, generation: str, seconds: float) -> BuildReport:
    """What a finished build tells; every kind of index tells the same."""
    read = ready.read
    return BuildReport(
        rows=read.rows,
        kept=read.kept,
        bad_count=read.bad_count,
        bad=tuple(read.bad),
        unused=tuple(sorted(read.unused)),
        new_vectors=ready.new_vectors,
        cached_vectors=ready.cached_vectors,
        knowledge=tuple(ready.knowledge),
        guessed=ready.guessed,
        generation=generation,
        seconds=seconds,
    )
