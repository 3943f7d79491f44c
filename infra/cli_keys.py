"""`usher keys create | list | revoke`: the API keys of sites that name their own users.

Knows the commands and what they print. Does not know how a key is checked (infra/api/sessions.py).
Registered by cli.py.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.cli_common import Refusal, expected_errors
from infra.cli_stores import opened_stores

MAX_NAME_CHARS = 100

keys_commands = typer.Typer(help="Make, list and revoke API keys for sites with their own users.")


@keys_commands.command(epilog="Example: usher keys create shop")
def create(name: Annotated[str, typer.Argument(help="What you call it, such as shop.")]) -> None:
    """Make a key and print it, once: only its digest is kept."""
    from tools.api_keys import new_key

    async def work() -> str:
        made = new_key(name.strip(), time.time())
        async with opened_stores() as stores:
            await stores.keys.create(made.kept)
        return made.text

    with expected_errors():
        if not 0 < len(name.strip()) <= MAX_NAME_CHARS:
            raise Refusal(f"a key's name has 1 to {MAX_NAME_CHARS} characters")
        print(asyncio.run(work()))


@keys_commands.command(name="list")
def list_() -> None:
    """Print id, date, state and name of every key, oldest first."""

    async def work() -> list[str]:
        async with opened_stores() as stores:
            return [
                f"{key.key_id}  {_day(key.created_at)}  "
                f"{'revoked ' + _day(key.revoked_at) if key.revoked_at else 'active'}  {key.name}"
                for key in await stores.keys.list()
            ]

    with expected_errors():
        print("\n".join(asyncio.run(work())) or "no keys: usher keys create NAME makes one")


@keys_commands.command(epilog="Example: usher keys revoke 3f0c21d7a9be")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id, as usher keys list prints it.")],
) -> None:
    """Refuse a key from now on. What its users left behind is kept."""

    async def work() -> str:
        async with opened_stores() as stores:
            return (await stores.keys.revoke(key_id, now=time.time())).name

    with expected_errors():
        print(f"revoked: {asyncio.run(work())}")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
