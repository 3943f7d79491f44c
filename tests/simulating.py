"""Simulated dialogues for tests: our goals on the whole starter catalogue, played once per run."""

import asyncio
from functools import cache
from typing import Any

import talking
from evals.dialogues.reference import load_reference
from evals.dialogues.transcript import Build, Transcript
from evals.place import opened
from evals.users.audit_words import Marks
from evals.users.goal import load_goals
from evals.users.goal_world import Films, World, worlds_of
from evals.users.simulate import Case, cases, play_case
from evals.users.user_agenda import AgendaUser

FUNNY: dict[str, Any] = {
    "id": "funny",
    "split": "train",
    "covers": ["x"],
    "who": "somebody",
    "wants": {
        "comedy": {"every": {"genre": "comedy"}, "say": ["a comedy"]},
        "new": {"every": {"year": {"min": 1984}}, "say": ["1984 or later"]},
        "short": {"every": {"runtime": {"max": 100}}, "say": ["100 minutes at most"]},
    },
    "opening": ["a comedy please"],
    "opens": ["comedy"],
    "picky": 0.0,
    "seen": 0.0,
}
"""A goal as goals.yaml has them, with three wishes; for films of a test's own."""


@cache
def films() -> Films:
    """The starter catalogue."""
    reference = asyncio.run(load_reference(talking.starter_index()))
    return Films(reference.movies.values())


@cache
def marks() -> Marks:
    """What points at something in it."""
    return Marks(films())


@cache
def worlds() -> dict[str, World]:
    """Every goal of ours in it, by id."""
    playable, left_out = worlds_of(load_goals(), films())
    assert left_out == []
    return {world.goal.id: world for world in playable}


def user(case: Case) -> AgendaUser:
    return AgendaUser(case.world, case.user_seed)


@cache
def dialogues(count: int, seed: int = 0) -> tuple[Transcript, ...]:
    """So many dialogues with the product."""
    played = list(worlds().values())  # outside of the loop: it runs one of its own

    async def play() -> tuple[Transcript, ...]:
        async with opened(talking.starter_index()) as services:
            plan = cases(played, count, seed)
            agent: Any = services.assistant
            return tuple([await play_case(agent, case, user, Build()) for case in plan])

    return asyncio.run(play())
