"""Interactions over HTTP: kept once per key, checked, and one person's only."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from serving import Running, usher
from tools.stores import Interaction

# One service for all: nothing here changes what another test sees.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with usher(tmp_path_factory.mktemp("home")) as one:
        yield one


async def send(client: httpx.AsyncClient, body: object, key: str | None = "k1") -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post("/v1/interactions", json=body, headers=headers)


async def kept(running: Running, client: httpx.AsyncClient) -> list[Interaction]:
    return await running.services.stores.interactions.recent(running.principal(client))


async def test_batch_and_bare_interactions_are_kept(running: Running) -> None:
    like, seen = (
        {"kind": kind, "movie_id": running.movie_ids[n]} for n, kind in enumerate(("like", "seen"))
    )
    rating = {"kind": "rating", "movie_id": running.movie_ids[0], "value": 4.5, "turn_id": "t"}
    async with running.client() as client:
        batch = await send(client, {"interactions": [like, seen]})
        bare = await send(client, rating, "k2")
        assert (batch.status_code, batch.json()) == (200, {"accepted": 2})
        assert (bare.status_code, bare.json()) == (200, {"accepted": 1})
        found = await kept(running, client)
    assert sorted((one.kind, one.movie_id, one.value, one.turn_id) for one in found) == [
        ("like", running.movie_ids[0], None, None),
        ("rating", running.movie_ids[0], 4.5, "t"),
        ("seen", running.movie_ids[1], None, None),
    ]


async def test_repeat_gets_the_same_answer_and_stores_nothing(running: Running) -> None:
    body = {"kind": "like", "movie_id": running.movie_ids[0]}
    async with running.client() as client:
        first = await send(client, body)
        again = [await send(client, body) for _ in range(3)]
        assert [one.json() for one in again] == [first.json()] * 3
        assert "idempotency-replayed" not in first.headers
        assert again[0].headers["idempotency-replayed"] == "true"
        assert len(await kept(running, client)) == 1


async def test_repeats_at_once_store_once(running: Running) -> None:
    body = {"kind": "like", "movie_id": running.movie_ids[0]}
    async with running.client() as client:
        await client.get("/")
        answers = await asyncio.gather(*(send(client, body) for _ in range(10)))
        assert {one.status_code for one in answers} == {200}
        assert len(await kept(running, client)) == 1


async def test_repeat_is_harmless_after_the_cache_forgot_the_key(running: Running) -> None:
    body = {"kind": "like", "movie_id": running.movie_ids[0]}
    async with running.client() as client:
        await send(client, body)
        owner = running.principal(client)
        assert await running.services.stores.cache.delete(owner) == 1
        assert (await send(client, body)).json() == {"accepted": 1}
        assert len(await kept(running, client)) == 1


async def test_same_key_with_another_body_is_422(running: Running) -> None:
    async with running.client() as client:
        await send(client, {"kind": "like", "movie_id": running.movie_ids[0]})
        refused = await send(client, {"kind": "dislike", "movie_id": running.movie_ids[0]})
        assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")
        assert [one.kind for one in await kept(running, client)] == ["like"]


async def test_keys_of_two_people_do_not_meet(running: Running) -> None:
    async with running.client() as ann, running.client() as bob:
        await send(ann, {"kind": "like", "movie_id": running.movie_ids[0]})
        answer = await send(bob, {"kind": "seen", "movie_id": running.movie_ids[1]})
        assert answer.status_code == 200
        assert [one.kind for one in await kept(running, ann)] == ["like"]
        assert [one.kind for one in await kept(running, bob)] == ["seen"]


@pytest.mark.parametrize("key", [None])
async def test_missing_key_is_400(running: Running, key: str | None) -> None:
    async with running.client() as client:
        refused = await send(client, {"kind": "like", "movie_id": running.movie_ids[0]}, key)
        assert (refused.status_code, refused.json()["code"]) == (400, "key_missing")
        assert await kept(running, client) == []


async def test_unknown_movie_is_named_and_nothing_is_kept(running: Running) -> None:
    good = {"kind": "like", "movie_id": running.movie_ids[0]}
    async with running.client() as client:
        refused = await send(client, {"interactions": [good, {**good, "movie_id": "nope"}]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_movie")
        assert refused.json()["errors"][0]["pointer"] == "#/interactions/1/movie_id"
        assert await kept(running, client) == []
        corrected = await send(client, {"interactions": [good]})
        assert corrected.status_code == 200, "a refused request does not use its key up"


WRONG: dict[str, dict[str, Any]] = {
    "unknown kind": {"kind": "adore"},
    "unknown field": {"note": "x"},
    "rating without value": {"kind": "rating"},
    "rating too high": {"kind": "rating", "value": 5.5},
    "rating too low": {"kind": "rating", "value": 0},
    "rating a text": {"kind": "rating", "value": "good"},
    "like with a value": {"value": 1},
    "swipe to nowhere": {"kind": "swipe", "value": 0.5},
    "watched twice over": {"kind": "watch", "value": 2},
    "movie_id empty": {"movie_id": ""},
    "movie_id a number": {"movie_id": 3},
    "somebody named": {"user_id": "bob"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("bare", [True, False])
async def test_wrong_interactions_are_422(
    running: Running, wrong: dict[str, Any], bare: bool
) -> None:
    one = {"kind": "like", "movie_id": running.movie_ids[0], **wrong}
    async with running.client() as client:
        refused = await send(client, one if bare else {"interactions": [one]})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
        assert await kept(running, client) == []


@pytest.mark.parametrize("body", [{"interactions": []}, {"interactions": "all"}, {}, [], 3])
async def test_no_interactions_are_422(running: Running, body: object) -> None:
    async with running.client() as client:
        assert (await send(client, body)).status_code == 422


async def test_batch_over_the_limit_is_422(running: Running) -> None:
    one = {"kind": "seen", "movie_id": running.movie_ids[0]}
    async with running.client() as client:
        assert (await send(client, {"interactions": [one] * 101})).status_code == 422
        assert (await send(client, {"interactions": [one] * 100})).json() == {"accepted": 100}
