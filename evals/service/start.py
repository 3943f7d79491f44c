"""`python -m evals start`: how soon a server is ready, and what it weighs with all it learned.

Knows what a first start is (the starter index is built), what is left out to tell the share of the
learned parts, and a mix of requests by code (cache_pairs.py). Does not know the server's insides:
it starts real ones, in processes of their own. Called by evals/__main__.py and served_rows.py.
"""

import argparse
import http.client
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from evals.commands import Commands, new_command
from evals.service.cache_pairs import WORDINGS, draw, starter_facts
from evals.service.latency import TIMEOUT_S, ServerProblem, resident_mb, server

REQUESTS = 200
FIRST_START_S = 600.0
"""A first start on a loaded machine may take this long."""
WITHOUT = """
import infra.wiring as wiring
import retrieval.jobs.prepare as prepare
from infra.cli import app

wiring.usable_enhancer = lambda encoder: None
wiring.usable_ranker = lambda: None
prepare.tagger_for = lambda encoder: None
app()
"""
"""`usher` as it would be without tagger, enhancer and ranker."""


@dataclass(frozen=True, slots=True)
class Start:
    """One server, from the command to the end of the requests."""

    ready_s: float
    """Until it answers, with an index that is there."""
    started_mb: float | None
    """Resident memory when it is ready; None where there is no /proc."""
    asked_mb: float | None
    """After `requests` of every kind."""
    requests: int


@dataclass(frozen=True, slots=True)
class FirstStart:
    """Seconds until a server without any index is ready: the starter's is built first."""

    whole_s: float
    without_s: float
    """The same without tagger, enhancer and ranker."""

    @property
    def learned_s(self) -> float:
        """What the learned parts add."""
        return self.whole_s - self.without_s


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "start")
    parser.set_defaults(command=_start)
    parser.add_argument("--index", type=Path, required=True, help="index folder")
    parser.add_argument("--first", action="store_true", help="first starts as well: minutes")


def _start(given: argparse.Namespace) -> int:
    found = asdict(measure(given.index))
    if given.first:
        first = measure_first()
        found |= {**asdict(first), "learned_s": first.learned_s}
    print(json.dumps(found))
    return 0


def measure(index: Path, requests: int = REQUESTS) -> Start:
    """Serve an index and ask, one after the other. Raises: ServerProblem."""
    with tempfile.TemporaryDirectory(prefix="usher-start-") as home:
        began = time.monotonic()
        with server(index, Path(home)) as (process, port):
            ready_s = time.monotonic() - began
            started_mb = resident_mb(process.pid)
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as link:
                asked = list(_mix(requests))
                for method, path, body in asked:
                    _ask(link, method, path, body)
            return Start(round(ready_s, 1), started_mb, resident_mb(process.pid), len(asked))


def measure_first() -> FirstStart:
    """Two first starts, each in a home of its own. Raises: ServerProblem."""
    usher = [sys.executable, "-m", "infra.cli"]
    bare = [sys.executable, "-c", WITHOUT]
    return FirstStart(_until_ready(usher), _until_ready(bare))


def _until_ready(usher: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="usher-first-") as home:
        began = time.monotonic()
        with server(None, Path(home), usher, FIRST_START_S):
            return round(time.monotonic() - began, 1)


Asked = tuple[str, str, dict[str, Any] | None]
"""Method, path and body."""


def _mix(requests: int) -> Iterator[Asked]:
    """Chat and every plain endpoint in turn, no request twice."""
    facts, rng = starter_facts(), random.Random(2)
    for n in range(requests):
        text = draw(facts, rng).say(rng.randrange(WORDINGS))
        match n % 4:
            case 0:
                yield "POST", "/v1/chat", {"message": text}
            case 1:
                yield "POST", "/v1/recommend", {"query_text": text}
            case 2:
                yield "GET", f"/v1/search?{urlencode({'query': text})}", None
            case _:
                label = facts.titles[n // 4 % len(facts.titles)]
                yield "POST", "/v1/recommend", {"query_text": f"like {label}", "k": 50}


def _ask(
    link: http.client.HTTPConnection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    sent = None if body is None else json.dumps(body)
    link.request(method, path, sent, {"Content-Type": "application/json"})
    response = link.getresponse()
    answer = response.read()
    if response.status != 200:
        raise ServerProblem(
            f"{method} {path} was answered with {response.status}: {answer[:200]!r}"
        )
