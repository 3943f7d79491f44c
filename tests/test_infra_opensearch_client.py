"""The client of OpenSearch: addresses, and requests signed as AWS checks them, at the wire."""

import asyncio
import datetime
import hashlib
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.opensearch_client import Address, address_of, connect
from infra.settings import SettingProblem, Settings, load, rows
from retrieval.opensearch_index import Server

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token=="


def settings(url: str | None, **more: Any) -> Settings:
    return load(index="opensearch", opensearch_url=url, **more)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9200", ("127.0.0.1", 9200, False, "none", None)),
        ("https://u:p%40ss@search.example.org", ("search.example.org", 443, True, "basic", None)),
        (
            "https://vpc-x-abc.eu-central-1.es.amazonaws.com",
            ("vpc-x-abc.eu-central-1.es.amazonaws.com", 443, True, "es", "eu-central-1"),
        ),
        (
            "https://abc.us-gov-west-1.aoss.amazonaws.com",
            ("abc.us-gov-west-1.aoss.amazonaws.com", 443, True, "aoss", "us-gov-west-1"),
        ),
    ],
)
def test_an_address_tells_how_it_is_spoken_to(url: str, expected: tuple[Any, ...]) -> None:
    found = address_of(settings(url))
    assert (found.host, found.port, found.tls, found.auth, found.region) == expected
    assert found.serverless == (expected[3] == "aoss")


def test_credentials_in_an_address_are_used_and_never_shown() -> None:
    given = settings("https://u:p%40ss@search.example.org:9443/path/")
    found = address_of(given)
    assert (found.user, found.password, found.path) == ("u", "p@ss", "/path")
    assert found.shown == "https://search.example.org:9443/path"
    assert not any("p%40ss" in row.value or "p@ss" in row.value for row in rows(given))


@pytest.mark.parametrize("url", [None, "", "localhost:9200", "ftp://x", "http://", "http://h:x"])
def test_a_wrong_address_names_the_setting(url: str | None) -> None:
    with pytest.raises(SettingProblem, match=r"^USHER_OPENSEARCH_URL: "):
        address_of(settings(url))


def test_basic_needs_a_user_and_signing_needs_a_region_and_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(SettingProblem, match="user:password"):
        address_of(settings("https://host", opensearch_auth="basic"))
    with pytest.raises(SettingProblem, match="^USHER_AWS_REGION: "):
        connect(address_of(settings("https://host", opensearch_auth="es")))
    given = settings("https://host", opensearch_auth="es", aws_region="eu-west-3")
    assert address_of(given).region == "eu-west-3"
    with pytest.raises(SettingProblem, match="USHER_OPENSEARCH_AUTH"):  # no credentials, that is
        connect(address_of(given))
    with pytest.raises(SettingProblem, match="USHER_OPENSEARCH_AUTH"):
        connect(address_of(settings("https://x.eu-west-1.es.amazonaws.com")))


@pytest.mark.parametrize("service", ["es", "aoss"])
async def test_requests_are_signed_so_that_aws_would_take_them(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    taken: list[tuple[str, dict[str, str], bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        taken.append((first, headers, body))
        answer = b'{"ok": true}'
        kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
        writer.write(kind + str(len(answer)).encode() + b"\r\nconnection: close\r\n\r\n" + answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    address = Address("127.0.0.1", port, False, "", service, "eu-west-1")  # type: ignore[arg-type]
    to = Server(connect(address), address.shown)
    lines = '{}\n{"query":{"match_all":{}}}\n'
    path, query = "/usher-000001-0123abcd/_msearch", {"filter_path": "responses.hits,took"}
    assert await to.send("POST", path, lines, query) == {"ok": True}
    assert await to.send("POST", "/x/_search", {"query": {"terms": {"a": ["é"]}}}) == {"ok": True}
    await to.close()
    listening.close()
    for first, headers, body in taken:
        assert expected_signature(first, headers, body, service) == headers["authorization"]
        assert headers["x-amz-security-token"] == TOKEN
        assert headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
    assert taken[0][2].decode() == lines and "application/x-ndjson" in taken[0][1]["content-type"]


def expected_signature(first: str, headers: dict[str, str], body: bytes, service: str) -> str:
    """What AWS computes from what arrived."""
    method, target, _ = first.split(" ")
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method=method, url=f"http://{headers['host']}{target}", data=body)
    for name in signed:
        if name != "host":
            request.headers[name] = headers[name]
    signer = SigV4Auth(Credentials(KEY, SECRET, TOKEN), service, "eu-west-1")
    at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    scope = signer.scope(request)
    return (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(signed)}, "
        f"Signature={signature}"
    )
