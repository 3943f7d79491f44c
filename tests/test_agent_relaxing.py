"""Nothing left: the agent's own reading gives way, aloud; what was laid down is asked about."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.assistant import Assistant
from agent.events import LedgerChanged
from agent.ledger_labels import parse_removal
from talking import Reply, Talk, services


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assistant]:
    async with services(tmp_path_factory.mktemp("relaxing")) as wired:
        yield wired.assistant


def labels(talk: Talk) -> list[str]:
    changed = [r for r in talk.replies if r.one(LedgerChanged)]
    return changed[-1].labels if changed else []


def options(reply: Reply) -> list[str]:
    assert reply.question is not None
    return [o.text for o in reply.question.options]


@pytest.mark.asyncio(loop_scope="module")
async def test_shorter_than_a_list_gives_way_and_a_stated_length_does_not(
    assistant: Assistant,
) -> None:
    talk = Talk(assistant, "a")
    first = await talk.say("a thriller under 80 minutes")
    assert first.cards
    reply = await talk.say("something shorter")
    while reply.cards:
        assert all((c.facts.runtime_min or 999) <= 80 for c in reply.cards)
        reply = await talk.say("something shorter")
    assert "at most 80 min" in labels(talk)
    assert 'remove "at most 80 min"' in options(reply)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_gave_way_is_said_and_the_rest_holds(assistant: Assistant) -> None:
    talk = Talk(assistant, "b")
    await talk.say("a horror comedy")
    said = ""
    for _ in range(4):
        reply = await talk.say("less scary")
        said += reply.text
        assert all({"horror", "comedy"} <= set(c.facts.genres) for c in reply.cards)
        assert reply.cards
    assert "let go of" in said or "set it aside" in said


@pytest.mark.asyncio(loop_scope="module")
async def test_every_way_on_leads_to_a_list(assistant: Assistant) -> None:
    for number, wish in enumerate(
        ("a horror musical from the 1930s in Korean", "a western with Tom Hanks and Uma Thurman")
    ):
        asked = await Talk(assistant, f"c{number}").say(wish)
        assert not asked.cards
        for option in options(asked):
            talk = Talk(assistant, f"c{number} {option}")
            await talk.say(wish)
            assert (await talk.say(option)).cards, option


@pytest.mark.asyncio(loop_scope="module")
async def test_somebody_else_s_taste_is_laid_aside_with_them(assistant: Assistant) -> None:
    talk = Talk(assistant, "d")
    await talk.say("for my dad, he loves westerns")
    told = await talk.say("what do you know about me?")
    assert "your dad" in told.text
    assert "western" in told.text
    await talk.say("and now something for me")
    assert labels(talk) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_loved_film_again_needs_one_that_is_known(assistant: Assistant) -> None:
    talk = Talk(assistant, "e")
    asked = await talk.say("something I've seen and loved")
    assert not asked.cards
    named = await talk.say(options(asked)[0])
    assert named.cards
    again = await talk.say("something I've seen and loved")
    assert [f'I loved "{c.title} ({c.year})"' for c in again.cards] == [options(asked)[0]]


@pytest.mark.asyncio(loop_scope="module")
async def test_questions_about_the_list_are_answered_from_the_catalogue(
    assistant: Assistant,
) -> None:
    talk = Talk(assistant, "f")
    first = await talk.say("a comedy")
    shortest = min(first.cards, key=lambda c: c.facts.runtime_min or 999)
    reply = await talk.say("which one is the shortest?")
    assert reply.acts == ["inform"]
    assert shortest.title in reply.text
    assert str(shortest.facts.runtime_min) in reply.text
    newest = max(first.cards, key=lambda c: c.year or 0)
    assert newest.title in (await talk.say("and which is the newest?")).text
    assert "comedy" in labels(talk)


@pytest.mark.asyncio(loop_scope="module")
async def test_whatever_lets_the_fewest_wishes_go_and_undo_brings_them_back(
    assistant: Assistant,
) -> None:
    talk = Talk(assistant, "g")
    asked = await talk.say("a Korean musical western from the 1950s under 80 minutes")
    held = labels(talk)
    assert not asked.cards
    assert asked.question is not None
    assert 2 <= len(asked.question.options) <= 3
    reply = await talk.say("ok, whatever")
    assert reply.cards
    gone = set(held) - set(labels(talk))
    assert gone
    assert all(f'"{label}"' in reply.text for label in gone)
    await talk.say("undo")
    assert labels(talk) == held


@pytest.mark.asyncio(loop_scope="module")
async def test_several_wishes_go_by_one_tap(assistant: Assistant) -> None:
    talk = Talk(assistant, "h")
    asked = await talk.say("a Korean musical western from the 1950s under 80 minutes")
    held = labels(talk)
    together = next(text for text in options(asked) if text.startswith("remove all of"))
    assert (await talk.say(together)).cards
    assert set(held) - set(labels(talk)) == set(parse_removal(together))


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_shown_and_fits_is_named_when_there_is_no_more(
    assistant: Assistant,
) -> None:
    talk = Talk(assistant, "i")
    first = await talk.say("a romantic comedy from the 80s")
    assert "When Harry Met Sally..." in first.titles
    reply = await talk.say("with Meg Ryan")
    assert not reply.cards
    assert reply.question is not None
    assert "When Harry Met Sally" in reply.question.question
    told = await talk.say("why is there nothing?")
    assert "with Meg Ryan" in told.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_wish_said_again_after_it_gave_way_binds(assistant: Assistant) -> None:
    for number, (wish, again) in enumerate(
        (("superheroes, before 1930", "superheroes!"), ("a 1940s film about robots", "robots"))
    ):
        talk = Talk(assistant, f"j{number}")
        first = await talk.say(wish)
        assert first.cards
        assert "let go" in first.text or "set it aside" in first.text
        held = labels(talk)
        insisted = await talk.say(again)
        assert not insisted.cards
        assert "set it aside" not in insisted.text
        assert len(labels(talk)) == len(held) + 1
        for option in options(insisted):
            other = Talk(assistant, f"j{number} {option}")
            await other.say(wish)
            await other.say(again)
            assert (await other.say(option)).cards, option


@pytest.mark.asyncio(loop_scope="module")
async def test_the_last_thing_taken_back_is_one_wish_of_the_turn(assistant: Assistant) -> None:
    talk = Talk(assistant, "k")
    await talk.say("a thriller")
    await talk.say("from the 90s and under 120 minutes")
    assert len(labels(talk)) == 3
    await talk.say("never mind the last thing")
    assert labels(talk) == ["thriller", "from the 1990s"]
    await talk.say("undo")
    assert len(labels(talk)) == 3


@pytest.mark.asyncio(loop_scope="module")
async def test_little_known_lasts_until_it_is_taken_back(assistant: Assistant) -> None:
    talk = Talk(assistant, "l")
    plain = await Talk(assistant, "l plain").say("a thriller")
    first = await talk.say("something underrated")
    assert labels(talk) == ["little known"]
    assert first.cards
    reply = await talk.say("a thriller")
    assert "little known" in labels(talk)
    assert not set(reply.titles) & set(plain.titles)
    await talk.say('remove "little known"')
    assert labels(talk) == ["thriller"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_series_is_kept_to_and_asked_about(assistant: Assistant) -> None:
    talk = Talk(assistant, "m")
    reply = await talk.say("a Toy Story movie")
    assert reply.cards
    assert all("Toy Story" in title for title in reply.titles)
    longest = await talk.say("which Toy Story movie is the longest?")
    assert longest.acts == ["inform"]
    assert "minutes" in longest.text
