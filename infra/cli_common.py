"""What every command shares: settings with an index, errors in one line, services that are closed.

Knows which errors a person can cause and how they end a command: exit code 2 and one line. Does not
know any command. Called by the cli_*.py files and by evals/__main__.py.
"""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.wiring import Services

USAGE = 2
"""Exit code of everything that the person at the keyboard can put right."""


class Refusal(Exception):
    """A command cannot go on; one line that says what to do."""


def fail(message: str) -> NoReturn:
    """One line on standard error, exit code 2."""
    print(f"usher: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(USAGE)


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn every error that has an explanation into one line. Nothing is caught that has none."""
    # Imported here: `usher --help` must not pay for numpy.
    from infra.settings import SettingProblem
    from retrieval.catalogs.sources import CatalogError
    from retrieval.encoder import EncoderError
    from retrieval.index import IndexFailure
    from tools.stores import StoreFailure

    explained = (Refusal, SettingProblem, CatalogError, EncoderError, IndexFailure, StoreFailure)
    try:
        yield
    except explained as error:
        fail(str(error))
    except BrokenPipeError:
        # The reader of our output left (`usher ... | head`): the answer is not wanted any more.
        sys.stderr.close()
        raise SystemExit(0) from None


def settings_for(index: Path | None = None, **flags: Any) -> "Settings":
    """The settings with a command's flags on top. Raises: SettingProblem, Refusal."""
    from infra.settings import load

    settings = load(index_dir=index, **flags)
    if index is not None and settings.index == "opensearch":
        raise Refusal(
            "--index names a local folder, but USHER_INDEX=opensearch: leave out --index, "
            "or set USHER_INDEX=local"
        )
    return settings


async def opened(settings: "Settings") -> "Services":
    """The services; whoever asks closes them. Raises: Refusal, what `infra.wiring.build` raises."""
    from infra.wiring import build

    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(
            f"USHER_HOME={settings.home} cannot be used ({error.strerror}): name a folder of yours"
        ) from None
    return await build(settings)


@asynccontextmanager
async def running(settings: "Settings") -> AsyncIterator["Services"]:
    """The services, closed at the end. Raises what `opened` raises."""
    services = await opened(settings)
    try:
        yield services
    finally:
        await closed(services)


async def closed(services: "Services") -> None:
    """End what still runs, as after `usher chat --once ... | head`, then close."""
    await services.assistant.drain(0)
    await services.close()
