"""Running turns: admission, one at a time, cancel, deadline, grace, replay, edits, drain."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.assistant import Assistant, Limits, Overloaded
from agent.decide import RulesDecider
from agent.decision import Decision, DecisionContext
from agent.events import ErrorEvent, Event, Reconnect, TurnFinished
from agent.ledger import StaleEdit
from agent.turn import MAX_MESSAGE_CHARS, Edit, MessageRefused, Turn, check_message
from infra.wiring import Services
from prompts.loader import load_phrases
from talking import Talk
from tools.stores import ConversationBusy, NotFound


class Gate:
    """The rules, held until the test lets them go, or failing."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.failing = False
        self.decisions = 0

    async def decide(self, context: DecisionContext) -> Decision:
        self.decisions += 1
        await self.open.wait()
        if self.failing:
            raise RuntimeError("a bug in a decider")
        return await RulesDecider().decide(context)


def assistant(wired: Services, gate: Gate, **limits: float) -> Assistant:
    chosen = replace(Limits(), **limits)  # type: ignore[arg-type]  # max_turns is an int
    return Assistant(wired.toolbox, gate, wired.stores.conversations, load_phrases(), chosen)


async def events_of(running: Assistant, turn_id: str, after: int = 0) -> list[Event]:
    return [event async for event in running.follow("me", turn_id, after)]


def finished(events: list[Event]) -> TurnFinished:
    last = events[-1]
    assert isinstance(last, TurnFinished)
    return last


async def test_events_are_numbered_and_framed(wired: Services) -> None:
    reply = await Talk(wired.assistant).say("a funny film under 100 minutes")
    kinds = [e.type for e in reply.events]  # type: ignore[attr-defined]  # every event has a type
    assert [e.id for e in reply.events] == list(range(1, len(reply.events) + 1))
    assert kinds[0] == "turn.started"
    assert kinds[-2:] == ["usage", "turn.finished"]
    assert kinds.index("recommendations") < kinds.index("text.delta")


async def test_second_message_on_a_running_conversation_is_refused(wired: Services) -> None:
    gate = Gate()
    running = assistant(wired, gate)
    first = await running.start(Turn("me", "a comedy"))
    again = Turn("me", "a thriller", first.conversation_id)
    with pytest.raises(ConversationBusy) as busy:
        await running.start(again)
    assert busy.value.retry_after > 0
    gate.open.set()
    assert finished(await events_of(running, first.turn_id)).status == "completed"
    second = await running.start(again)
    assert second.index == 1
    assert finished(await events_of(running, second.turn_id)).status == "completed"


async def test_stop_cancels_and_keeps_the_message(wired: Services) -> None:
    gate = Gate()
    running = assistant(wired, gate)
    record = await running.start(Turn("me", "a comedy"))
    reading = asyncio.create_task(events_of(running, record.turn_id))
    await asyncio.sleep(0.05)
    await running.stop("me", record.turn_id)
    assert finished(await reading).status == "cancelled"
    stored = await wired.stores.conversations.load("me", record.conversation_id)
    assert [(t.message, t.status) for t in stored.turns] == [("a comedy", "cancelled")]
    assert stored.running_turn is None


async def test_deadline_ends_the_turn_with_an_error(wired: Services) -> None:
    running = assistant(wired, Gate(), deadline_s=0.1)
    record = await running.start(Turn("me", "a comedy"))
    events = await events_of(running, record.turn_id)
    error = next(e for e in events if isinstance(e, ErrorEvent))
    assert (error.code, error.retryable) == ("deadline", True)
    assert finished(events).status == "failed"


async def test_a_bug_ends_in_events_not_in_silence(wired: Services) -> None:
    gate = Gate()
    gate.failing = True
    gate.open.set()
    running = assistant(wired, gate)
    record = await running.start(Turn("me", "a comedy"))
    events = await events_of(running, record.turn_id)
    error = next(e for e in events if isinstance(e, ErrorEvent))
    assert error.code == "internal"
    assert "RuntimeError" not in error.message
    assert finished(events).status == "failed"


async def test_nobody_reading_cancels_after_the_grace_period(wired: Services) -> None:
    running = assistant(wired, Gate(), grace_s=0.1)
    record = await running.start(Turn("me", "a comedy"))
    reader = running.follow("me", record.turn_id)
    await anext(reader)
    await reader.aclose()  # type: ignore[attr-defined]  # an async generator
    async with asyncio.timeout(5):
        while running.running:
            await asyncio.sleep(0.02)
    stored = await wired.stores.conversations.turn("me", record.turn_id)
    assert stored.status == "cancelled"


async def test_a_reader_who_returns_within_grace_keeps_the_turn(wired: Services) -> None:
    gate = Gate()
    running = assistant(wired, gate, grace_s=0.5)
    record = await running.start(Turn("me", "a comedy"))
    reader = running.follow("me", record.turn_id)
    first = await anext(reader)
    await reader.aclose()  # type: ignore[attr-defined]  # an async generator
    resumed = asyncio.create_task(events_of(running, record.turn_id, first.id))
    await asyncio.sleep(0.8)
    gate.open.set()
    events = await resumed
    assert events[0].id == first.id + 1
    assert finished(events).status == "completed"


async def test_replay_after_a_restart_is_exact(wired: Services, tmp_path: Path) -> None:
    running = assistant(wired, Gate())
    reply = await Talk(wired.assistant, "me").say("a comedy")
    turn_id = reply.events[0].turn_id
    assert await events_of(running, turn_id) == reply.events
    assert await events_of(running, turn_id, 3) == reply.events[3:]


async def test_somebody_elses_turn_is_not_found(wired: Services) -> None:
    gate = Gate()
    running = assistant(wired, gate)
    record = await running.start(Turn("me", "a comedy"))
    for action in (
        running.stop("you", record.turn_id),
        anext(running.follow("you", record.turn_id)),
    ):
        with pytest.raises(NotFound):
            await action
    with pytest.raises(NotFound):
        await running.start(Turn("you", "hello", record.conversation_id))
    gate.open.set()
    assert finished(await events_of(running, record.turn_id)).status == "completed"


async def test_cap_and_drain_refuse_at_once(wired: Services) -> None:
    gate = Gate()
    running = assistant(wired, gate, max_turns=1)
    record = await running.start(Turn("me", "a comedy"))
    with pytest.raises(Overloaded):
        await running.start(Turn("me", "another"))
    reading = asyncio.create_task(events_of(running, record.turn_id))
    await asyncio.sleep(0.05)
    await running.drain(0.05)
    events = await reading
    assert isinstance(events[-1], Reconnect)
    with pytest.raises(Overloaded):
        await running.start(Turn("me", "a comedy"))
    stored = await wired.stores.conversations.turn("me", record.turn_id)
    assert stored.status == "cancelled"


async def test_edits_must_name_the_ledger_as_it_is(wired: Services) -> None:
    chat = Talk(wired.assistant)
    await chat.say("a comedy from the 80s")
    first = chat.replies[-1].events
    ledger = next(e for e in first if e.type == "ledger")  # type: ignore[attr-defined]
    entry = ledger.entries[0]  # type: ignore[attr-defined]
    with pytest.raises(StaleEdit):
        await chat.say("x", Edit(op="remove", entry_id=entry.id, ledger_version=99))
    with pytest.raises(StaleEdit):
        await chat.say("x", Edit(op="remove", entry_id="e99", ledger_version=1))
    reply = await chat.say("ignored", Edit(op="remove", entry_id=entry.id, ledger_version=1))
    assert entry.label not in reply.labels
    assert len(reply.labels) == 1
    assert reply.cards


async def test_remove_text_is_exactly_the_edit(wired: Services) -> None:
    chat = Talk(wired.assistant)
    first = await chat.say("a horror film from the 80s without zombies, not with Tom Hanks")
    entries = next(e for e in first.events if e.type == "ledger").entries  # type: ignore[attr-defined]
    assert len(entries) == 4
    for n, entry in enumerate(entries):
        reply = await chat.say(entry.remove_text)
        kept = [e.label for e in entries[n + 1 :]]
        assert reply.labels == kept


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_messages_are_refused_with_words_or_accepted(message: str) -> None:
    try:
        check_message(message, has_edits=False)
    except MessageRefused as refused:
        assert refused.code in ("empty_message", "message_too_long", "not_text")


@pytest.mark.parametrize(
    "message", ["", "   ", "a" * (MAX_MESSAGE_CHARS + 1), "a\x00b", "\x01\x02\x03\x04\x05\x06"]
)
def test_what_no_answer_can_be_given_to_is_refused(message: str) -> None:
    with pytest.raises(MessageRefused):
        check_message(message, has_edits=False)
