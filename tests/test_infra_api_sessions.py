"""Who is asking: cookies, bearers, other users, other origins, other hosts."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.api import sessions
from infra.api.guard import hostname, is_loopback
from infra.api.sessions import COOKIE, Signer
from infra.settings import session_secret
from serving import Running, usher

# One service for all: nothing here changes what another test sees.
pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = {"message": "a tense crime thriller"}
ORIGIN = "http://127.0.0.1:8000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with usher(tmp_path_factory.mktemp("home")) as one:
        yield one


@pytest.fixture
def signer(running: Running) -> Signer:
    return Signer(session_secret(running.services.settings))


async def bearer(running: Running) -> dict[str, str]:
    async with running.client() as client:
        issued = await client.post("/v1/sessions")
    assert issued.status_code == 201
    assert issued.json()["expires_in"] == 30 * 24 * 3600
    return {"Authorization": f"Bearer {issued.json()['token']}"}


ROUTES = [
    ("GET", "/v1/turns/{turn}/events"),
    ("POST", "/v1/turns/{turn}/stop"),
    ("GET", "/v1/conversations/{conversation}"),
    ("DELETE", "/v1/conversations/{conversation}"),
    ("POST", "/v1/chat"),
]


@pytest.mark.parametrize("who", ["anonymous", "other cookie", "other bearer"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_somebody_elses_records_are_404(
    running: Running, method: str, path: str, who: str
) -> None:
    async with running.client() as owner, running.client() as other:
        started = (await running.say(owner, HELLO))[0]
        if who == "other cookie":
            await running.say(other, HELLO)
        if who == "other bearer":
            other.headers.update(await bearer(running))
        address = path.format(turn=started["turn_id"], conversation=started["conversation_id"])
        body = {**HELLO, "conversation_id": started["conversation_id"]}
        refused = await other.request(method, address, json=body if path == "/v1/chat" else None)
        assert refused.status_code == 404
        assert refused.headers["content-type"] == "application/problem+json"
        unknown = await other.request(
            method,
            path.format(turn="t" * 32, conversation="c" * 32),
            json={**HELLO, "conversation_id": "c" * 32} if path == "/v1/chat" else None,
        )
        assert unknown.status_code == 404, "an unknown record must look the same"
        kept = await owner.get(f"/v1/conversations/{started['conversation_id']}")
        assert len(kept.json()["turns"]) == 1


async def test_page_gives_a_cookie_that_scripts_cannot_read(running: Running) -> None:
    async with running.client() as client:
        page = await client.get("/")
        cookie = page.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        for part in ("HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={30 * 24 * 3600}"):
            assert part in cookie
        assert "Secure" not in cookie
        again = await client.get("/")
        assert "set-cookie" not in again.headers
    async with running.client(base_url="https://127.0.0.1") as client:
        assert "; Secure" in (await client.get("/")).headers["set-cookie"]


async def test_bearer_works_without_cookies_and_can_be_renewed(running: Running) -> None:
    headers = await bearer(running)
    async with running.client(headers=headers) as client:
        events = await running.say(client, HELLO)
        renewed = (await client.post("/v1/sessions")).json()["token"]
        assert "set-cookie" not in (await client.post("/v1/sessions")).headers
    async with running.client(headers={"Authorization": f"bearer {renewed}"}) as client:
        kept = await client.get(f"/v1/conversations/{events[0]['conversation_id']}")
        assert kept.status_code == 200


async def test_cookie_is_never_turned_into_a_token(running: Running) -> None:
    async with running.client() as client:
        events = await running.say(client, HELLO)
        token = (await client.post("/v1/sessions")).json()["token"]
    async with running.client(headers={"Authorization": f"Bearer {token}"}) as client:
        kept = await client.get(f"/v1/conversations/{events[0]['conversation_id']}")
        assert kept.status_code == 404


def broken_tokens(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    good = signer.issue("ann")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - sessions.LIFETIME_S - 5)
    expired = signer.issue("ann")
    monkeypatch.undo()
    return {
        "expired": expired,
        "forged": Signer(b"another secret of the same length").issue("ann"),
        "changed": good.replace("ann", "bob"),
        "cut": good[:-3],
        "empty": "",
        "no token": "hello",
        "not ascii": "ü.ü.ü",
    }


@pytest.mark.parametrize(
    "kind", ["expired", "forged", "changed", "cut", "empty", "no token", "not ascii"]
)
async def test_broken_token_is_401_as_bearer_and_a_new_session_as_cookie(
    running: Running, signer: Signer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    token = broken_tokens(signer, monkeypatch)[kind]
    async with running.client() as client:
        authorization = f"Bearer {token}".encode()
        refused = await client.get("/v1/movies/x", headers={b"Authorization": authorization})
        assert (refused.status_code, refused.json()["code"]) == (401, "bad_token")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert "set-cookie" not in refused.headers
        cookie = f"{COOKIE}={token}".encode()
        page = await client.get("/", headers={b"Cookie": cookie})
        assert page.status_code == 200
        assert page.headers["set-cookie"].startswith(f"{COOKIE}=")


@pytest.mark.parametrize("scheme", ["Basic YW5uOnB3", "Bearer", ""])
async def test_other_authorization_schemes_are_401(running: Running, scheme: str) -> None:
    async with running.client() as client:
        refused = await client.get("/v1/movies/x", headers={"Authorization": scheme})
        assert refused.status_code == 401


async def test_cookie_slides_after_a_day(
    running: Running, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - sessions.RENEW_AFTER_S - 5)
    old = signer.issue("ann")
    monkeypatch.undo()
    async with running.client() as client:
        page = await client.get("/", headers={"Cookie": f"{COOKIE}={old}"})
        renewed = page.cookies[COOKIE]
        session = signer.check(renewed)
        assert session is not None
        assert session.principal == "ann"
        assert session.age_s < 60


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    "path", ["/v1/chat", "/v1/interactions", "/v1/sessions", "/v1/turns/x/stop"]
)
async def test_page_of_another_origin_cannot_act_with_the_cookie(
    running: Running, headers: dict[str, str], path: str
) -> None:
    async with running.client() as client:
        await client.get("/")
        refused = await client.post(path, json=HELLO, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "other_origin")


async def test_same_origin_and_bearer_requests_pass(running: Running) -> None:
    own = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    async with running.client(headers=own) as client:
        await running.say(client, HELLO)
    foreign_page = {**await bearer(running), "Origin": "https://app.example"}
    async with running.client(headers=foreign_page) as client:
        await running.say(client, HELLO)


async def test_listed_origin_may_call(tmp_path: Path) -> None:
    async with usher(tmp_path, allowed_origins=("https://app.example",)) as running:
        headers = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
        async with running.client(headers=headers) as client:
            answer = await client.post("/v1/chat", json=HELLO)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "https://app.example"
            preflight = await client.options(
                "/v1/interactions",
                headers={
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "idempotency-key,content-type",
                },
            )
            assert preflight.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "10.0.0.1", "", "[", "1.1"])
async def test_foreign_host_names_are_refused_on_loopback(running: Running, host: str) -> None:
    async with running.client() as client:
        refused = await client.get("/v1/movies/x", headers={"Host": host})
        assert (refused.status_code, refused.json()["code"]) == (421, "unknown_host")


async def test_listed_host_is_served_and_beyond_loopback_any(tmp_path: Path) -> None:
    host = {"Host": "films.example:8000"}
    async with usher(tmp_path, allowed_hosts=("films.example",)) as running:
        async with running.client() as client:
            assert (await client.get("/healthz", headers=host)).status_code == 200
    async with usher(tmp_path, host="0.0.0.0") as running, running.client() as client:
        assert (await client.get("/healthz", headers=host)).status_code == 200


async def test_host_names() -> None:
    assert hostname("[::1]:8000") == "::1"
    assert hostname("LOCALHOST:80") == "localhost"
    assert [is_loopback(name) for name in ("::1", "127.9.9.9", "usher.localhost")] == [True] * 3
    assert [is_loopback(name) for name in ("localhost.evil.example", "0.0.0.0", "")] == [False] * 3


@pytest.mark.parametrize("path", ["/", "/static/chat.js", "/v1/movies/x", "/nowhere", "/healthz"])
async def test_every_answer_has_the_security_headers(running: Running, path: str) -> None:
    async with running.client() as client:
        headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-store" if path.startswith("/v1/") else "no-cache")
