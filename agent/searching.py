"""The search step of a turn: retrieve, verify, show; ask or let go where nothing is left.

Knows the order in which a list comes about and what is done when it stays empty. Does not know how
movies are found (retrieval), what makes a question worth asking (policy.py) or a critique worth
offering (critiques.py), nor LangGraph (graph.py).

Nothing left: a wish that the agent itself put a number to ("shorter" than a list, "short") is let
go and said to be; what the user laid down is never broken, but each way on is offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent import respond
from agent.critiques import AfterList, critiques
from agent.decide import Decision, SearchRequest
from agent.events import Option, Recommendations, ToolFinished, ToolStarted
from agent.explanations import Audience, explained
from agent.ledger import Entry, Ledger, LedgerEdit, movie_id_of
from agent.look_up import look_up
from agent.policy import (
    Clarification,
    best_question,
    may_ask,
    nothing_left,
    open_question,
    what_they_loved,
)
from agent.query import (
    SHORTS,
    clause_of,
    constraints_of,
    is_for_somebody_else,
    query_of,
    unknowable_kinds,
)
from agent.state import Card, Deps, TurnState, elapsed_ms
from agent.verify import verify
from retrieval.grounding import Grounded, ground
from retrieval.movie import Candidate, Constraints, Query, Taste
from tools.explain import Case, reasons

LIST_LENGTH = 5
MAX_LIST = 10
MAX_WAYS_ON = 3
"""Options when nothing is left."""
MOSTLY_UNKNOWN = 0.5
"""Share of otherwise fitting movies without a field from which the answer says so."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What one search brought."""

    query: Query
    candidates: tuple[Candidate, ...]
    degraded: bool


async def search_step(state: TurnState, deps: Deps) -> TurnState:
    """Retrieve, verify and send the cards; where there are none, let go or ask."""
    started = deps.clock()
    if state["decision"].search is None:
        return await _looked_up(state, deps, _constraints(state, SearchRequest()), [])
    request = state["decision"].search
    if request.rewatch and not _known(state):
        known = await deps.toolbox.search(Query(), Taste())
        question = what_they_loved([c.movie for c in known.candidates])
        return {"clarify": question, "decision": _asking(state["decision"])}
    found = await _search(state, deps, request)
    cards = await _worded(state, deps, _cards(state, deps, found.query, found.candidates, request))
    if cards:
        deps.emit(Recommendations, cards=[respond.card_view(card) for card in cards])
    notes = [*state["notes"], *await _unknown_fields(state, deps, found.query.constraints)]
    notes += _service_note(state, deps)
    clarify = await _question(state, deps, request, found)
    return {
        **await _looked_up(state, deps, found.query.constraints, cards),
        "decision": _asking(state["decision"]) if clarify and cards else state["decision"],
        "query": found.query,
        "cards": cards,
        "notes": notes,
        "clarify": clarify,
        "chips": _chips(state, cards, found.candidates),
        "degraded": found.degraded,
        "timings": state["timings"] | {"search": elapsed_ms(deps, started)},
    }


async def _search(state: TurnState, deps: Deps, request: SearchRequest) -> _Found:
    """One search under the ledger as it is now, verified."""
    started = deps.clock()
    constraints = _constraints(state, request)
    query = query_of(state["ledger"], request.text, constraints, request.known_item)
    if request.rewatch:
        query = replace(query, seeds=())  # what they loved is the answer here, not the example
    proposed = ground(request.proposals, state["tables"].lexicon)
    query = replace(query, proposals=proposed.movie_ids)
    summary = f"{len(constraints.require) + len(constraints.exclude)} conditions"
    deps.emit(ToolStarted, tool="search", summary=summary)
    own = not (request.rewatch or is_for_somebody_else(state["ledger"]))
    retrieved = await deps.toolbox.search(query, state["taste"] if own else Taste())
    kept = verify(retrieved.candidates, constraints).kept
    summary = f"{len(kept)} candidates{_grounded(proposed)}"
    deps.emit(ToolFinished, tool="search", summary=summary, ms=elapsed_ms(deps, started))
    return _Found(query, kept, retrieved.degraded)


def _known(state: TurnState) -> frozenset[str]:
    """Films that they are known to have seen: named here, or kept in the profile."""
    named = {m for e in state["ledger"].of("seed", "seen") if (m := movie_id_of(e))}
    taste = state["taste"]
    return frozenset(named | taste.seen | set(taste.likes))


def _constraints(state: TurnState, request: SearchRequest) -> Constraints:
    """The ledger's clauses, and every movie that must not be shown again."""
    ledger, taste = state["ledger"], state["taste"]
    unknowable = unknowable_kinds(state["tables"].known)
    if request.rewatch:
        bound = constraints_of(ledger, (), unknowable)
        return Constraints(bound.require, bound.exclude, _known(state))
    gone = state["before"].shown_ids
    if not is_for_somebody_else(ledger):
        gone = gone | taste.seen | set(taste.dislikes)
    bound = constraints_of(ledger, gone, unknowable)
    # What they saw and forgot may well have been short.
    return bound.without(SHORTS) if request.known_item else bound


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


# --- questions and critiques ----------------------------------------------------------------------


def _asking(decision: Decision) -> Decision:
    acts = decision.acts if "clarify" in decision.acts else ("clarify", *decision.acts)
    return replace(decision, acts=acts)


async def _question(
    state: TurnState, deps: Deps, request: SearchRequest, found: _Found
) -> Clarification | None:
    """The question that ends the turn, if there is one worth it."""
    movies = [c.movie for c in found.candidates]
    clarify = state["clarify"]
    if not movies:
        return await _ways_on(state, deps, found.query.constraints)
    if clarify is not None:
        return open_question(movies) if clarify.key == "open" else clarify
    if deps.model is not None:
        return None  # a model asks by itself where it wants to know more
    whole = not (request.known_item or request.rewatch or request.count)
    fresh = whole and not state["understanding"].more and "search" in state["decision"].acts
    if not (fresh and may_ask(state["before"], state["ledger"])):
        return None
    asked = best_question(movies, state["ledger"])
    return asked if asked and asked.key not in state["before"].asked else None


def _chips(state: TurnState, cards: Sequence[Card], kept: Sequence[Candidate]) -> list[Option]:
    shown = [card.candidate.movie for card in cards]
    rest = [c.movie for c in kept[len(shown) :]]
    if len(shown) < 2:
        return []
    unknowable = unknowable_kinds(state["tables"].known)
    return critiques(AfterList(shown, rest, state["ledger"], unknowable))


# --- nothing left ---------------------------------------------------------------------------------


async def let_go(state: TurnState, deps: Deps) -> tuple[Ledger, list[str]]:
    """The ledger less its loose wishes, the weakest first, until something fits; their labels.

    Called before the ledger is shown, so that a turn changes it once.
    """
    ledger = state["ledger"]
    loose = _weakest_first([e for e in ledger.entries if e.loose and e.hard])
    request, edits = state["decision"].search, state["decision"].edits
    # Taking one wish back, or a turn, changes exactly that.
    taken_back = bool(edits) and all(e.op in ("withdraw", "revise", "undo") for e in edits)
    if request is None or not loose or taken_back:
        return ledger, []
    if await _count(state, deps, request, ledger):
        return ledger, []
    lighter, gone = ledger, []
    for entry in loose:
        lighter, _ = lighter.apply([LedgerEdit("withdraw", entry_id=entry.id)], state["turn_id"])
        gone.append(entry.label)
        if await _count(state, deps, request, lighter):
            break
    # Where even that does not help, what the user laid down is asked about without them.
    return replace(lighter, version=ledger.version, past=ledger.past), gone


def _weakest_first(loose: Sequence[Entry]) -> list[Entry]:
    """Bounds that only a word or a list gave, the newest first; then topics, the oldest first."""
    topics = [e for e in loose if e.kind in ("theme", "keyword")]
    return [*reversed([e for e in loose if e not in topics]), *topics]


async def _count(state: TurnState, deps: Deps, request: SearchRequest, ledger: Ledger) -> int:
    trial: TurnState = {**state, "ledger": ledger}
    return await deps.toolbox.count(_constraints(trial, request))


async def _ways_on(state: TurnState, deps: Deps, constraints: Constraints) -> Clarification:
    """Nothing fits what was laid down: offer to let go of one wish, or to keep only one."""
    hard = [e for e in state["ledger"].entries if e.hard and clause_of(e) is not None]
    freed = [(await _freed(deps, constraints, e), e) for e in hard]
    # What a wish keeps out is what letting go of it would bring; a bar is let go last.
    freeing = sorted(
        ((n, e) for n, e in freed if n), key=lambda f: (f[1].polarity == "avoid", -f[0])
    )[:MAX_WAYS_ON]
    options = [
        Option(label=f"Without “{e.label}” ({n} films)", text=e.view().remove_text)
        for n, e in freeing
    ]
    labels = [e.label for _, e in freeing]
    if not options:
        kept = await _alone(state, deps, hard)
        options = [Option(label=f"Only “{e.label}”", text=f"start over: {e.label}") for e in kept]
        labels = [e.label for e in hard][:MAX_WAYS_ON]
    if not options:
        options = [Option(label="Something else entirely", text="start over")]
    shown_too = await deps.toolbox.count(replace(constraints, exclude_ids=frozenset()))
    return nothing_left(labels, options, all_shown=shown_too > 0)


async def _freed(deps: Deps, constraints: Constraints, entry: Entry) -> int:
    clause = clause_of(entry)
    return await deps.toolbox.count(constraints.without(clause)) if clause else 0


async def _alone(state: TurnState, deps: Deps, entries: Sequence[Entry]) -> list[Entry]:
    """The wishes that lead to something when they are the only one."""
    found: list[Entry] = []
    for entry in entries:
        alone = constraints_of(Ledger(entries=(entry,)), state["before"].shown_ids)
        if (
            entry.polarity == "want"
            and len(found) < MAX_WAYS_ON
            and await deps.toolbox.count(alone)
        ):
            found.append(entry)
    return found


# --- what must be said ----------------------------------------------------------------------------


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


def _service_note(state: TurnState, deps: Deps) -> list[str]:
    unknowable = unknowable_kinds(state["tables"].known)
    named = [c.entry for c in state["changes"] if c.entry.kind in unknowable]
    held = [e for e in named if e in state["ledger"].entries]
    return [deps.phrases.say("no_service", service=e.value) for e in held]
