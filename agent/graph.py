"""The graph of a turn, on one screen: understand, decide, search where needed, respond.

The only file that imports LangGraph. Knows which step follows which; does not know what a step does
(steps.py) nor how a turn is started, stored or streamed (assistant.py).
"""

from typing import cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent import searching, steps
from agent.state import Deps, TurnState

RECURSION_LIMIT = 12
"""Steps a turn may take; the library's default of 10,007 would let a loop burn model calls."""

Graph = CompiledStateGraph[TurnState, Deps, TurnState, TurnState]


def build_graph() -> Graph:
    """Compile the graph; once per process."""
    graph = StateGraph(TurnState, context_schema=Deps)
    graph.add_node("understand", _understand)
    graph.add_node("decide", _decide)
    graph.add_node("search", _search)
    graph.add_node("respond", _respond)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "decide")
    graph.add_conditional_edges("decide", _next, {"search": "search", "respond": "respond"})
    graph.add_edge("search", "respond")
    graph.add_edge("respond", END)
    return graph.compile()


async def run_graph(graph: Graph, state: TurnState, deps: Deps) -> TurnState:
    """Run one turn through the graph; events go out through `deps.emit` on the way."""
    config: RunnableConfig = {"recursion_limit": RECURSION_LIMIT}
    result = await graph.ainvoke(state, config=config, context=deps)
    return cast(TurnState, result)


def mermaid() -> str:
    """The graph's picture for the README, generated and checked by tests/test_agent_graph.py."""
    return build_graph().get_graph().draw_mermaid(with_styles=False)


async def _understand(state: TurnState, runtime: Runtime[Deps]) -> TurnState:
    return await steps.understand_step(state, runtime.context)


async def _decide(state: TurnState, runtime: Runtime[Deps]) -> TurnState:
    return await steps.decide_step(state, runtime.context)


async def _search(state: TurnState, runtime: Runtime[Deps]) -> TurnState:
    return await searching.search_step(state, runtime.context)


async def _respond(state: TurnState, runtime: Runtime[Deps]) -> TurnState:
    return await steps.respond_step(state, runtime.context)


async def _next(state: TurnState) -> str:  # else LangGraph wakes a thread for it
    """Act when the decision asks for a search or a look-up; other turns only answer."""
    decision = state["decision"]
    return "search" if decision.search is not None or decision.look_up else "respond"
