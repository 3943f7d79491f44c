"""`usher index build | info | upsert | delete`, and the index that other commands begin with.

Knows flags, progress and what is printed. Does not know how an index is built or kept (the jobs
build_index.py and build_opensearch.py; local_index.py and opensearch_index.py). Called by cli.py,
by the commands that need an index, and by evals.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from infra.cli_common import Refusal, settings_for
from infra.learned import load_build_encoder, load_encoder
from infra.progress import shown
from infra.settings import Settings
from infra.wiring import open_index, open_opensearch
from retrieval.catalog import (
    FORMATS,
    Catalogue,
    Format,
    ReadReport,
    open_catalogue,
    read_mapping,
)
from retrieval.encoder import Encoder
from retrieval.index import IndexMissing, IndexStats, MovieIndex
from retrieval.jobs.build_index import STARTER, BuildReport, build_local
from retrieval.jobs.build_opensearch import Target, build_opensearch
from retrieval.jobs.prepare import Progress, Report, encoded_rows, silent
from retrieval.knowledge import join_tags, with_tags
from retrieval.local.files import current_generation
from retrieval.opensearch.layout import SERVERLESS
from retrieval.title_join import TitleJoin

T = TypeVar("T")

BAD_SHOWN = 10
REJECTED = "rejected.jsonl"
"""All bad rows that the build remembers, for whoever mends the catalogue."""
STARTER_MOVIES = "movies.jsonl.gz"
STARTER_NAME = Path("starter")
"""What --catalog calls the catalogue that ships."""
_PHASES = {"read": "reading", "encode": "indexing"}


# --- build ----------------------------------------------------------------------------------------


def build(catalog: Path, format: str, mapping: Path | None, out: Path | None) -> None:
    """The command. Raises: Refusal, SettingProblem, CatalogError, IndexFailure, EncoderError."""
    settings = settings_for()
    served = settings.index == "opensearch"
    if served and out is not None:
        raise Refusal("--out names a local folder, but USHER_INDEX=opensearch: leave out --out")
    if not served and out is None:
        raise Refusal("--out is missing: name the folder for the index")
    if out is not None and out.exists() and not out.is_dir():
        raise Refusal(f"--out {out} is a file: name a folder")
    chosen = _format(format)
    columns = read_mapping(mapping) if mapping else None
    if catalog == STARTER_NAME and not catalog.exists():
        catalog = STARTER / STARTER_MOVIES
    catalogue = open_catalogue(catalog, chosen, columns)
    console = Console(highlight=False)
    if out is not None:
        report = _with_progress(partial(build_local, catalogue, load_build_encoder(settings), out))
        _say_built(report, str(out), out / REJECTED, console)
    else:
        report = _with_progress(partial(build_served, catalogue, settings))
        place = f"{settings.opensearch_index} in OpenSearch ({report.generation})"
        _say_built(report, place, Path(REJECTED), console)


def build_served(catalogue: Catalogue, settings: Settings, report: Report = silent) -> BuildReport:
    """Build into OpenSearch; vectors are kept in the home folder between builds."""
    encoder = load_build_encoder(settings)

    async def run(executor: Executor) -> BuildReport:
        index = open_opensearch(settings, None, executor)
        try:
            features = await index.views.features()
            target = Target(
                send=index.server.send,
                alias=settings.opensearch_index,
                features=features,
                engine="faiss" if features == SERVERLESS else settings.opensearch_engine,
                workplace=settings.home / "opensearch-cache",
                executor=executor,
            )
            return await build_opensearch(catalogue, encoder, target, report=report)
        finally:
            await index.close()

    with ThreadPoolExecutor(1, thread_name_prefix="usher-build") as executor:
        return asyncio.run(run(executor))


def _format(name: str) -> Format:
    for known in FORMATS:
        if known == name:
            return known
    raise Refusal(f"--format {name} is unknown: choose from {', '.join(FORMATS)}")


def build_with_progress(
    catalog: Path, format: Format, mapping: dict[str, str] | None, out: Path, encoder: Encoder
) -> BuildReport:
    """Build a local index with progress on standard error."""
    catalogue = open_catalogue(catalog, format, mapping)
    return _with_progress(partial(build_local, catalogue, encoder, out))


def _with_progress(build: Callable[..., BuildReport]) -> BuildReport:
    """Progress on standard error: phase, done, rate, time left."""
    with shown() as report:

        def show(progress: Progress) -> None:
            report(_PHASES[progress.phase], progress.done, progress.total)

        try:
            return build(report=show)
        except KeyboardInterrupt:
            raise Refusal(
                "stopped; the same command continues where this one was, the old index is unchanged"
            ) from None


def _say_built(report: BuildReport, place: str, rejected: Path, console: Console) -> None:
    console.print(
        f"{report.kept - len(report.rejected):,} movies in {report.seconds:.0f} s "
        f"({report.new_vectors:,} encoded, {report.cached_vectors:,} vectors kept) -> {place}",
        soft_wrap=True,
    )
    for joined in report.knowledge:
        console.print(f"  {joined.name}: {joined.matched:,} of {joined.entries:,} are in it")
    if report.guessed:
        console.print(
            f"  moods, themes and grades guessed from the text of {report.guessed:,} movies "
            "(they rank with half weight and bind nothing)",
            soft_wrap=True,
        )
    if report.unused:
        console.print(f"  columns not used: {', '.join(report.unused)}", soft_wrap=True)
    if report.bad_count or report.rejected:
        _say_rejected(report, rejected, console)
    else:
        rejected.unlink(missing_ok=True)  # of an earlier build


def _say_rejected(report: BuildReport, path: Path, console: Console) -> None:
    lines = [f"row {bad.row}: {bad.reason}" for bad in report.bad[:BAD_SHOWN]]
    lines += [f"{movie_id}: {reason}" for movie_id, reason in report.rejected[:BAD_SHOWN]]
    count = report.bad_count + len(report.rejected)
    console.print(f"{count:,} rows were skipped:")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    try:
        _write_rejected(path, report)
    except OSError as error:
        raise Refusal(f"{path} cannot be written ({error.strerror}); the index is built") from None
    listed = len(report.bad) + len(report.rejected)
    which = "all" if listed == count else f"the first {listed:,}"
    console.print(f"  {which} of them: {path}", soft_wrap=True)


def _write_rejected(path: Path, report: BuildReport) -> None:
    bad: list[dict[str, object]] = [{"row": o.row, "reason": o.reason} for o in report.bad]
    bad += [{"movie_id": movie_id, "reason": reason} for movie_id, reason in report.rejected]
    path.write_text("".join(json.dumps(one) + "\n" for one in bad), encoding="utf-8")


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
        encoder = load_build_encoder(settings)
        build_with_progress(movies, "usher", None, settings.index_dir, encoder)


# --- info -----------------------------------------------------------------------------------------


def info(index: Path | None, *, as_json: bool) -> None:
    """The command. Raises: Refusal, IndexFailure."""
    stats = _with_index(index, lambda opened, _: opened.stats())
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

    async def put(opened: MovieIndex, encoder: Encoder) -> None:
        await opened.revision()  # before anything is encoded: is there an index at all?
        await opened.upsert(encoded_rows(tagged, encoder))

    _with_index(index, put)
    print(f"{len(tagged)} movies added or replaced in {place_of(settings_for(index))}")


def delete(ids: Sequence[str], index: Path | None) -> None:
    """The command: all ids or none. Raises: Refusal, IndexFailure."""
    wanted = list(dict.fromkeys(ids))
    place = place_of(settings_for(index))

    async def remove(opened: MovieIndex, encoder: Encoder) -> int:
        found = await opened.get(wanted)
        unknown = [movie_id for movie_id in wanted if movie_id not in found]
        if unknown:
            raise Refusal(f"{', '.join(unknown)}: no such movie in {place}; nothing was deleted")
        return await opened.delete(wanted)

    print(f"{_with_index(index, remove)} movies deleted from {place}")


def place_of(settings: Settings) -> str:
    """Where the index is, for people."""
    if settings.index == "opensearch":
        return f"{settings.opensearch_index} in OpenSearch"
    return str(settings.index_dir)


def _with_index(index: Path | None, work: Callable[[MovieIndex, Encoder], Awaitable[T]]) -> T:
    """Open, work and close in one event loop: connections belong to theirs."""
    settings = settings_for(index)
    encoder = load_encoder(settings)

    async def run(executor: Executor) -> T:
        opened = open_index(settings, encoder, executor)
        try:
            return await work(opened, encoder)
        finally:
            await opened.close()

    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(run(executor))
