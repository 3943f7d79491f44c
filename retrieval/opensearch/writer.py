"""How an OpenSearch index is written: bulks, single changes, the log of changes, generations.

Knows batches, back-pressure, which failed items are worth another try and how a generation becomes
the current one. Does not know the client: it is handed a `Send`. Called by opensearch_index.py and
jobs/build_opensearch.py.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retrieval.index import IndexFailure, IndexMissing, IndexUnavailable, Row
from retrieval.opensearch.document import MAX_ID_BYTES, as_json, document_of, parts_of_file
from retrieval.opensearch.filter import ids_query
from retrieval.opensearch.layout import (
    Features,
    Generation,
    Json,
    Meta,
    generations,
    knowledge_alias,
    knowledge_body,
    movies_body,
    new_generation,
)
from retrieval.opensearch.view import Send

BATCH_ROWS = 500
BATCH_BYTES = 900_000
"""Whichever comes first: above 1 MiB the HTTP client would hold up the event loop."""
IN_FLIGHT = 2
"""Bulks under way at once: one is made while another is written."""
WRITE_S = 60.0
"""Seconds a bulk, a refresh or a change of indexes may take."""
MERGE_S = 300.0
"""Seconds that merging a new generation may take; it is a help, not a need."""
TRIES = 7
FIRST_WAIT_S = 0.25
"""Before a failed item is sent again; doubled each time: 16 s in all."""
BUSY = frozenset({429, 503})
"""Statuses of items that the server may take later; every other one is final."""

TOLD = 1_000
"""Movies that one entry of the log names; a larger change has everything read anew."""


# --- bulks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """One line or two of a bulk."""

    movie_id: str
    lines: str


@dataclass
class Written:
    """What became of a bulk."""

    done: int = 0
    absent: int = 0
    """Deletes of what was not there."""
    rejected: dict[str, str] = field(default_factory=dict)
    """{movie_id: the server's reason}."""

    def add(self, other: "Written") -> None:
        self.done += other.done
        self.absent += other.absent
        self.rejected |= other.rejected


def put_action(row: Row, features: Features) -> Action:
    """Insert or, where ids are ours, replace."""
    movie_id = row.movie.movie_id
    head = {"index": {"_id": movie_id} if features.own_ids else {}}
    return Action(movie_id, f"{as_json(head)}\n{as_json(document_of(row))}\n")


def delete_action(movie_id: str, document_id: str) -> Action:
    """Remove one document."""
    return Action(movie_id, as_json({"delete": {"_id": document_id}}) + "\n")


async def bulk(send: Send, index: str, actions: Sequence[Action]) -> Written:
    """Send; send again, with growing pauses, only the items that the server was too busy for.

    Raises: IndexUnavailable when some are still not written after all tries.
    """
    written, wait_s = Written(), FIRST_WAIT_S
    pending = [action for action in actions if _has_good_id(action, written)]
    for attempt in range(TRIES):
        if not pending:
            return written
        if attempt:
            await asyncio.sleep(wait_s)
            wait_s *= 2
        lines = "".join(action.lines for action in pending)
        try:
            answer = await send("POST", f"/{index}/_bulk", lines, timeout_s=WRITE_S, tries=1)
        except IndexUnavailable:
            if attempt == TRIES - 1:
                raise
            continue
        pending = _sorted_out(pending, answer, written)
    if not pending:
        return written
    raise IndexUnavailable(
        f"OpenSearch was too busy for {len(pending)} of {len(actions)} movies, {TRIES} times: "
        "the same command again writes what is missing"
    )


def _has_good_id(action: Action, written: Written) -> bool:
    """One id that is too long would have the whole bulk refused."""
    good = len(action.movie_id.encode()) <= MAX_ID_BYTES
    if not good:
        written.rejected[action.movie_id] = f"the id is longer than {MAX_ID_BYTES} bytes"
    return good


def _sorted_out(sent: list[Action], answer: Json, written: Written) -> list[Action]:
    """Count what is final; the rest is to be sent again."""
    again = []
    for action, item in zip(sent, answer["items"], strict=True):
        [result] = item.values()
        status = int(result.get("status", 500))
        if status in BUSY:
            again.append(action)
        elif status == 404 and "error" not in result:
            written.absent += 1
        elif status >= 400:
            written.rejected[action.movie_id] = _reason(result.get("error", status))
        else:
            written.done += 1
    return again


def _reason(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by", {}).get("reason")
    return f"{error.get('reason', error.get('type'))}{f' ({cause})' if cause else ''}"


async def ingest(
    send: Send,
    index: str,
    rows: Iterator[Row],
    features: Features,
    executor: Executor,
) -> Written:
    """Write a stream of rows; no row is drawn while IN_FLIGHT bulks wait for the server."""
    written = Written()
    under_way: set[asyncio.Task[Written]] = set()
    try:
        async for batch in _batches(rows, features, executor):
            under_way.add(asyncio.create_task(bulk(send, index, batch)))
            if len(under_way) >= IN_FLIGHT:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                _take(written, done)
        if under_way:
            done, under_way = await asyncio.wait(under_way)
            _take(written, done)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    return written


def _take(written: Written, done: set[asyncio.Task[Written]]) -> None:
    for task in done:
        written.add(task.result())


async def _batches(
    rows: Iterator[Row], features: Features, executor: Executor
) -> AsyncIterator[list[Action]]:
    """Drawing rows may encode them, so it happens in the executor."""
    loop = asyncio.get_running_loop()

    def draw() -> list[Action]:
        batch: list[Action] = []
        size = 0
        for row in rows:
            batch.append(put_action(row, features))
            size += len(batch[-1].lines.encode())
            if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
                break
        return batch

    while batch := await loop.run_in_executor(executor, draw):
        yield batch


# --- changes of a live index ----------------------------------------------------------------------


def check_id(movie_id: str) -> None:
    """Refuse what OpenSearch would. Raises: ValueError."""
    if len(movie_id.encode()) > MAX_ID_BYTES:
        raise ValueError(f"movie_id {movie_id[:40]!r}... is longer than {MAX_ID_BYTES} bytes")


async def put(send: Send, index: str, actions: Sequence[Action], features: Features) -> Written:
    """Insert or replace; what stands there under the same movie ids goes."""
    ids = [action.movie_id for action in actions]
    old = [] if features.own_ids else await _documents(send, index, ids)
    written = await bulk(send, index, [*actions, *old])
    await make_visible(send, index, features)
    return written


def check_taken(written: Written) -> None:
    """Raises: IndexFailure naming the movies that the server refused."""
    if written.rejected:
        movie_id, reason = next(iter(written.rejected.items()))
        raise IndexFailure(
            f"OpenSearch refused {len(written.rejected)} movies, the first {movie_id}: {reason}; "
            f"the {written.done} others are written"
        )


async def remove(send: Send, index: str, movie_ids: Sequence[str], features: Features) -> int:
    """Remove by id; how many were there."""
    if features.own_ids:
        written = await bulk(send, index, [delete_action(i, i) for i in movie_ids])
        gone = written.done
    else:
        documents = await _documents(send, index, movie_ids)
        await bulk(send, index, documents) if documents else None
        gone = len({action.movie_id for action in documents})
    await make_visible(send, index, features)
    return gone


async def _documents(send: Send, index: str, movie_ids: Sequence[str]) -> list[Action]:
    """Deletes of all documents of these movies, where the server gave the document ids."""
    found: list[Action] = []
    for at in range(0, len(movie_ids), BATCH_ROWS):
        chunk = movie_ids[at : at + BATCH_ROWS]
        body = {"query": ids_query(chunk), "size": 10_000, "_source": ["movie_id"]}
        answer = await send("POST", f"/{index}/_search", body)
        hits = answer["hits"]["hits"]
        found += [delete_action(hit["_source"]["movie_id"], hit["_id"]) for hit in hits]
    return found


async def make_visible(send: Send, index: str, features: Features) -> None:
    """Let searches see what was written; Serverless does so by itself, within a minute."""
    if features.refresh:
        await send("POST", f"/{index}/_refresh", timeout_s=WRITE_S)


async def log_change(
    send: Send, generation: Generation, features: Features, what: str, **more: str | list[str]
) -> None:
    """One entry: the number of entries is the counter of the revision, so none is ever removed.

    Written when the change can be seen: whoever reads the entry finds what it tells of.
    """
    entry = {"entry": "change", "at": datetime.now(UTC).isoformat(), "what": what, **more}
    visible = {"refresh": "true"} if features.refresh else {}
    await send("POST", f"/{generation.knowledge}/_doc", entry, visible, timeout_s=WRITE_S)


def told(movie_ids: list[str]) -> dict[str, list[str]]:
    """What an entry says of the movies that changed."""
    return {"movie_ids": movie_ids} if len(movie_ids) <= TOLD else {}


async def put_file(
    send: Send, generation: Generation, features: Features, name: str, content: bytes, sha: str
) -> None:
    """Store a knowledge file; the entry of the log that names its parts makes it the valid one."""
    stored_as = uuid.uuid4().hex
    for part in parts_of_file(content, stored_as):
        await send("POST", f"/{generation.knowledge}/_doc", part, timeout_s=WRITE_S)
    known = {"name": name, "sha": sha, "stored_as": stored_as}
    await log_change(send, generation, features, "knowledge", **known)


# --- generations ----------------------------------------------------------------------------------


async def create(send: Send, alias: str, meta: Meta, features: Features) -> Generation:
    """Two empty indexes that nobody sees yet."""
    made = new_generation(alias, await indexes(send, alias), uuid.uuid4().hex[:8])
    await send("PUT", f"/{made.movies}", movies_body(meta, features), timeout_s=WRITE_S, tries=1)
    await send("PUT", f"/{made.knowledge}", knowledge_body(features), timeout_s=WRITE_S, tries=1)
    return made


async def indexes(send: Send, alias: str) -> list[str]:
    """The names of all indexes that may belong to an alias."""
    return list(await send("GET", f"/{alias}-*", params={"filter_path": "*.aliases"}) or {})


async def settle(send: Send, generation: Generation, features: Features) -> None:
    """Make a new generation visible and quick to search."""
    await make_visible(send, generation.movies, features)
    await make_visible(send, generation.knowledge, features)
    if features.refresh:
        merge = {"max_num_segments": 1}
        try:
            await send(
                "POST", f"/{generation.movies}/_forcemerge", None, merge, timeout_s=MERGE_S, tries=1
            )
        except IndexUnavailable:
            return  # it goes on by itself; searches are a little slower until then
        # Nothing refreshes by itself: searches would stay on the segments before the merge.
        await make_visible(send, generation.movies, features)


async def current(send: Send, alias: str) -> Generation | None:
    """The generation behind the alias, if there is one."""
    try:
        found = await send("GET", f"/_alias/{alias}")
    except IndexMissing:
        return None
    return Generation(next(iter(found)))


async def switch(send: Send, alias: str, to: Generation) -> Generation | None:
    """Both aliases at once: readers see the old generation or the new one. The old one."""
    before = await current(send, alias)
    moves = {alias: ("movies", to.movies), knowledge_alias(alias): ("knowledge", to.knowledge)}
    actions = []
    for name, (half, index) in moves.items():
        if before is not None:
            actions.append({"remove": {"index": getattr(before, half), "alias": name}})
        actions.append({"add": {"index": index, "alias": name}})
    await send("POST", "/_aliases", {"actions": actions}, timeout_s=WRITE_S)
    return before


async def count(send: Send, generation: Generation) -> int:
    """How many movies can be searched."""
    return int((await send("GET", f"/{generation.movies}/_count"))["count"])


async def drop(send: Send, generation: Generation) -> None:
    """Delete a generation."""
    for index in (generation.movies, generation.knowledge):
        await send("DELETE", f"/{index}", params={"ignore_unavailable": "true"}, timeout_s=WRITE_S)


async def drop_old(
    send: Send, alias: str, current: Generation, previous: Generation | None
) -> None:
    """Delete what is older than the current generation, but not the one before it.

    Some readers search that one for a few seconds more; a newer one belongs to a build under way.
    """
    for name in generations(alias, await indexes(send, alias)):
        if name < current.movies and (previous is None or name != previous.movies):
            await drop(send, Generation(name))
