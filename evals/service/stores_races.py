"""What several writers at once may not break: quotas, one turn at a time, interactions sent twice.

Knows the store ports and what the right outcome of each race is. Does not know which store it
drives (stores_command.py opens them) nor what is printed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.api.problems import TABLE
from tools.stores import ConversationBusy, Interaction, QuotaExceeded, Stores, TurnRecord

TAKERS, TAKES, LIMIT = 20, 25, 100
"""Threads, conditional adds of each, and how many may be admitted."""
CONVERSATIONS = 50
"""Conversations in each of which two turns begin at the same moment."""
SENT, TIMES, BATCH = 1_000, 3, 25
"""Interactions, how often each is sent, and how many go in one request."""
NOW = 1_700_000_000.0
"""A moment: any will do."""
LEASE_S = 60.0
WHO = "usher-evals"


@dataclass(frozen=True, slots=True)
class Raced:
    """What came of the three races on one store."""

    admitted: int
    """Of TAKERS x TAKES; right when it is LIMIT."""
    one_won: int
    """Conversations of which one turn began and the other was refused."""
    refused_with: int
    """The HTTP status of that refusal."""
    stored: int
    """Of SENT x TIMES; right when it is SENT."""
    new: int
    """What the store said were new; right when it is SENT."""

    @property
    def right(self) -> bool:
        """Whether nothing was broken."""
        found = (self.admitted, self.one_won, self.refused_with, self.stored, self.new)
        return found == (LIMIT, CONVERSATIONS, 409, SENT, SENT)


async def race(stores: Stores) -> Raced:
    """All three, on stores that know nothing of WHO yet."""
    admitted = await _at_once(TAKERS, lambda _: _take(stores))
    won = 0
    for number in range(CONVERSATIONS):
        won += int(sum(await _at_once(2, partial(_begin, stores, number))) == 1)
    new = sum(await _at_once(TIMES, lambda _: _send(stores)))
    stored = len(await stores.interactions.recent(WHO, limit=2 * SENT * TIMES))
    return Raced(sum(admitted), won, TABLE[ConversationBusy].status, stored, new)


async def _at_once(threads: int, work: Callable[[int], Coroutine[Any, Any, int]]) -> list[int]:
    """Threads with an event loop each: nothing but the store keeps them apart."""

    def run(number: int) -> int:
        return asyncio.run(work(number))

    with ThreadPoolExecutor(threads) as pool:
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(pool, run, number) for number in range(threads)]
        return list(await asyncio.gather(*jobs))


async def _take(stores: Stores) -> int:
    admitted = 0
    for _ in range(TAKES):
        try:
            await stores.quotas.take(WHO, "burst", limit=LIMIT, window_s=3600, now=NOW)
            admitted += 1
        except QuotaExceeded:
            pass
    return admitted


async def _begin(stores: Stores, conversation: int, turn: int) -> int:
    """1 when the turn began, 0 when it was refused."""
    name = f"c{conversation}"
    record = TurnRecord(f"{name}-t{turn}", name, 0, "a funny heist film", "running", NOW)
    try:
        await stores.conversations.begin_turn(WHO, record, lease_until=NOW + LEASE_S, now=NOW)
    except ConversationBusy:
        return 0
    return 1


async def _send(stores: Stores) -> int:
    """How many the store called new."""
    every = [Interaction(f"k{i}", "like", f"m{i}", NOW + i) for i in range(SENT)]
    batches = [every[at : at + BATCH] for at in range(0, SENT, BATCH)]
    return sum([await stores.interactions.append(WHO, batch) for batch in batches])
