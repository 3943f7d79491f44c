"""Questions: only where the answer changes the list, the most telling first, never two in a row."""

from dataclasses import replace

import pytest

from agent.events import EntryKind
from agent.ledger import Ledger, LedgerEdit
from agent.policy import (
    MIN_CHANGE,
    MIN_GAIN,
    best_question,
    may_ask,
    nothing_left,
    open_question,
    splits_of,
    what_they_loved,
)
from agent.turn import DialogueState, Shown
from retrieval.movie import Movie
from retrieval.understand import understand
from small_lexicon import lexicon

GENRES = ("comedy", "horror", "western", "war")
MOODS = ("funny", "scary", "dark")


def film(n: int, **fields: object) -> Movie:
    return replace(Movie(f"m{n:03}", f"Film {n}", year=2000, runtime_min=105), **fields)  # type: ignore[arg-type]  # fields of Movie


def mixed() -> list[Movie]:
    """Genres in turn, all of one year and length: the genre alone tells them apart."""
    return [film(n, genres=(GENRES[n % 4],)) for n in range(40)]


def asked(ledger: Ledger, *edits: LedgerEdit) -> Ledger:
    return ledger.apply(edits, "t1")[0]


def test_the_question_is_about_what_tells_the_candidates_apart() -> None:
    question = best_question(mixed(), Ledger())
    assert question is not None
    assert question.key == "genre"
    assert {o.label for o in question.options} == {"Comedy", "Horror", "Western", "War"}


def test_nothing_is_asked_where_all_candidates_give_the_same_answer() -> None:
    assert best_question([film(n, genres=("comedy",)) for n in range(40)], Ledger()) is None


def test_nothing_is_asked_where_the_top_would_stay() -> None:
    # All five at the top are comedies, and so are most others: "a comedy" changes nothing.
    films = [film(n, genres=("comedy",) if n < 30 else ("war",)) for n in range(40)]
    assert best_question(films, Ledger()) is None


def test_the_question_with_the_highest_gain_wins() -> None:
    films = [
        film(
            n, genres=(GENRES[n % 4],), year=1980 if n % 8 else 2015, runtime_min=90 + 20 * (n % 2)
        )
        for n in range(48)
    ]
    splits = list(splits_of(films, Ledger()))
    ids = [m.movie_id for m in films]
    gains = {s.question.key: s.gain(ids) for s in splits}
    assert set(gains) == {"genre", "era", "length"}
    question = best_question(films, Ledger())
    assert question is not None
    assert gains[question.key] == max(gains.values()) >= MIN_GAIN
    assert gains["era"] < 1.0  # one in eight: hardly a question


def test_options_lead_to_different_lists_that_are_not_empty() -> None:
    films = [
        film(n, genres=GENRES[: 1 + n % 4], year=1950 + n, runtime_min=80 + n, moods=MOODS[n % 3 :])
        for n in range(60)
    ]  # fmt: skip
    splits = list(splits_of(films, Ledger()))
    assert splits
    for split in splits:
        assert 2 <= len(split.question.options) == len(split.groups) <= 4
        assert all(len(group) >= 4 for group in split.groups)
        assert len({group[:5] for group in split.groups}) == len(split.groups)


def test_what_was_said_is_not_asked() -> None:
    said = asked(
        Ledger(),
        LedgerEdit("add", kind="genre", value="comedy"),
        LedgerEdit("add", kind="year", value={"min": 1990}),
    )
    assert {s.question.key for s in splits_of(mixed(), said)} <= {"mood", "length"}


def test_a_barred_genre_is_no_option() -> None:
    no_war = asked(Ledger(), LedgerEdit("add", kind="genre", value="war", polarity="avoid"))
    (split,) = splits_of(mixed(), no_war)
    assert "War" not in {o.label for o in split.question.options}


def test_every_option_is_understood() -> None:
    films = [
        film(n, genres=(GENRES[n % 4],), moods=(MOODS[n % 3],), year=1960 + n, runtime_min=80 + n)
        for n in range(60)
    ]  # fmt: skip
    kinds = {"genre": "genre", "mood": "mood", "era": "year", "length": "runtime"}
    seen = set()
    for split in splits_of(films, Ledger()):
        for option in split.question.options:
            heard = understand(option.text, lexicon())
            assert {f.kind for f in heard.findings} == {kinds[split.question.key]}, option
            seen.add(split.question.key)
    assert seen == set(kinds)


@pytest.mark.parametrize(
    ("state", "kinds", "allowed"),
    [
        (DialogueState(), [], True),
        (DialogueState(), ["companion", "kind"], True),
        (DialogueState(), ["theme"], False),
        (DialogueState(), ["companion", "genre"], False),
        (DialogueState(pending="genre", asked=("genre",)), [], False),
        (DialogueState(asked=("genre", "open", "era")), [], False),
    ],
)
def test_when_a_question_is_in_place(
    state: DialogueState, kinds: list[EntryKind], allowed: bool
) -> None:
    edits = [LedgerEdit("add", kind=kind, value=f"some {kind}") for kind in kinds]
    assert may_ask(state, asked(Ledger(), *edits)) is allowed


def test_an_example_says_enough() -> None:
    seed = LedgerEdit("add", kind="seed", value={"movie_id": "m1", "title": "Heat", "year": 1995})
    assert not may_ask(DialogueState(shown=(Shown("t", ("m2",)),)), asked(Ledger(), seed))


def test_questions_that_stand_by_themselves() -> None:
    assert len(open_question(mixed()).options) == 4
    assert len(open_question([]).options) == 4
    loved = what_they_loved(mixed())
    assert loved.options[0].text == 'I loved "Film 0 (2000)"'
    assert nothing_left([], []).phrase == "empty_plain"
    assert nothing_left(["comedy"], [], shown=["Clue"]).phrase == "exhausted"
    assert MIN_CHANGE > 2
