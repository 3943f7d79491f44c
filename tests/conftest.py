"""What holds for every test: no network beyond loopback, and no setting of the developer's shell.

Starts what several tests need: the DynamoDB server, the fake Bedrock, the real service on the
starter catalogue. Subprocesses are not covered: a test that starts one passes its own environment.
"""

import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.service import dynalite as dynalite_server
from faking import FakeBedrock, fake_bedrock
from infra.wiring import Services
from talking import services


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is too slow once may be the machine; what is too slow three times is us."""
    for item in items:
        if item.get_closest_marker("timed"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


def _is_loopback(host: object) -> bool:
    if host is None or host in ("localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _guard_address(address: object) -> None:
    """Raises for an address outside this machine; a path (a Unix socket) is always inside."""
    if isinstance(address, tuple) and not _is_loopback(address[0]):
        raise RuntimeError(f"a test tried to reach {address!r}: tests use loopback only")


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    connect, connect_ex, lookup = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _guard_address(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _guard_address(address)
        return connect_ex(self, address)

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        _guard_address((host,))
        return lookup(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_environment() -> Iterator[None]:
    """Removes USHER_* of the developer's shell; USHER_DATA stays, it only says where data lies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("USHER_")]:
            if name != "USHER_DATA":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def dynalite() -> Iterator[str]:
    """The address of a DynamoDB server on loopback, started once."""
    if reason := dynalite_server.why_no_server():
        pytest.skip(reason)
    with dynalite_server.server() as address:
        yield address


@pytest.fixture(scope="session")
def started_bedrock() -> Iterator[FakeBedrock]:
    with fake_bedrock() as started:
        yield started


@pytest.fixture
def bedrock(started_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch) -> FakeBedrock:
    """The fake Bedrock with nothing scripted, and the dummy credentials that botocore wants."""
    started_bedrock.reset()
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return started_bedrock


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines say which real servers the tests ran against."""
    import opensearch_node

    terminalreporter.write_line(opensearch_node.summary())
    terminalreporter.write_line(dynalite_server.summary())


@pytest.fixture
async def wired(tmp_path: Path) -> AsyncIterator[Services]:
    """The real service on the starter catalogue."""
    async with services(tmp_path) as running:
        yield running
