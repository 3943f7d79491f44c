"""Films meant without a plain name: seen and wanted more of, compared with, asked why absent."""

import pytest

from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import Context, understand
from small_lexicon import films, hear, lexicon, values

SHOWN = Context(films()[3:8], films()[3])


def _stances(text: str, context: Context | None = None) -> list[tuple[str, str]]:
    return [(m.stance, m.title) for m in hear(text, context).mentions]


@pytest.mark.parametrize(
    "text",
    [
        "I've already seen Memento and Inception, what else is like them?",
        "I've watched Memento and Inception, anything similar?",
        "saw Memento and Inception last month, more of that kind please",
        "seen Memento and Inception, what's similar?",
    ],
)
def test_what_was_seen_is_an_example_where_more_like_it_is_wanted(text: str) -> None:
    found = _stances(text)
    for title in ("Memento", "Inception"):
        assert ("seen", title) in found
        assert ("seed", title) in found


def test_what_was_only_seen_is_no_example() -> None:
    assert _stances("I've seen Memento, something funny please") == [("seen", "Memento")]


@pytest.mark.parametrize(
    "text",
    [
        "The Dark Knight I know by heart",
        "we watch The Dark Knight every Christmas",
        "I grew up with The Dark Knight",
        "I can quote The Dark Knight from start to finish",
        "The Dark Knight was last night",
        "I own The Dark Knight",
        "The Dark Knight doesn't count",
    ],
)
def test_what_is_known_well_was_seen(text: str) -> None:
    assert _stances(text) == [("seen", "The Dark Knight")]


@pytest.mark.parametrize("cue", ["besides", "other than", "apart from", "except"])
def test_another_than_the_film_named(cue: str) -> None:
    assert _stances(f"something {cue} The Dark Knight") == [("not_now", "The Dark Knight")]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Alien, but newer", "Alien"),
        ("Heat, only less violent", "Heat"),
        ("Memento but not as long", "Memento"),
        ("as good as Memento but not as grim", "Memento"),
    ],
)
def test_a_film_that_opens_a_message_is_compared_with(text: str, title: str) -> None:
    heard = hear(text)
    assert [(m.stance, m.title) for m in heard.mentions] == [("seed", title)]
    assert [c.anchor for c in heard.comparisons] == [heard.mentions[0].movie_id]


@pytest.mark.parametrize("text", ["Funny, but newer", "Sure, but shorter", "Old, but not too long"])
def test_any_other_word_that_opens_a_message_is_no_film(text: str) -> None:
    assert not hear(text).mentions


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("I loved 1917", "1917"),
        ("Seen 1917, what else?", "1917"),
        ("as good as Seven but shorter", "Seven"),
        ("something like Seven", "Seven"),
    ],
)
def test_a_number_after_a_word_of_liking_is_a_film(text: str, title: str) -> None:
    known = [Movie("n1", "1917", year=2019, fame=5), Movie("n2", "Seven", year=1995, fame=5)]
    heard = understand(text, build_lexicon([*films(), *known]))
    assert title in [m.title for m in heard.mentions]
    assert not [f for f in heard.findings if f.kind == "year"]


@pytest.mark.parametrize("text", ["seven films please", "a war film from 1917", "seen 1917 films"])
def test_other_numbers_count_or_date(text: str) -> None:
    known = [Movie("n1", "1917", year=2019, fame=5), Movie("n2", "Seven", year=1995, fame=5)]
    assert not understand(text, build_lexicon([*films(), *known])).mentions


@pytest.mark.parametrize(
    "text",
    [
        "I've seen everything by Christopher Nolan, who's similar?",
        "I've seen all of Christopher Nolan's films, what's similar?",
        "seen most films by Christopher Nolan, what else is there?",
    ],
)
def test_whose_films_were_all_seen_is_like_whom_more_is_wanted(text: str) -> None:
    assert values(text, "director") == [("Christopher Nolan", "avoid", True)]
    assert {title for stance, title in _stances(text)} == {
        "Inception",
        "The Dark Knight",
        "Memento",
    }


def test_another_wish_beside_what_was_all_seen() -> None:
    text = "I've seen all the Christopher Nolan films, but I want something with Al Pacino"
    assert values(text, "actor") == [("Al Pacino", "want", True)]


@pytest.mark.parametrize(
    "text",
    [
        "why isn't Al Pacino in it?",
        "why is there no Al Pacino film?",
        "how come there are no musicals?",
        "why wasn't Heat on the list?",
        "but why not a single western?",
    ],
)
def test_who_asks_why_something_is_absent_refuses_nothing(text: str) -> None:
    heard = hear(text, SHOWN)
    assert not [f for f in heard.findings if f.polarity == "avoid"]
    assert all(m.stance == "asked" for m in heard.mentions)


def test_why_somebody_is_not_in_it_asks_for_its_cast() -> None:
    question = hear("why isn't Al Pacino in it?", SHOWN).question
    assert question is not None
    assert (question.about, question.movie_id) == ("cast", films()[3].movie_id)


def test_a_proposal_that_begins_with_why_is_a_wish() -> None:
    assert values("why not a western", "genre") == [("western", "want", True)]
    assert values("why don't you show me a western without Al Pacino", "actor") == []
    assert values("why don't you show me a western without Al Pacino", "genre") == [
        ("western", "want", True)
    ]


def test_the_same_lines_are_those_of_the_list() -> None:
    assert not hear("anything older along those lines?", SHOWN).mentions
    assert _stances("something similar", SHOWN) == [("seed", films()[3].title)]


@pytest.mark.parametrize(
    "text", ["ok, the third one please", "number three, thanks", "the third one then"]
)
def test_a_place_of_the_list_and_a_polite_word_choose(text: str) -> None:
    assert "accept" in hear(text, SHOWN).small_talk


def test_a_misspelt_film_that_is_refused() -> None:
    assert _stances("something with Tom Hanks, not Incepton") == [("not_now", "Inception")]


def test_whoever_wrote_it_is_looked_for_in_words() -> None:
    assert lexicon().people.get("agatha christie") is None
    assert ("agatha christie", "avoid", True) in values("a mystery, not Agatha Christie", "keyword")
    assert ("agatha christie", "want", False) in values(
        "based on an Agatha Christie novel", "keyword"
    )
    assert ("al pacino", "avoid", True) in values("not another Al Pacino adaptation", "keyword")


@pytest.mark.parametrize(
    "text",
    [
        "seen Toni Erdmann and Gravitas Ultra, loved both",
        "Toni Erdmann and Gravitas Ultra are my favourites",
    ],
)
def test_films_that_the_catalogue_lacks_are_said_to_be_unknown(text: str) -> None:
    assert hear(text).unknown == ("Toni Erdmann and Gravitas Ultra",)


def test_a_misspelt_film_opens_a_message() -> None:
    assert _stances("shawshank redemtion but shorter") == [("seed", "The Shawshank Redemption")]
    assert not hear("sum thing funny but short").mentions
