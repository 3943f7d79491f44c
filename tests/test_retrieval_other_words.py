"""Wishes in other words: refused lists, exchanges, fears, who watches, a film made otherwise."""

import pytest

from retrieval.understand import Context
from small_lexicon import films, hear, values


@pytest.mark.parametrize(
    ("text", "grades", "longest"),
    [
        ("nothing sad, violent or long", {"sadness", "violence"}, 100),
        ("I don't want anything scary or gory", {"scariness", "violence"}, None),
        ("not too sad or violent please", {"sadness", "violence"}, None),
        ("no horror, something violent or sad", set(), None),
    ],
)
def test_every_quality_of_a_refused_list_is_barred(
    text: str, grades: set[str], longest: int | None
) -> None:
    barred = [value for value, polarity, _ in values(text, "attribute") if polarity == "avoid"]
    assert grades == {value["name"] for value in barred}
    assert [value for value, _, _ in values(text, "runtime")] == (
        [{"max": longest}] if longest else []
    )


@pytest.mark.parametrize(
    "text",
    [
        "a funnier version of Heat",
        "a shorter take on Alien",
        "a less violent Alien",
        "an older Alien",
    ],
)
def test_another_version_of_a_film_is_held_to_it(text: str) -> None:
    heard = hear(text)
    [mention] = heard.mentions
    [comparison] = heard.comparisons
    assert (mention.stance, comparison.anchor) == ("seed", mention.movie_id)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("actually, forget the kids, they're at grandma's", "companion", "kids"),
        ("I changed my mind about horror", "genre", "horror"),
    ],
)
def test_taken_back_in_other_words(text: str, kind: str, value: str) -> None:
    heard = hear(text)
    assert [(w.kind, w.value) for w in heard.withdrawals] == [(kind, value)]
    assert not heard.mentions and not heard.findings


@pytest.mark.parametrize(
    "text",
    ["change comedy to western", "swap the comedy for a western", "turn comedy into western"],
)
def test_one_wish_is_exchanged_for_another(text: str) -> None:
    heard = hear(text)
    assert [(w.kind, w.value) for w in heard.withdrawals] == [("genre", "comedy")]
    assert values(text, "genre") == [("western", "want", True)]
    assert not hear("turn it into a western").withdrawals


def test_who_is_scared_of_something_does_not_want_to_see_it() -> None:
    assert ("spiders", "avoid", True) in values("my boyfriend is scared of spiders", "keyword")


@pytest.mark.parametrize("text", ["nothing bleak", "a drama that isn't bleak"])
def test_what_is_bleak_is_barred_whatever_its_grade(text: str) -> None:
    assert values(text, "mood") == [("bleak", "avoid", True)]
    assert not values("not too bleak", "mood")


def test_where_it_is_set_is_heard_without_a_film_before_it() -> None:
    assert ("italy", "want", False) in values("like Heat, but set in Italy", "keyword")


def test_a_service_asked_of_a_list_is_no_wish() -> None:
    heard = hear("are any of these on Netflix?", Context(films()[:3]))
    assert heard.question and heard.question.about == "availability"
    assert not heard.findings


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("anything that kids can watch", "kids"),
        ("kids can watch it", "kids"),
        ("something for a teenage boy", "teens"),
        ("teenagers, a sleepover, something scary", "teens"),
        ("game night, something silly", "friends"),
    ],
)
def test_who_watches_is_heard_without_with(text: str, who: str) -> None:
    assert who in {f.value for f in hear(text).findings if f.kind == "companion"}
