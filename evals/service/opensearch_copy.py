"""A local index copied into OpenSearch: the same movies, vectors and knowledge in both.

Knows how to read every row of a local index and what to time. Does not know what is compared.
Called by opensearch_load.py, opensearch_command.py and tests.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.index import Row
from retrieval.jobs.build_opensearch import Target
from retrieval.knowledge import FILES
from retrieval.local.snapshot import Snapshot, open_snapshot
from retrieval.opensearch import writer
from retrieval.opensearch.layout import Generation, Meta, mapping_version

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written, and how long each part took; seconds."""

    generation: Generation
    movies: int
    rejected: int
    ingest_s: float
    """Until the last bulk was acknowledged."""
    settle_s: float
    """Refresh and merge."""
    own_cpu_s: float
    """Of this process while it wrote."""
    server_cpu_s: float | None
    """Of the node meanwhile; None when it does not say."""

    @property
    def rate(self) -> float:
        """Movies a second."""
        return self.movies / self.ingest_s


def rows_of(snapshot: Snapshot) -> Iterator[Row]:
    """Every row of a local index, by movie id."""
    ids = sorted(snapshot.row_of)
    for at in range(0, len(ids), CHUNK):
        chunk = ids[at : at + CHUNK]
        vectors = snapshot.vectors(chunk)
        for movie in snapshot.decode(chunk):
            yield Row(movie, vectors[movie.movie_id])


async def copy_index(folder: Path, target: Target) -> Copied:
    """A new current generation with what the local index holds. Raises: IndexFailure."""
    snapshot = open_snapshot(folder)
    manifest = snapshot.manifest
    meta = Meta(
        encoder_name=manifest.encoder_name,
        encoder_sha=manifest.encoder_sha,
        dimension=manifest.dimension,
        built_at=manifest.built_at,
        source=manifest.source,
        mapping=mapping_version(),
        engine=target.engine,
    )
    send, features = target.send, target.features
    made = await writer.create(send, target.alias, meta, features)
    # Read and decoded before the clock starts: what is timed is writing.
    rows = list(rows_of(snapshot))
    server_cpu, own_cpu, start = await server_cpu_s(target), time.process_time(), time.monotonic()
    written = await writer.ingest(send, made.movies, iter(rows), features, target.executor)
    ingest_s, own_cpu = time.monotonic() - start, time.process_time() - own_cpu
    after = await server_cpu_s(target)
    for name in FILES:
        content = snapshot.knowledge(name)
        if content is not None:
            sha = manifest.knowledge[name].sha
            await writer.put_file(send, made, features, name, content, sha)
    await writer.log_change(send, made, features, "copied")
    start = time.monotonic()
    await writer.settle(send, made, features)
    settle_s = time.monotonic() - start
    previous = await writer.switch(send, target.alias, made)
    await writer.drop_old(send, target.alias, made, previous)
    spent = after - server_cpu if after is not None and server_cpu is not None else None
    return Copied(made, written.done, len(written.rejected), ingest_s, settle_s, own_cpu, spent)


async def server_cpu_s(target: Target) -> float | None:
    """CPU seconds of all nodes so far."""
    answer = await target.send("GET", "/_nodes/stats/process")
    try:
        spent = [node["process"]["cpu"]["total_in_millis"] for node in answer["nodes"].values()]
    except KeyError:
        return None
    return float(sum(spent)) / 1000
