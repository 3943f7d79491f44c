"""The ledger: new beats old, one step per turn, undo restores exactly, labels are removable."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ledger import Ledger, LedgerEdit, StaleEdit
from agent.ledger_labels import parse_remove_text, remove_text
from agent.query import constraints_of, seeds_of, wishes_of
from retrieval.movie import Match, Movie, Range, satisfies


def add(kind: Any, value: Any, polarity: Any = "want", **more: Any) -> LedgerEdit:
    return LedgerEdit("add", kind=kind, value=value, polarity=polarity, **more)


def ledger_of(*edits: LedgerEdit) -> Ledger:
    ledger = Ledger()
    for turn, edit in enumerate(edits):
        ledger, _ = ledger.apply([edit], f"t{turn}")
    return ledger


def labels(ledger: Ledger) -> list[str]:
    return [entry.label for entry in ledger.entries]


def test_new_beats_old_and_says_so() -> None:
    ledger = ledger_of(add("genre", "horror"))
    ledger, changes = ledger.apply([add("genre", "horror", "avoid")], "t2")
    assert labels(ledger) == ["no horror"]
    assert [(c.what, c.entry.polarity) for c in changes] == [
        ("replaced", "want"),
        ("added", "avoid"),
    ]


def test_a_later_genre_takes_the_place_unless_also() -> None:
    assert labels(ledger_of(add("genre", "comedy"), add("genre", "thriller"))) == ["thriller"]
    joined = ledger_of(add("genre", "comedy"), add("genre", "thriller", joins=True))
    assert labels(joined) == ["comedy", "thriller"]
    same_turn, _ = Ledger().apply([add("genre", "comedy"), add("genre", "romance")], "t1")
    assert labels(same_turn) == ["comedy", "romance"]


def test_two_ends_of_a_range_stay_and_one_end_is_replaced() -> None:
    both = ledger_of(add("year", {"min": 2000}), add("year", {"max": 2010}))
    assert len(both.entries) == 2
    newer = ledger_of(add("year", {"min": 2000}), add("year", {"min": 2015}))
    assert [e.value for e in newer.entries] == [{"min": 2015}]


def test_repeating_changes_nothing() -> None:
    ledger = ledger_of(add("genre", "horror"))
    again, changes = ledger.apply([add("genre", "horror")], "t9")
    assert again is ledger
    assert changes == []


def test_edits_of_one_turn_are_one_step() -> None:
    first = ledger_of(add("genre", "horror"))
    second, _ = first.apply([add("year", {"max": 1999}), add("mood", "eerie", hard=False)], "t2")
    undone, changes = second.apply([LedgerEdit("undo")], "t3")
    assert undone.entries == first.entries
    assert undone.version == second.version + 1
    assert {c.what for c in changes} == {"restored"}
    nothing, _ = ledger_of().apply([LedgerEdit("undo")], "t1")
    assert nothing.version == 0


def test_unknown_entries_are_refused() -> None:
    with pytest.raises(StaleEdit):
        Ledger().apply([LedgerEdit("withdraw", entry_id="e7")], "t1")


def test_what_two_edits_of_a_turn_take_away_is_gone_once() -> None:
    before = ledger_of(add("genre", "horror"), add("year", {"max": 1999}))
    gone = LedgerEdit("withdraw", entry_id=before.entries[0].id)
    for edits in ([gone, gone], [add("genre", "comedy"), gone], [LedgerEdit("clear"), gone]):
        after, _ = before.apply(edits, "t2")
        assert before.entries[0] not in after.entries
    with pytest.raises(StaleEdit):
        before.apply([gone], "t2")[0].apply([gone], "t3")


_EDITS = st.one_of(
    st.builds(
        add,
        st.just("genre"),
        st.sampled_from(["horror", "comedy", "drama"]),
        st.sampled_from(["want", "avoid"]),
    ),
    st.builds(
        lambda low, high: add("year", {"min": low, "max": high}),
        st.integers(1950, 1990),
        st.integers(1991, 2020),
    ),
    st.builds(
        lambda i, kind: add(
            kind, {"movie_id": f"m{i}", "title": f"Film {i}", "year": 2000}, hard=False
        ),
        st.integers(0, 4),
        st.sampled_from(["seed", "seen", "disliked", "not_now"]),
    ),
    st.just(LedgerEdit("clear")),
)


@given(
    st.lists(st.lists(_EDITS, min_size=1, max_size=3), max_size=8),
    st.lists(_EDITS, min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_undo_after_any_edit_restores_the_exact_ledger(
    history: list[list[LedgerEdit]], last: list[LedgerEdit]
) -> None:
    ledger = Ledger()
    for turn, edits in enumerate(history):
        ledger, _ = ledger.apply(edits, f"t{turn}")
    after, _ = ledger.apply(last, "last")
    if after is ledger:
        return
    undone, _ = after.apply([LedgerEdit("undo")], "undo")
    assert undone.entries == ledger.entries
    assert Ledger.from_json(undone.to_json()) == undone


@given(st.lists(_EDITS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_labels_never_collide_and_parse_back(edits: list[LedgerEdit]) -> None:
    ledger, _ = Ledger().apply(edits, "t1")
    shown = [e.view() for e in ledger.entries]
    assert len({v.label for v in shown}) == len(shown)
    for view in shown:
        assert parse_remove_text(view.remove_text) == view.label
    assert parse_remove_text(remove_text('a "quoted" label')) == 'a "quoted" label'


def test_entries_become_clauses_wishes_and_seeds() -> None:
    ledger, _ = Ledger().apply(
        [
            add("genre", "horror or thriller"),
            add("keyword", "zombies", "avoid"),
            add("runtime", {"max": 120}),
            add("attribute", {"name": "violence", "min": 2}, "avoid"),
            add("mood", "eerie", hard=False),
            add("companion", "date night", hard=False),
            add("seed", {"movie_id": "m1", "title": "Alien", "year": 1979}, hard=False),
        ],
        "t1",
    )
    constraints = constraints_of(ledger, ["m9"])
    assert Match("genre", frozenset({"horror", "thriller"})) in constraints.require
    assert Range("runtime", None, 120) in constraints.require
    assert Match("topic", frozenset({"zombies"})) in constraints.exclude
    assert {"m1", "m9"} <= constraints.exclude_ids
    near = {"creepy", "atmospheric"}
    assert {w.value for w in wishes_of(ledger)} == {"eerie", "romantic", "romance"} | near
    assert [s.movie_id for s in seeds_of(ledger)] == ["m1"]
    fits = Movie("m2", "X", genres=("thriller",), runtime_min=100)
    assert satisfies(fits, constraints)
    assert not satisfies(Movie("m3", "Y", genres=("thriller",)), constraints)
    assert not satisfies(
        Movie("m2", "X", genres=("horror",), runtime_min=100, overview="A zombie."), constraints
    )


def test_series_are_left_out_unless_asked_for() -> None:
    series = Movie("s1", "Show", kind="series")
    assert not satisfies(series, constraints_of(Ledger()))
    asked, _ = Ledger().apply([add("kind", "series")], "t1")
    assert satisfies(series, constraints_of(asked))


def test_of_a_choice_the_other_is_left_where_one_is_refused() -> None:
    ledger = ledger_of(add("language", "ja or ko"), add("language", "ko", "avoid"))
    assert labels(ledger) == ["in Japanese", "not in Korean"]
    back, _ = ledger.apply([LedgerEdit("undo")], "t2")
    assert labels(back) == ["in Japanese or Korean"]


def test_nothing_is_left_of_a_choice_of_which_all_is_refused() -> None:
    ledger = ledger_of(
        add("genre", "horror or thriller"), add("genre", "thriller or horror", "avoid")
    )
    assert [entry.polarity for entry in ledger.entries] == ["avoid"]
