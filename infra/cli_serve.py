"""`usher serve`: the HTTP service on a port that is known to be free.

Knows the socket, uvicorn and how the service ends. Does not know routes (api/) or what is wired
(wiring.py). Called by cli.py.
"""

import asyncio
import errno
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn
from rich.console import Console

from infra.api.app import create_app
from infra.cli_common import Refusal, running, settings_for
from infra.cli_index import ensure_index
from infra.settings import Settings

BACKLOG = 128


def serve(index: Path | None, host: str | None, port: int | None) -> None:
    """The command. Raises: Refusal and what wiring raises."""
    settings = settings_for(index, host=host, port=port)
    console = Console(highlight=False)
    # Before the index is built: a port in use should be told in a second, not after a minute.
    listening = listen(settings.host, settings.port)
    with listening:
        ensure_index(settings, named=index is not None, console=console)
        asyncio.run(_serve(settings, listening, console))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises: Refusal when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Refusal(f"--host {host} is no address of this machine ({error.strerror})") from None
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise Refusal(_why_not(host, port, error)) from None
    return opened


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: stop what uses it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose one above 1023 with --port"
    return f"cannot serve on {host}:{port} ({error.strerror})"


async def _serve(settings: Settings, listening: socket.socket, console: Console) -> None:
    async with running(settings) as services:
        config = uvicorn.Config(create_app(services), log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        telling = asyncio.create_task(_tell(server, listening, settings.host, console))

        def stop(number: int, frame: FrameType | None) -> None:
            server.should_exit = True

        # uvicorn drains, restores these handlers and raises the signal again; without them the
        # process would end before the stores are closed.
        for heard in (signal.SIGINT, signal.SIGTERM):
            signal.signal(heard, stop)
        await server.serve(sockets=[listening])
        telling.cancel()


async def _tell(
    server: uvicorn.Server, listening: socket.socket, host: str, console: Console
) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    console.print(f"Usher is at http://{shown}:{port} (Ctrl-C stops it)", soft_wrap=True)
