"""Everyday sentences whose words mean something else than they seem to: reach, asides, amounts."""

import pytest

from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import Context, understand
from small_lexicon import films, hear, lexicon, values

SHOWN = Context(films()[:5])


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (
            "sci-fi that isn't set in space and came out between 1980 and 1995",
            "year",
            {"min": 1980, "max": 1995},
        ),
        ("something without gore and that is under two hours", "runtime", {"max": 120}),
        ("a romance without horror from the 90s", "year", {"min": 1990, "max": 1999}),
        ("a thriller without war scenes from the 90s", "year", {"min": 1990, "max": 1999}),
        ("a drama with no romance under two hours please", "runtime", {"max": 120}),
    ],
)
def test_a_refusal_ends_where_the_next_thing_is_said_of_the_film(
    text: str, kind: str, value: dict[str, int]
) -> None:
    assert values(text, kind) == [(value, "want", True)]


@pytest.mark.parametrize(
    "text",
    [
        "a thriller without romance with Tom Hanks",
        "no horror by Tom Hanks",
        "without films with Tom Hanks",
    ],
)
def test_what_a_film_is_without_ends_where_it_is_described_again(text: str) -> None:
    said = "want" if "thriller" in text else "avoid"
    assert {f.polarity for f in hear(text).findings if "hanks" in str(f.value).lower()} == {said}


def test_whoever_has_done_something_with_somebody_is_not_done_with_them() -> None:
    heard = hear("what has Tom Hanks done with Steven Spielberg as director?")
    assert {f.polarity for f in heard.findings} == {"want"}
    assert values("I'm done with musicals", "genre") == [("musical", "avoid", True)]


@pytest.mark.parametrize(
    ("text", "what", "direction"),
    [
        ("like Heat but with less blood", "violence", -1),
        ("Heat, but not so much violence", "violence", -1),
        ("like Heat with a bit less romance", "romance", -1),
        ("like Heat but more upbeat", "sadness", -1),
        ("like Heat with more blood", "violence", 1),
    ],
)
def test_more_or_less_of_a_thing(text: str, what: str, direction: int) -> None:
    heard = hear(text)
    assert [(c.what, c.direction) for c in heard.comparisons] == [(what, direction)]
    assert not heard.findings


def test_more_of_a_genre_asks_for_it() -> None:
    assert values("more romance please", "genre") == [("romance", "want", True)]


@pytest.mark.parametrize("text", ["not to violent", "a heist film but not to gorry please"])
def test_a_slip_in_a_grade(text: str) -> None:
    assert ({"name": "violence", "min": 2}, "avoid", True) in values(text, "attribute")


@pytest.mark.parametrize(
    "text",
    [
        "my girlfriend just dumped me",
        "my wife is asleep, something quiet",
        "my boyfriend and I broke up, a thriller",
    ],
)
def test_who_is_not_there_is_no_company(text: str) -> None:
    assert ("date night", "want", False) not in values(text, "companion")


def test_with_the_children_it_is_no_date() -> None:
    who = values("something for me, my wife and our 15 year old", "companion")
    assert who == [("teens", "want", False)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("my mum's birthday is tomorrow, she adores musicals", "my mum (not me)"),
        ("what could my teenage brother like?", "my brother (not me)"),
        ("my dad would love a western", "my dad (not me)"),
        ("it's for my husband too, he likes westerns", "date night"),
    ],
)
def test_whose_film_it_is(text: str, wanted: str) -> None:
    assert [v for v, _, _ in values(text, "companion")] == [wanted]


@pytest.mark.parametrize(
    "text", ["she adores musicals", "I mostly watch musicals", "he's into musicals"]
)
def test_a_taste_binds_nothing(text: str) -> None:
    assert values(text, "genre") == [("musical", "want", False)]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        (
            "movies where Tom Hanks and Al Pacino are together",
            [("person", "Tom Hanks"), ("actor", "Al Pacino")],
        ),
        ("not Pacino, I was thinking of Tom Hanks", [("person", "Tom Hanks")]),
    ],
)
def test_who_is_asked_for_in_passing(text: str, people: list[tuple[str, str]]) -> None:
    found = [f for f in hear(text).findings if f.polarity == "want"]
    assert [f.value for f in found] == [name for _, name in people]
    assert all(f.hard for f in found)


def test_a_director_who_does_not_act() -> None:
    heard = hear("Steven Spielberg as a director, not as an actor").findings
    assert {(f.kind, f.polarity) for f in heard} == {("director", "want"), ("actor", "avoid")}


@pytest.mark.parametrize(
    "text",
    [
        "what do you have on file for me so far?",
        "what have you understood so far?",
        "can you sum up my wishes",
        "what am I looking for again?",
    ],
)
def test_asking_what_is_known(text: str) -> None:
    assert hear(text).about_me


@pytest.mark.parametrize(
    ("text", "genres"),
    [("romantic drama", ["romance", "drama"]), ("a romantic thriller", ["romance", "thriller"])],
)
def test_kinds_of_romance(text: str, genres: list[str]) -> None:
    assert [v for v, _, _ in values(text, "genre")] == genres


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("we both adored Knives Out", "Knives Out"),
        ("Is Barbie a good one?", "Barbie"),
        ("have you got Parasite?", "Parasite"),
        ("I'm obsessed with Oppenheimer", "Oppenheimer"),
    ],
)
def test_a_film_that_is_missing_is_named(text: str, name: str) -> None:
    assert hear(text).unknown == (name,)


@pytest.mark.parametrize(
    "text",
    [
        "who won the world cup in 2018?",
        "how tall is the eiffel tower",
        "recommend a good book",
        "what should we eat tonight",
    ],
)
def test_not_of_films(text: str) -> None:
    assert hear(text).out_of_scope


@pytest.mark.parametrize(
    "text", ["a good book adaptation", "who won the Oscar for Heat", "a film about the world cup"]
)
def test_still_of_films(text: str) -> None:
    assert not hear(text).out_of_scope


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("from the last two or three years", "year", {"min": lexicon().newest_year - 2}),
        ("from the last twenty years", "year", {"min": lexicon().newest_year - 19}),
        ("new stuff only, nothing from before the pandemic", "year", {"min": 2020}),
        ("I've got about an hour and three quarters", "runtime", {"max": 105}),
        ("under two and a quarter hours", "runtime", {"max": 135}),
    ],
)
def test_years_and_minutes_as_people_say_them(text: str, kind: str, value: dict[str, int]) -> None:
    assert values(text, kind) == [(value, "want", True)]


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("I only have Hulu and Prime", "hulu or prime"),
        ("we've got apple tv, a comedy", "apple tv"),
        ("something on netflix or disney plus", "netflix or disney plus"),
    ],
)
def test_services_that_somebody_has(text: str, services: str) -> None:
    assert values(text, "service") == [(services, "want", True)]


def test_no_subtitles_does_not_turn_spanish_into_english() -> None:
    heard = hear("a spanish thriller without subtitles")
    assert [f.value for f in heard.findings if f.kind == "language"] == ["es"]
    assert heard.untold == ("whether a film is dubbed",)
    assert values("no subtitles please", "language") == [("en", "want", True)]


@pytest.mark.parametrize(
    ("text", "kind", "codes"),
    [
        ("a Spanish or Mexican film", "country", "es or mx"),
        ("British and French comedies", "country", "gb or fr"),
        ("Korean or Japanese", "language", "ko or ja"),
    ],
)
def test_one_of_two_origins(text: str, kind: str, codes: str) -> None:
    assert values(text, kind) == [(codes, "want", True)]


@pytest.mark.parametrize(
    "text",
    [
        "it was a western last time so not that again",
        "we watched a western yesterday, something different please",
    ],
)
def test_what_they_just_had_is_not_wanted_again(text: str) -> None:
    assert values(text, "genre") == [("western", "avoid", True)]
    assert not values("it was a western", "genre")


def test_nothing_above_a_certificate_needs_a_known_one() -> None:
    [(value, polarity, hard)] = values("nothing above PG-13", "certificate")
    assert polarity == "want" and hard
    allowed = value.split(" or ")
    assert {"G", "PG", "PG-13"} <= set(allowed)
    assert not {"R", "NC-17", "TV-MA"} & set(allowed)


@pytest.mark.parametrize(
    "text",
    [
        "I'm wide awake at 2am and want a comedy",
        "something weird and hypnotic",
        "I'm Anna. I like comedies",
        "black and white",
        "something East Asian",
    ],
)
def test_words_that_are_also_titles(text: str) -> None:
    names = (_film(1, "Wide Awake"), _film(2, "Hypnotic"), _film(3, "Anna"))
    more = build_lexicon((*films(), *names, _film(4, "Black and White"), _film(5, "The East")))
    assert not understand(text, more).mentions


@pytest.mark.parametrize("text", ["something like hypnotic", "have you seen Wide Awake?"])
def test_titles_that_are_also_words(text: str) -> None:
    more = build_lexicon((*films(), _film(1, "Wide Awake"), _film(2, "Hypnotic")))
    assert understand(text, more).mentions


def _film(number: int, title: str) -> Movie:
    return Movie(f"x{number}", title, year=2000, runtime_min=100, fame=3)


@pytest.mark.parametrize(
    "text",
    [
        "trying to remember: a kid is left at home and burglars come",
        "there's this movie, a man with no memory tattoos clues on himself",
        "do you know the one where a guy relives the same day?",
    ],
)
def test_a_film_whose_name_is_forgotten(text: str) -> None:
    assert hear(text).known_item


def test_more_is_told_of_a_forgotten_film() -> None:
    before = "what's the film where a guy relives the same day"
    heard = hear("no, the one with Tom Hanks", Context(films()[:5], None, before))
    assert heard.known_item
    assert "relives the same day" in heard.query_text
    assert [f.value for f in heard.findings] == ["Tom Hanks"]


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ("which one would you pick?", 1),
        ("give me just 2", 2),
        ("just two please", 2),
        ("narrow it down to two", 2),
        ("if we could only watch one, which would you choose?", 1),
    ],
)
def test_a_choice_from_the_list(text: str, many: int) -> None:
    heard = hear(text, SHOWN)
    assert heard.picked
    assert [m.title for m in heard.mentions] == [m.title for m in films()[:many]]
    assert not hear(text).picked


@pytest.mark.parametrize("text", ["give me three comedies", "two more", "what should I watch?"])
def test_more_films_are_no_choice(text: str) -> None:
    assert not hear(text, SHOWN).picked


def test_how_many_next_time() -> None:
    assert hear("only two next time, and more recent", SHOWN).count == 2


def test_too_much_of_something_on_the_list() -> None:
    said = "meh, too silly. something serious"
    assert values(said, "mood", SHOWN) == [("silly", "avoid", True)]
    assert values(said, "attribute", SHOWN) == [({"name": "humour", "min": 2}, "avoid", True)]
    [sadder] = hear("too depressing, sorry", SHOWN).comparisons
    assert (sadder.what, sadder.direction) == ("sadness", -1)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("quiero una película de terror pero sin fantasmas", "keyword", "ghosts"),
        ("un film d'horreur sans fantômes", "keyword", "ghosts"),
        ("einen Krimi, aber nichts mit Serienmördern", "keyword", "serial killers"),
    ],
)
def test_what_must_not_be_in_it_in_other_languages(text: str, kind: str, value: str) -> None:
    assert (value, "avoid", True) in values(text, kind)


def test_a_plural_that_english_spells_its_own_way() -> None:
    assert values("any films about volcanoes?", "keyword") == [("volcano", "want", False)]


@pytest.mark.parametrize(
    "text",
    [
        "it mustn't go over 100 minutes",
        "a thriller that shouldn't run over 100 minutes",
        "it cannot be more than 100 minutes",
        "nothing that goes over 100 minutes",
        "una comedia que dure como mucho 100 minutos",
    ],
)
def test_what_a_film_must_not_go_over_is_the_most_it_may_have(text: str) -> None:
    assert values(text, "runtime") == [({"max": 100}, "want", True)]


@pytest.mark.parametrize(
    "text",
    [
        "a comedy, anyone but Tom Hanks",
        "a comedy with anybody but Tom Hanks in it",
        "a comedy, as long as Tom Hanks isn't in it",
        "a comedy, provided Tom Hanks is not part of the cast",
    ],
)
def test_who_must_not_be_in_it_is_refused(text: str) -> None:
    people = [f for f in hear(text).findings if f.kind in ("person", "actor")]
    assert [(f.value, f.polarity, f.hard) for f in people] == [("Tom Hanks", "avoid", True)]
    assert values(text, "genre") == [("comedy", "want", True)]


@pytest.mark.parametrize("text", ["I cannot find a good thriller", "I can't find a good thriller"])
def test_what_nobody_finds_is_not_refused(text: str) -> None:
    assert {polarity for _, polarity, _ in values(text, "genre")} == {"want"}


@pytest.mark.parametrize(
    ("text", "about"),
    [("how many minutes does Heat run?", "runtime"), ("which actors are in Heat?", "cast")],
)
def test_minutes_and_actors_are_asked_after_in_other_words(text: str, about: str) -> None:
    question = hear(text).question
    assert question is not None and question.about == about
