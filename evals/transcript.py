"""What was said and shown in a dialogue: the one thing that scorers read.

Knows the form of `usher chat --script` and picks a turn's events apart. Does not know scenarios or
scores. Pure. Called by play.py and scorers.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agent.events import (
    EVENT,
    Act,
    AnyEvent,
    Card,
    Clarify,
    LedgerChanged,
    LedgerEntryView,
    Recommendations,
    TextDelta,
    TurnFinished,
)


@dataclass(frozen=True)
class PlayedTurn:
    """One message with the events that answered it."""

    user: str
    events: tuple[AnyEvent, ...]

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """The movies shown, best first."""
        lists = [event.cards for event in self.events if isinstance(event, Recommendations)]
        return tuple(card for cards in lists for card in cards)

    @cached_property
    def text(self) -> str:
        """The prose."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @cached_property
    def question(self) -> Clarify | None:
        """The question that ended the turn, if it was one."""
        return next((event for event in self.events if isinstance(event, Clarify)), None)

    @cached_property
    def finished(self) -> TurnFinished | None:
        """How the turn ended; None when it did not."""
        return next((event for event in self.events if isinstance(event, TurnFinished)), None)

    @cached_property
    def acts(self) -> tuple[Act, ...]:
        """What the agent did."""
        return tuple(self.finished.acts) if self.finished else ()

    @cached_property
    def ledger(self) -> tuple[LedgerEntryView, ...] | None:
        """The ledger after the turn; None when the turn did not change it."""
        changed = [event for event in self.events if isinstance(event, LedgerChanged)]
        return tuple(changed[-1].entries) if changed else None


@dataclass(frozen=True)
class Transcript:
    """A dialogue as it went."""

    dialogue_id: str
    turns: tuple[PlayedTurn, ...] = field(default=())

    @classmethod
    def from_json(cls, played: Mapping[str, Any]) -> "Transcript":
        """From a line of `usher chat --script`."""
        turns = (
            PlayedTurn(turn["user"], tuple(EVENT.validate_python(e) for e in turn["events"]))
            for turn in played["turns"]
        )
        return cls(played["dialogue_id"], tuple(turns))

    @property
    def shown_ids(self) -> frozenset[str]:
        """Every movie shown in this dialogue."""
        return frozenset(card.id for turn in self.turns for card in turn.cards)

    def ledger_after(self, number: int) -> tuple[LedgerEntryView, ...]:
        """The ledger after turn `number` (0 = first)."""
        for turn in reversed(self.turns[: number + 1]):
            if turn.ledger is not None:
                return turn.ledger
        return ()
