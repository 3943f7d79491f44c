"""Films of the list shown last: which are meant, what is thought of them, what is asked of them."""

import pytest

from retrieval.movie import Movie
from retrieval.understand import Context, understand
from retrieval.understanding import Understanding
from small_lexicon import films, lexicon

TITLES = ("Inception", "Heat", "Alien", "Memento", "Jaws")
SHOWN: tuple[Movie, ...] = tuple(next(m for m in films() if m.title == t) for t in TITLES)
OF = {movie.movie_id: movie.title for movie in SHOWN}


def heard(text: str, before: str = "") -> Understanding:
    return understand(text, lexicon(), Context(SHOWN, SHOWN[0], before))


@pytest.mark.parametrize(
    ("text", "stance", "titles"),
    [
        ("I've seen the first, third and fifth", "seen", ["Inception", "Alien", "Jaws"]),
        ("the first and the second are too long for me", "seed", ["Inception", "Heat"]),
        ("the second one looks dull", "not_now", ["Heat"]),
        ("the third one sounds a bit too scary", "not_now", ["Alien"]),
        ("ok Memento then", "unseen", ["Memento"]),
        ("Memento it is", "unseen", ["Memento"]),
        ("honestly, I'll take Mmeneto, thank you", "unseen", ["Memento"]),
        ("I can't decide between Heat and Alien", "asked", ["Heat", "Alien"]),
    ],
)
def test_which_films_and_what_is_thought_of_them(text: str, stance: str, titles: list[str]) -> None:
    found = heard(text).mentions
    assert [m.title for m in found] == titles
    if len(titles) != 2 or stance == "asked":
        assert {m.stance for m in found} == {stance}


@pytest.mark.parametrize(
    ("text", "about", "title"),
    [
        ("ok the second one sounds nice, how long is it?", "runtime", "Heat"),
        ("the third one looks good, who is in it?", "cast", "Alien"),
        ("what makes it different from Heat?", "difference", "Inception"),
        ("has it got a happy ending?", "other", "Inception"),
        ("is there a sequel?", "other", "Inception"),
        ("is it part of a series?", "other", "Inception"),
        ("is the first one animated?", "genre", "Inception"),
        ("is the first one too scary for a teenager?", "certificate", "Inception"),
        ("the shortest one?", "runtime", "Memento"),
    ],
)
def test_questions_of_what_is_pointed_at_are_no_wishes(text: str, about: str, title: str) -> None:
    found = heard(text)
    assert found.question and found.question.about == about
    assert OF[found.question.movie_id or ""] == title
    assert not found.findings and not found.query_text
    assert not [m for m in found.mentions if m.stance == "seed"]


def test_a_question_is_asked_again_of_another_film() -> None:
    again = heard("and the second one?", before="how long is the first one?")
    assert again.question and again.question.about == "runtime"
    assert OF[again.question.movie_id or ""] == "Heat"
    assert heard("and the third?", before="why the second one?").why
    assert heard("and the third?", before="something funny").question is None


@pytest.mark.parametrize(
    ("text", "what", "direction"),
    [("too old", "year", 1), ("hmm, they're all too long", "runtime", -1), ("too slow", "pace", 1)],
)
def test_too_much_of_a_list_asks_for_less(text: str, what: str, direction: int) -> None:
    ((comparison),) = heard(text).comparisons
    assert (comparison.what, comparison.direction, comparison.anchor) == (what, direction, None)


@pytest.mark.parametrize(
    ("text", "count"), [("three more", 3), ("give me two more", 2), ("another one", None)]
)
def test_more_describes_no_film(text: str, count: int | None) -> None:
    found = heard(text)
    assert (found.more, found.count, found.query_text) == (True, count, "")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("never mind netflix", "service", "netflix"),
        ("without the musical part then", "genre", "musical"),
        ("ok any genre", "genre", None),
        ("no wait, we have all night", "runtime", None),
        ("forget the french part", "language", "fr"),
    ],
)
def test_what_is_taken_back(text: str, kind: str, value: str | None) -> None:
    ((gone),) = heard(text).withdrawals
    assert (gone.kind, gone.value) == (kind, value)
    assert not heard(text).findings


def test_the_last_thing_is_undone_but_a_year_is_gone_back_to() -> None:
    assert heard("never mind the last thing").undo
    assert not heard("go back to 1994").undo


@pytest.mark.parametrize("text", ["ok that one", "that one then", "Heat it is"])
def test_what_settles_it(text: str) -> None:
    assert heard(text).small_talk == ("accept",)
