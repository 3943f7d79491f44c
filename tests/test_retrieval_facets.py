"""Plain wishes that must be heard however they are worded: where from, when, how long, how many."""

from typing import Any

import pytest

from agent.decide import decide
from agent.decision import DecisionContext
from agent.ledger import Ledger
from agent.query import constraints_of
from agent.turn import DialogueState
from retrieval.movie import Movie, satisfies
from retrieval.nlu.wording import NATIONS
from retrieval.understand import understand
from retrieval.understanding import Understanding
from small_lexicon import lexicon

NEWEST = lexicon().newest_year


def hear(text: str) -> Understanding:
    return understand(text, lexicon())


def values(text: str, kind: str) -> list[tuple[Any, str]]:
    found = [f for f in hear(text).findings if f.kind == kind]
    return [(f.value if isinstance(f.value, str) else dict(f.value), f.polarity) for f in found]


def ledger_of(text: str) -> Ledger:
    decision = decide(DecisionContext(text, hear(text), DialogueState(), {}))
    return Ledger().apply(decision.edits, "t1")[0]


@pytest.mark.parametrize(
    "text",
    [
        "something from outside the US",
        "anything made outside of America?",
        "non-American please",
        "could it be non-US this time",
        "not a Hollywood movie for once",
        "a movie produced outside of Hollywood",
        "nothing from Hollywood",
        "we've had enough American movies",
        "thrillers that weren't made in the US",
        "somewhere other than America",
        "I'm tired of Hollywood",
    ],
)
def test_anywhere_but_the_us(text: str) -> None:
    assert values(text, "country") == [("us", "avoid")]


def test_who_refuses_the_usual_country_wants_another_to_be_known() -> None:
    constraints = constraints_of(ledger_of("something from outside the US"))
    by_country = {
        code: satisfies(Movie("m", "M", country=code), constraints)
        for code in ((), ("US",), ("US", "GB"), ("FR",), ("NG",))
    }
    assert by_country == {
        (): False,
        ("US",): False,
        ("US", "GB"): False,
        ("FR",): True,
        ("NG",): True,
    }


def test_who_refuses_english_wants_another_language_to_be_known() -> None:
    constraints = constraints_of(ledger_of("something foreign"))
    languages = {
        code: satisfies(Movie("m", "M", language=code), constraints) for code in (None, "en", "fr")
    }
    assert languages == {None: False, "en": False, "fr": True}


def test_other_countries_are_refused_only_where_known() -> None:
    constraints = constraints_of(ledger_of("nothing British"))
    assert satisfies(Movie("m", "M"), constraints)
    assert not satisfies(Movie("m", "M", country=("GB",)), constraints)


@pytest.mark.parametrize(
    ("text", "nation"),
    [
        ("a Latin American drama", "latin american"),
        ("something South American", "south american"),
        ("films from Africa", "african"),
        ("a Middle Eastern film", "middle eastern"),
        ("Eastern European cinema", "eastern european"),
        ("a film from behind the iron curtain", "eastern european"),
        ("something Scandi", "scandinavian"),
        ("an Aussie film", "australian"),
        ("something from down under", "australian"),
        ("Nollywood", "nigerian"),
        ("a Tamil movie", "tamil"),
        ("southeast asian action", "southeast asian"),
        ("a U.S. film", "american"),
    ],
)
def test_parts_of_the_world(text: str, nation: str) -> None:
    kind, code = NATIONS[nation]
    assert values(text, kind) == [(code, "want")]


def test_a_part_of_the_world_has_a_name() -> None:
    labels = [
        ledger_of(text).entries[0].label
        for text in ("films from Africa", "something Scandi", "not from the States", "a Thai film")
    ]
    assert labels == ["from Africa", "from Scandinavia", "not from the US", "in Thai"]


def test_a_film_about_hollywood_may_come_from_anywhere() -> None:
    assert values("a film about Hollywood", "country") == []


def test_two_countries_are_a_choice() -> None:
    assert values("British and Irish films", "country") == [("gb or ie", "want")]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("a pre-war film", {"max": 1938}),
        ("something post-war", {"min": 1945, "max": 1959}),
        ("a silent era comedy", {"max": 1929}),
        ("anything after the pandemic", {"min": 2020}),
        ("after the turn of the millennium", {"min": 2000}),
        ("from last century", {"max": 1999}),
        ("the roaring twenties", {"min": 1920, "max": 1929}),
        ("old Hollywood", {"min": 1927, "max": 1960}),
        ("from the VHS era", {"min": 1978, "max": 1999}),
        ("around 2005", {"min": 2003, "max": 2007}),
        ("2005-ish", {"min": 2003, "max": 2007}),
        ("2012 or newer", {"min": 2012}),
        ("from '94", {"min": 1994, "max": 1994}),
        ("that came out in the summer of 99", {"min": 1999, "max": 1999}),
        ("the first half of the 90s", {"min": 1990, "max": 1994}),
        ("from when I was a kid in the 80s", {"min": 1980, "max": 1989}),
        ("no older than me, I'm 30", {"min": NEWEST - 30}),
        ("made before I was born, I'm 45", {"max": NEWEST - 46}),
        ("the year I was born, 1988", {"min": 1988, "max": 1988}),
        ("older than my dad, he was born in 1960", {"max": 1959}),
        ("at least 20 years old", {"max": NEWEST - 20}),
        ("less than 5 years old", {"min": NEWEST - 5}),
        ("from 40 years ago or more", {"max": NEWEST - 40}),
        ("from 20 years ago", {"min": NEWEST - 22, "max": NEWEST - 18}),
    ],
)
def test_when_it_came_out(text: str, years: dict[str, int]) -> None:
    heard = hear(text)
    assert values(text, "year") == [(years, "want")]
    assert heard.mentions == ()
    assert values(text, "genre") in ([], [("comedy", "want")])
    assert values(text, "companion") == []


def test_an_age_of_somebody_is_not_that_of_a_film() -> None:
    assert values("for my daughter, she is at least 9 years old", "year") == []
    assert ("kids", "want") in values("something for kids under 8 years old", "companion")


def test_a_war_film_is_none_from_before_the_war() -> None:
    assert values("a war film", "genre") == [("war", "want")]
    assert values("a drama set in the post-war years", "year") == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("we have till 10 and it's 8:15", {"max": 105}),
        ("we need to be done by 11, it's 9 now", {"max": 120}),
        ("it's 7 and we want to be in bed by 9", {"max": 120}),
        ("1:30 max", {"max": 90}),
        ("keep it under two", {"max": 120}),
        ("a sub-90 minute movie", {"max": 90}),
        ("something for a 2 hour train ride", {"max": 120}),
        ("my flight is three hours long", {"max": 180}),
        ("short and sweet", {"max": 100}),
        ("short films", {"max": 45}),
        ("a three-hour epic", {"min": 165, "max": 195}),
        ("at most 2 hours, at least 7 out of 10", {"max": 120}),
        ("under 100 minutes, at least 3 of them please", {"max": 100}),
        ("two hours at most", {"max": 120}),
        ("longer than 90 minutes, shorter than 120", {"min": 90, "max": 120}),
        ("at least two hours but no more than two and a half", {"min": 120, "max": 150}),
        ("over an hour and a half, but under 2", {"min": 90, "max": 120}),
    ],
)
def test_how_long_it_may_be(text: str, minutes: dict[str, int]) -> None:
    assert values(text, "runtime") == [(minutes, "want")]


def test_no_short_films() -> None:
    assert values("no shorts", "runtime") == [({"max": 45}, "avoid")]


@pytest.mark.parametrize("text", ["after a long shift", "a long list please", "it's 8 of us"])
def test_what_is_no_length(text: str) -> None:
    assert values(text, "runtime") == []


@pytest.mark.parametrize("text", ["long is fine", "I don't care how long it is"])
def test_a_length_is_taken_back(text: str) -> None:
    assert [w.kind for w in hear(text).withdrawals] == ["runtime"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a couple of comedies", 2),
        ("5 thrillers", 5),
        ("half a dozen westerns", 6),
        ("no more than two suggestions", 2),
        ("I want 4 movies for the weekend", 4),
        ("a double feature", 2),
        ("only one please", 1),
        ("pick one for me", 1),
        ("throw five at me", 5),
        ("can I have two", 2),
        ("four or five good ones, maybe 5 ideas", 5),
        ("another three", 3),
        ("we're three tired adults", None),
        ("I loved two thrillers of his", None),
        ("two hours", None),
        ("one more", None),
        ("pg 13 movies", None),
    ],
)
def test_how_many(text: str, count: int | None) -> None:
    assert hear(text).count == count


@pytest.mark.parametrize(
    "text",
    [
        "allergic to musicals",
        "musicals are a no",
        "musicals bore me",
        "musicals? no thanks",
        "enough with the musicals",
        "I've had it with musicals",
        "hold the musicals",
        "spare me the musicals",
        "I like comedies but musicals are out",
        "non-musical please",
        "leave out anything musical",
    ],
)
def test_refused_in_other_words(text: str) -> None:
    assert ("musical", "avoid") in values(text, "genre")
    assert ("comedy", "avoid") not in values(text, "genre")


@pytest.mark.parametrize("text", ["a short musical is out of this world", "non-fiction"])
def test_what_refuses_nothing(text: str) -> None:
    assert all(f.polarity == "want" for f in hear(text).findings)


@pytest.mark.parametrize(
    "text",
    [
        "something clean",
        "a clean comedy",
        "nothing too explicit",
        "my very religious aunt is visiting",
        "no f-bombs",
        "without bad language",
        "nothing I'd be embarrassed to watch with my dad",
    ],
)
def test_what_offends_nobody(text: str) -> None:
    [(allowed, polarity)] = values(text, "certificate")
    assert polarity == "want" and not {"R", "NC-17", "TV-MA"} & set(allowed.split(" or "))


@pytest.mark.parametrize(
    ("text", "certificate"), [("must be G", ("G", "want")), ("not R please", ("R", "avoid"))]
)
def test_certificates_of_one_letter(text: str, certificate: tuple[str, str]) -> None:
    assert values(text, "certificate") == [certificate]


@pytest.mark.parametrize(
    "text", ["my nephews, 5 and 8", "for my toddlers", "for little ones", "for 3rd graders"]
)
def test_small_children(text: str) -> None:
    assert values(text, "companion") == [("kids", "want")]
    assert values(text, "genre") == [("family or animation", "want")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("critically acclaimed", "what critics wrote"),
        ("a highly rated thriller", "how films are rated by viewers"),
        ("at least 7 on imdb", "how films are rated by viewers"),
        ("nothing dubbed", "whether a film is dubbed"),
        ("nothing where the dog dies", "whether an animal dies"),
        ("a big budget film", "what a film cost or earned"),
        ("with a great soundtrack", "how good the acting or the music is"),
    ],
)
def test_what_no_field_tells_is_said(text: str, what: str) -> None:
    assert hear(text).untold == (what,)


@pytest.mark.parametrize("text", ["a great thriller", "a dog movie", "rated PG", "7 comedies"])
def test_what_fields_tell_is_not_disclaimed(text: str) -> None:
    assert hear(text).untold == ()


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("I just broke up with my boyfriend", "cheering up"),
        ("sick in bed today", "a quiet day"),
        ("we're three tired adults", "a quiet day"),
        ("a rainy Sunday", "a quiet day"),
        ("something while I fold laundry", "background"),
        ("it's our anniversary", "date night"),
    ],
)
def test_occasions(text: str, who: str) -> None:
    assert values(text, "companion") == [(who, "want")]
    assert hear(text).mentions == ()


def test_a_little_of_it() -> None:
    assert values("a bit scary", "mood") == [("scary", "want")]
    assert values("a bit scary", "attribute") == [({"name": "scariness", "min": 3}, "avoid")]
    assert values("a bit too scary for me", "mood") == []


@pytest.mark.parametrize(
    ("text", "grade"), [("very violent", "violence"), ("fast-paced", "pace"), ("gory", "violence")]
)
def test_much_of_it(text: str, grade: str) -> None:
    assert values(text, "attribute") == [({"name": grade, "min": 2}, "want")]
    assert values(f"nothing {text}", "attribute") != [({"name": grade, "min": 2}, "want")]


@pytest.mark.parametrize("text", ["subtitled is ok", "I'm happy to read subtitles"])
def test_subtitles_that_are_only_allowed_ask_for_nothing(text: str) -> None:
    assert values(text, "language") == []


@pytest.mark.parametrize("text", ["movies from other countries", "international cinema"])
def test_abroad(text: str) -> None:
    assert values(text, "language") == [("en", "avoid")]


@pytest.mark.parametrize(
    "text", ["minimal violence", "low on violence", "I can't handle blood", "I don't like gore"]
)
def test_hardly_any_violence(text: str) -> None:
    assert values(text, "attribute") == [({"name": "violence", "min": 2}, "avoid")]


def test_nothing_that_gives_nightmares() -> None:
    text = "spooky but nothing that'll give me nightmares"
    assert values(text, "attribute") == [({"name": "scariness", "min": 2}, "avoid")]
    assert values(text, "mood") == [("eerie", "want")]


def test_a_rating_that_is_only_allowed_is_no_wish() -> None:
    assert values("R-rated is fine", "certificate") == []


def test_ages_and_companies_in_words() -> None:
    assert ("kids", "want") in values("family night with a five-year-old", "companion")
    assert values("it's for a bunch of teenagers", "companion") == [("teens", "want")]


def test_non_fiction_is_a_documentary() -> None:
    assert values("non-fiction please", "genre") == [("documentary", "want")]


@pytest.mark.parametrize(
    "text",
    ["what was that movie where the dog dies at the end", "how long is Alien, and is it dubbed?"],
)
def test_a_story_or_a_question_asks_for_nothing_untold(text: str) -> None:
    assert hear(text).untold == ()


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("something from the 90s or even the 80s", {"min": 1980, "max": 1999}),
        ("from the mid 2000's or earlier? Even the 1990's", {"max": 2006}),
    ],
)
def test_years_that_even_adds_widen_the_wish(text: str, years: dict[str, int]) -> None:
    assert [f.value for f in understand(text, lexicon()).findings] == [years]
