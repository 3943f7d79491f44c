"""Builds an index in OpenSearch from a catalogue: one finished generation or none.

Knows the order: read, create, encode and write, count, switch. Does not know formats, encoders or
requests: see catalog.py, jobs/prepare.py, opensearch/writer.py. Searches go on meanwhile, on the
generation that is current. Called by `usher index build`, evals and tests.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from retrieval.catalog import Catalogue
from retrieval.encoder import Encoder
from retrieval.index import IndexFailure
from retrieval.jobs.build_index import STARTER, BuildReport, report_of
from retrieval.jobs.prepare import Report, prepared, silent
from retrieval.knowledge import Joined
from retrieval.opensearch import writer
from retrieval.opensearch.layout import Engine, Features, Generation, Meta, mapping_version
from retrieval.opensearch.view import Send

ARRIVAL_S = 180.0
"""Seconds that Serverless may take to show what was written."""
_LOOK_S = 2.0


@dataclass(frozen=True)
class Target:
    """Where an index is built."""

    send: Send
    alias: str
    features: Features
    engine: Engine
    workplace: Path
    """A local folder: vectors are kept there between builds."""
    executor: Executor


async def build_opensearch(
    catalogue: Catalogue,
    encoder: Encoder,
    target: Target,
    knowledge: Path | None = STARTER,
    report: Report = silent,
) -> BuildReport:
    """Build a new generation and make it the current one; movies the server refuses are reported.

    Raises CatalogError, IndexFailure or EncoderError; what was there stays in use then. A build
    that was killed continues with the vectors it had made.
    """
    start = time.monotonic()
    with prepared(catalogue, encoder, target.workplace, knowledge, report) as ready:
        made = await writer.create(
            target.send, target.alias, _meta(catalogue, encoder, target), target.features
        )
        async with AsyncExitStack() as unless_switched:
            unless_switched.push_async_callback(writer.drop, target.send, made)
            written = await writer.ingest(
                target.send, made.movies, ready.rows, target.features, target.executor
            )
            await _finish(target, made, written.done, ready.knowledge)
            previous = await writer.switch(target.send, target.alias, made)
            unless_switched.pop_all()
    await writer.drop_old(target.send, target.alias, made, previous)
    built = report_of(ready, made.movies, time.monotonic() - start)
    return replace(built, rejected=tuple(sorted(written.rejected.items())))


def _meta(catalogue: Catalogue, encoder: Encoder, target: Target) -> Meta:
    identity = encoder.identity
    return Meta(
        encoder_name=identity.name,
        encoder_sha=identity.sha,
        dimension=identity.dimension,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=f"{catalogue.path} ({catalogue.format})",
        mapping=mapping_version(),
        engine=target.engine,
    )


async def _finish(
    target: Target, made: Generation, expected: int, knowledge: Sequence[Joined]
) -> None:
    """Knowledge, the first entry of the log, and a count before anybody sees it."""
    for joined in knowledge:
        if joined.content:
            await writer.put_file(
                target.send, made, target.features, joined.name, joined.content, joined.sha
            )
    await writer.log_change(target.send, made, target.features, "built")
    await writer.settle(target.send, made, target.features)
    give_up = time.monotonic() + (0.0 if target.features.refresh else ARRIVAL_S)
    while (there := await writer.count(target.send, made)) != expected:
        if time.monotonic() >= give_up:
            raise IndexFailure(
                f"{there:,} of {expected:,} movies arrived in {made.movies}; nothing was switched: "
                "build again"
            )
        await asyncio.sleep(_LOOK_S)
