"""LocalIndex: the contract, and what only an index in a folder can get wrong."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts_index import DIMENSION, MovieIndexContract
from retrieval.encoder import EncoderIdentity
from retrieval.local_files import Manifest, write_lock
from retrieval.local_index import LocalIndex
from retrieval.local_writer import write_generation

ENCODER = EncoderIdentity("test", "0123456789abcdef", DIMENSION)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def make_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(ENCODER.name, ENCODER.sha, DIMENSION, "2024-01-01T00:00:00+00:00", "tests")
    with write_lock(folder):
        write_generation(folder, manifest, [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_empty(tmp_path / "index")
    return tmp_path / "index"


class TestLocalIndex(MovieIndexContract):
    @pytest.fixture
    def index(self, folder: Path, executor: Executor) -> LocalIndex:
        return LocalIndex.open(folder, ENCODER, executor)
