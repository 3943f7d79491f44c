"""Dialogues of our own, each turn with its checks: sixty of ten kinds, and some once gone wrong.

One service plays them all.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from agent.events import Card
from talking import Reply, Talk, services

Kinds = Mapping[str, list[list[dict[str, Any]]]]


def read(name: str) -> Kinds:
    """The dialogues of a file, by kind."""
    kinds: Kinds = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    return kinds


SIXTY = read("dialogues.yaml")
KINDS: Kinds = {**SIXTY, **read("dialogues_learned.yaml")}
KEYS = {"user", "acts", "cards", "every", "none", "says", "has", "lacks", "keeps", "any"}
Checks = Mapping[str, Any]


def holds(card: Card, name: str, wanted: Any) -> bool:
    """One check on one card."""
    facts = card.facts
    if name in ("year", "runtime"):
        number = card.year if name == "year" else facts.runtime_min
        return number is not None and wanted[0] <= number <= wanted[1]
    if name == "genre":
        return set(wanted) <= set(facts.genres)
    if name == "word":
        return wanted in f"{facts.overview} {facts.themes} {facts.genres}".lower()
    if name == "title_word":
        return wanted in card.title.lower()
    values: Mapping[str, list[Any]] = {
        "any_genre": facts.genres,
        "mood": facts.moods,
        "person": [*facts.cast, *facts.directors],
        "director": facts.directors,
        "language": [facts.language],
        "certificate": [facts.certificate],
        "title": [card.title],
    }
    return bool(set(wanted) & set(values[name]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    async with services(tmp_path_factory.mktemp("dialogues")) as wired:
        yield wired.assistant


def named() -> list[str]:
    return [f"{kind} {n}" for kind, dialogues in KINDS.items() for n in range(len(dialogues))]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", named())
async def test_own_dialogue(assistant: Any, name: str) -> None:
    kind, _, number = name.rpartition(" ")
    talk = Talk(assistant, principal=name)
    kept: list[tuple[bool, str, Any]] = []
    shown: set[str] = set()
    for turn in KINDS[kind][int(number)]:
        assert set(turn) <= KEYS, set(turn) - KEYS
        reply = await talk.say(turn["user"])
        checks = [(True, k, v) for k, v in turn.get("every", {}).items()]
        checks += [(False, k, v) for k, v in turn.get("none", {}).items()]
        _check(turn, reply, [*kept, *checks])
        kept += checks if turn.get("keeps") else []
        again = {card.id for card in reply.cards} & shown
        assert not again, f"{turn['user']!r}: shown before: {again}"
        shown |= {card.id for card in reply.cards}


def _check(turn: Checks, reply: Reply, checks: list[tuple[bool, str, Any]]) -> None:
    said = turn["user"]
    assert set(turn.get("acts", ("search", "refine"))) & set(reply.acts), f"{said!r}: {reply.acts}"
    if turn.get("cards", True) != "any":
        assert bool(reply.cards) == turn.get("cards", True), f"{said!r}: {reply.text}"
    text = reply.text + (reply.question.question if reply.question else "")
    for word in turn.get("says", ()):
        assert word in text, f"{said!r}: {text}"
    for label in turn.get("has", ()):
        assert label in reply.labels, f"{said!r}: {reply.labels}"
    for label in turn.get("lacks", ()):
        assert label not in reply.labels, f"{said!r}: {reply.labels}"
    for card in reply.cards:
        broken = [(k, v) for wanted, k, v in checks if holds(card, k, v) != wanted]
        assert not broken, f"{said!r}: {card.title} ({card.year}) breaks {broken}: {card.facts}"


def test_there_are_six_of_each_of_ten_kinds() -> None:
    assert [len(dialogues) for dialogues in SIXTY.values()] == [6] * 10
