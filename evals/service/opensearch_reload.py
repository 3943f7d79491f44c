"""How soon another process works with what changed in an index in OpenSearch.

Starts a process that only keeps its tables (names, knowledge) up to date and says when it has new
ones; changes a film, and takes the time until it says so. Does not know what is printed. Called by
opensearch_command.py; as a program it is that process: python -m evals.service.opensearch_reload.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evals.place import ROOT
from infra.cli_common import running
from infra.settings import load
from infra.wiring import Services
from retrieval.index import IndexFailure, Row

TIMES = 10
PATIENCE_S = 60.0
"""A change that is not seen by then is an error, no figure."""
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Reloads:
    """Seconds from the acknowledged change until the other process works with it."""

    times: int
    p50: float
    p95: float
    slowest: float


async def reloads(services: Services, url: str, alias: str) -> Reloads:
    """Change one film TIMES times, each time changing it back the next. Raises: IndexFailure."""
    rng, index = random.Random(0), services.index
    movie = await anext(aiter(index.scan()))
    vector = (await index.vectors([movie.movie_id]))[movie.movie_id]
    command = [sys.executable, "-m", __spec__.name, "--url", url, "--alias", alias]
    other = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    taken: list[float] = []
    try:
        await _until(other, await index.revision())
        for number in range(TIMES):
            await asyncio.sleep(rng.random())  # it looks once a second: any moment is as good
            title = movie.title if number % 2 else f"{movie.title} Again"
            await index.upsert([Row(replace(movie, title=title), vector)])
            started = time.monotonic()
            await _until(other, await index.revision())
            taken.append(time.monotonic() - started)
    finally:
        with suppress(ProcessLookupError):
            other.terminate()
        await other.wait()
    p50, p95 = np.percentile(taken, [50, 95])
    return Reloads(TIMES, float(p50), float(p95), max(taken))


async def _until(other: Process, revision: str) -> None:
    """Wait for the other process to say that it works with a revision."""
    assert other.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while line := (await other.stdout.readline()).decode().strip():
                if line == revision:
                    return
    except TimeoutError:
        raise IndexFailure(f"{revision} was not seen within {PATIENCE_S:.0f} s") from None
    raise IndexFailure("the process that watches the index has ended")


async def watch(url: str, alias: str) -> None:
    """Say each revision that the tables of this process are made from, for ever."""
    with tempfile.TemporaryDirectory(prefix="usher-evals-") as home:
        settings = load(
            **{"home": Path(home), "model": "offline", "store": "sqlite", "index": "opensearch"},
            **{"opensearch_url": url, "opensearch_index": alias},
        )
        async with running(settings) as services:
            said = ""
            while True:
                tables = services.toolbox.catalogue.current
                if tables is not None and tables.revision != said:
                    said = tables.revision
                    print(said, flush=True)
                await asyncio.sleep(POLL_S)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--alias", required=True)
    asyncio.run(watch(**vars(parser.parse_args())))
