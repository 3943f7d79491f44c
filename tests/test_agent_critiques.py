"""Critiques: each chip that is offered changes the list, and no path of taps ends in nothing."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from agent.critiques import CRITIQUES, OTHERS, AfterList, critiques
from agent.events import LedgerChanged, Suggestions
from agent.ledger import Ledger
from retrieval.movie import Movie
from retrieval.understand import understand
from small_lexicon import lexicon
from talking import Reply, Talk, services

FREE = (
    *("something newer", "older", "shorter", "longer", "less violent", "scarier", "funnier"),
    *("lighter", "less sad", "more romantic", "no horror", "not a comedy", "seen the first one"),
    *("not now for the second one", "from the 90s", "in French", "under 100 minutes", "also funny"),
    *("no Tom Cruise", "more like the first one", "a thriller", "undo"),
)
STARTS = (
    *("a comedy", "something like Alien", "a thriller from the 90s", "for my kids aged 6 and 9"),
    *("a western", "surprise me"),
)


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


def taps(reply: Reply) -> list[str]:
    suggestions: Suggestions | None = reply.one(Suggestions)
    options = [*(suggestions.chips if suggestions else ())]
    options += reply.question.options if reply.question else ()
    return [o.text for o in options]


@pytest.mark.slow
async def test_no_dead_end_in_500_random_critiques(tmp_path: Path) -> None:
    rng = random.Random(6)
    async with services(tmp_path) as wired:
        played = 0
        while played < 500:
            talk = Talk(wired.assistant, principal=f"critic {played}")
            reply = await talk.say(rng.choice(STARTS))
            for _ in range(rng.randint(3, 12)):
                offered = taps(reply)
                tapped = bool(offered) and rng.random() < 0.6
                said = rng.choice(offered) if tapped else rng.choice(FREE)
                last, reply = reply, await talk.say(said)
                played += 1
                context = f"{said!r} after {[r.text for r in talk.replies[-3:]]}"
                assert reply.cards or taps(reply) or not tapped, context
                assert reply.cards or (reply.question and reply.question.options), context
                if tapped and said != OTHERS.text:
                    assert len(set(reply.titles) - set(last.titles)) >= min(3, len(reply.titles))
                await _remove_one(talk, rng)


async def _remove_one(talk: Talk, rng: random.Random) -> None:
    """Now and then, tap a ledger chip away: exactly its entry goes."""
    changed: LedgerChanged | None = talk.replies[-1].one(LedgerChanged)
    if changed is None or not changed.entries or rng.random() > 0.1:
        return
    gone = rng.choice(changed.entries)
    after: LedgerChanged = (await talk.say(gone.remove_text)).one(LedgerChanged)
    assert [e.id for e in after.entries] == [e.id for e in changed.entries if e.id != gone.id]
