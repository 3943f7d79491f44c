"""A film described because its name is forgotten, told from a wish, a remark and an answer."""

import pytest

from retrieval.nlu.forgotten import is_known_item
from retrieval.understand import understand
from small_lexicon import lexicon

FORGOTTEN = (
    "what was that heist film where they drive minis through a tunnel",
    "whats the one where everybody on the train is a suspect?",
    "The movie where a shop clerk is called in on his day off",
    "I can't for the life of me remember what it was called, a dog saves a village",
    "I'm looking for a film I saw as a kid, two sisters live in a lighthouse",
    "Does anybody know a cartoon with a fox who steals clocks? Saw it at school.",
    "There was this movie about a piano tuner who goes to Burma",
    "I watched a movie years ago on TV and the hero was a postman",
    "Help me figure out this one: a diver finds a door at the bottom of a lake",
    "I cannot find it anywhere. A woman keeps getting letters from herself.",
    "I remember a scene in which a boy hides his brother in a barn. I think he was from the city, "
    "and their father comes looking for them at the end.",
    "It’s driving me mad: a couple buys a house, the wife hears somebody in the attic, and it "
    "turns out the old owner never left.",
    "Not sure if it was a series. A teacher loses his voice and the kids run the school, possibly "
    "from the late 90s.",
)
NOT_FORGOTTEN = (
    "Can you help me find a good horror movie?",
    "I am trying to find a scary film to watch with my kids",
    "help me find a movie for date night",
    "I'm looking for a movie where people get lost at sea",
    "I'm looking for something like the film I saw yesterday, Heat",
    "Oh yes, I remember that movie, it was really good!",
    "That one was fantastic, I liked it a lot.",
    "That one with the shark sounds good, I will watch that one, thanks",
    "what is the best film that came out last year?",
    "What's the most moving film that you know?",
    "The movie was a bit long and I did not care for the acting.",
    "what is the name of the director?",
    "I loved how he and his brother end up together, I think it was funny because they never talk",
    "I saw Heat a few years ago and loved it, something similar please",
    "a funny film about a family on a road trip, I think they would all enjoy it tonight",
    "I can't find this one on Netflix, any other suggestions?",
    "I don't recall seeing that film. Not really my taste.",
)


@pytest.mark.parametrize("text", FORGOTTEN)
def test_somebody_describes_a_film_whose_name_is_forgotten(text: str) -> None:
    assert is_known_item(text.lower())


@pytest.mark.parametrize("text", NOT_FORGOTTEN)
def test_wishes_remarks_and_answers_describe_none(text: str) -> None:
    assert not is_known_item(text.lower())


def test_a_long_message_takes_no_time() -> None:
    assert not is_known_item("what was the the the " * 90)
    assert not is_known_item("a movie " * 250)


STORY = (
    "I remember a film that I saw on TV as a kid, maybe from the 80s. A family moves to a small "
    "town and the father goes out and forgets to come back. Scary, and not like Alien at all."
)


def test_a_long_recollection_lays_nothing_down() -> None:
    heard = understand(STORY, lexicon())
    assert heard.known_item and heard.query_text == STORY
    assert not (heard.findings or heard.comparisons or heard.withdrawals)
    assert not (heard.undo or heard.reset or heard.question)
    assert "seed" not in {mention.stance for mention in heard.mentions}


def test_a_short_description_keeps_what_was_said() -> None:
    heard = understand("I can't remember the name of it, an 80s comedy about ghosts", lexicon())
    assert heard.known_item
    assert {finding.kind for finding in heard.findings} >= {"genre", "year"}
