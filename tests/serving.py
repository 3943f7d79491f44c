"""The real service for tests: a small index, the offline assistant, in-process or on loopback.

Everything is wired by infra.wiring as in production. Only the decider is wrapped, so that a test
can hold a turn in the middle. Run as a program it serves until SIGTERM; see `server_process`.
"""

import asyncio
import atexit
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from agent.assistant import Assistant, Limits
from agent.decide import RulesDecider
from agent.decision import Decision, DecisionContext
from infra.api.app import create_app
from infra.api.sessions import COOKIE, Signer
from infra.settings import Settings, load, session_secret
from infra.stores_sqlite import SqliteStores
from infra.wiring import Services, build
from prompts.loader import load_phrases
from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local

ROOT = Path(__file__).resolve().parents[1]
MOVIES = 60
Json = dict[str, Any]


@cache
def index_dir() -> Path:
    """A small index of the starter catalogue's first movies, built once per test run."""
    folder = Path(tempfile.mkdtemp(prefix="usher-test-index-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with gzip.open(STARTER / "movies.jsonl.gz", "rt", encoding="utf-8") as movies:
        lines = [line for line, _ in zip(movies, range(MOVIES), strict=False)]
    catalogue = folder / "movies.jsonl"
    catalogue.write_text("".join(lines), encoding="utf-8")
    build_local(open_catalogue(catalogue), encoder(), folder / "index")
    return folder / "index"


@cache
def encoder() -> OnnxEncoder:
    """Loaded once per test run: it holds no state, and loading takes most of a start."""
    return OnnxEncoder.load()


class HeldDecider:
    """The rules, at a gate that a test opens and closes."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    async def decide(self, context: DecisionContext) -> Decision:
        await self.gate.wait()
        return await RulesDecider().decide(context)


class Running:
    """A running service: its parts, clients for it, and the gate."""

    def __init__(self, services: Services, app: FastAPI, gate: asyncio.Event) -> None:
        self.services = services
        self.app = app
        self.url: str | None = None
        self.hold = gate.clear
        self.release = gate.set

    @property
    def movie_ids(self) -> list[str]:
        lines = (index_dir().parent / "movies.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["movie_id"] for line in lines[:5]]

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A client with cookies of its own, like one browser."""
        if self.url is None:
            options["transport"] = httpx.ASGITransport(self.app)
        options.setdefault("base_url", self.url or "http://127.0.0.1:8000")
        return httpx.AsyncClient(timeout=20, **options)

    async def say(self, client: httpx.AsyncClient, body: Json) -> list[Json]:
        """One whole turn: its events."""
        response = await client.post("/v1/chat", json=body)
        assert response.status_code == 200, response.text
        return Reader.parse(response.text)

    def principal(self, client: httpx.AsyncClient) -> str:
        """Who the server takes this client's cookie for."""
        session = Signer(session_secret(self.services.settings)).check(client.cookies[COOKIE])
        assert session is not None
        return session.principal

    async def close_stores(self) -> None:
        assert isinstance(self.services.stores, SqliteStores)
        await self.services.stores.close()


class Reader:
    """Reads a stream event by event; leaving the block cuts the connection."""

    def __init__(
        self, client: httpx.AsyncClient, body: Json | None = None, turn_id: str = "", after: int = 0
    ) -> None:
        if body is not None:
            self._opening = client.stream("POST", "/v1/chat", json=body)
        else:
            headers = {"Last-Event-ID": str(after)}
            self._opening = client.stream("GET", f"/v1/turns/{turn_id}/events", headers=headers)

    async def __aenter__(self) -> "Reader":
        response = await self._opening.__aenter__()
        assert response.status_code == 200, await response.aread()
        self._events = self._read(response)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._events.aclose()
        await self._opening.__aexit__(*error)

    async def _read(self, response: httpx.Response) -> AsyncGenerator[Json, None]:
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))

    async def next(self) -> Json:
        async with asyncio.timeout(10):
            return await anext(self._events)

    async def rest(self) -> list[Json]:
        async with asyncio.timeout(20):
            return [event async for event in self._events]

    @staticmethod
    def parse(text: str) -> list[Json]:
        lines = (line for line in text.splitlines() if line.startswith("data:"))
        return [json.loads(line.removeprefix("data:")) for line in lines]


@asynccontextmanager
async def held_services(settings: Settings) -> AsyncIterator[tuple[Services, asyncio.Event]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.wiring.load_encoder", lambda _: encoder())
        services = await build(settings)
    decider = HeldDecider()
    limits = Limits(settings.turn_deadline_s, settings.grace_s, settings.max_turns)
    services.assistant = Assistant(
        services.toolbox, decider, services.stores.conversations, load_phrases(), limits
    )
    try:
        yield services, decider.gate
    finally:
        await services.close()


@asynccontextmanager
async def usher(home: Path, **settings: Any) -> AsyncIterator[Running]:
    """The app in-process; responses arrive whole. All clients of a test have one address."""
    settings.setdefault("requests_per_minute", 100_000)
    chosen = load(home=home, index_dir=index_dir(), drain_s=0.5, **settings)
    async with held_services(chosen) as (services, gate):
        app = create_app(services)
        async with app.router.lifespan_context(app):
            yield Running(services, app, gate)


@asynccontextmanager
async def serve(home: Path, **settings: Any) -> AsyncIterator[Running]:
    """The app on a real loopback server; responses stream."""
    async with usher(home, **settings) as running:
        config = uvicorn.Config(running.app, port=0, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        running.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield running
        finally:
            running.release()
            server.should_exit = True
            await task


@contextmanager
def server_process(
    home: Path, *, hold: bool, **settings: str
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server in a process of its own, and its address; `hold` stops turns in the middle.

    `settings` are environment variables.
    """
    command = [sys.executable, __file__, str(home), str(index_dir()), "hold" if hold else "run"]
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


async def _main(home: str, index: str, mode: str) -> None:
    settings = load(home=Path(home), index_dir=Path(index), drain_s=1.0)
    async with held_services(settings) as (services, gate):
        if mode == "hold":
            gate.clear()
        config = uvicorn.Config(create_app(services), port=0, log_level="warning")
        server = uvicorn.Server(config)
        announcer = asyncio.create_task(_announce(server))
        await server.serve()
        await announcer


async def _announce(server: uvicorn.Server) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    print(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*cast(tuple[str, str, str], tuple(sys.argv[1:4]))))
