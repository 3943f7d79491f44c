"""The tool loop: a model that wants facts before it answers gets them, at most four calls.

Knows how calls go out as events, come back as results, and when to stop. Does not know what a tool
does (tools/model_tools.py). Runs inside the act step: four calls as steps of the graph would
overrun its bound. Called by steps.py.
"""

import asyncio
from dataclasses import dataclass

from agent.events import ToolFinished, ToolStarted
from agent.model import Message, ModelFailure, ToolCall, ToolResult, ToolSpec
from agent.model_turn import ModelTurn
from agent.state import Card, Deps, TurnState
from retrieval.movie import Constraints, Movie
from tools import model_tools
from tools.model_tools import ModelTools

MAX_CALLS = 4
CALL_S = 3.0


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the loop found."""

    facts: list[str]
    films: list[Movie]
    """Films that came up and fit: the answer may name them."""


def specs() -> list[ToolSpec]:
    """The tools on offer, the same bytes every time."""
    return [
        ToolSpec(offer.name, offer.description, offer.arguments.model_json_schema())
        for offer in model_tools.offers()
    ]


async def look_up(
    state: TurnState, deps: Deps, turn: ModelTurn, constraints: Constraints, cards: list[Card]
) -> LookedUp:
    """Let the model call tools until it has enough; a failure ends the loop, not the turn."""
    tools = ModelTools(deps.toolbox, state["turn"].principal, constraints)
    messages: tuple[Message, ...] = turn.asked(
        "look_up",
        message=state["turn"].message,
        language=state["decision"].language,
        cards=[card.candidate.movie.label() for card in cards],
        named=[movie.label()[:80] for movie in list(state["movies"].values())[:10]],
    )
    facts: list[str] = []
    offered, left = specs(), MAX_CALLS
    try:
        while left:
            calls = (await turn.call_tools(messages, offered))[:left]
            if not calls:
                break
            left -= len(calls)
            results = [await _run(tools, call, deps) for call in calls]
            facts += [r.text for r in results if not r.failed]
            messages = (
                *messages,
                Message("assistant", calls=tuple(calls)),
                Message("user", results=tuple(results)),
            )
    except ModelFailure as failure:
        turn.note(f"look_up: ended early ({failure.kind})", degrades=False)
    return LookedUp(facts, tools.found)


async def _run(tools: ModelTools, call: ToolCall, deps: Deps) -> ToolResult:
    """One call, told as events; it is bounded in time and size."""
    name = call.name if call.name in {spec.name for spec in specs()} else "unknown"
    deps.emit(ToolStarted, tool=name, summary="a look-up")
    started = deps.clock()
    try:
        async with asyncio.timeout(CALL_S):
            said, failed = await model_tools.call(tools, call.name, call.arguments)
    except TimeoutError:
        said, failed = f"{name} took too long: answer without it", True
    ms = round((deps.clock() - started) * 1000, 2)
    deps.emit(ToolFinished, tool=name, summary="failed" if failed else "done", ms=ms)
    return ToolResult(call.id, said, failed)
