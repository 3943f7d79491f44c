"""The audit: nothing in hundreds of honest dialogues, everything that is planted into some."""

import random
from collections.abc import Callable, Iterator, Sequence

import pytest

import simulating
from evals.dialogues.transcript import PlayedTurn, Transcript
from evals.users.audit import Fault, audit
from evals.users.audit_words import content
from evals.users.disclosure import Progress
from evals.users.goal_world import World
from evals.users.user_words import wordings
from retrieval.movie import Match, Movie

pytestmark = pytest.mark.slow  # 500 dialogues with the real product

HONEST = 500
PLANTS = 50


def faults_of(transcript: Transcript) -> list[Fault]:
    world = simulating.worlds()[transcript.scenario_id or ""]
    return audit(transcript, world, simulating.marks())


def test_no_leak_in_honest_dialogues() -> None:
    found = [fault for t in simulating.dialogues(HONEST) for fault in faults_of(t)]
    assert found == []


# --- planting -------------------------------------------------------------------------------------


def misspelt(title: str) -> str:
    longest = max(title.split(), key=len)
    return title.replace(longest, longest[:2] + longest[3:])


def own_words(world: World, untold: Sequence[str], rng: random.Random) -> str | None:
    names = [name for name in untold if world.goal.wants[name].hard]
    if not names:
        return None
    name = rng.choice(names)
    return rng.choice(wordings(world.goal.wants[name], world.clauses.get(name)))


def value(world: World, untold: Sequence[str], rng: random.Random) -> str | None:
    clauses = [world.clauses[name] for name in untold if name in world.clauses]
    named = [c for c in clauses if isinstance(c, Match) and c.field in ("genre", "mood", "topic")]
    return f"and {sorted(rng.choice(named).values)[0]}, you know" if named else None


Plant = Callable[[Movie, World, Sequence[str], random.Random], str | None]
WAYS: dict[str, Plant] = {
    "title": lambda film, *_: f"have you got {film.title}?",
    "title and year": lambda film, *_: f"{film.title} ({film.year}), for instance",
    "lower case": lambda film, *_: f"i was thinking of {film.title.lower()}",
    "misspelt": lambda film, *_: f"maybe {misspelt(film.title)}",
    "other order": lambda film, *_: f"that one, {' '.join(reversed(film.title.split()))}",
    "year and director": lambda film, *_: f"the {film.year} one by {film.directors[0]}",
    "surname": lambda film, *_: f"it has {film.cast[0].split()[-1]} in it",
    "undisclosed wish": lambda film, world, untold, rng: own_words(world, untold, rng),
    "undisclosed value": lambda film, world, untold, rng: value(world, untold, rng),
    "id": lambda film, *_: f"is {film.movie_id} any good?",
    "plot": lambda film, *_: film.overview[:120],
}


def targets(world: World, before: Sequence[PlayedTurn]) -> list[Movie]:
    """Films that would do, with a telling title, of people whom nobody named.

    None that the agent has named: what it put on a card or into its prose, the user may repeat, and
    repeating it gives nothing away. Films that it shows later are leaks like any other until then.
    """
    wanted = str(world.goal.wants).lower()
    told = content(" ".join(turn.prose for turn in before))
    shown = {card.movie_id for turn in before for card in turn.cards}
    return [
        film
        for film in simulating.films().by_id.values()
        if world.fits(film, len(world.goal.moves))
        and film.movie_id not in shown
        and not content(film.title) <= told
        and len(content(film.title)) > 1
        and max(map(len, film.title.split())) > 6
        and film.directors
        and film.cast
        and film.cast[0].split()[-1].isalpha()  # "it has Jr. in it" tells nothing
        and film.cast[0].split()[-1].lower() not in wanted
        and film.directors[0].split()[-1].lower() not in wanted
    ]


SET_OF_WORDS = ("misspelt", "other order", "plot")
"""Seen only where every word must have a reason: a model's words are free."""


def planted(
    count: int, rng: random.Random, ways: Sequence[str] = tuple(WAYS)
) -> Iterator[tuple[str, int, Transcript]]:
    """(way, turn, dialogue with a leak in that turn), every way in turn.

    What is drawn and would be no leak is drawn again, and never counted as caught: a wish of which
    the agent has just offered every telling word, as an option to tap, is given away by the agent.
    """
    done = 0
    while done < count:
        way = ways[done % len(ways)]
        transcript = rng.choice(simulating.dialogues(HONEST))
        at = rng.randrange(len(transcript.turns))
        world = simulating.worlds()[transcript.scenario_id or ""]
        progress = Progress()
        for turn in transcript.turns[: at + 1]:
            progress = progress.after(turn.user_acts or ())
        films = targets(world, transcript.turns[:at])
        if not films:
            continue
        text = WAYS[way](rng.choice(films), world, progress.untold(world.goal), rng)
        repeated = way.startswith("undisclosed") and content(text or "") <= offered(transcript, at)
        if text and not repeated:
            done += 1
            yield way, at + 1, with_text(transcript, at, text)


def offered(transcript: Transcript, at: int) -> frozenset[str]:
    """The words that the agent put up for choice just before."""
    question = transcript.turns[at - 1].question if at else None
    options = question.options if question else ()
    return content(" ".join(option.text for option in options))


def with_text(transcript: Transcript, at: int, text: str) -> Transcript:
    turn = transcript.turns[at]
    return with_turn(transcript, at, turn.model_copy(update={"user": f"{turn.user}. {text}"}))


def with_turn(transcript: Transcript, at: int, turn: PlayedTurn) -> Transcript:
    turns = (*transcript.turns[:at], turn, *transcript.turns[at + 1 :])
    return transcript.model_copy(update={"turns": turns})


@pytest.mark.parametrize("seed", [1, 2])
def test_every_planted_leak_is_caught(seed: int) -> None:
    missed = [
        (way, number, leaky.turns[number - 1].user)
        for way, number, leaky in planted(PLANTS, random.Random(seed))
        if not any(fault.turn == number for fault in faults_of(leaky))
    ]
    assert missed == []


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_leaks_are_caught_in_free_wording_too(seed: int) -> None:
    """What it cannot see by design: a title in small letters of everyday words ("meet the parents")
    and a wish in everyday words; 2 in 600 over twelve seeds (2026-11-30), none of 600 above.
    """
    ways = [way for way in WAYS if way not in SET_OF_WORDS]
    missed = []
    for way, number, leaky in planted(PLANTS, random.Random(seed), ways):
        world = simulating.worlds()[leaky.scenario_id or ""]
        faults = audit(leaky, world, simulating.marks(), own_words=False)
        if not any(fault.turn == number for fault in faults):
            missed.append((way, number, leaky.turns[number - 1].user))
    assert missed == []


def test_a_wish_that_nothing_called_for_is_a_leak() -> None:
    found = next(t for t in simulating.dialogues(HONEST) if t.scenario_id == "dislike-star")
    first = found.turns[0].model_copy(update={"user_acts": ("opening:comedy", "opening:nocarrey")})
    assert [f.kind for f in faults_of(with_turn(found, 0, first))] == ["leak"]


def test_a_wish_that_is_not_theirs_is_an_invented_fact() -> None:
    found = next(t for t in simulating.dialogues(HONEST) if t.scenario_id == "people-hanks")
    faults = faults_of(with_text(found, 0, "It must be Norwegian"))
    assert [fault.kind for fault in faults] == ["invented fact"]


def test_taking_a_film_that_was_not_shown_is_the_users_error() -> None:
    found = next(t for t in simulating.dialogues(HONEST) if t.scenario_id == "people-hanks")
    assert found.outcome is not None
    other = found.outcome.model_copy(update={"accepted_ids": ("us000001",)})
    faults = faults_of(found.model_copy(update={"outcome": other}))
    assert "user error" in {fault.kind for fault in faults}
