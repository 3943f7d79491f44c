"""A node of OpenSearch of its own: the one that ../shared/opensearch/start.sh starts.

Knows the words of that script and that a busy machine needs patience. Does not know what is
measured. Called by opensearch_command.py.
"""

import shutil
import socket
import subprocess
import tempfile
import time

from evals.place import ROOT
from evals.problem import EvalProblem

SCRIPT = ROOT.parent / "shared" / "opensearch" / "start.sh"
START_S = 240.0
"""The script itself waits 60 s: 13 s are enough on two idle cores, 70 s were not on busy ones."""
AGAIN_S = 3.0


class NodeProblem(EvalProblem):
    """There is no node to measure on; says what to do."""


class Node:
    """One node in a folder of its own, on a free port; `wipe` leaves nothing behind."""

    def __init__(self) -> None:
        """Raises: NodeProblem where the script is not there."""
        if not SCRIPT.exists():
            raise NodeProblem(f"there is no {SCRIPT} to start a node with: give --url")
        self._folder = tempfile.mkdtemp(prefix="usher-evals-node-", dir="/var/tmp")
        self._port = _free_port()

    def start(self) -> str:
        """Start it, or wait until it answers; its address. Raises: NodeProblem."""
        give_up = time.monotonic() + START_S
        while True:
            done = self._word()
            if done.returncode == 0:
                return done.stdout.strip().splitlines()[-1]
            if time.monotonic() > give_up:
                said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                raise NodeProblem(f"{SCRIPT} started no node ({said}): free the machine, or --url")
            time.sleep(AGAIN_S)

    def kill(self) -> None:
        """As if the power went."""
        self._word("kill")

    def wipe(self) -> None:
        """End it and remove its folder."""
        self._word("wipe")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _word(self, *words: str) -> "subprocess.CompletedProcess[str]":
        # env(1) sets the variables; only infra/settings.py reads the environment in this house.
        place = [f"OPENSEARCH_DIR={self._folder}", f"OPENSEARCH_PORT={self._port}"]
        command = ["env", *place, str(SCRIPT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
