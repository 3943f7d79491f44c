"""Names in prose and wishes in a stranger's words: found where they are, and nowhere else."""

import pytest

from evals.dialogues.hear import heard
from evals.dialogues.reference import Reference
from evals.dialogues.transcript import PlayedTurn, Transcript
from evals.scorers.named import names_in
from retrieval.movie import Movie

REFERENCE = Reference.of(
    Movie(f"m{n}", title, year=year, genres=genres, kind="movie", directors=("Ann Bell",))
    for n, (title, year, genres) in enumerate(
        [
            ("Heat", 1995, ("crime",)),
            ("Airplane!", 1980, ("comedy",)),
            ("L.A. Confidential", 1997, ("crime",)),
            ("Mr. Deeds", 2002, ("comedy",)),
            ("Ghost", 1990, ("romance",)),
            ("The One", 2001, ("action",)),
            ("2 Days in Paris", 2007, ("comedy",)),
            ("Old Lantern", 2005, ("drama",)),
            ("Lantern", 2005, ("drama",)),
            ("Stay by Me", 1986, ("drama",)),
            ("Star Wars: The Last Jedi", 2017, ("adventure",)),
            ("The Good, the Bad and the Ugly", 1966, ("western",)),
        ]
    )
)

NAMED: list[tuple[str, list[tuple[str, bool]]]] = [
    ("You might like Heat (1995).", [("Heat", True)]),
    ("Try Ghost (1990), or Heat.", [("Ghost", True), ("Heat", True)]),
    ("Ghost (1998) is always a good one", [("Ghost", True)]),
    ("What about L.A. Confidential (1997)?", [("L.A. Confidential", True)]),
    ("I loved it. Mr. Deeds (2002) too", [("Mr. Deeds", True)]),
    ("I would begin with Airplane!: funny.", [("Airplane", True)]),
    ("So: 2 Days in Paris is the one for tonight.", [("2 Days in Paris", True)]),
    ("Star Wars: The Last Jedi (2017)", [("Star Wars: The Last Jedi", True)]),
    ("The Good, the Bad and the Ugly (1966)", [("The Good, the Bad and the Ugly", True)]),
    ("I loved Ready Player Alone (2018).", [("Ready Player Alone", False)]),
    ('Do you know "Glass Harbour"?', [("Glass Harbour", False)]),
    ("**Glass Harbour** is the one", [("Glass Harbour", False)]),
    ("1. Heat - guns\n2. Glass Harbour - boats", [("Heat", True), ("Glass Harbour", False)]),
    ("I would begin with Stay by Me: warm.", [("Stay by Me", True)]),
    ("Hello? Old Lantern is the one.", [("Old Lantern", True)]),
    ("the heat of the moment, a ghost of a chance, one more", []),
    ("The one you want is here. Heat the oven first.", []),
    ('I let go of "from the 1990s" and "comedy".', []),
    ("How about these (from the 1990s, at most 120 min)?", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "wanted"), NAMED, ids=[text[:30] for text, _ in NAMED])
def test_titles_are_found_as_people_write_them(text: str, wanted: list[tuple[str, bool]]) -> None:
    found = names_in(text, REFERENCE.lexicon).titles
    assert [(title.text, title.entry is not None) for title in found] == wanted


def test_people_are_found_by_their_full_name() -> None:
    found = names_in("Ann Bell made it, ann bell did, and Anna Bellini did not.", REFERENCE.lexicon)
    assert [person.key for person in found.people] == ["ann bell"]


def test_who_made_a_film_is_nobodys_title() -> None:
    about = Movie("m1", "Ann Bell: A Life", year=2011, kind="movie", directors=("Ann Bell",))
    lexicon = Reference.of([about]).lexicon
    credited = names_in("By Ann Bell, and with Ann Bell", lexicon)
    assert not credited.titles and [p.key for p in credited.people] == ["ann bell", "ann bell"]
    films = names_in("You might like Ann Bell (2011), by Ann Bell", lexicon)
    assert [t.text for t in films.titles] == ["Ann Bell"] and len(films.people) == 1


def test_long_texts_take_no_time() -> None:
    # Capitals without a break once were a worst case of the pattern.
    assert names_in("AAAA" * 5000 + " (1990) " + "The " * 5000, REFERENCE.lexicon).people == ()


# --- hearing --------------------------------------------------------------------------------------


def dialogue(*turns: tuple[str, str]) -> Transcript:
    told = tuple(PlayedTurn(user=user, prose=prose) for user, prose in turns)
    return Transcript(channel="slack", source="imported", dialogue_id="d", turns=told)


def test_wishes_and_lists_are_heard_where_none_are_told() -> None:
    found = heard(
        dialogue(
            ("I want a comedy. I saw Mr. Deeds", "Then Airplane! (1980) or Mr. Deeds (2002)."),
            ("no crime please", "Heat (1995)."),
        ),
        REFERENCE,
    )
    first, second = found.turns
    assert first.expected
    assert second.expected
    assert [(w.clause.values, w.avoid, w.since) for w in second.expected.wishes] == [
        (("comedy",), False, 1),
        (("crime",), True, 2),
    ]
    assert first.expected.gone_ids == ("m3",)
    # The other film was the user's own word.
    assert [card.title for card in first.cards] == ["Airplane!"]
    assert [card.movie_id for card in second.cards] == ["m0"]


def test_what_is_told_is_not_replaced() -> None:
    told = PlayedTurn(user="a comedy", prose="Heat (1995)", shown=(), ledger=())
    before = Transcript(channel="api", source="live", dialogue_id="d", turns=(told,))
    assert heard(before, REFERENCE).turns == (told,)
