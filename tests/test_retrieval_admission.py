"""Searches are let in a few at a time and in their order, whoever is slow or gives up."""

import asyncio

import pytest

from infra.wiring import Services
from retrieval.admission import AT_ONCE, Admission
from retrieval.movie import Query
from retrieval.retriever import Retriever

LONG = 60.0


class Watched:
    """Searches that run until they are told to end."""

    def __init__(self, at_once: int, counted_s: float = LONG) -> None:
        self.started: list[int] = []
        self._admission = Admission(at_once, counted_s)
        self._ends: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def begin(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number] = asyncio.Event()
            self._tasks[number] = asyncio.create_task(self._search(number))
        await self.settled()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number].set()
        await self.settled()

    async def cancel(self, *numbers: int) -> None:
        for number in numbers:
            self._tasks[number].cancel()
        await self.settled()

    async def settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def _search(self, number: int) -> None:
        async with self._admission.one():
            self.started.append(number)
            await self._ends[number].wait()


async def test_a_few_run_and_the_others_follow_in_their_order() -> None:
    watched = Watched(at_once=2)
    await watched.begin(0, 1, 2, 3, 4)
    assert watched.started == [0, 1]
    await watched.end(1)
    assert watched.started == [0, 1, 2]
    await watched.begin(5)
    await watched.end(0, 2)
    assert watched.started == [0, 1, 2, 3, 4]
    await watched.end(3)
    assert watched.started == [0, 1, 2, 3, 4, 5]


async def test_whoever_gives_up_leaves_nothing_behind() -> None:
    watched = Watched(at_once=1)
    await watched.begin(0, 1, 2, 3)
    await watched.cancel(1)  # while it waits
    assert watched.started == [0]
    await watched.cancel(0)  # while it runs
    assert watched.started == [0, 2]
    await watched.cancel(2, 3)
    await watched.begin(4, 5)
    assert watched.started == [0, 2, 4]


async def test_one_that_waits_for_a_slow_server_lets_others_in_once() -> None:
    watched = Watched(at_once=1, counted_s=0.02)
    await watched.begin(0, 1)
    await asyncio.sleep(0.05)
    assert watched.started == [0, 1]
    await asyncio.sleep(0.05)
    await watched.end(0, 1)  # neither counts any more: their ends let nobody in
    await watched.begin(2, 3)
    assert watched.started == [0, 1, 2]


async def test_searches_at_once_find_what_each_finds_alone(wired: Services) -> None:
    tables = await wired.toolbox.catalogue.tables()
    retriever = Retriever(wired.index, wired.encoder, tables.knowledge, wired.executor)
    texts = ("a heist that goes wrong", "space", "a good western", "dreams")
    alone = [await retriever.retrieve(Query(text=text), k=10) for text in texts]
    together = await asyncio.gather(*(retriever.retrieve(Query(text=t), k=10) for t in 4 * texts))
    assert together == 4 * alone


async def test_a_deadline_counts_the_wait_and_leaves_the_others_alone(wired: Services) -> None:
    tables = await wired.toolbox.catalogue.tables()
    retriever = Retriever(wired.index, wired.encoder, tables.knowledge, wired.executor)
    one = retriever.retrieve
    running = [asyncio.create_task(one(Query(text=f"film {n}"), k=5)) for n in range(AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await one(Query(text="too late"), k=5)
    assert all(found.candidates for found in await asyncio.gather(*running))
    assert (await one(Query(text="in time"), k=5)).candidates
