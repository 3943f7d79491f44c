"""The search step of a turn: retrieve, verify, show; ask where nothing is left.

Knows the order in which a list comes about. Does not know how movies are found (retrieval), what
makes a question worth asking (policy.py) or a critique worth offering (critiques.py), what may be
let go when the list stays empty (letting_go.py), nor LangGraph (graph.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent import respond
from agent.awards import prize_asked, prize_of, said, winners_first
from agent.critiques import AfterList, critiques
from agent.decision import Decision, SearchRequest
from agent.events import Option, Recommendations, ToolFinished, ToolStarted
from agent.explanations import Audience, explained
from agent.ledger import movie_id_of
from agent.letting_go import constraints_now, known_to, ways_on
from agent.look_up import look_up
from agent.policy import (
    Clarification,
    best_question,
    may_ask,
    open_question,
    what_they_loved,
)
from agent.query import clause_of, is_for_somebody_else, known_instead, query_of, unknowable_kinds
from agent.state import Card, Deps, TurnState, elapsed_ms, met_by
from agent.verify import verify
from retrieval.grounding import Grounded, ground
from retrieval.movie import Candidate, Constraints, Query, Seed, Taste
from retrieval.nlu.lexicon import prior
from tools.explain import MAX_REASONS, Case, Reason, reasons

LIST_LENGTH = 5
MAX_LIST = 10
OBVIOUS, UNEXPECTED = 10, 80
"""Ranks between which a surprise lies: behind what everybody names, still good."""
LITTLE_KNOWN_SHARE = 0.25
"""Of what fits best, the part that counts as little known."""
UNMET_KINDS = ("genre", "mood", "theme", "keyword", "actor", "director", "person")
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
        return await _looked_up(state, deps, constraints_now(state, SearchRequest()), [])
    request = state["decision"].search
    if request.rewatch and not known_to(state):
        known = await deps.toolbox.search(Query(), Taste())
        question = what_they_loved([c.movie for c in known.candidates])
        return {"clarify": question, "decision": _asking(state["decision"])}
    found = await _search(state, deps, request)
    cards = await _worded(state, deps, _cards(state, deps, found.query, found.candidates, request))
    if cards:
        deps.emit(Recommendations, cards=[respond.card_view(card) for card in cards])
    notes = [*state["notes"], *await _unknown_fields(state, deps, found.query.constraints)]
    notes += [*_service_note(state, deps), *_few_note(state, deps, request, len(cards))]
    notes += [*_unmet_note(state, deps, cards), *_prize_note(state, deps, cards)]
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
    constraints = constraints_now(state, request)
    query = query_of(state["ledger"], request.text, constraints, request.known_item)
    seeds = _examples(state, query, request)
    query = replace(query, seeds=seeds)
    proposed = ground(request.proposals, state["tables"].lexicon)
    query = replace(query, proposals=proposed.movie_ids)
    summary = f"{len(constraints.require) + len(constraints.exclude)} conditions"
    deps.emit(ToolStarted, tool="search", summary=summary)
    own = not (request.rewatch or is_for_somebody_else(state["ledger"]))
    retrieved = await deps.toolbox.search(query, state["taste"] if own else Taste())
    kept = verify(retrieved.candidates, constraints).kept
    prize = _prize(state)
    kept = winners_first(kept, prize) if prize else kept
    kept = unexpected(kept) if request.surprise else kept
    kept = less_known(kept) if state["ledger"].of("fame") else kept
    summary = f"{len(kept)} candidates{_grounded(proposed)}"
    deps.emit(ToolFinished, tool="search", summary=summary, ms=elapsed_ms(deps, started))
    return _Found(query, kept, retrieved.degraded)


def _examples(state: TurnState, query: Query, request: SearchRequest) -> tuple[Seed, ...]:
    """The films to go by.

    What they loved is no example where it is the answer. To have seen a film of the list says that
    it was known, not that more of it is wanted.
    """
    if request.rewatch:
        return ()
    liked = {movie_id_of(e) for e in state["ledger"].of("seed")}
    listed = state["before"].shown_ids
    return tuple(s for s in query.seeds if s.movie_id in liked or s.movie_id not in listed)


def _cards(
    state: TurnState,
    deps: Deps,
    query: Query,
    candidates: tuple[Candidate, ...],
    request: SearchRequest,
) -> list[Card]:
    length = min(request.count or LIST_LENGTH, MAX_LIST)
    pick = len(state["before"].shown)
    cards: list[Card] = []
    told: frozenset[str] = frozenset()
    for i, candidate in enumerate(candidates[:length]):
        case = Case(candidate, query, state["movies"], deps.phrases, pick + i, told)
        found = [_known_well(state, case)] if request.rewatch else reasons(case)
        prize = prize_of(candidate.movie, _prize(state) or "")
        if prize:
            found = [case.reason(f"award:{prize}", "why_prize", value=said(prize)), *found]
        cards.append(Card(candidate, tuple(found[:MAX_REASONS])))
        told |= {reason.rests_on for reason in found}
    return cards


def _known_well(state: TurnState, case: Case) -> Reason:
    """Why a film is offered again: they said so."""
    movie_id = case.candidate.movie.movie_id
    loved = {movie_id_of(e) for e in state["ledger"].of("seed")} | set(state["taste"].likes)
    return case.reason(f"known:{movie_id}", "why_loved" if movie_id in loved else "why_seen")


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


def unexpected(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Not the first that come to mind, and each of another kind than those before it."""
    pool, chosen, kinds = candidates[OBVIOUS:UNEXPECTED], list[Candidate](), set[str]()
    for candidate in pool:
        first = "".join(candidate.movie.genres[:1])
        if first not in kinds and len(chosen) < LIST_LENGTH:
            chosen.append(candidate)
            kinds.add(first)
    taken = {c.movie.movie_id for c in chosen}
    return (*chosen, *(c for c in candidates if c.movie.movie_id not in taken))


def less_known(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The less known part of what fits best first, in the order of the list."""
    pool = candidates[:UNEXPECTED]
    if not pool:
        return candidates
    known = sorted(prior(c.movie) for c in pool)
    most = known[int(len(known) * LITTLE_KNOWN_SHARE)]
    first = tuple(c for c in pool if prior(c.movie) <= most)
    return (*first, *(c for c in candidates if c not in first))


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
        return await ways_on(state, deps, found.query.constraints)
    if clarify is not None:
        return open_question(movies) if clarify.key == "open" else clarify
    if deps.model is not None:
        return None  # a model asks by itself where it wants to know more
    whole = not (
        request.known_item
        or request.rewatch
        or request.count
        or request.surprise
        or state["ledger"].of("fame")
    )
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


# --- what must be said ----------------------------------------------------------------------------


async def _unknown_fields(state: TurnState, deps: Deps, constraints: Constraints) -> list[str]:
    """Name each required field that most otherwise fitting movies lack."""
    notes = []
    new = {id(c.entry) for c in state["changes"]}
    for entry in state["ledger"].entries:
        clause = known_instead(entry) or clause_of(entry)
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


def _few_note(state: TurnState, deps: Deps, request: SearchRequest, n: int) -> list[str]:
    """Say that there are no more, where a list is shorter than people expect."""
    if request.known_item or request.rewatch or not 0 < n < min(request.count or LIST_LENGTH, 5):
        return []
    left = bool(state["before"].shown) and not state["changes"]
    phrase = "few_left" if left else "few" if n > 1 else "few_one"
    return [deps.phrases.say(phrase, n, count=n)]


def _unmet_note(state: TurnState, deps: Deps, cards: Sequence[Card]) -> list[str]:
    """Say which new wish, of those that only rank, no film of the list is known to meet."""
    new = {c.entry.id for c in state["changes"]}
    wishes = [e for e in state["ledger"].entries if e.id in new and e.kind in UNMET_KINDS]
    unmet = [e.label for e in wishes if not met_by(e, cards)]
    return [deps.phrases.say("unmet", len(cards), labels='", "'.join(unmet))] if unmet else []


def _prize(state: TurnState) -> str | None:
    """The prize that this request is for, in this turn's words or those that still count."""
    search = state["decision"].search
    return prize_asked(f"{search.text if search else ''} {state['turn'].message}")


def _prize_note(state: TurnState, deps: Deps, cards: Sequence[Card]) -> list[str]:
    """Say that no film of the list is known to have the prize that was asked for."""
    asked = _prize(state)
    found = asked and any(prize_of(card.candidate.movie, asked) for card in cards)
    return [deps.phrases.say("no_prize")] if asked and cards and not found else []
