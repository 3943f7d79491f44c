"""An index of the first films of the starter catalogue, for tests of commands that need any index.

Built once per test run with the encoder that ships; Pulp Fiction, Inception and the like are in it.
"""

import atexit
import gzip
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local

FILMS = 40


def films() -> list[dict[str, Any]]:
    """The rows of the catalogue."""
    with gzip.open(STARTER / "movies.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(FILMS), strict=False)]


@cache
def small_index() -> Path:
    """The folder of the index."""
    folder = Path(tempfile.mkdtemp(prefix="usher-test-small-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "movies.jsonl").write_text("\n".join(map(json.dumps, films())))
    catalogue = open_catalogue(folder / "movies.jsonl")
    build_local(catalogue, OnnxEncoder.load(), folder / "index", folder)
    return folder / "index"
