"""A recorded conversation as a Query, as if its last user turn had just arrived.

Knows how to run the agent's own understanding and rules over turns that another system led. Does
not know data sets or metrics. Called by `python -m evals rank`.

A film that the other side named counts as shown, and, unless the user turned it down, as an
example: in a conversation between two people, what the one brings up and the other takes is on
topic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.decide import DecisionContext, decide
from agent.ledger import LedgerEdit
from agent.query import constraints_of, query_of, unknowable_kinds
from agent.turn import DialogueState, Shown
from retrieval.lexicon import Lexicon
from retrieval.movie import Query
from retrieval.understand import Context, understand
from retrieval.understanding import Mention
from tools.toolbox import Toolbox

Role = Literal["user", "system"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The request, and the films that the agent itself heard named (a figure of its own)."""

    query: Query
    heard: frozenset[str]


async def replay(
    turns: Sequence[tuple[Role, str]], toolbox: Toolbox, exclude_ids: Sequence[str] = ()
) -> Replayed:
    """Read the turns in order; `exclude_ids` are films that must not be recommended."""
    lexicon = await toolbox.lexicon()
    state = DialogueState()
    heard: set[str] = set()
    text, known_item = "", False
    for number, (role, utterance) in enumerate(turns):
        turn_id = str(number)
        movies = await toolbox.movies([*state.last_shown, *heard])
        if role == "system":
            state, named = _system_turn(state, utterance, lexicon, turn_id)
            heard |= named
            continue
        context = Context(tuple(movies[m] for m in state.last_shown if m in movies), None)
        understanding = understand(utterance, lexicon, context)
        heard |= {m.movie_id for m in understanding.mentions}
        movies |= await toolbox.movies([m.movie_id for m in understanding.mentions])
        decision = decide(DecisionContext(utterance, understanding, state, movies))
        ledger, _ = state.ledger.apply(decision.edits, turn_id)
        text = decision.search.text if decision.search else text
        known_item = bool(decision.search and decision.search.known_item)
        state = replace(state, ledger=ledger, query_text=text)
    tables = await toolbox.catalogue.tables()
    constraints = constraints_of(state.ledger, exclude_ids, unknowable_kinds(tables.known))
    return Replayed(query_of(state.ledger, text, constraints, known_item), frozenset(heard))


def _system_turn(
    state: DialogueState, utterance: str, lexicon: Lexicon, turn_id: str
) -> tuple[DialogueState, set[str]]:
    named = [m for m in understand(utterance, lexicon).mentions if m.stance != "not_now"]
    if not named:
        return state, set()
    ledger, _ = state.ledger.apply([_example(m) for m in named], turn_id)
    ids = tuple(m.movie_id for m in named)
    return replace(state, ledger=ledger, shown=(*state.shown, Shown(turn_id, ids))), set(ids)


def _example(mention: Mention) -> LedgerEdit:
    value: Mapping[str, object] = {
        "movie_id": mention.movie_id,
        "title": mention.title,
        "year": mention.year,
    }
    return LedgerEdit("add", kind="seed", value=value, hard=False)
