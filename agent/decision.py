"""The port Decider: what a decider may look at, and the decision that comes out of it.

Knows no rules and no model. Does not know how a search runs or how an answer reads. Implemented by
decide.py (rules) and model_decider.py; read by every step of a turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.events import Act
from agent.ledger import LedgerEdit
from agent.policy import Clarification
from agent.turn import DialogueState, Edit
from retrieval.movie import Movie
from retrieval.nlu.lexicon import Lexicon
from retrieval.understanding import Understanding

if TYPE_CHECKING:
    from agent.model_turn import ModelTurn


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What a decider may look at."""

    message: str
    understanding: Understanding
    state: DialogueState
    movies: Mapping[str, Movie]
    """Every movie named or shown that the decision may need facts of."""
    edits: tuple[Edit, ...] = ()
    """Edits of ledger chips; when there are any, they are the whole message."""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier turns, oldest first: what the user said and what was answered."""
    lexicon: Lexicon | None = None
    """The catalogue's names, to check what a model names."""
    model: "ModelTurn | None" = None
    """What this turn may ask of models; rules ask nothing."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to search beyond the ledger: words, how many, and in which mode."""

    text: str = ""
    count: int | None = None
    known_item: bool = False
    rewatch: bool = False
    surprise: bool = False
    """They leave it to the agent: not what everybody would be shown first."""
    proposals: tuple[str, ...] = ()
    """As a model writes them, "Title (Year)"; rules propose none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the turn does. Several acts may go together."""

    acts: tuple[Act, ...]
    edits: tuple[LedgerEdit, ...] = ()
    search: SearchRequest | None = None
    clarify: Clarification | None = None
    say: tuple[str, ...] = ()
    """Names of phrases to answer with: greeting, thanks, out_of_scope, ..."""
    language: str = "en"
    """ISO 639-1 of the language to answer in; templates know English only."""
    look_up: bool = False
    """Whether a model may look facts up before it answers."""


class Decider(Protocol):
    """Rules or a model; same decision, same graph."""

    async def decide(self, context: DecisionContext) -> Decision:
        """Decide one turn."""
        ...
