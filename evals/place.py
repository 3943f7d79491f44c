"""Where measuring happens: the index, a store that is thrown away, and the large data sets.

Knows USHER_DATA and its default, and opens the real services over a temporary home, so that
measuring leaves no trace in anybody's profile. Does not know what is measured. Called by every
command of evals.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from infra.cli_common import running, settings_for
from infra.settings import load
from infra.wiring import Services

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
"""Beside the checkout, where this project keeps them."""


@asynccontextmanager
async def opened(index: Path | None) -> AsyncIterator[Services]:
    """The offline services over an index, with stores of their own."""
    with tempfile.TemporaryDirectory(prefix="usher-evals-") as home:
        # The default index lies in the real home, everything else in the temporary one.
        place = settings_for(index)
        settings = load(
            home=Path(home),
            index_dir=place.index_dir,
            model="offline",
            store="sqlite",
            # A figure must not depend on which dialogue was played before; evals cache sets it.
            search_cache_s=0,
        )
        async with running(settings) as services:
            yield services


def data_folder() -> Path | None:
    """USHER_DATA, or the folder beside the checkout if it is there."""
    return load().data or (SHARED if SHARED.is_dir() else None)


def find_data(name: str) -> Path | None:
    """A file of the data sets ("dialogue/redial_dev_1000.jsonl.gz"), if it is there."""
    folder = data_folder()
    path = folder / name if folder else None
    return path if path and path.exists() else None
