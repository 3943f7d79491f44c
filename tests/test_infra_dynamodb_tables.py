"""The DynamoDB tables: made, checked, required; and the commands, wiring and policy about them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from moto import mock_aws

import dynamo
from evals.report import README
from infra.dynamodb import DynamoDb, Operation, Place
from infra.dynamodb_tables import SHAPES, check, create, definition, require
from infra.settings import SettingProblem, load
from infra.stores_dynamodb import DynamoDbStores
from infra.wiring import open_stores
from tools.stores import StoreUnavailable
from usher_command import Run, on_index, one_line, run

__all__ = ["run"]  # the fixture


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS account in this process."""
    with dynamo.credentials(), mock_aws():
        yield


@pytest.fixture
async def database(aws: None) -> AsyncIterator[DynamoDb]:
    one = await DynamoDb.open(Place(dynamo.REGION, threads=1))
    yield one
    await one.close()


def difference(states: list[Any], name: str) -> str:
    (state,) = [one for one in states if one.table == f"usher-{name}"]
    return "; ".join(state.differences)


async def test_create_is_repeatable_and_leaves_nothing_to_differ(database: DynamoDb) -> None:
    for _ in range(2):
        states = await create(database, recovery=True)
        assert [(state.differences, state.notes) for state in states] == [((), ())] * len(SHAPES)
    await require(database)


async def test_recovery_is_an_option_and_its_absence_is_noted(database: DynamoDb) -> None:
    states = await create(database, recovery=False)
    assert all(not state.differences for state in states)
    noted = {state.table for state in states if state.notes}
    lasting = ("conversations", "profiles", "interactions", "keys")
    assert noted == {f"usher-{name}" for name in lasting}


async def test_check_names_every_difference(database: DynamoDb) -> None:
    by_name = {shape.name: definition(database, shape) for shape in SHAPES}
    by_name["cache"] |= {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }
    del by_name["interactions"]["LocalSecondaryIndexes"]
    by_name["interactions"]["AttributeDefinitions"].pop()
    by_name["profiles"]["KeySchema"][0]["AttributeName"] = "user"
    by_name["profiles"]["AttributeDefinitions"][0]["AttributeName"] = "user"
    for name in ("cache", "interactions", "profiles"):
        await database.call("create_table", **by_name[name])
    states = await check(database)
    assert difference(states, "conversations") == "it is missing"
    assert "billing mode is PROVISIONED" in difference(states, "cache")
    assert "TTL is off" in difference(states, "cache")
    assert "no local index by_time on moment" in difference(states, "interactions")
    assert "its key is user, not pk" in difference(states, "profiles")


async def test_table_of_something_else_is_refused_at_the_start(database: DynamoDb) -> None:
    await create(database, recovery=False)
    name = database.place.table("profiles")
    await asyncio.to_thread(database._client.delete_table, TableName=name)
    wrong = definition(database, SHAPES[0]) | {"TableName": name}
    await database.call("create_table", **wrong)
    with pytest.raises(StoreUnavailable, match="not one of Usher's .*TABLE_PREFIX"):
        await require(database)


async def test_server_without_ttl_still_gets_tables_and_check_says_so(dynalite: str) -> None:
    async with dynamo.on_server(dynalite) as stores:
        states = await create(stores.database, recovery=True)
        assert [state.table for state in states if state.differences] == [
            stores.database.place.table("cache"),
            stores.database.place.table("quotas"),
        ]


# --- starting -------------------------------------------------------------------------------------


@contextmanager
def on_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("USHER_STORE", "dynamodb")
    monkeypatch.setenv("USHER_AWS_REGION", dynamo.REGION)
    with dynamo.credentials(), mock_aws():
        yield


async def test_missing_region_is_named() -> None:
    with dynamo.credentials(), pytest.raises(StoreUnavailable, match="USHER_AWS_REGION is not set"):
        await open_stores(load(store="dynamodb"))


@pytest.mark.usefixtures("aws")
async def test_missing_table_names_the_command() -> None:
    with pytest.raises(StoreUnavailable, match="no table usher-conv.*run: usher tables create"):
        await open_stores(load(store="dynamodb", aws_region=dynamo.REGION))


async def test_missing_credentials_are_named(dynalite: str) -> None:
    with dynamo.credentials(given=False):
        settings = load(store="dynamodb", aws_region=dynamo.REGION, dynamodb_endpoint_url=dynalite)
        with pytest.raises(StoreUnavailable, match="no AWS credentials .*AWS_PROFILE"):
            await open_stores(settings)


def test_prefix_that_no_table_can_have_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_DYNAMODB_TABLE_PREFIX", "my tables")
    with pytest.raises(SettingProblem, match="^USHER_DYNAMODB_TABLE_PREFIX: use 1 to 200 of"):
        load()


@pytest.mark.usefixtures("aws")
async def test_dial_opens_the_tables_of_its_prefix() -> None:
    database = await DynamoDb.open(Place(dynamo.REGION, prefix="films", threads=1))
    await create(database, recovery=False)
    await database.close()
    chosen = load(backend="aws", aws_region=dynamo.REGION, dynamodb_table_prefix="films")
    stores = await open_stores(chosen)
    assert isinstance(stores, DynamoDbStores)
    await stores.close()


# --- commands -------------------------------------------------------------------------------------


def test_commands_from_no_table_to_an_erased_person(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with on_moto(monkeypatch):
        code, out, _ = run("tables", "check")
        assert code == 1 and "usher-quotas: it is missing" in out
        code, _, err = run("user", "export", "local:ann")
        assert code == 2
        one_line(err, "run: usher tables create")
        code, out, _ = run("tables", "create", "--recovery")
        assert code == 0 and out.count("as it should be") == len(SHAPES)
        assert run("tables", "check")[0] == 0
        code, out, _ = run("user", "export", "local:ann")
        assert code == 0 and json.loads(out)["conversations"] == []
        code, _, err = run("user", "export", "local:ann", "--out", str(tmp_path / "no" / "file"))
        assert code == 2
        one_line(err, "--out")
        code, out, _ = run("user", "erase", "local:ann")
        assert code == 0 and "nothing was erased: add --yes" in out
        code, out, _ = run("user", "erase", "local:ann", "--yes")
        assert code == 0 and "erased: 0 conversations" in out


def test_doctor_looks_at_the_tables(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_PORT", "0")
    with on_moto(monkeypatch):
        found = store_check(run)
        assert (found["state"], found["next_step"]) == ("broken", "run: usher tables create")
        run("tables", "create")
        assert store_check(run)["found"] == "6 DynamoDB tables usher-*"
        monkeypatch.delenv("USHER_AWS_REGION")
        assert "USHER_AWS_REGION" in store_check(run)["found"]


def store_check(run: Run) -> dict[str, Any]:
    _, out, _ = run(*on_index("doctor", "--json"))
    (found,) = [check for check in json.loads(out)["checks"] if check["name"] == "store"]
    assert isinstance(found, dict)
    return found


# --- the policy in the README ---------------------------------------------------------------------


def test_policy_in_the_readme_allows_what_is_called_and_no_more() -> None:
    (block,) = [
        text
        for text in re.findall(r"```json\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
        if "dynamodb:" in text
    ]
    service, operator = json.loads(block)["Statement"]
    allowed = {
        statement["Sid"]: {action.removeprefix("dynamodb:") for action in statement["Action"]}
        for statement in (service, operator)
    }
    called = {"".join(word.title() for word in name.split("_")) for name in get_args(Operation)}
    assert allowed["UsherService"] | allowed["UsherTablesCommand"] == called
    # What changes a table is not the service's.
    assert not {name for name in allowed["UsherService"] if re.match("Create|Update(?!Item)", name)}
