"""How fast a served turn is, and what the process weighs: the real server, asked over loopback.

Knows the HTTP API as a client does, and /proc. Does not know what is inside the server. Called by
`python -m evals latency` and figures.py.
"""

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evals.commands import Commands, new_command
from evals.dialogues.scenario import load_scenarios
from evals.problem import EvalProblem

START_S = 180.0
"""A server on a loaded machine may take this long to be ready."""
ROUNDS = 3
"""Each dialogue is played so often; the very first is not counted (caches, lazy imports)."""
TIMEOUT_S = 30.0
UNLIMITED = ("USHER_REQUESTS_PER_MINUTE=1000000",)
"""Everybody here comes from one address."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "latency")
    parser.set_defaults(command=_latency)
    parser.add_argument("--index", type=Path, required=True, help="index folder")


def _latency(given: argparse.Namespace) -> int:
    spoken = [[step.user for step in scenario.turns] for scenario in load_scenarios()]
    print(json.dumps(measure(given.index, spoken).as_json()))
    return 0


class ServerProblem(EvalProblem):
    """The server did not start or did not answer."""


@dataclass
class Latency:
    """What was measured; times in milliseconds since the request was sent."""

    started: list[float] = field(default_factory=list)
    """Until `turn.started`."""
    cards: list[float] = field(default_factory=list)
    """Until the cards, of turns that have some."""
    finished: list[float] = field(default_factory=list)
    peak_mb: float | None = None
    """Largest resident size; None where there is no /proc."""
    processes: int = 1

    def p95(self, times: Sequence[float]) -> float:
        """The 95th percentile, or 0 when nothing was measured."""
        return float(np.percentile(times, 95)) if times else 0.0

    def as_json(self) -> dict[str, Any]:
        """Figures in one object."""
        return {
            "turns": len(self.started),
            "turn_started_p95_ms": round(self.p95(self.started), 1),
            "cards_p50_ms": round(float(np.median(self.cards)), 1) if self.cards else 0.0,
            "cards_p95_ms": round(self.p95(self.cards), 1),
            "finished_p95_ms": round(self.p95(self.finished), 1),
            "peak_mb": self.peak_mb,
            "processes": self.processes,
        }


def measure(index: Path, dialogues: Sequence[Sequence[str]], rounds: int = ROUNDS) -> Latency:
    """Serve an index and play dialogues one after the other. Raises: ServerProblem."""
    latency = Latency()
    with tempfile.TemporaryDirectory(prefix="usher-latency-") as home:
        with server(index, Path(home)) as (process, port):
            _play(port, dialogues[0], Latency())
            for _ in range(rounds):
                for dialogue in dialogues:
                    _play(port, dialogue, latency)
            latency.peak_mb = peak_mb(process.pid)
            latency.processes = 1 + _children(process.pid)
    return latency


@contextmanager
def server(
    index: Path | None,
    home: Path,
    usher: Sequence[str] = (sys.executable, "-m", "infra.cli"),
    start_s: float = START_S,
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """`usher serve` in a process of its own, ready, and its port. Raises: ServerProblem.

    Args:
        index: None for the starter's, which is built first.
        home: what USHER_HOME is set to.
        usher: the command before `serve`.
        start_s: how long it may take to be ready.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # env(1) sets the variables; only infra/settings.py reads the environment in this house.
    command = ["env", f"USHER_HOME={home}", *UNLIMITED, *usher, "serve"]
    command += [*(["--index", str(index)] if index else []), "--host", "127.0.0.1"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        _wait(process, port, start_s)
        yield process, port
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _wait(process: "subprocess.Popen[bytes]", port: int, start_s: float) -> None:
    deadline = time.monotonic() + start_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerProblem(f"usher serve ended with {process.returncode}: see its words above")
        if _is_ready(port):
            return
        time.sleep(0.1)
    raise ServerProblem(f"usher serve was not ready within {start_s:.0f} s")


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False


def _play(port: int, dialogue: Sequence[str], latency: Latency) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.request("POST", "/v1/sessions")
    token = json.load(connection.getresponse())["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    conversation_id = None
    for message in dialogue:
        body = json.dumps({"message": message, "conversation_id": conversation_id})
        sent = time.monotonic()
        connection.request("POST", "/v1/chat", body, headers)
        response = connection.getresponse()
        if response.status != 200:
            raise ServerProblem(f"{message!r} was answered with {response.status}")
        for event in _events(response):
            conversation_id = event.get("conversation_id", conversation_id)
            _note(event["type"], (time.monotonic() - sent) * 1000, latency)
    connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    while line := response.readline():
        if line.startswith(b"data:"):
            yield json.loads(line.removeprefix(b"data:"))


def _note(kind: str, ms: float, latency: Latency) -> None:
    times = {
        "turn.started": latency.started,
        "recommendations": latency.cards,
        "turn.finished": latency.finished,
    }
    if kind in times:
        times[kind].append(ms)


def peak_mb(pid: int) -> float | None:
    """The largest resident size of a process so far; None where there is no /proc."""
    return _status_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float | None:
    """The resident size of a process now; None where there is no /proc."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int, name: str) -> float | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith(name))
    return round(int(line.split()[1]) / 1024, 1)


def _children(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return len(children.read_text().split()) if children.exists() else 0
