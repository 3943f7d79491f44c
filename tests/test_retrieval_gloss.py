"""Other languages: what is said in Spanish, French or German is heard as if it were English."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.nlu.gloss import gloss
from retrieval.understand import Context, understand
from small_lexicon import films, lexicon


def slots(text: str) -> set[tuple[str, Any, str]]:
    found: set[tuple[str, Any, str]] = set()
    for f in understand(text, lexicon()).findings:
        value = f.value if isinstance(f.value, str) else tuple(sorted(f.value.items()))
        found.add((f.kind, value, f.polarity))
    return found


NINETIES = (("max", 1999), ("min", 1990))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (
            "quiero una película de terror de los 80, pero no de zombis",
            "es",
            {
                ("genre", "horror", "want"),
                ("year", (("max", 1989), ("min", 1980)), "want"),
                ("keyword", "zombies", "avoid"),
            },
        ),
        (
            "una peli de ciencia ficción de los noventa de menos de dos horas",
            "es",
            {
                ("genre", "science fiction", "want"),
                ("year", NINETIES, "want"),
                ("runtime", (("max", 120),), "want"),
            },
        ),
        ("odio los musicales", "es", {("genre", "musical", "avoid")}),
        ("nada de terror por favor", "es", {("genre", "horror", "avoid")}),
        ("una película de Spielberg", "es", {("director", "Steven Spielberg", "want")}),
        (
            "Je voudrais un film de science-fiction des années 90, pas de comédie",
            "fr",
            {
                ("genre", "science fiction", "want"),
                ("year", NINETIES, "want"),
                ("genre", "comedy", "avoid"),
            },
        ),
        (
            "un film d'horreur de moins de 90 minutes",
            "fr",
            {("genre", "horror", "want"), ("runtime", (("max", 90),), "want")},
        ),
        ("je n'aime pas les films de guerre", "fr", {("genre", "war", "avoid")}),
        (
            "un western avec Tom Hanks",
            "fr",
            {("genre", "western", "want"), ("actor", "Tom Hanks", "want")},
        ),
        (
            "Ich möchte einen Thriller aus den 90ern, kein Horror",
            "de",
            {
                ("genre", "thriller", "want"),
                ("year", NINETIES, "want"),
                ("genre", "horror", "avoid"),
            },
        ),
        (
            "eine lustige Komödie, bitte",
            "de",
            {("genre", "comedy", "want"), ("mood", "funny", "want")},
        ),
        ("ich mag keine Musicals", "de", {("genre", "musical", "avoid")}),
        (
            "etwas Gruseliges mit Brad Pitt",
            "de",
            {("mood", "scary", "want"), ("actor", "Brad Pitt", "want")},
        ),
    ],
)
def test_wishes(text: str, language: str, expected: set[tuple[str, Any, str]]) -> None:
    assert understand(text, lexicon()).language == language
    assert slots(text) == expected


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("algo como Inception pero más corto", "Inception"),
        ("quelque chose comme Inception mais plus court", "Inception"),
        ("etwas wie Inception, aber kürzer", "Inception"),
        ("etwas wie Fight Club, aber kürzer", "Fight Club"),
    ],
)
def test_an_example_and_a_comparison(text: str, title: str) -> None:
    heard = understand(text, lexicon())
    assert [(m.title, m.stance) for m in heard.mentions] == [(title, "seed")]
    assert [(c.what, c.direction, c.anchor) for c in heard.comparisons] == [
        ("runtime", -1, heard.mentions[0].movie_id)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a film noir",
        "The Dark Knight",
        "I want a movie like La La Land",
        "Das Boot",
        "e",
        "",
        "my favourite is Y Tu Mamá También",
        "sci fi",
        "film",
        "science fiction films",
        "no horror",
        "me and my son",
        "on Hulu",
        "a des moines comedy",
    ],
)
def test_english_stays_english(text: str) -> None:
    assert gloss(text, lexicon()).text == text
    assert gloss(text, lexicon()).language == "en"


@pytest.mark.parametrize(
    "text",
    [
        "kan du anbefale en god film",
        "vorrei una commedia divertente",
        "ik wil vanavond iets leuks zien",
        "映画が見たい",
    ],
)
def test_other_languages_are_recognised(text: str) -> None:
    heard = understand(text, lexicon())
    assert heard.language == "other"
    assert "foreign" in heard.small_talk


def test_what_is_recognisable_keeps_its_sense() -> None:
    assert slots("vorrei un film, niente horror") == {("genre", "horror", "avoid")}
    heard = understand("quero um filme como Inception", lexicon())
    assert [m.title for m in heard.mentions] == ["Inception"]


@given(st.text())
def test_a_gloss_never_raises(text: str) -> None:
    assert isinstance(gloss(text, lexicon()).text, str)


SHOWN = Context(films()[:5], films()[0])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("den zweiten nehme ich", 1),
        ("dann nehme ich den zweiten", 1),
        ("ich entscheide mich für den dritten", 2),
        ("gut, den vierten bitte", 3),
        ("me quedo con la segunda", 1),
        ("vamos con la tercera", 2),
        ("la primera me vale", 0),
        ("je prends le premier", 0),
        ("va pour le deuxième", 1),
        ("on regarde le troisième", 2),
    ],
)
def test_a_film_of_the_list_is_taken(text: str, place: int) -> None:
    heard = understand(text, lexicon(), SHOWN)
    assert "accept" in heard.small_talk
    assert [m.movie_id for m in heard.mentions] == [films()[place].movie_id]


@pytest.mark.parametrize(
    "text",
    [
        "was war der Film mit dem Hai?",
        "wie hieß noch mal der Film, in dem ein Hai angreift?",
        "welcher Film war das, wo ein Mann denselben Tag erlebt?",
        "¿cómo se llamaba la película del tiburón?",
        "¿cómo se llama esa peli donde un hombre revive el mismo día?",
        "c'était quoi ce film avec le requin?",
        "comment s'appelle le film où un homme revit la même journée ?",
    ],
)
def test_a_forgotten_film(text: str) -> None:
    heard = understand(text, lexicon())
    assert heard.known_item
    assert not heard.findings


def test_small_words_are_no_wishes() -> None:
    assert slots("das war ein langer Tag, ich will eine Komödie") == {("genre", "comedy", "want")}
    assert not [s for s in slots("j'adore son style, un film drôle") if s[0] == "companion"]
    assert not [s for s in slots("¿son buenas las tres? quiero una comedia") if s[0] == "companion"]


@pytest.mark.parametrize(
    "text",
    ["nada de Adam Sandler", "no quiero nada de Adam Sandler", "rien de Adam Sandler, merci"],
)
def test_nothing_of_somebody_refuses_them(text: str) -> None:
    found = understand(text, lexicon()).findings
    assert [(f.value, f.polarity) for f in found] == [("Adam Sandler", "avoid")]


def test_with_the_parents() -> None:
    assert ("companion", "parents", "want") in slots("algo divertido para ver con mis padres")
    assert ("companion", "parents", "want") in slots("etwas lustiges mit meinen eltern")


@pytest.mark.parametrize(
    "text", ["maximal 95 minutes", "höchstens 95 minutes", "maximal 95 Minuten"]
)
def test_units_of_two_languages_in_one_kitchen(text: str) -> None:
    heard = understand(text, lexicon(), Context(before="Guten Abend, an animated movie bitte"))
    assert [f.value for f in heard.findings if f.kind == "runtime"] == [{"max": 95}]
