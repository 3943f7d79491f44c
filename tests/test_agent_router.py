"""Which acts turns call for, what sentences do, and when the agent stops searching."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.router import acts_called_for, takes_up, what_was_done
from evals.recorded.rank_input import InputProblem
from evals.recorded.train_moves import (
    TARGET,
    UTTERANCES,
    Example,
    fit,
    read_examples,
    unfolded,
    written,
)
from retrieval.nlu.moves import AFTERS, MOVES, After, masked, read_moves, sentences
from retrieval.understand import understand
from small_lexicon import lexicon
from talking import Talk, talk


@pytest.mark.parametrize(
    ("after", "opened", "text", "acts"),
    [
        ("nothing", False, "Hi! I'm looking for a scary movie", {"chat", "search"}),
        ("asked", True, "Comedies, mostly.", {"refine"}),
        ("recommended", True, "I haven't seen it, that sounds good", {"chat"}),
        ("recommended", True, "No, I haven't. What is it about?", {"inform"}),
        ("recommended", True, "I loved Heat, but it is too long. Anything newer?", {"refine"}),
        ("recommended", True, "Yes", {"refine"}),
        ("recommended", True, "I have not seen Heat yet", {"chat"}),
        ("told", True, "Great, I'll watch it. Who is in it?", {"chat", "inform"}),
        ("closed", True, "You too, bye!", {"chat"}),
        ("closed", True, "lol", {"chat"}),
        ("asked", True, "no", {"refine"}),
    ],
)
def test_a_turn_calls_for_its_acts(after: After, opened: bool, text: str, acts: set[str]) -> None:
    assert set(acts_called_for(understand(text, lexicon()), after, opened)) == acts


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("Have you seen Heat (1995)?", "recommended"),
        ("What about Never Heard Of It (1951)", "recommended"),
        ("Hello! How are you?", "greeted"),
        ("Hi, what kind of movies do you like?", "asked"),
        ("It is about a bank robber.", "told"),
        ("You're welcome, have a nice evening", "closed"),
    ],
)
def test_what_another_side_did_is_read(text: str, done: After) -> None:
    assert what_was_done(understand(text, lexicon())) == done


@pytest.mark.parametrize("text", ["", "?!", "🙂", "a" * 2000, "(2001) (2002) ...", "but but"])
@pytest.mark.parametrize("after", AFTERS)
def test_any_text_has_an_act_and_moves_that_add_up(text: str, after: After) -> None:
    heard = understand(text, lexicon())
    assert acts_called_for(heard, after, opened=True)
    for sentence in read_moves(heard, after):
        assert sum(sentence.moves.values()) == pytest.approx(1.0)


def test_names_are_put_by_their_kind_and_do_not_end_sentences() -> None:
    text = "I liked Heat (1995)! Mr. Nobody Knows (1931) was fun... any comedies?"
    heard = understand(text, lexicon())
    cut = [" ".join(s.split()) for s in sentences(masked(text, heard.marks))]
    assert cut == ["i liked TITLE", "TITLE was fun", "any GENRE ?"]


def test_only_what_surely_takes_up_ends_the_search() -> None:
    assert takes_up(understand("that sounds great, thanks", lexicon()), "recommended")
    assert not takes_up(understand("something with more action", lexicon()), "recommended")
    assert not takes_up(understand("", lexicon()), "recommended")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Talk]:
    async with talk(tmp_path) as conversation:
        yield conversation


async def test_taking_a_suggestion_up_in_free_words_is_answered_without_a_list(chat: Talk) -> None:
    shown = await chat.say("a thriller from the 90s")
    assert shown.cards
    taken = await chat.say("ooh nice, that looks like fun, I will give it a go tonight")
    assert taken.acts == ["chat"]
    assert not taken.cards
    more = await chat.say("show me more")
    assert more.cards
    assert all(1990 <= (card.year or 0) <= 1999 for card in more.cards)


# --- the training of the weights ---


def test_our_utterances_cover_every_move_and_turn_before() -> None:
    examples = read_examples(UTTERANCES, random.Random(0))
    assert {e.move for e in examples} == set(MOVES)
    assert {e.after for e in examples} == set(AFTERS)
    assert len({e.words for e in examples}) > 3000


def test_a_pattern_unfolds_into_different_utterances_the_same_way_each_time() -> None:
    pattern = "(hi|hello) i (like|love) {genre}( films|)"
    texts = unfolded(pattern, random.Random(1))
    assert len(texts) == len(set(texts)) == 8
    assert texts == unfolded(pattern, random.Random(1))
    assert "hi i love GENRE films" in texts


def test_weights_learn_what_they_are_shown() -> None:
    examples = [
        *(Example("thanks a lot", "told", "chat", 1.0) for _ in range(3)),
        *(Example("what is it about?", "told", "inquire", 1.0) for _ in range(3)),
    ]
    weights = fit(examples)
    chat_place, inquire_place = MOVES.index("chat"), MOVES.index("inquire")
    assert weights["thanks"][chat_place] > 0.1 > -0.1 > weights["thanks"][inquire_place]
    assert weights["about"][inquire_place] > 0.1


@pytest.mark.slow
def test_the_weights_that_ship_are_those_of_our_utterances() -> None:
    weights = fit(read_examples(UTTERANCES, random.Random(0)))
    assert written(weights) == TARGET.read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("chat\thello\n", "line 1"),
        ("[told]\nchat hello\n", "line 2"),
        ("[told]\nbeg\thello\n", "line 2"),
        ("[sung]\nchat\thello\n", "line 1.*sung"),
    ],
)
def test_a_wrong_pattern_line_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "utterances.txt"
    path.write_text(content)
    with pytest.raises(InputProblem, match=named):
        read_examples(path, random.Random(0))
