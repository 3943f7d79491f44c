"""One turn: what comes in, and the dialogue state it starts from and leaves behind.

Knows the request of a turn, the edits a ledger chip may send, and the state kept between turns.
Does not know how a turn is answered (graph.py) or stored (tools/stores.py). Used by everything in
agent/ and by every surface.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.ledger import Ledger

MAX_MESSAGE_CHARS = 2000
"""Longer input is refused (OWASP LLM10, unbounded consumption)."""


class Edit(BaseModel):
    """An edit of one ledger entry, sent by a chip; it wins over the message text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Literal["remove", "revise"]
    entry_id: str = Field(min_length=1, max_length=40)
    value: str | dict[str, Any] | None = None
    """For `revise`: the new value, in the form the ledger event shows."""
    ledger_version: int = Field(ge=0)


class MessageRefused(Exception):
    """A message that cannot be a turn; `code` is stable, the text says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_message(message: str, has_edits: bool) -> None:
    """Refuse what no answer can be given to. Raises: MessageRefused."""
    if not message.strip() and not has_edits:
        raise MessageRefused(
            "empty_message", "the message is empty: say what you would like to see"
        )
    if len(message) > MAX_MESSAGE_CHARS:
        raise MessageRefused(
            "message_too_long",
            f"the message has {len(message)} characters; at most {MAX_MESSAGE_CHARS} are read",
        )
    unprintable = sum(not (c.isprintable() or c in "\n\r\t") for c in message)
    if "\x00" in message or unprintable > max(4, len(message) // 10):
        raise MessageRefused("not_text", "the message is not text: send plain UTF-8 words")


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to the assistant. `principal` comes from the session, never from the message."""

    principal: str
    message: str
    conversation_id: str | None = None
    """None starts a new conversation."""
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A list that was shown: its turn, its movie ids best first, and the cards as sent."""

    turn_id: str
    movie_ids: tuple[str, ...]
    cards: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class DialogueState:
    """What a conversation remembers between turns; plain JSON in the store."""

    ledger: Ledger = field(default_factory=Ledger)
    shown: tuple[Shown, ...] = ()
    """Lists shown, oldest first; cards are kept for the last one only."""
    query_text: str = ""
    """The words of the last search that still count, for "more" and refinements."""
    in_focus: str | None = None
    """The movie_id that "it" means: asked about or named last."""
    asked: tuple[str, ...] = ()
    """Questions already asked, so that none is asked twice."""
    pending: str | None = None
    """The question that the last turn ended with, if it was one."""
    let_go: tuple[tuple[str, str], ...] = ()
    """Kind and value of wishes that gave way because nothing fitted: said again, they bind."""

    @property
    def last_shown(self) -> tuple[str, ...]:
        """The movie ids of the last list, best first."""
        return self.shown[-1].movie_ids if self.shown else ()

    @property
    def shown_ids(self) -> frozenset[str]:
        """Every movie shown in this conversation."""
        return frozenset(i for shown in self.shown for i in shown.movie_ids)

    def to_json(self) -> dict[str, Any]:
        """The state as stored."""
        return {
            "schema": 1,
            "ledger": self.ledger.to_json(),
            "shown": [
                {"turn_id": s.turn_id, "movie_ids": list(s.movie_ids), "cards": list(s.cards)}
                for s in self.shown
            ],
            "query_text": self.query_text,
            "in_focus": self.in_focus,
            "asked": list(self.asked),
            "pending": self.pending,
            "let_go": [list(wish) for wish in self.let_go],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "DialogueState":
        """The state as loaded; an empty object is a new conversation."""
        if not stored:
            return cls()
        return cls(
            ledger=Ledger.from_json(stored["ledger"]),
            shown=tuple(
                Shown(s["turn_id"], tuple(s["movie_ids"]), tuple(s["cards"]))
                for s in stored["shown"]
            ),
            query_text=stored["query_text"],
            in_focus=stored["in_focus"],
            asked=tuple(stored["asked"]),
            pending=stored["pending"],
            let_go=tuple((kind, value) for kind, value in stored.get("let_go", ())),
        )
