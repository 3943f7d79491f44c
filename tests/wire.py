"""A wire between a client and a server on loopback that a test can cut, hang up and mend.

What a killed, a frozen and a restarted node look like from outside, without ending anybody's node.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """Passes bytes on, both ways."""

    def __init__(self, to: str) -> None:
        target = urlsplit(to)
        self._to = target.hostname or "127.0.0.1", target.port or 9200
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        """Connections are taken and served (again)."""
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """As after a kill: open connections break, new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.transport.abort()
        self._passing.set()
        await asyncio.sleep(0.05)

    def hang(self) -> None:
        """As a frozen process: connections are taken, nothing is answered."""
        self._passing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._ends -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def wire(to: str) -> AsyncIterator[Wire]:
    """A whole wire; nothing of it is left at the end."""
    made = Wire(to)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
