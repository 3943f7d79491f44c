"""How did it run? Streams, tools, failures, latency, tokens and cost.

Knows the order that the event union promises, and tool calls of foreign messages. Does not know
what was said. Pure; listed in all.py.
"""

import json
from collections.abc import Callable, Iterator, Sequence

from agent.events import ToolFinished, ToolStarted
from evals.dialogues.scores import Scorer, Spot
from evals.dialogues.transcript import Message, PlayedTurn, turn_from_events
from evals.scorers.case import Case, Rule, Verdict, at, counted, faults


def stream(case: Case) -> Verdict | None:
    """Turns whose events are no whole, well-ordered stream that says what the turn says."""
    told = [(number, turn) for number, turn in case.turns if turn.events is not None]
    spots = [at(number, fault) for number, turn in told for fault in _stream_faults(turn)]
    return faults(spots, len(told)) if told else None


def _stream_faults(turn: PlayedTurn) -> Iterator[str]:
    events = turn.events or ()
    kinds = [event.type for event in events]
    if turn.status == "refused" and kinds == ["error"]:
        return
    if [event.id for event in events] != list(range(1, len(events) + 1)):
        yield f"ids are not consecutive: {[event.id for event in events]}"
    for place, wanted, how in ((0, "turn.started", "begin"), (-1, "turn.finished", "end")):
        if not kinds or kinds[place] != wanted or kinds.count(wanted) != 1:
            yield f"does not {how} with one {wanted}"
    if len({event.turn_id for event in events}) > 1:
        yield "mixes the events of several turns"
    if "recommendations" in kinds and "text.delta" in kinds:
        if kinds.index("recommendations") > kinds.index("text.delta"):
            yield "prose comes before the cards"
    if kinds.count("tool.started") != kinds.count("tool.finished"):
        yield "a tool call was not finished"
    again = turn_from_events({"user": turn.user, "events": [e.model_dump() for e in events]})
    if (again.prose, again.shown) != (turn.prose, turn.shown):
        yield "prose or cards are not those of the events"


def unfinished(case: Case) -> Verdict | None:
    """Turns that failed, were cancelled or never ended."""
    told = [(n, turn) for n, turn in case.turns if turn.status or turn.events is not None]
    bad = [(n, turn) for n, turn in told if turn.status not in ("completed", "refused")]
    spots = [at(n, f"{t.status or 'no end'} {t.error.message if t.error else ''}") for n, t in bad]
    return faults(spots, len(told)) if told else None


# --- tools ----------------------------------------------------------------------------------------


def tool_faults(case: Case) -> Verdict | None:
    """Calls with arguments that are no JSON, without an answer, or made twice in one turn."""
    calls = [call for message in case.transcript.messages for call in message.tool_calls or ()]
    started = [e for _, t in case.turns for e in t.events or () if isinstance(e, ToolStarted)]
    if not calls and not started:
        return None
    spots = [*_message_faults(case.transcript.messages), *_needless(case)]
    return faults(spots, len(calls) + len(started))


def _message_faults(messages: Sequence[Message]) -> Iterator[Spot]:
    answered = {message.tool_call_id for message in messages if message.role == "tool"}
    number = 0
    for message in messages:
        number += message.role == "user"
        for call in message.tool_calls or ():
            if not _is_json(call.function.arguments):
                yield at(number, f"{call.function.name}: arguments are no JSON")
            if call.id not in answered:
                yield at(number, f"{call.function.name}: no answer to {call.id}")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _needless(case: Case) -> Iterator[Spot]:
    for number, turn in case.turns:
        calls = [(e.tool, e.summary) for e in turn.events or () if isinstance(e, ToolStarted)]
        for call in dict.fromkeys(call for call in calls if calls.count(call) > 1):
            yield at(number, f"{call[0]} was called {calls.count(call)} times: {call[1]}")


def tool_calls(case: Case) -> Verdict | None:
    """Tool calls per turn, as a figure to compare builds by."""
    told = [turn for _, turn in case.turns if turn.events is not None]
    ended = sum(isinstance(event, ToolFinished) for turn in told for event in turn.events or ())
    return Verdict(ended / len(told), (), len(told)) if told else None


# --- time and money -------------------------------------------------------------------------------


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _time(name: str, of: Callable[[PlayedTurn], float | None], share: float) -> Rule:
    def judge(case: Case) -> Verdict | None:
        times = [ms for _, turn in case.turns if (ms := of(turn)) is not None]
        return Verdict(percentile(times, share), (), len(times)) if times else None

    return Rule(Scorer(name=name, version=1, unit="ms", direction="lower"), judge)


def cost(case: Case) -> Verdict | None:
    """US dollars of the whole dialogue."""
    used = [t.usage.cost for _, t in case.turns if t.usage and t.usage.cost is not None]
    return Verdict(sum(used), (), len(used)) if used else None


def tokens(case: Case) -> Verdict | None:
    """Model tokens of the whole dialogue, in and out."""
    used = [t.usage for _, t in case.turns if t.usage]
    total = sum(u.input_tokens + u.output_tokens for u in used)
    return Verdict(float(total), (), len(used)) if used else None


RULES = (
    Rule(counted("broken_streams", floor=True), stream),
    Rule(counted("unfinished_turns", floor=True), unfinished),
    Rule(counted("tool_faults"), tool_faults),
    Rule(
        Scorer(name="tool_calls_per_turn", version=1, unit="calls", direction="lower"), tool_calls
    ),
    _time("latency_p50", lambda turn: turn.total_ms, 0.5),
    _time("latency_p95", lambda turn: turn.total_ms, 0.95),
    _time("first_token_p95", lambda turn: turn.first_token_ms, 0.95),
    Rule(Scorer(name="cost", version=1, unit="USD", direction="lower"), cost),
    Rule(Scorer(name="tokens", version=1, unit="tokens", direction="lower"), tokens),
)
