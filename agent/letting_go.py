"""Nothing left: which wishes give way, and which ways on are offered.

Knows how strong a wish is: one that the agent itself put a number to ("shorter" than a list,
"short") is let go first, and said to be; what the user laid down is never broken, but each way on
is offered, and taken when they say that anything goes. Does not know how a list is found
(searching.py). Called by searching.py and steps.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from agent.decision import SearchRequest
from agent.events import Option
from agent.ledger import UNDO_DEPTH, Entry, Ledger, LedgerEdit, movie_id_of
from agent.ledger_labels import remove_all_text
from agent.policy import Clarification, nothing_left
from agent.query import (
    SHORTS,
    clause_of,
    constraints_of,
    is_for_somebody_else,
    unknowable_kinds,
)
from agent.state import Deps, TurnState
from retrieval.movie import Constraints, satisfies

MIN_WAYS_ON, MAX_WAYS_ON = 2, 3
"""Options when nothing is left."""
MAX_TOGETHER = 3
"""Wishes that may have to go at once; with more, one is kept alone."""
MAX_SHOWN = 3
"""Films shown before that are named when there are no others."""
MAX_TRIALS = 60
"""Counts of what fits, a millisecond each."""


def known_to(state: TurnState) -> frozenset[str]:
    """Films that they are known to have seen: named here, or kept in the profile."""
    named = {m for e in state["ledger"].of("seed", "seen") if (m := movie_id_of(e))}
    taste = state["taste"]
    return frozenset(named | taste.seen | set(taste.likes))


def constraints_now(state: TurnState, request: SearchRequest) -> Constraints:
    """The ledger's clauses, and every movie that must not be shown again."""
    ledger, taste = state["ledger"], state["taste"]
    unknowable = unknowable_kinds(state["tables"].known)
    if request.rewatch:
        bound = constraints_of(ledger, (), unknowable)
        return Constraints(bound.require, bound.exclude, known_to(state))
    gone = state["before"].shown_ids
    if not is_for_somebody_else(ledger):
        gone = gone | taste.seen | set(taste.dislikes)
    bound = constraints_of(ledger, gone, unknowable)
    # What they saw and forgot may well have been short.
    return bound.without(SHORTS) if request.known_item else bound


async def let_go(state: TurnState, deps: Deps) -> tuple[Ledger, list[Entry]]:
    """The ledger less what had to give way until something fits, and what that was.

    Called before the ledger is shown, so that a turn changes it once.
    """
    ledger = state["ledger"]
    request, edits = state["decision"].search, state["decision"].edits
    # Taking one wish back, or a turn, changes exactly that.
    taken_back = bool(edits) and all(e.op in ("withdraw", "revise", "undo") for e in edits)
    if request is None or taken_back:
        return ledger, []
    loose = weakest_first(ledger)
    anything = _anything_goes(state)
    if not (loose or anything) or await _count(state, deps, request, ledger):
        return ledger, []
    lighter, gone = ledger, list[Entry]()
    for entry in loose:
        lighter, gone = _without(lighter, [entry], state), [*gone, entry]
        if await _count(state, deps, request, lighter):
            return _as_one_turn(lighter, state), gone
    if anything:
        given_up = await _least({**state, "ledger": lighter}, deps, request)
        lighter = _without(lighter, given_up, state)
        gone += given_up
    # Where even that does not help, what the user laid down is asked about without them.
    return (_as_one_turn(lighter, state) if gone else ledger), gone


def weakest_first(ledger: Ledger) -> list[Entry]:
    """What gives way: bounds that only a word or a list gave, the newest first; then topics."""
    loose = [e for e in ledger.entries if e.loose and e.hard]
    topics = [e for e in loose if e.kind in ("theme", "keyword")]
    return [*reversed([e for e in loose if e not in topics]), *topics]


def _anything_goes(state: TurnState) -> bool:
    """Asked what could go, they named nothing: "ok, whatever"."""
    asked = (state["before"].pending or "").startswith("empty:")
    return asked and not state["decision"].edits and not state["understanding"].says_anything


def _without(ledger: Ledger, entries: Sequence[Entry], state: TurnState) -> Ledger:
    edits = [LedgerEdit("withdraw", entry_id=entry.id) for entry in entries]
    return ledger.apply(edits, state["turn_id"])[0]


def _as_one_turn(lighter: Ledger, state: TurnState) -> Ledger:
    """With the version and the past of one change of the ledger before this turn."""
    ledger, before = state["ledger"], state["before"].ledger
    if ledger.version != before.version:
        return replace(lighter, version=ledger.version, past=ledger.past)
    past = (*before.past, before.entries)[-UNDO_DEPTH:]
    return replace(lighter, version=before.version + 1, past=past)


async def _count(state: TurnState, deps: Deps, request: SearchRequest, ledger: Ledger) -> int:
    trial: TurnState = {**state, "ledger": ledger}
    return await deps.toolbox.count(constraints_now(trial, request))


async def _least(state: TurnState, deps: Deps, request: SearchRequest) -> Sequence[Entry]:
    """The fewest wishes without which something fits."""
    ways = await _ways(deps, constraints_now(state, request), _binding(state))
    return ways[0][1] if ways else ()


def _binding(state: TurnState) -> list[Entry]:
    entries = state["ledger"].entries
    return [e for e in entries if e.hard and (clause_of(e) is not None or e.kind == "franchise")]


async def ways_on(state: TurnState, deps: Deps, constraints: Constraints) -> Clarification:
    """Nothing fits what was laid down: offer to let go of a wish or some, or to keep only one."""
    hard = _binding(state)
    ways = (await _ways(deps, constraints, hard))[:MAX_WAYS_ON]
    options = [
        Option(label=f"Without {_quoted(entries)} ({_films(n)})", text=_removal(entries))
        for n, entries in ways
    ]
    labels = [e.label for _, entries in ways if len(entries) == 1 for e in entries]
    if len(options) < MIN_WAYS_ON:
        kept = (await _alone(state, deps, hard))[: MAX_WAYS_ON - len(options)]
        options += [Option(label=f"Only “{e.label}”", text=f"start over: {e.label}") for e in kept]
    if len(options) < MIN_WAYS_ON:
        options.append(Option(label="Something else entirely", text="start over"))
    tied = [e.label for e in hard] if not labels else []
    return nothing_left(labels, options, await _shown(state, deps, constraints), tied)


async def _shown(state: TurnState, deps: Deps, constraints: Constraints) -> list[str]:
    """The films that would fit, had they not been shown: their titles, the first few."""
    shown = [m for s in state["before"].shown for m in s.movie_ids]
    movies = await deps.toolbox.movies(shown)
    bound = replace(constraints, exclude_ids=frozenset())
    fit = [movies[m].title for m in shown if m in movies and satisfies(movies[m], bound)]
    more = len(fit) - MAX_SHOWN
    return [*fit[:MAX_SHOWN], *([f"{more} more"] if more > 0 else [])]


async def _ways(
    deps: Deps, constraints: Constraints, hard: Sequence[Entry]
) -> list[tuple[int, tuple[Entry, ...]]]:
    """The smallest sets of wishes without which something fits, with how much; best first."""
    trials = 0
    for size in range(1, min(MAX_TOGETHER, len(hard)) + 1):
        found: list[tuple[int, tuple[Entry, ...]]] = []
        for entries in combinations(hard, size):
            if trials >= MAX_TRIALS:
                break
            trials += 1
            freed = constraints
            for entry in entries:
                clause = clause_of(entry)
                freed = freed.without(clause) if clause else replace(freed, only_ids=None)
            n = await deps.toolbox.count(freed)
            found += [(n, entries)] if n else []
        if found:
            # What a wish keeps out is what letting go of it would bring; a bar is let go last.
            return sorted(found, key=lambda f: (any(e.polarity == "avoid" for e in f[1]), -f[0]))
    return []


def _quoted(entries: Sequence[Entry]) -> str:
    return " and ".join(f"“{e.label}”" for e in entries)


def _films(n: int) -> str:
    return "1 film" if n == 1 else f"{n} films"


def _removal(entries: Sequence[Entry]) -> str:
    if len(entries) == 1:
        return entries[0].view().remove_text
    return remove_all_text([e.label for e in entries])


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
