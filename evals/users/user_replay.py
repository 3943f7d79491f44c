"""A user who says again what somebody once said, whatever is answered: recorded messages replayed.

Knows a list of messages. Does not listen. Called by simulate_command.py (`--replay`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from evals.dialogues.transcript import PlayedTurn, Transcript
from evals.users.user import Left, Said


@dataclass
class ReplayUser:
    """Says each message in turn, then leaves."""

    messages: Sequence[str]
    said: int = field(default=0)

    @classmethod
    def of(cls, transcript: Transcript) -> "ReplayUser":
        """The user of a recorded dialogue, from any source."""
        return cls([turn.user for turn in transcript.turns])

    async def speak(self, last: PlayedTurn | None) -> Said | Left:
        """The next message of the recording."""
        if self.said == len(self.messages):
            return Left("done")
        self.said += 1
        return Said(self.messages[self.said - 1], ("replay",))
