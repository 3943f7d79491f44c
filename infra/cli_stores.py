"""`usher tables create | check` and `usher user export | erase`: what an operator does to stores.

Knows the commands and what they print. Does not know how a store works. Registered by cli.py;
`usher doctor` asks `table_states`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infra.cli_common import Refusal, expected_errors

if TYPE_CHECKING:
    from infra.dynamodb import DynamoDb
    from infra.dynamodb_tables import TableState
    from infra.settings import Settings
    from tools.stores import Stores

T = TypeVar("T")
DIFFERENT = 1
"""Exit code of `usher tables check` when something differs."""

tables_commands = typer.Typer(help="Make the DynamoDB tables, or see how they differ.")
user_commands = typer.Typer(help="Export or erase everything kept about one person.")
Principal = Annotated[
    str, typer.Argument(help="Who it is to the stores: local:NAME, or the subject of a session.")
]


# --- tables ---------------------------------------------------------------------------------------


@tables_commands.command(epilog="Example: usher tables create --recovery")
def create(
    recovery: Annotated[
        bool, typer.Option("--recovery", help="Also switch on point-in-time recovery.")
    ] = False,
) -> None:
    """Make the DynamoDB tables that are missing: on-demand billing, TTL on. Safe to repeat."""

    async def work(database: "DynamoDb") -> "list[TableState]":
        from infra import dynamodb_tables

        return await dynamodb_tables.create(database, recovery=recovery)

    with expected_errors():
        raise SystemExit(_tell(asyncio.run(_on_tables(_settings(), work))))


@tables_commands.command()
def check() -> None:
    """Print how the DynamoDB tables differ from what they should be; exit code 1 if they do."""
    with expected_errors():
        raise SystemExit(_tell(asyncio.run(table_states(_settings()))))


async def table_states(settings: "Settings") -> "list[TableState]":
    """How every table stands. Raises: SettingProblem, StoreUnavailable."""

    async def work(database: "DynamoDb") -> "list[TableState]":
        from infra import dynamodb_tables

        return await dynamodb_tables.check(database)

    return await _on_tables(settings, work)


async def _on_tables(settings: "Settings", work: "Callable[[DynamoDb], Awaitable[T]]") -> T:
    from infra.wiring import dynamodb_place

    place = dynamodb_place(settings)
    from infra.dynamodb import DynamoDb

    database = await DynamoDb.open(place)
    try:
        return await work(database)
    finally:
        await database.close()


def _tell(states: "list[TableState]") -> int:
    for state in states:
        print(f"{state.table}: {'; '.join(state.differences) or 'as it should be'}")
        for note in state.notes:
            print(f"  note: {note}")
    return DIFFERENT if any(state.differences for state in states) else 0


# --- one person -----------------------------------------------------------------------------------


@user_commands.command(epilog="Example: usher user export local:ann --out ann.json")
def export(
    principal: Principal,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not.")] = None,
) -> None:
    """Print what is kept about a person: conversations, profile, interactions, as one JSON."""
    from tools import user_records

    async def work() -> str:
        async with opened_stores() as stores:
            found = await user_records.export(stores, principal)
            return json.dumps(found, ensure_ascii=False, indent=2)

    with expected_errors():
        document = asyncio.run(work())
        if out is None:
            print(document)
            return
        try:
            out.write_text(document + "\n", encoding="utf-8")
        except OSError as error:
            raise Refusal(f"--out {out} cannot be written ({error.strerror})") from None


@user_commands.command(epilog="Example: usher user erase local:ann --yes")
def erase(
    principal: Principal,
    yes: Annotated[bool, typer.Option("--yes", help="Really: it cannot be undone.")] = False,
) -> None:
    """Erase everything kept about a person. Without --yes it only counts."""
    from tools import user_records

    async def work() -> str:
        async with opened_stores() as stores:
            if yes:
                gone = asdict(await user_records.erase(stores, principal))
                return "erased: " + ", ".join(f"{n} {name}" for name, n in gone.items())
            conversations = len(await stores.conversations.conversation_ids(principal))
            interactions = len(await stores.interactions.recent(principal, limit=user_records.ALL))
            return (
                f"{principal} has {conversations} conversations and {interactions} interactions; "
                "nothing was erased: add --yes"
            )

    with expected_errors():
        print(asyncio.run(work()))


def _settings() -> "Settings":
    from infra.settings import load

    return load()


@asynccontextmanager
async def opened_stores() -> "AsyncIterator[Stores]":
    """The stores that the settings name, closed at the end. Raises: SettingProblem."""
    from infra.wiring import open_stores

    stores = await open_stores(_settings())
    try:
        yield stores
    finally:
        await stores.close()
