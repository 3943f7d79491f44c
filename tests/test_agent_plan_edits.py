"""What is believed of a model's ledger changes: what the user's words ask for, and no more."""

from typing import Any

import pytest

from agent.ledger import Ledger, LedgerEdit
from agent.plan import Plan
from agent.plan_edits import believed_edits, is_english
from test_agent_film_guard import catalogue


def ledger(*edits: LedgerEdit) -> Ledger:
    return Ledger().apply(edits, "t1")[0]


NO_HORROR = LedgerEdit("add", kind="genre", value="horror", polarity="avoid")
SHORT = LedgerEdit("add", kind="runtime", value={"max": 100})


def labels(message: str, held: Ledger | None = None, language: str = "en", **plan: Any) -> set[str]:
    """The labels of the ledger after the believed edits."""
    held = held or Ledger()
    planned = Plan.model_validate({"acts": ["search"], "language": language, **plan})
    believed = believed_edits(planned, message, held, (), catalogue()[0])
    return {e.label for e in held.apply(believed.edits, "t2")[0].entries}


def wish(kind: str, value: str, said: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, "said": said, **more}


def test_what_the_words_name_counts() -> None:
    said = "about two brothers, with Al Pacino"
    wishes = [
        wish("theme", "brothers", "about two brothers"),
        wish("actor", "al pacino", "Al Pacino"),
    ]
    assert labels(said, wishes=wishes) == {"about brothers", "with Al Pacino"}


@pytest.mark.parametrize(
    "planned",
    [
        wish("genre", "horror", "more like that"),
        wish("genre", "comedy", "something funny"),
        wish("theme", "zorblax rising", "more like that"),
        wish("runtime", "", "more like that", max=90),
        wish("genre", "horrible", "that"),
        wish("actor", "Nobody Known", "that please"),
        wish("year", "", "that", min=1500),
        wish("year", "", "that", min=2000, max=1990),
        wish("attribute", "loudness", "that"),
    ],
)
def test_what_they_do_not_say_does_not(planned: dict[str, Any]) -> None:
    assert labels("more like that please", wishes=[planned]) == set()


def test_other_languages_are_believed_by_their_quotes() -> None:
    message = "Quelque chose de drôle, pas d'horreur, moins de 100 minutes, comme Le Parrain"
    wishes = [
        wish("genre", "comedy", "drôle"),
        wish("genre", "horror", "pas d'horreur", avoid=True),
        wish("runtime", "", "moins de 100 minutes", max=100),
        wish("mood", "dark", "sombre"),
    ]
    films = [{"title": "The Godfather (1972)", "stance": "seed", "said": "comme Le Parrain"}]
    expected = {"comedy", "no horror", "at most 100 min", "like The Godfather (1972)"}
    assert labels(message, language="fr", wishes=wishes, films=films) == expected


def test_a_model_cannot_pass_english_off_as_another_language() -> None:
    assert is_english("fr", "more like that please") and not is_english("fr", "moins long svp")
    wishes = [wish("genre", "horror", "more like that")]
    assert labels("more like that please", language="fr", wishes=wishes) == set()


def test_nothing_binding_goes_by_a_model_alone() -> None:
    held = ledger(NO_HORROR, SHORT)
    wishes = [wish("genre", "horror", "horror"), wish("runtime", "", "300 minutes", max=300)]
    kept = labels("300 minutes of horror in my day", held, wishes=wishes)
    assert kept == {"no horror", "at most 100 min"}


def test_entries_go_when_the_words_let_them_go() -> None:
    held = ledger(NO_HORROR, SHORT)
    message = "never mind the runtime"
    drop = [{"id": "e2", "said": message}, {"id": "e1", "said": message}, {"id": "e9", "said": "x"}]
    assert labels(message, held, drop=drop) == {"no horror"}
    assert labels("more please", held, drop=[{"id": "e2", "said": "more please"}]) == {
        "no horror",
        "at most 100 min",
    }


def test_films_need_to_be_named() -> None:
    films = [
        {"title": "Heat (1995)", "stance": "seen", "said": "seen heat"},
        {"title": "Alien (1979)", "stance": "seen", "said": "I have seen heat"},
        {"title": "Zorblax (2031)", "stance": "seen", "said": "seen heat"},
    ]
    assert labels("I have seen heat already", films=films) == {"seen Heat (1995)"}
