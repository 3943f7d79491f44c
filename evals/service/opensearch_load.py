"""OpenSearch under load and under the knife: rebuilds while searched, and a node that is killed.

Knows how to search without a pause and count what fails, and the words of ../shared/opensearch's
start.sh. Does not know what is printed (opensearch_command.py).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.events import ErrorEvent, TurnFinished
from agent.turn import Turn
from evals.service.opensearch_copy import Copied, copy_index
from infra.wiring import Services
from retrieval.index import IndexFailure
from retrieval.jobs.build_opensearch import Target
from retrieval.movie import Query
from retrieval.retriever import Retriever

CLIENTS = 4
AFTER_S = 4.0
"""Searching goes on after the switch: readers change over within 3 s."""
RECOVERY_S = 30.0


@dataclass
class Load:
    """What happened to the searches meanwhile."""

    searches: int = 0
    failed: list[str] = field(default_factory=list)
    degraded: int = 0
    generations: set[str] = field(default_factory=set)


async def rebuild_under_load(
    folder: Path, target: Target, services: Services, retriever: Retriever, queries: Sequence[Query]
) -> tuple[Copied, Load]:
    """A second generation, built and switched to while CLIENTS search."""
    load, stop = Load(), asyncio.Event()

    async def client(own: Sequence[Query]) -> None:
        while not stop.is_set():
            for query in own:
                try:
                    found = await retriever.retrieve(query, k=50)
                    load.degraded += found.degraded
                    load.generations.add((await services.index.revision()).rpartition(".")[0])
                except IndexFailure as failure:
                    load.failed.append(str(failure))
                load.searches += 1
                if stop.is_set():
                    return

    clients = [asyncio.create_task(client(queries[i::CLIENTS])) for i in range(CLIENTS)]
    try:
        copied = await copy_index(folder, target)
        await asyncio.sleep(AFTER_S)
    finally:
        stop.set()
        await asyncio.gather(*clients)
    return copied, load


@dataclass(frozen=True, slots=True)
class Killed:
    """A conversation whose node is killed between two turns."""

    seconds: float
    """Of the turn without a node."""
    status: str
    code: str
    """Of the error event; empty when the turn was answered."""
    degraded: bool
    recovered_s: float | None
    """From the node's return to the next completed turn; None when none came."""


async def kill_between_turns(
    services: Services, kill: Callable[[], object], revive: Callable[[], object]
) -> Killed:
    """Talk, kill, talk, revive, talk: the same process all the time."""
    conversation, status, _, _ = await _say(services, None, "a funny heist film")
    if status != "completed":
        raise IndexFailure("the first turn did not complete: nothing to kill")
    await asyncio.to_thread(kill)
    started = time.monotonic()
    _, status, code, degraded = await _say(services, conversation, "something with dinosaurs")
    seconds = time.monotonic() - started
    await asyncio.to_thread(revive)
    back = time.monotonic()
    while time.monotonic() - back < RECOVERY_S:
        _, again, _, _ = await _say(services, conversation, "something with dinosaurs")
        if again == "completed":
            return Killed(seconds, status, code, degraded, time.monotonic() - back)
        await asyncio.sleep(0.2)
    return Killed(seconds, status, code, degraded, None)


async def _say(
    services: Services, conversation: str | None, message: str
) -> tuple[str, str, str, bool]:
    """(conversation, status, error code, degraded) of one turn."""
    status, code, degraded, found = "", "", False, conversation or ""
    async for event in services.assistant.reply(Turn("measuring", message, conversation)):
        found = getattr(event, "conversation_id", found)
        if isinstance(event, ErrorEvent):
            code = event.code
        if isinstance(event, TurnFinished):
            status, degraded = event.status, event.degraded
    return found, status, code, degraded
