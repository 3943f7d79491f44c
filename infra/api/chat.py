"""Talking to the assistant over HTTP: a message in, its events out as server-sent events.

Knows the chat, turn and conversation routes. Does not know how a turn is answered: it starts one
and reads its log through agent.assistant, so that a lost connection never loses a turn. Mounted by
app.py.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, cast

import anyio
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.events import Event, Reconnect, to_json
from agent.turn import Edit, Turn
from infra.api.bodies import documented_body, json_body
from infra.api.health import Metrics
from infra.api.problems import Refused, documented
from infra.api.sessions import Principal
from infra.wiring import Services
from tools.stores import Conversation, NotFound, TurnRecord, TurnStatus

PING_S = 15
"""A comment line this often keeps proxies from closing a quiet stream."""
SEND_TIMEOUT_S = 20.0
"""A reader that takes nothing for this long is cut; it may come back with Last-Event-ID."""
ELSEWHERE_MS = 2000
"""How soon to ask again for a turn that this process does not know as running."""
MAX_EDITS = 20

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `id:` is the event's id, `event:` its type, `data:` "
        "it as flat JSON. A comment line every 15 s keeps the connection open.",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/AnyEvent"}}},
    }
}


class ChatRequest(BaseModel):
    """One message. `edits` change the ledger directly and win over the text."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    message: str
    """What the person says, at most 2,000 characters; may be empty when there are edits."""
    conversation_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The conversation to go on with; without it a new one begins."""
    edits: Annotated[list[Edit], Field(max_length=MAX_EDITS)] = []


SentChat = Annotated[ChatRequest, json_body(ChatRequest)]


class TurnBody(BaseModel):
    """One turn of a conversation; `events` are those of its stream."""

    turn_id: str
    index: int
    message: str
    status: TurnStatus
    started_at: float
    finished_at: float | None
    answer: str
    edits: list[dict[str, Any]]
    events: list[dict[str, Any]]


class ConversationBody(BaseModel):
    """A conversation with its turns, oldest first."""

    conversation_id: str
    created_at: float
    running_turn: str | None
    """Follow it at /v1/turns/{id}/events."""
    turns: list[TurnBody]


class Streams:
    """Makes the responses that carry events, and lets them end well when the service stops."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self._services = services
        self._metrics = metrics
        self.stopping = anyio.Event()
        """Set by sse-starlette when the server is told to stop; app.py then drains the turns."""

    def response(
        self, principal: str, turn_id: str, after: int = 0, since: float | None = None
    ) -> Response:
        """The events of a turn with an id above `after`; `since` is when its message came in."""
        return EventSourceResponse(
            self._encoded(principal, turn_id, after, since),
            headers={"Location": f"/v1/turns/{turn_id}/events"},
            ping=PING_S,
            sep="\n",
            send_timeout=SEND_TIMEOUT_S,
            shutdown_event=self.stopping,
            # The assistant ends every stream within its own grace; this only bounds a hanging one.
            shutdown_grace_period=self._services.settings.drain_s + 2,
        )

    async def _encoded(
        self, principal: str, turn_id: str, after: int, since: float | None
    ) -> AsyncIterator[ServerSentEvent]:
        following = self._services.assistant.follow(principal, turn_id, after)
        try:
            # Closing tells the assistant that this reader left.
            async with aclosing(cast(AsyncGenerator[Event, None], following)) as events:
                async for event in events:
                    self._metrics.seen(event, None if since is None else time.monotonic() - since)
                    yield encode(event)
        except NotFound:
            # It runs in another process, or did until that was killed: the store knows more later.
            yield encode(Reconnect(id=max(after, 1), turn_id=turn_id, after_ms=ELSEWHERE_MS))


def encode(event: Event) -> ServerSentEvent:
    """One event of the union as a server-sent event."""
    flat = to_json(event)
    data = json.dumps(flat, ensure_ascii=False, separators=(",", ":"))
    # A reconnect is not in the log: its id must not become a client's Last-Event-ID.
    number = None if isinstance(event, Reconnect) else str(event.id)
    return ServerSentEvent(data, id=number, event=flat["type"], sep="\n")


def router(services: Services, streams: Streams) -> APIRouter:
    """The routes, bound to the services."""
    routes = APIRouter(prefix="/v1", tags=["chat"])
    _add_chat(routes, services, streams)
    _add_turns(routes, services, streams)
    _add_conversations(routes, services)
    return routes


def _add_chat(routes: APIRouter, services: Services, streams: Streams) -> None:
    @routes.post(
        "/chat",
        response_class=EventSourceResponse,
        responses={**EVENT_STREAM, **documented(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
        openapi_extra=documented_body(ChatRequest),
    )
    async def chat(principal: Principal, body: SentChat) -> Response:
        """Say something; the answer streams back as events.

        After a cut, resume at the address in `Location` with the Last-Event-ID. While a turn runs,
        a second message of the same conversation is refused with 409 and Retry-After.
        """
        since = time.monotonic()
        turn = Turn(principal, body.message, body.conversation_id, tuple(body.edits))
        record = await services.assistant.start(turn)
        return streams.response(principal, record.turn_id, since=since)


def _add_turns(routes: APIRouter, services: Services, streams: Streams) -> None:
    @routes.get(
        "/turns/{turn_id}/events",
        response_class=EventSourceResponse,
        responses={**EVENT_STREAM, **documented(401, 404, 410, 422, 429, 503)},
    )
    async def events(
        principal: Principal,
        turn_id: str,
        after: Annotated[int | None, Query(ge=0, description="Only events above this id.")] = None,
        last_event_id: Annotated[
            str | None, Header(description="The same, as browsers send it.")
        ] = None,
    ) -> Response:
        """Follow a running turn or replay a finished one, from any event on."""
        start = after if after is not None else _event_number(last_event_id)
        await _check_alive(services, principal, turn_id)
        return streams.response(principal, turn_id, start)

    @routes.post(
        "/turns/{turn_id}/stop", status_code=204, responses=documented(401, 403, 404, 429, 503)
    )
    async def stop(principal: Principal, turn_id: str) -> None:
        """Stop a running turn; what was said so far is kept. A finished turn stays as it is."""
        await services.assistant.stop(principal, turn_id)


async def _check_alive(services: Services, principal: str, turn_id: str) -> None:
    """Refuse a turn that still counts as running although the process that ran it is gone."""
    conversations = services.stores.conversations
    record = await conversations.turn(principal, turn_id)
    if record.status != "running":
        return
    head = await conversations.load(principal, record.conversation_id)
    if head.running_turn == turn_id and head.lease_until <= time.time():
        raise Refused(
            410,
            "turn_lost",
            "The answer was lost when the service stopped: send the message again.",
        )


def _event_number(last_event_id: str | None) -> int:
    if not last_event_id:
        return 0
    if not (last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 10):
        raise Refused(422, "bad_event_id", "Last-Event-ID must be the id of an event: a number.")
    return int(last_event_id)


def _add_conversations(routes: APIRouter, services: Services) -> None:
    store = services.stores.conversations

    @routes.get("/conversations/{conversation_id}", responses=documented(401, 404, 429, 503))
    async def load(principal: Principal, conversation_id: str) -> ConversationBody:
        """A conversation with all its turns."""
        return _conversation(await store.load(principal, conversation_id))

    @routes.delete(
        "/conversations/{conversation_id}",
        status_code=204,
        responses=documented(401, 403, 404, 429, 503),
    )
    async def delete(principal: Principal, conversation_id: str) -> None:
        """Erase a conversation and its turns; a running one is stopped and not saved."""
        running = (await store.load(principal, conversation_id)).running_turn
        await store.delete(principal, conversation_id)
        if running is not None:
            await _stop_quietly(services, principal, running)


async def _stop_quietly(services: Services, principal: str, turn_id: str) -> None:
    try:
        await services.assistant.stop(principal, turn_id)
    except NotFound:
        return  # it ran in another process, which will find its conversation gone


def _conversation(conversation: Conversation) -> ConversationBody:
    return ConversationBody(
        conversation_id=conversation.conversation_id,
        created_at=conversation.created_at,
        running_turn=conversation.running_turn,
        turns=[_turn(turn) for turn in conversation.turns],
    )


def _turn(turn: TurnRecord) -> TurnBody:
    return TurnBody(
        turn_id=turn.turn_id,
        index=turn.index,
        message=turn.message,
        status=turn.status,
        started_at=turn.started_at,
        finished_at=turn.finished_at,
        answer=turn.answer,
        edits=[dict(edit) for edit in turn.edits],
        events=[dict(event) for event in turn.events],
    )
