"""The table from our errors to HTTP: each has a status, a code and, where it helps, a wait."""

import inspect
from pathlib import Path

import httpx
import pytest
from starlette.exceptions import HTTPException

from agent.assistant import Overloaded
from agent.turn import MessageRefused
from infra.api.problems import Problem, response, translate
from retrieval import index
from serving import usher
from tools import stores
from tools.stores import ConversationBusy, NotFound, QuotaExceeded, RecordTooLarge, StoreUnavailable
from tools.toolbox import Toolbox

KNOWN: list[tuple[Exception, int, str, str | None]] = [
    (NotFound("there is no turn"), 404, "not_found", None),
    (ConversationBusy(12.4), 409, "conversation_busy", "13"),
    (ConversationBusy(0.1), 409, "conversation_busy", "1"),
    (RecordTooLarge("too large"), 413, "record_too_large", None),
    (MessageRefused("empty_message", "say something"), 422, "empty_message", None),
    (QuotaExceeded("turns", 30), 429, "quota_exceeded", "30"),
    (Overloaded(2.0, "too many"), 503, "overloaded", "2"),
    (StoreUnavailable("the disk is full"), 503, "store_unavailable", "5"),
    (index.IndexCorrupt("build it again"), 503, "index_unavailable", "5"),
    (HTTPException(405, headers={"Allow": "GET"}), 405, "method_not_allowed", None),
    (ZeroDivisionError("of the inside"), 500, "internal", None),
]


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"), KNOWN, ids=[f"{type(one[0]).__name__}" for one in KNOWN]
)
def test_error_becomes_a_problem(
    error: Exception, status: int, code: str, wait: str | None
) -> None:
    answer = response(translate(error))
    problem = Problem.model_validate_json(bytes(answer.body))
    assert answer.media_type == "application/problem+json"
    assert (answer.status_code, problem.status, problem.code) == (status, status, code)
    assert answer.headers.get("retry-after") == wait
    assert problem.detail[0].isupper()
    assert "of the inside" not in problem.detail


def errors_of(module: object) -> list[type[Exception]]:
    kinds = (kind for _, kind in inspect.getmembers(module, inspect.isclass))
    return [kind for kind in kinds if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", [*errors_of(stores), *errors_of(index)])
def test_every_error_of_a_port_is_in_the_table(kind: type[Exception]) -> None:
    error = kind.__new__(kind, "x")
    assert translate(error).status != 500


async def test_unexpected_error_is_a_500_that_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Toolbox, movie_id: str) -> None:
        raise ZeroDivisionError("of the inside")

    monkeypatch.setattr(Toolbox, "movie", broken)
    async with usher(tmp_path) as running:
        transport = httpx.ASGITransport(running.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/v1/movies/x")
            counted = (await client.get("/metrics")).text
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inside" not in answer.text
    assert 'usher_errors_total{code="internal"} 1.0' in counted
