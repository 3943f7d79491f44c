"""`usher index build | info | upsert | delete`, and the index that other commands begin with.

Knows flags, progress and what is printed. Does not know how an index is built or kept
(retrieval/jobs/build_index.py, retrieval/local_index.py). Called by cli.py, by the commands that
need an index, and by evals.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.cli_common import Refusal, settings_for
from infra.progress import shown
from infra.settings import Settings
from infra.wiring import load_encoder, open_index
from retrieval.catalog import FORMATS, BadRow, Format, ReadReport, open_catalogue, read_mapping
from retrieval.document import document
from retrieval.encoder import Encoder
from retrieval.index import IndexMissing, IndexStats, MovieIndex, Row
from retrieval.jobs.build_index import STARTER, BuildReport, build_local
from retrieval.jobs.prepare import Progress
from retrieval.knowledge import join_tags, with_tags
from retrieval.local_files import current_generation
from retrieval.title_join import TitleJoin

BAD_SHOWN = 10
REJECTED = "rejected.jsonl"
"""All bad rows that the build remembers, for whoever mends the catalogue."""
STARTER_MOVIES = "movies.jsonl.gz"
_PHASES = {"read": "reading", "encode": "indexing"}


# --- build ----------------------------------------------------------------------------------------


def build(catalog: Path, format: str, mapping: Path | None, out: Path | None) -> None:
    """The command. Raises: Refusal, CatalogError, IndexFailure, EncoderError."""
    settings = settings_for()
    if settings.index == "opensearch":
        if out is not None:
            raise Refusal("--out names a local folder, but USHER_INDEX=opensearch: leave out --out")
        raise Refusal("building into OpenSearch is not there yet: set USHER_INDEX=local")
    if out is None:
        raise Refusal("--out is missing: name the folder for the index")
    if out.exists() and not out.is_dir():
        raise Refusal(f"--out {out} is a file: name a folder")
    chosen = _format(format)
    columns = read_mapping(mapping) if mapping else None
    report = build_with_progress(catalog, chosen, columns, out, load_encoder(settings))
    _say_built(report, out, Console(highlight=False))


def _format(name: str) -> Format:
    for known in FORMATS:
        if known == name:
            return known
    raise Refusal(f"--format {name} is unknown: choose from {', '.join(FORMATS)}")


def build_with_progress(
    catalog: Path, format: Format, mapping: dict[str, str] | None, out: Path, encoder: Encoder
) -> BuildReport:
    """Build with progress on standard error: phase, done, rate, time left."""
    catalogue = open_catalogue(catalog, format, mapping)
    with shown() as report:

        def show(progress: Progress) -> None:
            report(_PHASES[progress.phase], progress.done, progress.total)

        try:
            return build_local(catalogue, encoder, out, report=show)
        except KeyboardInterrupt:
            raise Refusal(
                "stopped; the same command continues where this one was, the old index is unchanged"
            ) from None


def _say_built(report: BuildReport, out: Path, console: Console) -> None:
    console.print(
        f"{report.kept:,} movies in {report.seconds:.0f} s "
        f"({report.new_vectors:,} encoded, {report.cached_vectors:,} vectors kept) -> {out}",
        soft_wrap=True,
    )
    for joined in report.knowledge:
        console.print(f"  {joined.name}: {joined.matched:,} of {joined.entries:,} are in it")
    if report.unused:
        console.print(f"  columns not used: {', '.join(report.unused)}", soft_wrap=True)
    if report.bad_count:
        _say_rejected(report, out, console)
    else:
        (out / REJECTED).unlink(missing_ok=True)  # of an earlier build


def _say_rejected(report: BuildReport, out: Path, console: Console) -> None:
    console.print(f"{report.bad_count:,} rows were skipped:")
    for bad in report.bad[:BAD_SHOWN]:
        console.print(f"  row {bad.row}: {bad.reason}", soft_wrap=True, markup=False)
    path = out / REJECTED
    try:
        _write_rejected(path, report.bad)
    except OSError as error:
        raise Refusal(f"{path} cannot be written ({error.strerror}); the index is built") from None
    listed = len(report.bad)
    which = "all" if listed == report.bad_count else f"the first {listed:,}"
    console.print(f"  {which} of them: {path}", soft_wrap=True)


def _write_rejected(path: Path, bad: Sequence[BadRow]) -> None:
    lines = (json.dumps({"row": one.row, "reason": one.reason}) + "\n" for one in bad)
    path.write_text("".join(lines), encoding="utf-8")


def ensure_index(settings: Settings, *, named: bool, console: Console) -> None:
    """Build the starter index where none is; a folder named with --index must hold one already.

    Raises: IndexMissing and what a build raises.
    """
    if settings.index != "local" or named:
        return
    try:
        current_generation(settings.index_dir)
    except IndexMissing:
        movies = STARTER / STARTER_MOVIES
        console.print(
            f"No index yet: building one from the starter catalogue in {settings.index_dir} "
            "(once, about a minute)",
            soft_wrap=True,
        )
        encoder = load_encoder(settings)
        build_with_progress(movies, "usher", None, settings.index_dir, encoder)


# --- info -----------------------------------------------------------------------------------------


def info(index: Path | None, *, as_json: bool) -> None:
    """The command. Raises: Refusal, IndexFailure."""
    with _opened(index) as (opened, _, _):
        stats = asyncio.run(opened.stats())
    if as_json:
        print(json.dumps(asdict(stats)))
        return
    Console(highlight=False).print(stats_table(stats))


def stats_table(stats: IndexStats) -> Table:
    """An index for people."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("movies", f"{stats.movies:,}")
    table.add_row("source", stats.source)
    table.add_row("built", stats.built_at)
    encoder = f"{stats.encoder_name} ({stats.encoder_sha}, {stats.dimension} numbers)"
    table.add_row("encoder", encoder)
    table.add_row("revision", stats.revision)
    shares = (f"{name} {n / max(1, stats.movies):.0%}" for name, n in sorted(stats.known.items()))
    table.add_row("known", ", ".join(shares))
    knowledge = (f"{name} {sha[:12]}" for name, sha in sorted(stats.knowledge.items()))
    table.add_row("knowledge", ", ".join(knowledge) or "none")
    return table


# --- single movies --------------------------------------------------------------------------------


def upsert(file: Path, index: Path | None) -> None:
    """The command: all movies of the file or none. Raises: Refusal, CatalogError, IndexFailure."""
    with _opened(index) as (opened, encoder, settings):
        counts = ReadReport()
        movies = list(open_catalogue(file).movies(counts))
        if counts.bad_count:
            first = counts.bad[0]
            raise Refusal(
                f"{file} row {first.row}: {first.reason} ({counts.bad_count} bad rows; nothing was "
                "changed: mend the file or take them out)"
            )
        join = TitleJoin()
        for movie in movies:
            join.add(movie)
        tags, _ = join_tags(STARTER, join)
        tagged = [with_tags(movie, tags.get(movie.movie_id)) for movie in movies]
        vectors = encoder.encode([document(movie) for movie in tagged])
        rows = [Row(movie, vector) for movie, vector in zip(tagged, vectors, strict=True)]
        asyncio.run(opened.upsert(rows))
        print(f"{len(rows)} movies added or replaced in {settings.index_dir}")


def delete(ids: Sequence[str], index: Path | None) -> None:
    """The command: all ids or none. Raises: Refusal, IndexFailure."""
    wanted = list(dict.fromkeys(ids))
    with _opened(index) as (opened, _, settings):
        found = asyncio.run(opened.get(wanted))
        unknown = [movie_id for movie_id in wanted if movie_id not in found]
        if unknown:
            raise Refusal(
                f"{', '.join(unknown)}: no such movie in {settings.index_dir}; nothing was deleted"
            )
        gone = asyncio.run(opened.delete(wanted))
        print(f"{gone} movies deleted from {settings.index_dir}")


@contextmanager
def _opened(index: Path | None) -> Iterator[tuple[MovieIndex, Encoder, Settings]]:
    settings = settings_for(index)
    encoder = load_encoder(settings)
    with ThreadPoolExecutor(1) as executor:
        opened = open_index(settings, encoder, executor)
        try:
            yield opened, encoder, settings
        finally:
            asyncio.run(opened.close())
