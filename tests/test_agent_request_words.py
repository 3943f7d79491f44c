"""The wishes of a ledger in plain words."""

import pytest

from agent.ledger import Ledger, LedgerEdit
from agent.request_words import genre_films, wanted


def add(kind: str, value: object, polarity: str = "want", hard: bool = True) -> LedgerEdit:
    return LedgerEdit("add", kind=kind, value=value, polarity=polarity, hard=hard)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edits", "phrase"),
    [
        ([], "films"),
        ([add("genre", "comedy"), add("mood", "dark")], "dark comedies"),
        ([add("genre", "romance"), add("genre", "comedy")], "romantic comedies"),
        (
            [add("genre", "horror", hard=False), add("genre", "comedy", hard=False)],
            "horror films or comedies",
        ),
        (
            [add("fame", "little known", hard=False), add("genre", "thriller")],
            "little known thrillers",
        ),
        (
            [add("franchise", {"title": "James Bond films", "also": []}), add("mood", "dark")],
            "dark James Bond films",
        ),
        ([add("genre", "documentary or war")], "documentaries or war films"),
        (
            [add("genre", "thriller"), add("year", {"min": 2000, "max": 2009})],
            "thrillers from the 2000s",
        ),
        (
            [add("runtime", {"max": 90}), add("runtime", {"max": 83})],
            "films, at most 83 min long",
        ),
        ([add("genre", "horror", "avoid")], "films, but no horror"),
        ([add("kind", "series"), add("genre", "crime")], "crime series"),
        ([add("companion", "my dad (not me)", hard=False)], "films for your dad"),
        (
            [
                add("companion", "kids", hard=False),
                add("certificate", "R or NC-17 or TV-MA", "avoid"),
                add("attribute", {"name": "scariness", "min": 2}, "avoid"),
            ],
            "films for kids",
        ),
    ],
)
def test_wishes_read_as_people_say_them(edits: list[LedgerEdit], phrase: str) -> None:
    ledger, _ = Ledger().apply(edits, "t1")
    assert wanted(ledger.entries) == phrase


def test_a_long_request_is_cut_and_says_so() -> None:
    edits = [
        add("genre", g, "avoid") for g in ("war", "western", "horror", "music", "sport", "noir")
    ]
    ledger, _ = Ledger().apply(edits, "t1")
    said = wanted(ledger.entries)
    assert said.endswith("and the rest of what you said")
    assert "noir" not in said


def test_examples_are_named_by_title() -> None:
    film = {"movie_id": "m1", "title": "Heat", "year": 1995}
    ledger, _ = Ledger().apply([add("seed", film, hard=False)], "t1")
    assert wanted(ledger.entries) == "films like Heat"


def test_plurals() -> None:
    assert genre_films(["comedy"]) == "comedies"
    assert genre_films(["science fiction"]) == "science fiction films"
    assert genre_films(["comedy", "animation", "family"]) == "animated family comedies"
    assert genre_films([]) == "films"
