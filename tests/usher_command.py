"""Running `usher` in this process: a fixture, and how an expected error must look."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import serving
from infra import cli
from retrieval.jobs.build_index import STARTER

Run = Callable[..., tuple[int, str, str]]
"""Called with arguments; gives exit code, output and errors."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command with a home of its own, in an empty folder."""
    monkeypatch.setenv("USHER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)  # no .env of the checkout

    def usher(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["usher", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.app()
        out, err = capfd.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else 0, out, err

    return usher


def on_index(*arguments: str) -> tuple[str, ...]:
    """The arguments with a small index."""
    return (*arguments, "--index", str(serving.index_dir()))


def one_line(error: str, *words: str) -> None:
    """Assert that an error is one line with these words."""
    assert error.startswith("usher: ") and error.count("\n") == 1, error
    for word in words:
        assert word in error, error


def few_movies(folder: Path, *more: str) -> Path:
    """A catalogue of twelve movies and some further lines."""
    with gzip.open(STARTER / "movies.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [line.strip() for line, _ in zip(file, range(12), strict=False)]
    path = folder / "few.jsonl"
    path.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    return path
