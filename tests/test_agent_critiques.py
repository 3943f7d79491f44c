"""Critiques: each chip that is offered changes the list, and no path of taps ends in nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.critiques import CRITIQUES, AfterList, critiques
from agent.ledger import Ledger
from evals.dialogues.critiques_walk import walk
from retrieval.movie import Movie
from retrieval.understand import understand
from small_lexicon import lexicon
from talking import services


def films(minutes: int, years: range) -> list[Movie]:
    return [
        Movie(f"m{n}", f"Film {n}", year=year, runtime_min=minutes + n % 2, attributes={})
        for n, year in enumerate(years)
    ]


def test_a_critique_that_changes_nothing_is_not_offered() -> None:
    ordered = films(100, range(1990, 2030))
    after = AfterList(ordered[:5], ordered[5:], Ledger())
    offered = {o.text for o in critiques(after)}
    assert "something newer" not in offered  # all that comes next is newer anyway
    assert "something older" not in offered  # there is nothing older
    assert "less violent" not in offered  # nobody knows how violent they are
    turned = AfterList(ordered[10:15], [*ordered[:10], *ordered[15:]], Ledger())
    assert "something newer" in {o.text for o in critiques(turned)}


def test_every_chip_offered_changes_three_of_five_now_and_of_the_next_five() -> None:
    mixed = [
        replace(m, runtime_min=80 + 7 * (n % 13), year=1960 + 5 * (n % 11))
        for n, m in enumerate(films(100, range(2000, 2045)))
    ]
    after = AfterList(mixed[:5], mixed[5:], Ledger())
    chips = critiques(after)
    assert len(chips) >= 2
    for option, comparison in CRITIQUES:
        kept, rest = after.with_critique(comparison)
        if option in chips:
            assert len(kept) <= 2
            coming = {m.movie_id for m in after.rest[:5]}
            assert len([m for m in rest[:5] if m.movie_id not in coming]) >= 3


@pytest.mark.parametrize(("option", "comparison"), CRITIQUES, ids=lambda c: getattr(c, "text", ""))
def test_a_chip_says_what_it_does(option: object, comparison: object) -> None:
    heard = understand(getattr(option, "text", ""), lexicon())
    assert heard.comparisons == (comparison,)
    assert not heard.findings


@pytest.mark.slow
async def test_500_random_critiques_end_in_no_nothing_and_do_what_they_say(tmp_path: Path) -> None:
    async with services(tmp_path) as wired:
        found = await walk(wired.assistant, 500, seed=6)
    assert found.critiques == 500
    assert found.dead_ends == []
    assert found.chips > 30 and found.idle == []
    assert found.removals > 30 and found.wrong_removals == []
