"""The walk of random critiques: it sees a dead end, an idle chip and a chip that takes too much."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from agent.events import (
    EVENT,
    Event,
)
from agent.ledger_labels import parse_remove_text
from agent.turn import Turn
from evals.__main__ import main
from evals.dialogues.critiques_walk import Walked, changed, walk
from evals.dialogues.transcript import PlayedTurn, Shown

CHIPS = ("something shorter", "show me more")


class Shop:
    """Answers every message with five more films; `fault` names what it does wrong."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.heard: dict[str, list[str]] = {}
        self.ledgers: dict[str, list[str]] = {}

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        who = turn.conversation_id or turn.principal
        said = self.heard.setdefault(who, [])
        said.append(turn.message)
        ledger = self.ledgers.setdefault(who, ["comedy", "short", "no horror"])
        removed = parse_remove_text(turn.message) or next((e.entry_id for e in turn.edits), None)
        if removed in ledger:
            ledger.remove(removed)
            if self.fault == "takes too much" and ledger:
                ledger.pop()
        shorter = 0 if self.fault == "idle" else said.count(CHIPS[0])
        number = 5 * len(said) + 1000 * shorter
        empty = self.fault == "dead end" and len(said) % 4 == 0
        sent: list[dict[str, Any]] = [
            {"type": "turn.started", "conversation_id": who},
            {"type": "ledger", "version": len(said), "entries": [_entry(e) for e in ledger]},
        ]
        bare = self.fault == "no chips" and removed is not None
        if not empty and not bare:
            cards = [_card(f"m{number + i}") for i in range(5)]
            sent.append({"type": "recommendations", "cards": cards})
            chips = [{"label": text, "text": text} for text in CHIPS]
            sent.append({"type": "suggestions", "chips": chips})
        sent.append(_FINISHED)
        for event_id, event in enumerate(sent, 1):
            yield EVENT.validate_python({**event, "id": event_id, "turn_id": f"t{len(said)}"})


_FINISHED = {
    **{"type": "turn.finished", "status": "completed", "acts": ["refine"]},
    **{"timings": {}, "prompt_shas": {}},
}


def _entry(name: str) -> dict[str, Any]:
    entry = {"id": name, "kind": "genre", "value": name, "polarity": "want", "hard": True}
    return {**entry, "source_turn": "t1", "label": name, "remove_text": f'remove "{name}"'}


def _card(movie_id: str) -> dict[str, Any]:
    return {"id": movie_id, "title": movie_id, "year": 1990, "why": [], "facts": {}}


async def walked(fault: str = "") -> Walked:
    return await walk(Shop(fault), 120, seed=1)


async def test_an_agent_without_fault_has_none() -> None:
    found = await walked()
    assert found.holds
    assert found.critiques == 120
    assert found.chips > 10 and found.removals > 10


@pytest.mark.parametrize(
    ("fault", "where"),
    [("dead end", "dead_ends"), ("idle", "idle"), ("takes too much", "wrong_removals")],
)
async def test_each_fault_is_seen_and_told_with_what_was_said(fault: str, where: str) -> None:
    found = await walked(fault)
    told: Sequence[str] = getattr(found, where)
    assert told and not found.holds
    assert all(" / " in one for one in told)


async def test_what_was_offered_before_a_chip_was_taken_away_is_not_tapped() -> None:
    shop = Shop("no chips")
    await walk(shop, 120, seed=1)
    after = [
        said[n + 1]
        for said in shop.heard.values()
        for n, text in enumerate(said[:-1])
        if not text or parse_remove_text(text)
    ]
    assert len(after) > 10
    assert not set(after) & set(CHIPS)


def test_a_list_changes_by_what_is_not_on_the_other() -> None:
    def turn(*ids: str) -> PlayedTurn:
        cards = tuple(Shown(movie_id=i, title=i, rank=n) for n, i in enumerate(ids, 1))
        return PlayedTurn(user="x", prose="", shown=cards)

    assert changed(turn("a", "b", "c", "d", "e"), turn("a", "b", "x", "y", "z")) == 3
    assert changed(turn(), turn("a", "b", "c", "d", "e", "f")) == 5
    assert changed(turn("a"), turn("a", "b")) == 1


def test_how_many_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["critiques", "-n", "0"])
    assert ended.value.code == 2
    assert "-n must be 1 or more" in capsys.readouterr().err
