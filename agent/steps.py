"""The steps of a turn: understand, decide, search and verify, respond. The nodes of graph.py.

Knows what each step reads and adds. Does not know LangGraph (graph.py), stores or surfaces: it
emits events through the sink it is given. Plain async functions, so that a test can run them one by
one.
"""

from dataclasses import replace

from agent import respond
from agent.decide import (
    DecisionContext,
    SearchRequest,
    options_to_let_go,
)
from agent.events import (
    Clarify,
    LedgerChanged,
    Option,
    Recommendations,
    Status,
    Suggestions,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from agent.explanations import Audience, explained
from agent.ledger import Entry, movie_id_of
from agent.look_up import look_up
from agent.policy import Clarification, nothing_left
from agent.query import clause_of, constraints_of, query_of, unknowable_kinds
from agent.speak import speak
from agent.state import Card, Deps, TurnState
from agent.turn import DialogueState, Shown
from agent.verify import verify
from retrieval.grounding import Grounded, ground
from retrieval.movie import Candidate, Constraints, Query, Taste
from retrieval.understand import Context, understand
from tools.explain import Case, reasons

LIST_LENGTH = 5
MAX_LIST = 10
MOSTLY_UNKNOWN = 0.5
"""Share of otherwise fitting movies without a field from which the answer says so."""


async def understand_step(state: TurnState, deps: Deps) -> TurnState:
    """Read the message against the catalogue's names and what was shown."""
    deps.emit(Status, phase="understanding")
    started = deps.clock()
    before = state["before"]
    tables = await deps.toolbox.catalogue.tables()
    wanted = [*before.last_shown, *([before.in_focus] if before.in_focus else [])]
    wanted += [m for e in before.ledger.entries if (m := movie_id_of(e))]
    movies = await deps.toolbox.movies(wanted)
    shown = tuple(movies[m] for m in before.last_shown if m in movies)
    focus = movies.get(before.in_focus or "") or (shown[0] if shown else None)
    heard = understand(state["turn"].message, tables.lexicon, Context(shown, focus))
    named = [m.movie_id for m in heard.mentions] + [u.movie_id for u in heard.unsure]
    movies |= await deps.toolbox.movies([m for m in named if m not in movies])
    taste = await deps.toolbox.taste(state["turn"].principal)
    return {
        "tables": tables,
        "movies": movies,
        "understanding": heard,
        "taste": taste,
        "timings": {"understand": _ms(deps, started)},
    }


async def decide_step(state: TurnState, deps: Deps) -> TurnState:
    """Decide the acts and bring the ledger up to date."""
    started = deps.clock()
    turn, before = state["turn"], state["before"]
    decision = await deps.decider.decide(
        DecisionContext(
            turn.message,
            state["understanding"],
            before,
            state["movies"],
            tuple(turn.edits),
            state.get("history", ()),
            state["tables"].lexicon,
            deps.model,
        )
    )
    ledger, changes = before.ledger.apply(decision.edits, state["turn_id"])
    phase = "searching" if decision.search else "answering"
    deps.emit(Status, phase=phase, acts=list(decision.acts))
    if ledger.version != before.ledger.version:
        views = [entry.view() for entry in ledger.entries]
        deps.emit(LedgerChanged, version=ledger.version, entries=views)
    held = [m for e in ledger.entries if (m := movie_id_of(e)) and m not in state["movies"]]
    return {
        "decision": decision,
        "ledger": ledger,
        "movies": {**state["movies"], **await deps.toolbox.movies(held)},
        "changes": changes,
        "cards": [],
        "notes": [],
        "clarify": decision.clarify,
        "timings": state["timings"] | {"decide": _ms(deps, started)},
    }


async def search_step(state: TurnState, deps: Deps) -> TurnState:
    """Retrieve, verify and send the cards; ask what may go when nothing is left."""
    started = deps.clock()
    unknowable = unknowable_kinds(state["tables"].known)
    if state["decision"].search is None:
        allowed = _constraints(state, SearchRequest(), unknowable)
        return await _looked_up(state, deps, allowed, [])
    request = state["decision"].search
    constraints = _constraints(state, request, unknowable)
    query = query_of(state["ledger"], request.text, constraints, request.known_item)
    if request.rewatch:
        query = replace(query, seeds=())  # what they loved is the answer here, not the example
    proposed = ground(request.proposals, state["tables"].lexicon)
    query = replace(query, proposals=proposed.movie_ids)
    summary = f"{len(constraints.require) + len(constraints.exclude)} conditions"
    deps.emit(ToolStarted, tool="search", summary=summary)
    taste = Taste() if request.rewatch else state["taste"]
    retrieved = await deps.toolbox.search(query, taste)
    verified = verify(retrieved.candidates, constraints)
    deps.emit(
        ToolFinished,
        tool="search",
        summary=f"{len(verified.kept)} candidates{_grounded(proposed)}",
        ms=_ms(deps, started),
    )
    cards = await _worded(state, deps, _cards(state, deps, query, verified.kept, request))
    if cards:
        deps.emit(Recommendations, cards=[respond.card_view(card) for card in cards])
    notes = await _unknown_fields(state, deps, constraints) + _service_note(state, deps, unknowable)
    clarify = state["clarify"]
    if not cards:
        clarify = await _what_may_go(state, deps, constraints)
    return {
        **await _looked_up(state, deps, constraints, cards),
        "query": query,
        "cards": cards,
        "notes": notes,
        "clarify": clarify,
        "degraded": retrieved.degraded,
        "timings": state["timings"] | {"search": _ms(deps, started)},
    }


async def respond_step(state: TurnState, deps: Deps) -> TurnState:
    """Say it: prose on the verified cards, a question if any, chips; then the new state."""
    started = deps.clock()
    if deps.model is not None:
        text = await speak(state, deps, deps.model)
    else:
        text = respond.compose(state, deps.phrases)
        for piece in respond.pieces(text):
            deps.emit(TextDelta, text=piece)
    clarify = state["clarify"]
    if clarify is not None:
        question = respond.question(clarify, deps.phrases, len(state["before"].asked))
        deps.emit(Clarify, question=question, options=list(clarify.options))
    chips = respond.chips(state)
    if chips:
        deps.emit(Suggestions, chips=chips)
    return {
        "answer": text,
        "after": _after(state),
        "timings": state["timings"] | {"respond": _ms(deps, started)},
    }


# --- the search step's parts ----------------------------------------------------------------------


def _constraints(
    state: TurnState, request: SearchRequest, unknowable: frozenset[str]
) -> Constraints:
    """The ledger's clauses, and every movie that must not be shown again."""
    before, taste = state["before"], state["taste"]
    if request.rewatch:
        ledger = state["ledger"]
        own = {m for e in ledger.of("seed", "seen") if (m := movie_id_of(e))}
        known = frozenset(own | taste.seen | set(taste.likes))
        bound = constraints_of(ledger, (), unknowable)
        return Constraints(bound.require, bound.exclude, known)
    gone = before.shown_ids | taste.seen | set(taste.dislikes)
    return constraints_of(state["ledger"], gone, unknowable)


def _cards(
    state: TurnState,
    deps: Deps,
    query: Query,
    candidates: tuple[Candidate, ...],
    request: SearchRequest,
) -> list[Card]:
    length = min(request.count or LIST_LENGTH, MAX_LIST)
    pick = len(state["before"].shown)
    return [
        Card(c, tuple(reasons(Case(c, query, state["movies"], deps.phrases, pick + i))))
        for i, c in enumerate(candidates[:length])
    ]


async def _worded(state: TurnState, deps: Deps, cards: list[Card]) -> list[Card]:
    """The cards with a model's reasons, where the turn has models and they are quick enough."""
    if deps.model is None:
        return cards
    ledger, movies = state["ledger"], state["movies"]
    audience = Audience(
        [e.label for e in ledger.entries if movie_id_of(e) is None],
        [movies[m] for e in ledger.entries if (m := movie_id_of(e)) in movies and m],
        state["tables"].lexicon,
        state["decision"].language,
    )
    return await explained(cards, audience, deps.model)


async def _looked_up(
    state: TurnState, deps: Deps, constraints: Constraints, cards: list[Card]
) -> TurnState:
    """What the model wants to know before it answers, where it said so."""
    if deps.model is None or not state["decision"].look_up:
        return {}
    found = await look_up(state, deps, deps.model, constraints, cards)
    return {"facts": found.facts, "found": found.films}


def _grounded(proposed: Grounded) -> str:
    named = len(proposed.movie_ids)
    total = named + len(proposed.unknown)
    return f"; {named} of {total} suggestions are in the catalogue" if total else ""


async def _unknown_fields(state: TurnState, deps: Deps, constraints: Constraints) -> list[str]:
    """Name each required field that most otherwise fitting movies lack."""
    notes = []
    new = {id(c.entry) for c in state["changes"]}
    for entry in state["ledger"].entries:
        clause = clause_of(entry)
        if id(entry) not in new or clause not in constraints.require or clause is None:
            continue
        share = await deps.toolbox.unknown_share(constraints, clause)
        if share > MOSTLY_UNKNOWN:
            name = str(clause.field).replace("_", " ")
            notes.append(deps.phrases.say("unknown_field", field=name, share=round(100 * share)))
    return notes


def _service_note(state: TurnState, deps: Deps, unknowable: frozenset[str]) -> list[str]:
    named = [c.entry for c in state["changes"] if c.entry.kind in unknowable]
    held = [e for e in named if e in state["ledger"].entries]
    return [deps.phrases.say("no_service", service=e.value) for e in held]


async def _what_may_go(state: TurnState, deps: Deps, constraints: Constraints) -> Clarification:
    """Nothing fits: offer to remove one entry, only where that leaves something."""
    freeing: list[Entry] = []
    for entry in reversed(state["ledger"].entries):
        clause = clause_of(entry)
        if clause is None or not entry.hard or len(freeing) == 3:
            continue
        if await deps.toolbox.count(constraints.without(clause)):
            freeing.append(entry)
    options: list[Option] = options_to_let_go(freeing)
    shown_too = await deps.toolbox.count(replace(constraints, exclude_ids=frozenset()))
    return nothing_left([e.label for e in freeing], options, all_shown=shown_too > 0)


def _after(state: TurnState) -> DialogueState:
    before, decision = state["before"], state["decision"]
    movie_ids = tuple(card.candidate.movie.movie_id for card in state["cards"])
    shown = before.shown
    if movie_ids:
        views = tuple(respond.card_view(card).model_dump(mode="json") for card in state["cards"])
        older = tuple(Shown(s.turn_id, s.movie_ids) for s in before.shown)
        shown = (*older, Shown(state["turn_id"], movie_ids, views))
    clarify = state["clarify"]
    search = decision.search
    text = search.text if search and not search.known_item else before.query_text
    cleared = any(e.op == "clear" for e in decision.edits)
    return DialogueState(
        ledger=state["ledger"],
        shown=shown,
        query_text="" if cleared else text,
        in_focus=_focus(state, movie_ids),
        asked=(*before.asked, clarify.key) if clarify else before.asked,
        pending=clarify.key if clarify else None,
    )


def _focus(state: TurnState, movie_ids: tuple[str, ...]) -> str | None:
    """What "it" will mean next: the movie asked about, else the top of the new list."""
    asked = [m.movie_id for m in state["understanding"].mentions if m.stance == "asked"]
    if asked:
        return asked[0]
    return movie_ids[0] if movie_ids else state["before"].in_focus


def _ms(deps: Deps, started: float) -> float:
    return round((deps.clock() - started) * 1000, 2)
