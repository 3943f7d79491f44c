"""API keys and quotas over HTTP: who may name users, whose quota counts, when it ends."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from serving import Running, usher
from tools.api_keys import new_key, parse
from tools.stores import StoreUnavailable

LIMIT, KEY_LIMIT = 5, 9


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with usher(tmp_path, requests_per_minute=LIMIT, key_requests_per_minute=KEY_LIMIT) as one:
        yield one


async def key_of(running: Running, name: str = "shop") -> tuple[str, dict[str, str]]:
    """The id of a new key, and the header that carries it."""
    made = new_key(name, time.time())
    await running.services.stores.keys.create(made.kept)
    return made.kept.key_id, {"Authorization": f"Bearer {made.text}"}


async def like(client: httpx.AsyncClient, movie_id: str, **body: str) -> httpx.Response:
    return await client.post("/v1/feedback", json={"item_id": movie_id, "event": "like", **body})


async def test_users_are_named_apart_by_key(running: Running) -> None:
    (first, header), (second, other) = await key_of(running), await key_of(running, "rival")
    movie_id = running.movie_ids[0]
    async with running.client(headers=header) as shop, running.client(headers=other) as rival:
        assert (await like(shop, movie_id, user_id="u1")).status_code == 202
        assert (await like(shop, movie_id, user_id="u2")).status_code == 202
        assert (await like(rival, movie_id, user_id="u1")).status_code == 202
        assert (await like(shop, movie_id)).status_code == 202, "the site itself"
        mine = await shop.post("/v1/recommend", json={"user_id": "u1", "k": 50})
        assert movie_id not in [item["item_id"] for item in mine.json()["items"]]
        new = await shop.post("/v1/recommend", json={"user_id": "u3", "k": 50})
        assert movie_id in [item["item_id"] for item in new.json()["items"]]
        assert "set-cookie" not in mine.headers
    recent = running.services.stores.interactions.recent
    for principal in (f"key:{first}:u1", f"key:{first}:u2", f"key:{second}:u1", f"key:{first}"):
        assert [one.movie_id for one in await recent(principal)] == [movie_id]


async def test_session_that_names_a_user_is_403(running: Running) -> None:
    async with running.client() as client:
        token = (await client.post("/v1/sessions")).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        for headers in ({}, bearer):
            for refused in (
                await client.post("/v1/recommend", json={"user_id": "ann"}, headers=headers),
                await client.post(
                    "/v1/feedback",
                    json={"item_id": running.movie_ids[0], "event": "like", "user_id": "ann"},
                    headers=headers,
                ),
                await client.get(
                    "/v1/similar?item_id=us000001&user_id=ann",
                    headers=headers,
                ),
            ):
                assert (refused.status_code, refused.json()["code"]) == (403, "user_id_needs_key")


async def test_revoked_and_made_up_keys_are_401(running: Running) -> None:
    key_id, header = await key_of(running)
    forged = f"Bearer usher_{key_id}_{'x' * 43}"
    async with running.client() as client:
        assert (await client.get("/v1/movies/us000001", headers=header)).status_code == 200
        await running.services.stores.keys.revoke(key_id, now=time.time())
        for authorization in (
            *(header["Authorization"], forged, "Bearer usher_nope_x", "Bearer usher__"),
            *("Bearer usher_a", f"Bearer usher_{'9' * 5000}_x"),
        ):
            headers = {"Authorization": authorization}
            refused = await client.get("/v1/movies/us000001", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "bad_token")


async def test_key_never_becomes_a_session_token(running: Running) -> None:
    key_id, header = await key_of(running)
    async with running.client() as client:
        token = (await client.post("/v1/sessions", headers=header)).json()["token"]
    assert not token.startswith("key:"), "it would outlive the key"


async def test_store_that_fails_while_a_key_is_checked_is_503(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("the store does not answer: try again")

    _, header = await key_of(running)
    monkeypatch.setattr(type(running.services.stores.keys), "find", broken)
    async with running.client() as client:
        answer = await client.get("/v1/movies/us000001", headers=header)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_secret_is_nowhere_in_the_store(running: Running, tmp_path: Path) -> None:
    _, header = await key_of(running)
    parsed = parse(header["Authorization"].removeprefix("Bearer "))
    assert parsed is not None
    secret = parsed[1].encode()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("usher.sqlite3*"))
    assert b"shop" in kept
    assert secret not in kept


# --- quotas ---------------------------------------------------------------------------------------


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> float:
    """Ten seconds into a window, and no time goes by: no test runs into the next one."""
    now = time.time() // 60 * 60 + 10
    monkeypatch.setattr(time, "time", lambda: now)
    return now


async def ask(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.get("/v1/search", params={"query": "a film"}, headers=headers)


@pytest.mark.usefixtures("moment")
async def test_who_has_no_credential_is_counted_by_address(running: Running) -> None:
    statuses = []
    for _ in range(LIMIT + 1):
        async with running.client() as client:  # no cookie kept: a new session every time
            answer = await ask(client)
            statuses.append(answer.status_code)
    assert statuses == [200] * LIMIT + [429]
    assert answer.json()["code"] == "quota_exceeded"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/sessions"), ("GET", "/"), ("POST", "/v1/chat"), ("GET", "/v1/movies/us000001")],
)
async def test_one_address_does_not_begin_sessions_without_end(
    running: Running, method: str, path: str
) -> None:
    """Each of them would have a quota of its own."""
    body = {"message": "a thriller"} if path == "/v1/chat" else None
    async with running.client() as known:
        await known.get("/")  # the first of LIMIT
        statuses = []
        for _ in range(LIMIT):
            async with running.client() as client:  # no cookie kept
                refused = await client.request(method, path, json=body)
                statuses.append(refused.status_code)
        assert statuses[-2] < 400 and statuses[-1] == 429
        assert refused.json()["code"] == "quota_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "set-cookie" not in refused.headers
        assert (await known.request(method, path, json=body)).status_code == (
            429 if path == "/v1/sessions" else 200
        ), "who has a session goes on, but gets no second one"


@pytest.mark.usefixtures("moment")
async def test_token_is_renewed_without_being_counted(running: Running) -> None:
    async with running.client() as client:
        token = (await client.post("/v1/sessions")).json()["token"]
    async with running.client(headers={"Authorization": f"Bearer {token}"}) as client:
        renewed = [await client.post("/v1/sessions") for _ in range(LIMIT + 1)]
    assert [one.status_code for one in renewed] == [201] * (LIMIT + 1)


@pytest.mark.usefixtures("moment")
async def test_sessions_made_with_a_key_count_for_the_key(running: Running) -> None:
    """A site makes them for its visitors, all from its own address."""
    _, header = await key_of(running)
    async with running.client(headers=header) as shop:
        made = [await shop.post("/v1/sessions") for _ in range(KEY_LIMIT + 1)]
    assert [one.status_code for one in made] == [201] * KEY_LIMIT + [429]


@pytest.mark.usefixtures("moment")
async def test_session_is_counted_by_itself_over_all_plain_endpoints(running: Running) -> None:
    async with running.client() as client, running.client() as other:
        for one in (client, other):
            await one.get("/")
        requests = [
            await ask(client),
            await client.post("/v1/recommend", json={}),
            await client.get("/v1/similar?item_id=us000001"),
            await like(client, "us000001"),
            await ask(client),
        ]
        assert [one.status_code for one in requests] == [200, 200, 200, 202, 200]
        assert (await ask(client)).status_code == 429
        assert (await ask(other)).status_code == 200
        chat = await client.post("/v1/chat", json={"message": "a thriller"})
        assert chat.status_code == 200, "the chat has bounds of its own"


@pytest.mark.usefixtures("moment")
async def test_users_of_a_key_share_its_quota(running: Running) -> None:
    _, header = await key_of(running)
    async with running.client(headers=header) as shop:
        asked = [
            await shop.post("/v1/recommend", json={"user_id": f"u{n}", "k": 1})
            for n in range(KEY_LIMIT + 1)
        ]
    assert [one.status_code for one in asked] == [200] * KEY_LIMIT + [429]


async def test_every_credential_gets_a_quota_back_with_the_next_minute(
    running: Running, moment: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running.client() as client:
        await client.get("/")
        for _ in range(LIMIT):
            await ask(client)
        wait = int((await ask(client)).headers["retry-after"])
        assert wait == 50
        monkeypatch.setattr(time, "time", lambda: moment + wait)
        assert (await ask(client)).status_code == 200
