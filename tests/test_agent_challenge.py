"""The ten challenge dialogues (research/anchors-crs.md 5), each with its checks written out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from talking import Talk, talk

FEEL_GOOD = {"feel-good", "heartwarming", "funny", "uplifting", "lighthearted", "charming"}


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Talk]:
    async with talk(tmp_path) as conversation:
        yield conversation


async def test_horror_but_not_zombies_and_nothing_from_the_90s(chat: Talk) -> None:
    reply = await chat.say("I want a horror movie but not with zombies and nothing from the 90s")
    assert len(reply.cards) == 5
    for card in reply.cards:
        assert "horror" in card.facts.genres
        assert card.year is not None
        assert not 1990 <= card.year <= 1999
        assert "zombie" not in f"{card.facts.overview} {card.facts.themes}".lower()


async def test_like_inception_but_shorter(chat: Talk) -> None:
    reply = await chat.say("something like Inception but shorter")
    assert len(reply.cards) == 5
    assert "Inception" not in reply.titles
    assert all(card.facts.runtime_min and card.facts.runtime_min < 148 for card in reply.cards)


async def test_cheer_me_up(chat: Talk) -> None:
    reply = await chat.say("I feel sad tonight, cheer me up")
    assert len(reply.cards) == 5
    assert all(FEEL_GOOD & set(card.facts.moods) for card in reply.cards)


async def test_tom_hanks_directed_by_steven_spielberg(chat: Talk) -> None:
    reply = await chat.say("movies with Tom Hanks directed by Steven Spielberg")
    assert len(reply.cards) >= 2
    for card in reply.cards:
        assert "Steven Spielberg" in card.facts.directors
        assert "Tom Hanks" in card.facts.cast
        assert any("Spielberg" in why or "Hanks" in why for why in card.why)


async def test_correction_keeps_the_rest(chat: Talk) -> None:
    first = await chat.say("a comedy from the 80s")
    assert all("comedy" in card.facts.genres for card in first.cards)
    second = await chat.say("actually forget the comedy part, I meant thriller")
    assert len(second.cards) == 5
    for card in second.cards:
        assert "thriller" in card.facts.genres
        assert card.year is not None
        assert 1980 <= card.year <= 1989
    assert "comedy" not in second.labels
    assert not set(first.titles) & set(second.titles)


async def test_two_facts_kept_and_the_question_answered(chat: Talk) -> None:
    reply = await chat.say("I loved Heat and hate musicals, what's the runtime of Alien?")
    assert reply.acts == ["inform"]
    assert "117" in reply.text
    assert any("Heat" in label for label in reply.labels)
    assert "no musical" in reply.labels
    assert not any("Alien" in label for label in reply.labels)
    later = await chat.say("so what should I watch?")
    assert later.cards
    assert all("musical" not in card.facts.genres for card in later.cards)


async def test_pizza_is_out_of_scope(chat: Talk) -> None:
    reply = await chat.say("can you order me a pizza?")
    assert reply.acts == ["chat"]
    assert not reply.cards
    assert "film" in reply.text


async def test_typos(chat: Talk) -> None:
    reply = await chat.say("i want a scince ficton movi with arnold schwarzeneger")
    assert reply.cards
    for card in reply.cards:
        assert "science fiction" in card.facts.genres
        assert "Arnold Schwarzenegger" in card.facts.cast


async def test_why_names_the_evidence(chat: Talk) -> None:
    first = await chat.say("action movie from the 90s")
    for card in first.cards:
        assert "action" in card.facts.genres
        assert card.year is not None
        assert 1990 <= card.year <= 1999
    why = await chat.say("why did you recommend this?")
    assert why.acts == ["explain"]
    assert first.titles[0] in why.text
    assert not why.cards


async def test_recent_family_film(chat: Talk) -> None:
    reply = await chat.say("a recent family film, nothing older than 2015")
    assert len(reply.cards) == 5
    for card in reply.cards:
        assert card.year is not None
        assert card.year >= 2015
        assert "family" in card.facts.genres
