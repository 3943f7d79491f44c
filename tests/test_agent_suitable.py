"""Whether a film suits a child: from its certificate and grades, never from a guess."""

from dataclasses import replace

import pytest

from agent.suitable import age_asked, suits
from retrieval.movie import Movie

MILD = Movie(
    "m1",
    "Mild",
    certificate="PG",
    attributes={"violence": 1, "scariness": 1, "sadness": 1},
)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("is it ok for a 7 year old?", 7),
        ("ok for my 12-year-old?", 12),
        ("is it suitable for kids?", 8),
        ("too scary for a teenager?", 14),
        ("can a toddler watch it?", 5),
        ("what is it rated?", None),
    ],
)
def test_whom_a_question_is_about(text: str, age: int | None) -> None:
    assert age_asked(text) == age


def test_a_certificate_or_a_grade_says_no() -> None:
    assert suits(MILD, 7)[0] == "yes"
    assert suits(replace(MILD, certificate="R"), 7) == ("no", ["rated R"])
    assert suits(replace(MILD, certificate="PG-13"), 14)[0] == "yes"
    assert suits(replace(MILD, certificate="PG-13"), 8)[0] == "no"
    scary = replace(MILD, attributes={"scariness": 2})
    assert suits(scary, 7) == ("no", ["rated PG", "quite scary"])
    assert suits(scary, 11)[0] == "yes"


def test_what_is_not_known_is_not_guessed() -> None:
    assert suits(Movie("m2", "Blank"), 7) == ("unknown", [])
    graded_only = replace(MILD, certificate=None)
    assert suits(graded_only, 7) == ("maybe", ["a little violent", "a little scary"])
