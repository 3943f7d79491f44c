"""What the steps of one turn share: their dependencies and the state they hand on.

Knows the shapes, and which cards meet a wish. Does not know what a step does (steps.py), nor
LangGraph (graph.py).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from agent.decision import Decider, Decision
from agent.events import Option
from agent.ledger import Change, Entry, Ledger
from agent.model_turn import ModelTurn
from agent.policy import Clarification
from agent.query import clause_of
from agent.turn import DialogueState, Turn
from prompts.loader import Phrases
from retrieval.movie import Candidate, Movie, Query, Taste, holds, is_excluded_by
from retrieval.understanding import Understanding
from tools.catalogue import Tables
from tools.explain import Reason
from tools.toolbox import Toolbox

Emit = Callable[..., None]
"""Appends an event of a class with its fields; id and turn_id are filled in."""


@dataclass(frozen=True)
class Deps:
    """What the steps work with; the same for every turn of a process but for the sink."""

    toolbox: Toolbox
    decider: Decider
    phrases: Phrases
    emit: Emit
    model: ModelTurn | None = None
    """What this turn may ask of models; None without any."""
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True, slots=True)
class Card:
    """A verified candidate with the reasons that are shown for it."""

    candidate: Candidate
    reasons: tuple[Reason, ...]


class TurnState(TypedDict, total=False):
    """What the steps hand on. Keys appear as the turn goes on."""

    turn: Turn
    turn_id: str
    before: DialogueState
    tables: Tables
    movies: Mapping[str, Movie]
    """Every movie named or shown so far, by id."""
    understanding: Understanding
    decision: Decision
    ledger: Ledger
    changes: list[Change]
    taste: Taste
    query: Query
    cards: list[Card]
    notes: list[str]
    """Sentences that must be said: unknown fields, nothing left."""
    gone: list[Entry]
    """Wishes that gave way this turn because nothing fitted."""
    clarify: Clarification | None
    chips: list[Option]
    """Critiques worth tapping under the list."""
    degraded: bool
    history: tuple[tuple[str, str], ...]
    """Earlier turns, oldest first: what the user said and what was answered."""
    facts: list[str]
    """What a model looked up, for its own answer."""
    found: list[Movie]
    """Verified films that a model looked up: it may name them."""
    answer: str
    after: DialogueState
    timings: dict[str, float]


def met_by(entry: Entry, cards: Sequence[Card]) -> float:
    """The share of the cards that meet a wish, as far as is known; what binds is met by all."""
    clause = clause_of(entry)
    if entry.hard or entry.polarity == "avoid" or clause is None or not cards:
        return 1.0
    movies = [card.candidate.movie for card in cards]
    return sum(holds(m, clause) or is_excluded_by(m, clause) for m in movies) / len(movies)


def elapsed_ms(deps: Deps, started: float) -> float:
    """Milliseconds since `started` by the clock of the turn, for the timings."""
    return round((deps.clock() - started) * 1000, 2)
