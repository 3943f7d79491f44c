"""Playing written dialogues: one fresh conversation each, from JSON lines to JSON lines.

    in   {"dialogue_id", "turns": ["...", ...], "user_id"?}
    out  {"dialogue_id", "turns": [{"user", "events": [{"id", "type", ...}, ...], "event_ms"}]}

Knows this form and how a refused message is told. Does not know scenarios or scores. Called by
`usher chat --script` and by evals/dialogues/play.py.
"""

import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.assistant import Overloaded
from agent.events import ErrorEvent, Event, TurnStarted, to_json
from agent.ledger import StaleEdit
from agent.turn import MessageRefused, Turn
from infra.cli_common import Refusal
from retrieval.catalogs.sources import json_rows
from tools.stores import NotFound, StoreFailure


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What one user says, turn by turn."""

    dialogue_id: str
    turns: tuple[str, ...]
    user_id: str | None = None
    """Makes the dialogues of one user share a profile; only the local command line has this."""

    @property
    def principal(self) -> str:
        """A local person, or a stranger who is met once."""
        return local_principal(self.user_id) if self.user_id else f"script:{uuid.uuid4().hex}"


def local_principal(user_id: str) -> str:
    """Who a name on the local command line is to the stores."""
    return f"local:{user_id}"


def read_script(path: Path) -> list[Dialogue]:
    """Every dialogue of a file, all checked before any is played.

    Raises: Refusal, CatalogError (a file that cannot be read).
    """
    dialogues = [_dialogue(row, f"{path} line {number}") for number, row in json_rows(path)]
    if not dialogues:
        raise Refusal(f"{path} is empty: it needs one dialogue a line")
    return dialogues


def _dialogue(row: Any, where: str) -> Dialogue:
    if isinstance(row, ValueError):
        raise Refusal(f"{where} {row}: give one JSON object a line")
    dialogue_id, turns, user_id = (row.get(n) for n in ("dialogue_id", "turns", "user_id"))
    unknown = sorted(row.keys() - {"dialogue_id", "turns", "user_id"})
    if unknown:
        raise Refusal(f'{where}: unknown field "{unknown[0]}"; use dialogue_id, turns, user_id')
    if not isinstance(dialogue_id, str) or not dialogue_id:
        raise Refusal(f'{where}: "dialogue_id" must be a text')
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise Refusal(f'{where}: "turns" must be a list of texts')
    if user_id is not None and (not isinstance(user_id, str) or not user_id):
        raise Refusal(f'{where}: "user_id" must be a text')
    return Dialogue(dialogue_id, tuple(turns), user_id)


class Replies(Protocol):
    """Whoever answers turns as `Assistant.reply` does: the one seam."""

    def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Start a turn and follow it."""
        ...


async def play(assistant: Replies, dialogue: Dialogue) -> dict[str, Any]:
    """Play one dialogue to the end, whatever becomes of its turns."""
    principal, conversation_id = dialogue.principal, None
    turns = []
    for message in dialogue.turns:
        timed = await say_timed(assistant, Turn(principal, message, conversation_id))
        started = (event for _, event in timed if isinstance(event, TurnStarted))
        conversation_id = next((e.conversation_id for e in started), conversation_id)
        turns.append(turn_json(message, timed))
    return {"dialogue_id": dialogue.dialogue_id, "turns": turns}


def turn_json(message: str, timed: Sequence[tuple[float, Event]]) -> dict[str, Any]:
    """A turn as written: `event_ms` counts from when the message was sent."""
    return {
        "user": message,
        "events": [to_json(event) for _, event in timed],
        "event_ms": [round(ms, 2) for ms, _ in timed],
    }


async def say(assistant: Replies, turn: Turn) -> Sequence[Event]:
    """One whole turn; a message that is refused gives one error event instead."""
    return [event for _, event in await say_timed(assistant, turn)]


async def say_timed(assistant: Replies, turn: Turn) -> Sequence[tuple[float, Event]]:
    """The same, each event with the milliseconds since the message was sent."""
    sent = time.perf_counter()
    timed: list[tuple[float, Event]] = []
    try:
        async for event in assistant.reply(turn):
            timed.append(((time.perf_counter() - sent) * 1000, event))
        return timed
    except MessageRefused as refused:
        failure = _error(refused.code, str(refused), retryable=False)
    except (NotFound, StaleEdit) as error:
        failure = _error("not_found", str(error), retryable=False)
    except (Overloaded, StoreFailure) as error:
        failure = _error("busy", str(error), retryable=True)
    return [((time.perf_counter() - sent) * 1000, failure)]


def _error(code: str, message: str, *, retryable: bool) -> ErrorEvent:
    return ErrorEvent(id=1, turn_id="", code=code, message=message, retryable=retryable)
