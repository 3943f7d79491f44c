"""`python -m evals plain`: how fast the plain endpoints are, cold and from the cache.

Knows requests made by code (cache_pairs.py) and the two bounds that were set. Does not know the
endpoints' insides: it asks a real server in a process of its own over loopback. Called by
evals/__main__.py.

Cold is a request that nobody made before; the same one again is cached. Each kind of request is
asked by one session, so that nothing but the list is new.
"""

import argparse
import http.client
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from evals.commands import Commands, new_command
from evals.service.cache_pairs import WORDINGS, Facts, draw, starter_facts
from evals.service.latency import TIMEOUT_S, ServerProblem, peak_mb, server

KINDS = ("recommend", "similar", "search")
REQUESTS = 200
"""Of each kind."""
WARM_UP = 20
COLD_P95_MS, CACHED_P95_MS = 100.0, 15.0
"""What was asked for."""


@dataclass
class PlainLatency:
    """Milliseconds by kind of request, cold and cached."""

    cold: dict[str, list[float]] = field(default_factory=dict)
    cached: dict[str, list[float]] = field(default_factory=dict)
    peak_mb: float | None = None

    def p95(self, kind: str) -> tuple[float, float]:
        """Cold and cached; 0 where nothing was measured."""
        cold, cached = self.cold[kind], self.cached[kind]
        return _quantiles("cold", cold)["cold_p95_ms"], _quantiles("c", cached)["c_p95_ms"]

    def as_json(self) -> dict[str, Any]:
        """Figures in one object."""
        found = {
            kind: {
                "n": len(self.cold[kind]),
                **_quantiles("cold", self.cold[kind]),
                **_quantiles("cached", self.cached[kind]),
            }
            for kind in self.cold
        }
        bounds = {"cold_p95_ms": COLD_P95_MS, "cached_p95_ms": CACHED_P95_MS}
        return {"bounds": bounds, **found, "peak_mb": self.peak_mb}


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "plain")
    parser.set_defaults(command=_plain)
    parser.add_argument("--index", type=Path, required=True, help="index folder")


def _plain(given: argparse.Namespace) -> int:
    print(json.dumps(measure(given.index).as_json()))
    return 0


def measure(index: Path, requests: int = REQUESTS) -> PlainLatency:
    """Serve an index and ask. Raises: ServerProblem."""
    latency, facts, rng = PlainLatency(), starter_facts(), random.Random(1)
    with tempfile.TemporaryDirectory(prefix="usher-plain-") as home:
        with (
            server(index, Path(home)) as (process, port),
            closing(_Client(port)) as client,
        ):
            for kind, asked in _kinds(client, facts, requests + WARM_UP, rng):
                for one in asked[:WARM_UP]:
                    client.ask(*one)
                timed = asked[WARM_UP:]
                latency.cold[kind] = [client.ask(*one)[0] for one in timed]
                again = [client.ask(*one) for one in timed]
                latency.cached[kind] = [ms for ms, cached in again if cached]
            latency.peak_mb = peak_mb(process.pid)
    return latency


Asked = tuple[str, str, dict[str, Any] | None]
"""Method, path and body."""


def _kinds(
    client: "_Client", facts: Facts, count: int, rng: random.Random
) -> Iterator[tuple[str, list[Asked]]]:
    """Requests of each kind, none twice."""
    texts = list(
        dict.fromkeys(draw(facts, rng).say(rng.randrange(WORDINGS)) for _ in range(9 * count))
    )
    yield "recommend", [("POST", "/v1/recommend", {"query_text": t}) for t in texts[:count]]
    titles = [label.rpartition(" (")[0] for label in facts.titles]
    ids = dict.fromkeys(client.first_id(title) for title in titles)
    yield "similar", [("GET", f"/v1/similar?{urlencode({'item_id': i})}", None) for i in ids if i]
    words = texts[count : 2 * count]
    yield "search", [("GET", f"/v1/search?{urlencode({'query': t})}", None) for t in words]


class _Client:
    """One session over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._connection.request("POST", "/v1/sessions")
        token = json.load(self._connection.getresponse())["token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[float, bool]:
        """How long it took in milliseconds, and whether the list came from the cache."""
        started = time.perf_counter()
        answer = self._send(method, path, body)
        return (time.perf_counter() - started) * 1000, bool(answer["cached"])

    def first_id(self, title: str) -> str | None:
        """The movie that the search finds for a title."""
        items = self._send("GET", f"/v1/search?{urlencode({'query': title, 'k': 1})}", None)[
            "items"
        ]
        return str(items[0]["item_id"]) if items else None

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, self._headers)
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.load(response)
        if response.status != 200:
            raise ServerProblem(f"{method} {path} was answered with {response.status}: {answer}")
        return answer


def _quantiles(name: str, times: Sequence[float]) -> dict[str, float]:
    found = np.percentile(times, [50, 95]) if times else np.zeros(2)
    return {f"{name}_p50_ms": round(found[0], 1), f"{name}_p95_ms": round(found[1], 1)}
