"""When models fail: every turn ends with a grounded answer or a typed error inside its deadline.

The fault matrix over the fake Bedrock: each fault in deciding, in speaking and in both. A sample
runs with every test run, all 25 seeds with the slow ones. `pytest -s` prints the figures.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.events import ErrorEvent, TextDelta, TurnFinished
from agent.model_decider import ModelDecider
from agent.turn import Turn
from faking import LARGE, SMALL, FakeBedrock
from infra.wiring import Services
from modelled import model_settings, plan, says, search_plan
from talking import Reply, services

DEADLINE_S = 4.0
SLACK_S = 1.0
"""A busy machine; the deadline itself is enforced by the event loop."""
CLOSED_WITHIN_S = 0.25
SEEDS = 25
GOOD_PLAN = search_plan(query="heist")
GOOD_TEXT = says("I would start with the first of these. It is quick and warm.", piece=6)
LONG = says("Ocean's Eleven is a joy to watch. " * 12, piece=8)
INVENTED = ("The Crimson Paradox", "Zorblax Rising")
TITLES = [f"{title} (2019)" for title in INVENTED]
WRONG_CALL = {"name": "details", "input": {"movie": 7, "user": "root"}}

Step = dict[str, Any]
FAULTS: dict[str, tuple[list[Step], list[Step]]] = {
    # name: what deciding gets, what speaking gets
    "refuse": ([{"fault": "refuse"}], [{"fault": "refuse"}]),
    "time-out": ([{"fault": "hang"}], [{"fault": "hang"}]),
    "slow drip": ([GOOD_PLAN | {"fault": "drip"}], [LONG | {"fault": "drip"}]),
    "429": ([{"status": 429}], [{"status": 429}]),
    "5xx": ([{"status": 500}], [{"status": 503}]),
    "reset": ([GOOD_PLAN | {"fault": "reset"}], [LONG | {"fault": "reset", "after": 8}]),
    "exception": (
        [GOOD_PLAN | {"fault": "exception", "after": 0}],
        [LONG | {"fault": "exception", "after": 9}],
    ),
    "garbage JSON": (
        [{"tools": [{"name": "answer", "raw": '{"acts": ["sear'}]}],
        [says('{"acts": ["search"], "titles": [')],
    ),
    "plain text": ([says("I would rather chat about the weather.")], [says("Sure thing.")]),
    "empty": ([says("")], [says("")]),
    "hallucinated": (
        [search_plan(titles=TITLES)],
        [says(f"Watch {INVENTED[0]} (2019). {INVENTED[1]} is my favourite.")],
    ),
    "wrong arguments": (
        [plan("inform", look_up=True), {"tools": [WRONG_CALL, WRONG_CALL | {"name": "record"}]}],
        [{"tools": [WRONG_CALL]}],
    ),
}
MESSAGES = (
    "a clever heist film please",
    "something like Heat but shorter",
    "no horror, under two hours",
    "what is Alien about?",
    "etwas Lustiges für heute Abend",
    "surprise me",
    "a sad film from the 80s with a dog",
)


@pytest.fixture
async def wired(tmp_path: Path, bedrock: FakeBedrock) -> AsyncIterator[Services]:
    settings = model_settings(
        bedrock,
        turn_deadline_s=DEADLINE_S,
        model_first_s=0.8,
        model_idle_s=0.7,
        explain_s=0.5,
    )
    async with services(tmp_path, **settings) as started:
        yield started


def forgive(wired: Services) -> None:
    """Breakers closed: each batch meets its fault anew."""
    decider = wired.assistant._decider
    assert isinstance(decider, ModelDecider)
    for ladder in (decider.models.decide, decider.models.respond):
        for rung in ladder.rungs:
            rung.breaker.failures = 0


async def turn(wired: Services, seed: int) -> tuple[Reply, float]:
    message = random.Random(seed).choice(MESSAGES)
    started = time.monotonic()
    asked = Turn(f"p{seed}", message)
    reply = Reply([event async for event in wired.assistant.reply(asked)])
    return reply, time.monotonic() - started


def check(reply: Reply, seconds: float) -> str:
    """What became of a turn; fails when that is not fit for people."""
    finished = reply.events[-1]
    assert isinstance(finished, TurnFinished), "the stream broke off"
    assert seconds <= DEADLINE_S + SLACK_S, f"{seconds:.1f} s"
    errors = [e for e in reply.events if isinstance(e, ErrorEvent)]
    assert all(error.code == "deadline" for error in errors), errors
    if not errors:
        assert finished.status == "completed" and (reply.text or reply.question)
    for trace in (*INVENTED, "Traceback", "Exception", "botocore", "{"):
        assert trace not in reply.text, reply.text
    assert not set(reply.titles) & set(INVENTED)
    return "error" if errors else "degraded" if finished.degraded else "whole"


async def batch(wired: Services, bedrock: FakeBedrock, fault: str, seeds: range) -> list[str]:
    """Some turns at once, with the fault in deciding, in speaking or in both."""
    found: list[str] = []
    deciding, speaking = FAULTS[fault]
    for where in ("decide", "respond", "both"):
        forgive(wired)
        bedrock.reset()
        of_decide = deciding if where != "respond" else [GOOD_PLAN]
        of_respond = speaking if where != "decide" else [GOOD_TEXT]
        bedrock.script(*of_decide[:-1], model=SMALL)
        bedrock.always(of_decide[-1], model=SMALL)
        bedrock.always(of_respond[-1], model=LARGE)
        chosen = [s for s in seeds if s % 3 == ("decide", "respond", "both").index(where)]
        replies = await asyncio.gather(*(turn(wired, seed) for seed in chosen))
        found += [check(reply, seconds) for reply, seconds in replies]
        await settled(bedrock)
    return found


async def settled(bedrock: FakeBedrock) -> None:
    """Nothing upstream outlives its turn."""
    await asyncio.sleep(CLOSED_WITHIN_S)
    assert "running" not in {call["outcome"] for call in bedrock.log}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_sample_of_the_fault_matrix(
    wired: Services, bedrock: FakeBedrock, fault: str
) -> None:
    assert len(await batch(wired, bedrock, fault, range(3))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_fault_matrix(wired: Services, bedrock: FakeBedrock, fault: str) -> None:
    found = await batch(wired, bedrock, fault, range(SEEDS))
    assert len(found) == SEEDS
    print(f"\n{fault}: {', '.join(f'{found.count(k)} {k}' for k in sorted(set(found)))}")


async def test_a_resting_model_costs_no_time(wired: Services, bedrock: FakeBedrock) -> None:
    bedrock.always({"fault": "hang"})
    replies = [await turn(wired, 1) for _ in range(4)]
    assert all(check(reply, seconds) == "degraded" for reply, seconds in replies)
    assert replies[-1][1] < 1.0, "the breaker keeps calls away after three failures"
    asked = len(bedrock.log)
    await turn(wired, 1)
    assert len(bedrock.log) == asked


async def test_the_smaller_model_steps_in(wired: Services, bedrock: FakeBedrock) -> None:
    bedrock.always(GOOD_PLAN, model=SMALL)
    bedrock.always({"status": 503}, model=LARGE)
    bedrock.script(GOOD_PLAN, {"tools": []}, {"tools": []}, says("Small, but here."), model=SMALL)
    reply, _ = await turn(wired, 1)
    finished: TurnFinished = reply.one(TurnFinished)
    assert reply.text == "Small, but here." and finished.degraded
    assert "respond: server" in finished.notes


@pytest.mark.timed
@pytest.mark.parametrize("grace_s", [0.0, 10.0])
@pytest.mark.parametrize("wait", ["headers_s", "first_s", "gap_s"])
async def test_stop_closes_upstream(
    tmp_path: Path, bedrock: FakeBedrock, grace_s: float, wait: str
) -> None:
    bedrock.always(GOOD_PLAN, model=SMALL)
    bedrock.always(LONG | {wait: 3.0}, model=LARGE)
    async with services(tmp_path, **model_settings(bedrock, grace_s=grace_s)) as wired:
        record = await wired.assistant.start(Turn("ann", "a heist film"))
        reading = asyncio.create_task(drained(wired, record.turn_id))
        await begun(bedrock, LARGE)
        stopped = time.monotonic()
        await wired.assistant.stop("ann", record.turn_id)
        assert await ended(bedrock) - stopped < CLOSED_WITHIN_S
        assert (await reading).one(TurnFinished).status == "cancelled"


@pytest.mark.timed
@pytest.mark.parametrize("grace_s", [0.0, pytest.param(10.0, marks=pytest.mark.slow)])
async def test_the_end_of_the_grace_period_closes_upstream(
    tmp_path: Path, bedrock: FakeBedrock, grace_s: float
) -> None:
    bedrock.always(GOOD_PLAN, model=SMALL)
    bedrock.always(LONG | {"gap_s": 0.9}, model=LARGE)
    settings = model_settings(bedrock, grace_s=grace_s, turn_deadline_s=40.0)
    async with services(tmp_path, **settings) as wired:
        record = await wired.assistant.start(Turn("ann", "a heist film"))
        reading = asyncio.create_task(drained(wired, record.turn_id))
        await begun(bedrock, LARGE)
        left = time.monotonic()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        closed = await ended(bedrock, grace_s + 3)
        assert grace_s - 0.1 <= closed - left < grace_s + CLOSED_WITHIN_S


async def drained(wired: Services, turn_id: str) -> Reply:
    return Reply([event async for event in wired.assistant.follow("ann", turn_id)])


async def begun(bedrock: FakeBedrock, model: str) -> None:
    for _ in range(200):
        if any(call["model"] == model for call in bedrock.log):
            await asyncio.sleep(0.2)
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{model} was never asked")


async def ended(bedrock: FakeBedrock, within_s: float = 3.0) -> float:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        (*_, call) = bedrock.log
        if call["ended"] is not None:
            assert call["outcome"] == "left"
            return float(call["ended"])
        await asyncio.sleep(0.05)
    pytest.fail("upstream is still open")


@pytest.mark.timed
async def test_cards_come_before_prose_and_the_first_status_at_once(
    wired: Services, bedrock: FakeBedrock
) -> None:
    bedrock.always(GOOD_PLAN | {"first_s": 0.3}, model=SMALL)
    bedrock.always(GOOD_TEXT, model=LARGE)
    started = time.monotonic()
    kinds: list[str] = []
    async for event in wired.assistant.reply(Turn("ann", "a clever heist film")):
        kinds.append(type(event).__name__)
        if kinds[-1] == "Status" and kinds.count("Status") == 1:
            assert time.monotonic() - started <= 0.2
    assert kinds.index("Recommendations") < kinds.index(TextDelta.__name__)
