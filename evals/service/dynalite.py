"""dynalite, a DynamoDB server on loopback (`npm ci --prefix tests/dynalite`).

Knows how it is started and ended. Does not know the stores; light, because the tests' conftest.py
imports it for every run. Called by stores_command.py and conftest.py.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "tests" / "dynalite"
CLI = FOLDER / "node_modules" / "dynalite" / "cli.js"
START_S = 30.0
NOT_INSTALLED = (
    "not installed, the tests that need it are skipped; to have it: npm ci --prefix tests/dynalite"
)


def why_no_server() -> str | None:
    """Why dynalite cannot be started, None when it can."""
    return None if shutil.which("node") and CLI.exists() else NOT_INSTALLED


@contextmanager
def server() -> Iterator[str]:
    """Dynalite on a free port; its address."""
    port = _free_port()
    command = ["node", str(CLI), "--host", "127.0.0.1", "--port", str(port)]
    quick = ["--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0"]
    process = subprocess.Popen([*command, *quick], cwd=FOLDER, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"dynalite does not answer on port {port}")


def summary() -> str:
    """A skipped server is easily overlooked: a line for the end of a test run."""
    return f"dynalite: {why_no_server() or 'installed'}"
