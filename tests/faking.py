"""Starts the fake Bedrock in a process of its own, scripts it and reads its log.

Used by every test of the model path. The process ends with the test run.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMALL, LARGE = "fake.small", "fake.large"
"""The model ids of decide and respond in our tests."""
SCRIPT = Path(__file__).with_name("fake_bedrock.py")


@dataclass(frozen=True)
class FakeBedrock:
    """A running fake."""

    url: str

    def script(self, *steps: dict[str, Any], model: str = "*") -> None:
        """The next calls of a model, in order."""
        self._call("/_script", {"model": model, "steps": steps})

    def always(self, step: dict[str, Any], model: str = "*") -> None:
        """What every further call of a model gets."""
        self._call("/_script", {"model": model, "default": step})

    def reset(self) -> None:
        self._call("/_reset", {})

    @property
    def log(self) -> list[dict[str, Any]]:
        """The calls so far, oldest first; times are of the monotonic clock of this machine."""
        answer: list[dict[str, Any]] = self._call("/_log")
        return answer

    def bodies(self, model: str) -> Sequence[dict[str, Any]]:
        """The requests that a model got."""
        return [call["body"] for call in self.log if call["model"] == model]

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        content = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(self.url + path, content, timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def fake_bedrock() -> Iterator[FakeBedrock]:
    """Start one and stop it."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True, env={}
    )
    assert process.stdout is not None
    try:
        yield FakeBedrock(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
