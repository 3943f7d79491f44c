"""The port of simulated users: an answer goes in, the next message comes out.

Knows its two shapes. Does not know how a user makes up its mind: user_agenda.py (rules, the
default), user_replay.py (recorded messages), user_model.py (a language model). Called by
simulate.py.
"""

from dataclasses import dataclass
from typing import Protocol

from evals.dialogues.transcript import PlayedTurn
from evals.users.goal import End


@dataclass(frozen=True, slots=True)
class Said:
    """A message, with what was meant by it."""

    text: str
    acts: tuple[str, ...]
    """"kind" or "kind:what": opening:cosy, critique:short, more, accept:MOVIE_ID, move:0 ..."""
    end: End | None = None
    """The user leaves after this message."""
    accepted: str | None = None
    """movie_id of the film that they will watch."""


@dataclass(frozen=True, slots=True)
class Left:
    """The user leaves without a word."""

    end: End


class SimulatedUser(Protocol):
    """One person in one dialogue."""

    async def speak(self, last: PlayedTurn | None) -> Said | Left:
        """The next message; `last` is the answer to the one before, None at the beginning."""
        ...
