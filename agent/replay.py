"""A recorded conversation as a Query, as if its last user turn had just arrived.

Knows how to run the agent's own understanding and rules over turns that another system led. Does
not know data sets or metrics. Called by `python -m evals rank` and `python -m evals route`.

A film that the other side named counts as shown, and, unless the user turned it down, as an
example: in a conversation between two people, what the one brings up and the other takes is on
topic.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.decide import decide
from agent.decision import Decision, DecisionContext
from agent.ledger import LedgerEdit
from agent.letting_go import weakest_first
from agent.plan_edits import with_free_topics
from agent.query import clause_of, constraints_of, query_of, unknowable_kinds
from agent.router import what_was_done
from agent.turn import DialogueState, Shown
from retrieval.movie import Clause, Query
from retrieval.nlu.moves import After
from retrieval.understand import Context, understand
from retrieval.understanding import Mention, Understanding
from tools.toolbox import Toolbox

Role = Literal["user", "system"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The request, and the films that the agent itself heard named (a figure of its own)."""

    query: Query
    heard: frozenset[str]
    loose: tuple[Clause, ...] = ()
    """Clauses of the query that may give way when nothing fits, the weakest first."""


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """One user turn as the agent took it."""

    understanding: Understanding
    decision: Decision
    after: After
    """What the other side had done just before."""
    state: DialogueState
    """As the turn left it."""


async def replay(
    turns: Sequence[tuple[Role, str]],
    toolbox: Toolbox,
    exclude_ids: Sequence[str] = (),
    proposed: bool = False,
) -> Replayed:
    """Read the turns in order; `exclude_ids` are films that must not be recommended.

    Args: proposed: whether a model proposes films, as it does on every turn that it decides.
    """
    heard: set[str] = set()
    state, known_item = DialogueState(), False
    async for turn in replayed(turns, toolbox, proposed):
        state = turn.state
        heard |= {m.movie_id for m in turn.understanding.mentions}
        known_item = bool(turn.decision.search and turn.decision.search.known_item)
    heard |= {movie_id for shown in state.shown for movie_id in shown.movie_ids}
    tables = await toolbox.catalogue.tables()
    constraints = constraints_of(state.ledger, exclude_ids, unknowable_kinds(tables.known))
    query = query_of(state.ledger, state.query_text, constraints, known_item)
    query = replace(query, said=next((t for role, t in reversed(turns) if role == "user"), ""))
    loose = [clause for e in weakest_first(state.ledger) if (clause := clause_of(e)) is not None]
    return Replayed(query, frozenset(heard), tuple(loose))


async def replayed(
    turns: Sequence[tuple[Role, str]], toolbox: Toolbox, proposed: bool = False
) -> AsyncIterator[ReplayedTurn]:
    """Every user turn in order, decided with what was said before it."""
    lexicon = await toolbox.lexicon()
    state = DialogueState()
    after: After = "nothing"
    named: set[str] = set()
    for number, (role, utterance) in enumerate(turns):
        if role == "system":
            heard = understand(utterance, lexicon)
            after = what_was_done(heard)
            state = _after_system(state, heard, str(number))
            continue
        movies = await toolbox.movies([*state.last_shown, *sorted(named)])
        context = Context(tuple(movies[m] for m in state.last_shown if m in movies), None)
        heard = understand(utterance, lexicon, context)
        named |= {m.movie_id for m in heard.mentions}
        movies |= await toolbox.movies([m.movie_id for m in heard.mentions])
        decision = decide(DecisionContext(utterance, heard, state, movies))
        edits = with_free_topics(decision.edits) if proposed else decision.edits
        ledger, _ = state.ledger.apply(edits, str(number))
        text = decision.search.text if decision.search else state.query_text
        state = replace(state, ledger=ledger, query_text=text)
        yield ReplayedTurn(heard, decision, after, state)


def _after_system(state: DialogueState, heard: Understanding, turn_id: str) -> DialogueState:
    named = [m for m in heard.mentions if m.stance != "not_now"]
    if not named:
        return state
    ledger, _ = state.ledger.apply([_example(m) for m in named], turn_id)
    shown = Shown(turn_id, tuple(m.movie_id for m in named))
    return replace(state, ledger=ledger, shown=(*state.shown, shown))


def _example(mention: Mention) -> LedgerEdit:
    value: Mapping[str, object] = {
        "movie_id": mention.movie_id,
        "title": mention.title,
        "year": mention.year,
    }
    return LedgerEdit("add", kind="seed", value=value, hard=False)
