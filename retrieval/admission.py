"""Which searches run now and which wait: a few at a time, in the order in which they came.

Knows how many run at once, and that a slow one lets others in. Does not know what a search does.
Called by retriever.py.

Sixteen searches on two processors all end late when each gets a little of both in turn; a few at a
time end one after the other, so that no search waits much longer than the next, and what one has in
a processor's cache is still there when it goes on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 5
"""Searches that run at once: one in each thread of the executor, and one on the event loop or on
its way to a server. On two processors, p95 with 16 clients of the local index was 226 to 243 ms
with 3, 4 or 6, 268 with 8 and 280 with all; over OpenSearch 4 to 8 were alike, 2 and all worse."""
COUNTED_S = 0.25
"""Seconds after which a search counts no longer, done or not: one that takes so long waits for a
slow server, and must not keep others from asking it."""


class Admission:
    """Lets searches in; whoever waits is served in the order of coming."""

    def __init__(self, at_once: int = AT_ONCE, counted_s: float = COUNTED_S) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._counted_s = counted_s

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait to be let in, then count as running. Who is cancelled, before or after, is gone."""
        await self._free.acquire()
        counted = True

        def leave() -> None:
            nonlocal counted
            if counted:
                counted = False
                self._free.release()

        late = asyncio.get_running_loop().call_later(self._counted_s, leave)
        try:
            yield
        finally:
            late.cancel()
            leave()
