"""The one seam every surface uses: a turn goes in, its events come out.

Knows how a turn is admitted, run in its own task under one deadline, followed, stopped, saved and,
when nobody reads it any more, cancelled. Does not know HTTP, Slack or the terminal, nor what the
graph does. Iterating the graph inside an HTTP response leaks the upstream stream when the client
leaves; a task of its own does not (research/agent-stack.md 2d).
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agent.decision import Decider
from agent.event_log import EventLog
from agent.events import (
    EVENT,
    Act,
    AnyEvent,
    ErrorEvent,
    Event,
    Reconnect,
    TurnFinished,
    TurnStarted,
    Usage,
)
from agent.graph import build_graph, run_graph
from agent.ledger import StaleEdit
from agent.model_decider import HISTORY_TURNS, ModelDecider
from agent.model_turn import ModelTurn
from agent.state import Deps, TurnState
from agent.turn import DialogueState, Turn, check_message
from prompts.loader import Phrases
from retrieval.index import IndexFailure, IndexUnavailable
from tools.stores import (
    Conversation,
    ConversationStore,
    NotFound,
    StoreFailure,
    TurnRecord,
    TurnSuperseded,
)
from tools.toolbox import Toolbox

logger = logging.getLogger(__name__)

LEASE_MARGIN_S = 5.0
"""Added to deadline and grace: a live process always finishes before its lease is over."""
RECONNECT_AFTER_MS = 1000


class Overloaded(Exception):
    """Too many turns are running, or the server is going away."""

    def __init__(self, retry_after: float, message: str) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many, in seconds and turns."""

    deadline_s: float = 20.0
    grace_s: float = 10.0
    """How long a turn goes on when nobody reads it."""
    max_turns: int = 64


@dataclass
class _Running:
    principal: str
    record: TurnRecord
    log: EventLog
    before: DialogueState
    task: asyncio.Task[None] | None = None
    readers: int = 0
    abandon: asyncio.TimerHandle | None = None
    history: tuple[tuple[str, str], ...] = ()
    """Earlier turns, oldest first: what was said and answered."""
    model: ModelTurn | None = None
    result: TurnState = field(default_factory=lambda: TurnState())


class Assistant:
    """Runs turns. One per process."""

    def __init__(
        self,
        toolbox: Toolbox,
        decider: Decider,
        conversations: ConversationStore,
        phrases: Phrases,
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._toolbox = toolbox
        self._decider = decider
        self._models = decider.models if isinstance(decider, ModelDecider) else None
        self._conversations = conversations
        self._phrases = phrases
        self._limits = limits or Limits()
        self._now = now
        self._graph = build_graph()
        self._live: dict[str, _Running] = {}
        self._draining = False

    @property
    def running(self) -> int:
        """How many turns run now."""
        return len(self._live)

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Start a turn and follow it. Raises what `start` raises."""
        record = await self.start(turn)
        async for event in self.follow(turn.principal, record.turn_id):
            yield event

    async def start(self, turn: Turn) -> TurnRecord:
        """Save the user's message and start answering it.

        Raises: MessageRefused, ConversationBusy, NotFound, StaleEdit, Overloaded, StoreFailure.
        """
        check_message(turn.message, bool(turn.edits))
        if self._draining:
            raise Overloaded(2.0, "the server is restarting; try again in 2 s")
        if len(self._live) >= self._limits.max_turns:
            raise Overloaded(1.0, "too many messages are being answered; try again in 1 s")
        await self._check_edits(turn)
        conversation, record = await self._begin(turn)
        before = DialogueState.from_json(dict(conversation.state))
        history = tuple((t.message, t.answer) for t in conversation.turns[-HISTORY_TURNS:])
        running = _Running(turn.principal, record, EventLog(record.turn_id), before)
        running.history = history
        self._live[record.turn_id] = running
        running.log.emit(TurnStarted, conversation_id=record.conversation_id)
        running.task = asyncio.create_task(self._run(running, turn))
        self._watch(running)
        return record

    async def follow(self, principal: str, turn_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Events with an id greater than `after`: live, or from the store for an ended turn.

        Raises: NotFound.
        """
        running = self._live.get(turn_id)
        if running is None or running.principal != principal:
            async for stored in self._replay(principal, turn_id, after):
                yield stored
            return
        running.readers += 1
        if running.abandon:
            running.abandon.cancel()
        try:
            async for event in running.log.read(after):
                after = event.id
                yield event
            if not running.log.closed:
                yield Reconnect(id=max(after, 1), turn_id=turn_id, after_ms=RECONNECT_AFTER_MS)
        finally:
            running.readers -= 1
            self._watch(running)

    async def stop(self, principal: str, turn_id: str) -> None:
        """Cancel a running turn; an ended one stays as it is. Raises: NotFound."""
        running = self._live.get(turn_id)
        if running is None or running.principal != principal:
            await self._conversations.turn(principal, turn_id)
            return
        if running.task:
            running.task.cancel()

    async def drain(self, grace_s: float) -> None:
        """Refuse new turns, send readers off, let turns end for a while, then cancel them."""
        self._draining = True
        for running in self._live.values():
            running.log.dismiss()
        tasks = [r.task for r in self._live.values() if r.task]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # --- starting ---------------------------------------------------------------------------------

    async def _check_edits(self, turn: Turn) -> None:
        """An edit must name the ledger as it is now; the lease taken next keeps it so."""
        if not turn.edits:
            return
        if turn.conversation_id is None:
            raise StaleEdit("an edit needs the conversation it belongs to")
        stored = await self._conversations.load(turn.principal, turn.conversation_id)
        ledger = DialogueState.from_json(dict(stored.state)).ledger
        known = {entry.id for entry in ledger.entries}
        for edit in turn.edits:
            if edit.ledger_version != ledger.version or edit.entry_id not in known:
                raise StaleEdit(
                    f"the ledger is at version {ledger.version} and has "
                    f"{', '.join(sorted(known)) or 'no entries'}; reload the conversation"
                )

    async def _begin(self, turn: Turn) -> tuple[Conversation, TurnRecord]:
        now = self._now()
        record = TurnRecord(
            turn_id=f"t_{uuid.uuid4().hex}",
            conversation_id=turn.conversation_id or f"c_{uuid.uuid4().hex}",
            index=0 if turn.conversation_id is None else 1,
            message=turn.message,
            status="running",
            started_at=now,
            edits=tuple(edit.model_dump() for edit in turn.edits),
        )
        lease = now + self._limits.deadline_s + self._limits.grace_s + LEASE_MARGIN_S
        conversation = await self._conversations.begin_turn(
            turn.principal, record, lease_until=lease, now=now
        )
        return conversation, replace(record, index=len(conversation.turns))

    # --- running ----------------------------------------------------------------------------------

    async def _run(self, running: _Running, turn: Turn) -> None:
        """The turn's own task: everything that goes wrong ends in events, never in silence."""
        status: Literal["completed", "cancelled", "failed"] = "completed"
        error: tuple[str, str, bool] | None = None
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                await self._answer(running, turn)
        except asyncio.CancelledError:
            status = "cancelled"
        except TimeoutError:
            status = "failed"
            error = ("deadline", "this took too long; please try again", True)
        except StaleEdit as stale:
            status, error = "failed", ("stale_edit", str(stale), False)
        except StoreFailure as failure:
            status, error = "failed", ("store", str(failure), True)
        except IndexFailure as failure:
            # Whoever runs the service reads where and why; a visitor need not know addresses.
            logger.error("turn %s: %s", running.record.turn_id, failure)
            again = isinstance(failure, IndexUnavailable)
            hint = "please try again in a moment" if again else "please come back later"
            status, error = "failed", ("index", f"the films cannot be searched now; {hint}", again)
        except Exception:  # the edge of a turn: its reader gets an end, the service goes on
            logger.exception("turn %s failed", running.record.turn_id)
            status = "failed"
            error = ("internal", "something went wrong on our side; please try again", True)
        await asyncio.shield(asyncio.ensure_future(self._finish(running, status, error)))

    async def _answer(self, running: _Running, turn: Turn) -> None:
        if self._models is not None:
            running.model = self._models.turn(turn.principal, self._limits.deadline_s)
        log = running.log
        deps = Deps(self._toolbox, self._decider, self._phrases, log.emit, running.model)
        state: TurnState = {
            "turn": turn,
            "turn_id": running.record.turn_id,
            "before": running.before,
            "history": running.history,
        }
        running.result = await run_graph(self._graph, state, deps)

    async def _finish(
        self,
        running: _Running,
        status: Literal["completed", "cancelled", "failed"],
        error: tuple[str, str, bool] | None,
    ) -> None:
        """Save first, then send the last events: a client that saw the end can rely on it."""
        log = running.log
        last = self._last_events(running, status, error)
        record = replace(
            running.record,
            status=status,
            finished_at=self._now(),
            answer=log.text(),
            events=[*log.as_json(), *(event.model_dump(mode="json") for event in last)],
        )
        after = running.result.get("after")
        try:
            if running.model is not None:
                await running.model.settle()
            state = after.to_json() if after is not None and status == "completed" else None
            await self._conversations.finish_turn(running.principal, record, state)
        except TurnSuperseded:
            logger.warning("turn %s was taken over; its answer is not saved", record.turn_id)
        except StoreFailure as failure:
            logger.error("turn %s could not be saved: %s", record.turn_id, failure)
            last = self._last_events(running, "failed", ("store", str(failure), True))
        finally:
            log.append(last)
            log.close()
            self._live.pop(record.turn_id, None)

    def _last_events(
        self,
        running: _Running,
        status: Literal["completed", "cancelled", "failed"],
        error: tuple[str, str, bool] | None,
    ) -> list[Event]:
        log, result, model = running.log, running.result, running.model
        decision = result.get("decision")
        acts: list[Act] = list(decision.acts) if decision else []
        last: list[Event] = []
        if error is not None:
            code, message, retryable = error
            last.append(log.draft(ErrorEvent, code=code, message=message, retryable=retryable))
        last.append(log.draft(Usage, offset=len(last), **_usage(model)))
        finished: dict[str, Any] = {
            "status": status,
            "acts": acts,
            "degraded": bool(result.get("degraded", False) or (model and model.degraded)),
            "timings": result.get("timings", {}),
            "prompt_shas": {"phrases": self._phrases.sha, **(model.shas if model else {})},
            "notes": model.notes if model else [],
        }
        last.append(log.draft(TurnFinished, offset=len(last), **finished))
        return last

    # --- reading ----------------------------------------------------------------------------------

    def _watch(self, running: _Running) -> None:
        """With no reader left, cancel the turn after the grace period."""
        if running.readers or running.log.closed or running.task is None:
            return
        loop = asyncio.get_running_loop()
        running.abandon = loop.call_later(self._limits.grace_s, running.task.cancel)

    async def _replay(self, principal: str, turn_id: str, after: int) -> AsyncIterator[AnyEvent]:
        record = await self._conversations.turn(principal, turn_id)
        if record.status == "running":
            raise NotFound(
                f"turn {turn_id} runs in another process or was lost; load the conversation instead"
            )
        for stored in record.events:
            event = EVENT.validate_python(dict(stored))
            if event.id > after:
                yield event


def _usage(model: ModelTurn | None) -> dict[str, Any]:
    """What the models of a turn used."""
    if model is None:
        return {}
    total = model.meter.total
    return {
        "input_tokens": total.input,
        "output_tokens": total.output,
        "cache_read_tokens": total.cache_read,
        "cache_write_tokens": total.cache_write,
        "cost": model.cost(),
    }
