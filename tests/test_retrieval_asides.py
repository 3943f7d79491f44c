"""What people say beside a wish, as they do in recorded conversations, binds nothing."""

import pytest

from retrieval.understand import Context, understand
from small_lexicon import films, lexicon


def heard(text: str) -> list[tuple[str, object, str, bool]]:
    found = understand(text, lexicon()).findings
    return [(f.kind, f.value, f.polarity, f.hard) for f in found]


@pytest.mark.parametrize(
    "text",
    [
        "No that's a funny title though",
        "no I haven't seen either of them are they action packed or what?",
        "is that a sports one",
        "I want a star wars movie",
        "I can't wait for infinity wars",
        "Ah, yes I have, not too long ago. It was good!",
        "Yes. I liked that. Tom Hanks, right?",
        "Tom Hanks scared me lol",
        "I really liked the one with Tom Hanks",
        "All of the Harry Potter movies are excellent",
        "Are you more interested in serious action films, or comedic ones?",
    ],
)
def test_remarks_and_questions_bind_nothing(text: str) -> None:
    assert heard(text) == []


@pytest.mark.parametrize("text", ["Love Tom Hanks!", "im a huge Tom Hanks fan"])
def test_taste_without_i_only_ranks(text: str) -> None:
    ((kind, value, polarity, hard),) = heard(text)
    assert (kind, value, polarity, hard) == ("person", "Tom Hanks", "want", False)


def test_a_new_clause_ends_what_a_negator_reaches() -> None:
    assert heard("I don't really like action movies do you know of a comedy?") == [
        ("genre", "action", "avoid", True),
        ("genre", "comedy", "want", True),
    ]
    assert heard("not into those actually a musical would be good") == [
        ("genre", "musical", "want", True)
    ]
    assert not [h for h in heard("i dont care as long as it's horror") if h[2] == "avoid"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("no horror", "horror"), ("no, no horror please", "horror"), ("movies about wars, no", "war")],
)
def test_bars_and_wishes_beside_them_are_heard_as_before(text: str, value: str) -> None:
    assert [h[1] for h in heard(text)] == [value]
    assert heard(text)[0][3]


@pytest.mark.parametrize(
    "text", ["some scary movies", "some spooky films", "can you recommend some romance movies?"]
)
def test_some_before_the_films_asks_for_no_little(text: str) -> None:
    assert not [h for h in heard(text) if h[0] == "attribute"]


@pytest.mark.parametrize("text", ["a comedy with some romance", "with a little violence"])
def test_some_before_what_is_in_it_is_not_much(text: str) -> None:
    assert [h[2] for h in heard(text) if h[0] == "attribute"] == ["avoid"]


def test_a_date_movie_tells_who_watches() -> None:
    assert heard("I want a date movie for this weekend") == [
        ("companion", "date night", "want", False)
    ]


def test_also_goes_on_with_a_taste_and_no_more() -> None:
    assert [h[3] for h in heard("I like war films. Also musicals.")] == [False, False]
    assert [h[3] for h in heard("a comedy please. Also no horror")] == [True, True]
    assert heard("Drama mostly.") == [("genre", "drama", "want", False)]


def test_a_comparison_within_a_taste_or_a_verdict_compares_no_list() -> None:
    for text in ("I like older sci fi", "yes they were, a little older but still good"):
        assert not understand(text, lexicon(), Context(films()[:3])).comparisons
    assert understand("something older please", lexicon(), Context(films()[:3])).comparisons
