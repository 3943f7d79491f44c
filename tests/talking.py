"""Conversations for tests: the real service over the whole starter catalogue, turn by turn.

The index is built once per test run, with the encoder that ships; nothing is replaced.
"""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agent.assistant import Assistant
from agent.events import (
    Card,
    Clarify,
    Event,
    LedgerChanged,
    Recommendations,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from agent.turn import Edit, Turn
from infra.settings import load
from infra.wiring import Services, build
from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local


@cache
def starter_index() -> Path:
    """The starter catalogue's index."""
    folder = Path(tempfile.mkdtemp(prefix="usher-test-starter-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    catalogue = open_catalogue(STARTER / "movies.jsonl.gz")
    build_local(catalogue, OnnxEncoder.load(threads=2), folder)
    return folder


@dataclass
class Reply:
    """One answered turn."""

    events: list[Event]

    def one(self, kind: type[Any]) -> Any:
        """The only event of a class, or None."""
        found = [e for e in self.events if isinstance(e, kind)]
        assert len(found) <= 1, found
        return found[0] if found else None

    @property
    def cards(self) -> list[Card]:
        listed = self.one(Recommendations)
        return listed.cards if listed else []

    @property
    def titles(self) -> list[str]:
        return [card.title for card in self.cards]

    @property
    def text(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, TextDelta))

    @property
    def acts(self) -> list[str]:
        return list(self.one(TurnFinished).acts)

    @property
    def labels(self) -> list[str]:
        ledger: LedgerChanged | None = self.one(LedgerChanged)
        return [entry.label for entry in ledger.entries] if ledger else []

    @property
    def question(self) -> Clarify | None:
        asked: Clarify | None = self.one(Clarify)
        return asked


@dataclass
class Talk:
    """A conversation with one principal."""

    assistant: Assistant
    principal: str = "tester"
    conversation_id: str | None = None
    replies: list[Reply] = field(default_factory=list)

    async def say(self, message: str, *edits: Edit) -> Reply:
        """Say something and wait for the whole answer."""
        turn = Turn(self.principal, message, self.conversation_id, edits)
        events = [event async for event in self.assistant.reply(turn)]
        started = events[0]
        assert isinstance(started, TurnStarted)
        self.conversation_id = started.conversation_id
        self.replies.append(Reply(events))
        return self.replies[-1]


@asynccontextmanager
async def services(home: Path, **settings: Any) -> AsyncIterator[Services]:
    """The wired service on the starter index."""
    wired = await build(load(home=home, index_dir=starter_index(), **settings))
    try:
        yield wired
    finally:
        await wired.close()


@asynccontextmanager
async def talk(home: Path, **settings: Any) -> AsyncIterator[Talk]:
    """A new conversation."""
    async with services(home, **settings) as wired:
        yield Talk(wired.assistant)
