"""`python -m evals stores`: races on SQLite and DynamoDB, printed as figures.

Knows how each store is opened for a measurement: SQLite in a file of its own, DynamoDB in this
process (moto) and over HTTP (dynalite, where `npm ci` installed it, or any other endpoint). Does
not know the races (stores_races.py). Called by evals/__main__.py and figures.py.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.place import ROOT
from evals.problem import EvalProblem
from evals.report import Row
from evals.service import dynalite
from evals.service.stores_races import (
    CONVERSATIONS,
    LIMIT,
    SENT,
    TAKERS,
    TAKES,
    TIMES,
    Raced,
    race,
)
from infra.stores_sqlite import SqliteStores

REGION = "eu-west-1"
"""Emulators take any."""
MADE_UP = ("AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing")
"""Emulators take any credentials, but requests must be signed with some."""
STORES = ("sqlite", "moto", "dynalite")


class StoresProblem(EvalProblem):
    """A store cannot be measured; says what to do."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "stores")
    parser.set_defaults(command=stores)
    parser.add_argument("--only", help=f"stores: {','.join(STORES)} (default: all that are here)")
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="a running DynamoDB, with the usual AWS credentials, instead; "
        "tables usher-evals-... are made there and stay",
    )
    add_json(parser)


def stores(given: argparse.Namespace) -> int:
    """The command. Exit code 1 when something was broken. Raises: StoresProblem, StoreFailure."""
    if given.endpoint:
        found = {given.endpoint: asyncio.run(_on_endpoint(given.endpoint))}
    else:
        names = given.only.split(",") if given.only else [*STORES]
        if unknown := set(names) - set(STORES):
            raise StoresProblem(f"--only {', '.join(unknown)}: choose from {', '.join(STORES)}")
        found = measure(names)
    for row in rows_of(found):
        print(f"{row.figure}, {row.data}: {row.value}  ({row.bound})")
    if given.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}))
    return 0 if all(one.right for one in found.values()) else 1


def measure(names: Sequence[str] = STORES) -> dict[str, Raced]:
    """{store: what came of the races}; dynalite is left out, aloud, where it is not installed."""
    found: dict[str, Raced] = {}
    if "sqlite" in names:
        found["SQLite"] = asyncio.run(_on_sqlite())
    if "moto" in names:
        found["DynamoDB (moto)"] = asyncio.run(_on_moto())
    if "dynalite" in names:
        if dynalite.why_no_server() is None:
            found["DynamoDB (dynalite over HTTP)"] = _on_dynalite()
        else:
            print("dynalite is not installed: npm ci --prefix tests/dynalite")
    return found


async def _on_sqlite() -> Raced:
    with tempfile.TemporaryDirectory(prefix="usher-evals-") as folder:
        opened = await SqliteStores.open(Path(folder) / "usher.db")
        try:
            return await race(opened)
        finally:
            await opened.close()


async def _on_moto() -> Raced:
    from moto import mock_aws

    with mock_aws():
        # moto checks a condition and writes in two steps: it gets one thread.
        return await _on_dynamodb(None, threads=1)


async def _on_endpoint(url: str) -> Raced:
    return await _on_dynamodb(url, threads=32)


async def _on_dynamodb(endpoint: str | None, threads: int) -> Raced:
    from infra import dynamodb_tables
    from infra.dynamodb import DynamoDb, Place
    from infra.stores_dynamodb import DynamoDbStores

    place = Place(REGION, endpoint, f"usher-evals-{uuid.uuid4().hex[:12]}", threads)
    database = await DynamoDb.open(place)
    try:
        await dynamodb_tables.create(database, recovery=False)
        return await race(DynamoDbStores.on(database))
    finally:
        await database.close()


def _on_dynalite() -> Raced:
    with dynalite.server() as url:
        # env(1) sets the variables; only infra/settings.py reads the environment in this house.
        command = ["env", *MADE_UP, "AWS_EC2_METADATA_DISABLED=true"]
        command += [sys.executable, "-m", "evals", "stores", "--endpoint", url, "--json"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not run.stdout.strip():
            raise StoresProblem(f"on dynalite: {run.stderr.strip().splitlines()[-1:]}")
        return Raced(**json.loads(run.stdout.strip().splitlines()[-1])[url])


# --- rows -----------------------------------------------------------------------------------------

QUOTA = f"{TAKERS} threads x {TAKES} conditional quota adds, limit {LIMIT}"
TURNS = f"two turns at once on one conversation, {CONVERSATIONS} times"
REPEATS = f"{SENT:,} interactions sent {TIMES} times with the same keys, at once"


def rows_of(found: dict[str, Raced]) -> list[Row]:
    """For the results table."""
    rows: list[Row] = []
    for name, one in found.items():
        won = f"{one.one_won} times one won and the other got {one.refused_with}"
        rows += [
            Row(QUOTA, name, f"{one.admitted} admitted", f"exactly {LIMIT}"),
            Row(TURNS, name, won, f"{CONVERSATIONS} times, 409"),
            Row(REPEATS, name, f"{one.stored:,} stored, {one.new:,} said to be new", f"{SENT:,}"),
        ]
    return rows
