"""The events of one running turn: appended by its task, read by any number of readers.

Knows ids, order and waiting. Does not know HTTP or stores: a reader that left resumes with the id
it saw last. Called by assistant.py.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeVar

from agent.events import Event, TextDelta, to_json

E = TypeVar("E", bound=Event)


class EventLog:
    """Append-only; closed when the turn has ended."""

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        self.events: list[Event] = []
        self.closed = False
        self.dismissed = False
        self._changed = asyncio.Event()

    def draft(self, cls: type[E], offset: int = 0, **fields: Any) -> E:
        """Make the next event without appending it; `offset` counts drafts made before it."""
        return cls(id=len(self.events) + offset + 1, turn_id=self.turn_id, **fields)

    def emit(self, cls: type[Event], **fields: Any) -> None:
        """Append the next event and wake the readers."""
        self.append([self.draft(cls, **fields)])

    def append(self, events: Sequence[Event]) -> None:
        """Append drafted events."""
        self.events += events
        self._wake()

    def close(self) -> None:
        """No event follows."""
        self.closed = True
        self._wake()

    def dismiss(self) -> None:
        """Send the readers away, though more events may come: the server is going down."""
        self.dismissed = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def read(self, after: int) -> AsyncGenerator[Event, None]:
        """Every event with an id above `after`, waiting for new ones until the log closes."""
        while True:
            changed = self._changed
            while after < len(self.events):
                event = self.events[after]
                after += 1
                yield event
            if self.closed or self.dismissed:
                return
            await changed.wait()

    def text(self) -> str:
        """The prose sent so far."""
        return "".join(e.text for e in self.events if isinstance(e, TextDelta))

    def as_json(self) -> list[dict[str, Any]]:
        """The events as stored."""
        return [to_json(event) for event in self.events]
