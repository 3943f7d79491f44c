"""One conversation with an agent, kept as a transcript while it goes on.

Knows the seam (`reply`) and how a turn becomes part of a transcript, with its times and labels.
Does not know what will be said: scripted scenarios (play.py) and simulated users decide that. What
the agent raises ends the dialogue with an error in its transcript, never the run.
"""

import logging
from dataclasses import dataclass, field

from agent.events import LedgerEntryView, TurnStarted
from agent.turn import Edit, Turn
from evals.dialogues.expected import Expected
from evals.dialogues.transcript import (
    Origin,
    Outcome,
    PlayedTurn,
    Transcript,
    TurnError,
    messages_of,
    turn_from_events,
)
from infra.script import Replies, say_timed, turn_json

logger = logging.getLogger(__name__)


@dataclass
class Talk:
    """A stranger's fresh conversation; `principal` makes several share a profile."""

    agent: Replies
    principal: str
    turns: list[PlayedTurn] = field(default_factory=list)
    conversation_id: str | None = None

    @property
    def ledger(self) -> tuple[LedgerEntryView, ...]:
        """As it stands after the last turn."""
        return (self.turns[-1].ledger or ()) if self.turns else ()

    async def say(
        self,
        message: str,
        expected: Expected | None = None,
        user_acts: tuple[str, ...] | None = None,
        edits: tuple[Edit, ...] = (),
    ) -> PlayedTurn:
        """Send a message, or tap ledger chips, and hear the whole answer."""
        turn = Turn(self.principal, message, self.conversation_id, edits)
        try:
            timed = await say_timed(self.agent, turn)
            started = (event for _, event in timed if isinstance(event, TurnStarted))
            self.conversation_id = next((e.conversation_id for e in started), turn.conversation_id)
            played = turn_from_events(turn_json(message, timed), self.ledger)
        except Exception as error:  # the edge of an eval trial: it scores, and the run goes on
            logger.exception("the agent broke on %r", message)
            told = TurnError(code=type(error).__name__, message=str(error))
            before = self.ledger
            played = PlayedTurn(
                user=message,
                prose="",
                ledger_before=before,
                ledger=before,
                status="failed",
                error=told,
            )
        played = played.model_copy(update={"expected": expected, "user_acts": user_acts})
        self.turns.append(played)
        return played

    def transcript(
        self, dialogue_id: str, origin: Origin, outcome: Outcome | None = None
    ) -> Transcript:
        """The conversation so far."""
        return Transcript(
            dialogue_id=dialogue_id,
            messages=messages_of(self.turns),
            turns=tuple(self.turns),
            outcome=outcome,
            **dict(origin),
        )
