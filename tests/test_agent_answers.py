"""Answers as somebody reads them who chooses a film tonight: true, to the point, not all alike."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.assistant import Assistant
from talking import Talk, services


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Assistant]:
    async with services(tmp_path_factory.mktemp("answers")) as wired:
        yield wired.assistant


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_refused_genre_is_no_reason(assistant: Assistant) -> None:
    talk = Talk(assistant, "a")
    await talk.say("a horror movie")
    reply = await talk.say("actually no horror")
    assert reply.cards
    said = " ".join(text for card in reply.cards for text in card.why).lower()
    assert "horror" not in said
    assert "scary" not in said


async def test_no_two_cards_of_a_list_say_the_same(assistant: Assistant) -> None:
    reply = await Talk(assistant, "b").say("a thriller from the 2000s")
    reasons = [text for card in reply.cards for text in card.why]
    assert len(set(reasons)) == len(reasons)
    assert all(card.why for card in reply.cards)


async def test_having_seen_a_film_of_the_list_asks_for_no_more_of_it(assistant: Assistant) -> None:
    talk = Talk(assistant, "c")
    await talk.say("a romantic comedy")
    reply = await talk.say("I've seen the first two")
    assert reply.cards
    assert not any("People who love" in text for card in reply.cards for text in card.why)


async def test_tastes_of_two_meet_in_one_list(assistant: Assistant) -> None:
    reply = await Talk(assistant, "d").say("my girlfriend likes romance and I like action")
    both = [c for c in reply.cards if {"romance", "action"} <= set(c.facts.genres)]
    assert len(both) >= 2


async def test_somebody_else_gets_what_they_love(assistant: Assistant) -> None:
    reply = await Talk(assistant, "e").say("a film for my dad, he loves westerns and John Wayne")
    assert all("western" in card.facts.genres for card in reply.cards)
    assert "for your dad" in reply.text


async def test_a_surprise_is_not_what_everybody_is_shown(assistant: Assistant) -> None:
    usual = await Talk(assistant, "f1").say("what's good?")
    reply = await Talk(assistant, "f2").say("surprise me")
    assert reply.cards
    assert not set(reply.titles) & set(usual.titles)
    assert reply.question is None
    assert len({card.facts.genres[0] for card in reply.cards}) == len(reply.cards)


async def test_more_describes_no_film(assistant: Assistant) -> None:
    talk = Talk(assistant, "g")
    await talk.say("surprise me")
    reply = await talk.say("another one")
    assert not any("scary one" in text for card in reply.cards for text in card.why)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("is Alien ok for a 7 year old?", "rated R"),
        ("is Paddington ok for my kids?", "fine|think so"),
        ("is Alien a comedy?", "would not say so|Rather not"),
        ("is Alien a horror film?", "Yes|It is"),
        ("did Alien win any oscars?", "no prize that Alien has won"),
        ("did Parasite win any oscars?", "the Oscar for Best Picture"),
        ("how does Alien differ from Aliens?", "Both are"),
    ],
)
async def test_questions_are_answered(assistant: Assistant, question: str, says: str) -> None:
    reply = await Talk(assistant, f"h {question}").say(question)
    assert reply.acts == ["inform"]
    assert any(part in reply.text for part in says.split("|")), reply.text


async def test_why_that_one_means_the_film_just_spoken_of(assistant: Assistant) -> None:
    talk = Talk(assistant, "i")
    first = await talk.say("movies like Heat")
    about = await talk.say("which of these is the shortest?")
    shortest = next(t for t in first.titles if t in about.text)
    told = await talk.say("why that one?")
    assert shortest in told.text
    assert sum(title in told.text for title in first.titles) == 1


async def test_prizes_asked_for_come_first(assistant: Assistant) -> None:
    reply = await Talk(assistant, "j").say("an oscar winning drama")
    assert all(card.why[0].startswith("Won the Oscar for") for card in reply.cards)
    assert all("drama" in card.facts.genres for card in reply.cards)
    none = await Talk(assistant, "j2").say("an Emmy-winning western from the 60s")
    assert "no such prize" in none.text


async def test_what_is_known_reads_as_a_sentence(assistant: Assistant) -> None:
    talk = Talk(assistant, "k")
    await talk.say("a thriller from the 90s for tonight with my wife, no gore, I loved Heat")
    told = (await talk.say("what do you know about me?")).text
    assert "you like Heat" in told
    assert "you are looking for thrillers from the 1990s" in told
    assert "you want" not in told


async def test_start_over_shows_a_list_and_asks_nothing(assistant: Assistant) -> None:
    talk = Talk(assistant, "l")
    await talk.say("a mystery with Tom Hanks")
    reply = await talk.say("start over")
    assert reply.cards
    assert reply.question is None
    assert not any("over and over" in text for card in reply.cards for text in card.why)


async def test_with_adds_to_what_was_said(assistant: Assistant) -> None:
    talk = Talk(assistant, "m")
    await talk.say("a romance for date night")
    reply = await talk.say("with comedy")
    assert all({"romance", "comedy"} <= set(card.facts.genres) for card in reply.cards)


async def test_a_range_spells_a_comparative_out(assistant: Assistant) -> None:
    talk = Talk(assistant, "older")
    await talk.say("a comedy")
    reply = await talk.say("how about older, like from the 60s or 70s")
    assert [one for one in reply.labels if "19" in one] == ["from 1960 to 1979"]
    assert "replaces" not in reply.text


async def test_a_bound_beside_an_example_is_not_loosened(assistant: Assistant) -> None:
    reply = await Talk(assistant, "hours").say("something like Heat but shorter, under two hours")
    assert [one for one in reply.labels if "min" in one] == ["at most 120 min"]


async def test_the_youngest_child_sets_the_bounds(assistant: Assistant) -> None:
    reply = await Talk(assistant, "ages").say("a movie for my 6 year old and my 12 year old")
    assert "nothing above PG" in reply.labels
    assert not any("PG-13" in label for label in reply.labels)
    assert "replaces" not in reply.text


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("is the first one in English?", "is in English"),
        ("how long is each of these?", "minutes; "),
        ("is the second one about the Beatles?", ": "),
        ("which of these are in French?", "English; "),
        ("did any of them win an Oscar?", "prize for "),
    ],
)
async def test_questions_about_a_list_change_nothing(
    assistant: Assistant, question: str, says: str
) -> None:
    talk = Talk(assistant, f"list {question}")
    listed = await talk.say("a crime film like Heat")
    reply = await talk.say(question)
    assert says in reply.text
    assert not reply.cards
    assert reply.labels in ([], listed.labels)


async def test_similar_takes_up_the_film_just_asked_about(assistant: Assistant) -> None:
    talk = Talk(assistant, "similar")
    await talk.say("what is Oldboy about?")
    reply = await talk.say("similar but not Korean")
    assert any(label.startswith("like Old") for label in reply.labels)


async def test_whose_films_are_not_meant_is_said_after_their_names(assistant: Assistant) -> None:
    talk = Talk(assistant, "them")
    reply = await talk.say("I like Tarantino and Wes Anderson. What should I watch not by them?")
    directors = {name for card in reply.cards for name in card.facts.directors}
    assert reply.cards
    assert not directors & {"Quentin Tarantino", "Wes Anderson"}


async def test_a_quiet_day_is_no_day_for_horror(assistant: Assistant) -> None:
    reply = await Talk(assistant, "rain").say("anything good for a rainy sunday with my mom?")
    assert reply.cards
    assert not any("horror" in card.facts.genres for card in reply.cards)
    assert any("suits the occasion" in text for card in reply.cards for text in card.why)


async def test_a_choice_from_the_list_shows_no_others(assistant: Assistant) -> None:
    talk = Talk(assistant, "choice")
    listed = await talk.say("a heist film")
    reply = await talk.say("give me just 2")
    assert not reply.cards
    assert all(card.title in reply.text for card in listed.cards[:2])
    assert listed.cards[2].title not in reply.text
    reply = await talk.say("which one would you pick?")
    assert listed.cards[0].title in reply.text


async def test_another_one_after_one_film_is_one(assistant: Assistant) -> None:
    talk = Talk(assistant, "another")
    assert len((await talk.say("just one recommendation please, a western")).cards) == 1
    assert len((await talk.say("another one")).cards) == 1


async def test_undo_and_a_new_wish_in_one_breath(assistant: Assistant) -> None:
    talk = Talk(assistant, "breath")
    await talk.say("an animated movie for tonight")
    reply = await talk.say("scratch that, live action please")
    assert reply.cards
    assert not any("animation" in card.facts.genres for card in reply.cards)


async def test_origins_are_named_as_people_do(assistant: Assistant) -> None:
    reply = await Talk(assistant, "origins").say("a Spanish or Mexican film")
    assert "Spain or Mexico" in reply.text


async def test_what_must_be_mild_is_known_to_be(assistant: Assistant) -> None:
    reply = await Talk(assistant, "mild").say("a comedy, nothing above PG-13")
    assert reply.cards
    assert all(card.facts.certificate in ("G", "PG", "PG-13") for card in reply.cards)


async def test_or_is_a_choice_with_what_was_said_before(assistant: Assistant) -> None:
    talk = Talk(assistant, "or")
    await talk.say("something in Italian")
    assert "in Italian or French" in (await talk.say("or French, I don't care which")).labels


async def test_a_decade_that_is_added_widens_the_years(assistant: Assistant) -> None:
    talk = Talk(assistant, "decades")
    await talk.say("a comedy from the 80s")
    assert "from 1970 to 1989" in (await talk.say("and the 70s too")).labels
    assert "from the 1950s" in (await talk.say("the 50s too")).labels  # a gap lies between


async def test_a_language_that_is_added_is_a_choice(assistant: Assistant) -> None:
    talk = Talk(assistant, "languages")
    await talk.say("an Italian drama")
    assert "in Italian or French" in (await talk.say("also in French")).labels


async def test_why_is_asked_of_the_film_just_spoken_of(assistant: Assistant) -> None:
    talk = Talk(assistant, "why")
    listed = await talk.say("a western")
    await talk.say("what's the third one about?")
    said = (await talk.say("why did you pick that?")).text
    assert listed.cards[2].title in said
    assert listed.cards[0].title not in said


async def test_why_a_film_is_not_on_the_list(assistant: Assistant) -> None:
    talk = Talk(assistant, "absent")
    reply = await talk.say("a comedy from the 80s")
    unfit = await talk.say("why wasn't Pulp Fiction on the list?")
    assert not unfit.cards
    assert "does not fit what you asked for: from the 1980s" in unfit.text
    first = reply.cards[0].title
    await talk.say("more")
    shown = await talk.say(f'why isn\'t "{first}" there?')
    assert "already" in shown.text
    left = await talk.say("other ones please")
    assert left.cards
    assert all(1980 <= (card.year or 0) <= 1989 for card in left.cards)
