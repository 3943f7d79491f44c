"""A set of simulated dialogues: who answers, what it is measured on; played, audited and scored.

Knows how a plan of dialogues becomes figures, with a run folder or without. Does not know flags or
what is printed (simulate_command.py), nor how one dialogue goes (simulate.py). Called by
simulate_command.py, figures.py and the gate of the starter.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent.model import ChatModel, Meter
from evals.dialogues.bad_agents import bad_agents
from evals.dialogues.build import build_of
from evals.dialogues.reference import Reference, reference_of
from evals.dialogues.run_folder import RunConfig, RunFolder, sha_of
from evals.dialogues.scored import scored
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import EvalInputProblem
from evals.language_model import AT_ONCE, all_of
from evals.users.audit import Fault, audit
from evals.users.audit_words import Marks
from evals.users.goal import Goal
from evals.users.goal_world import Films, World, worlds_of
from evals.users.simulate import Case, cases, play_case
from evals.users.simulate_figures import Figures
from evals.users.user import SimulatedUser
from evals.users.user_agenda import AgendaUser
from evals.users.user_model import ModelUser
from infra.progress import shown
from infra.script import Replies
from infra.wiring import Services
from prompts.loader import load_prompt

PRODUCT = "product"
AGENTS = {"popularity": "popular"}
"""Other names of evals/dialogues/bad_agents.py."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who talks to whom, and how often."""

    agent: str
    """As --agent names it."""
    count: int
    seed: int
    voice: ChatModel | None = None
    """The model that plays the users; None = rules do."""

    @property
    def speaker(self) -> str | None:
        """The id of that model."""
        return self.voice.model_id if self.voice else None


class Stage:
    """An index with the goals that can be played on it: agents come and go, this stays."""

    def __init__(self, services: Services, reference: Reference, goals: Sequence[Goal]) -> None:
        self.services, self.reference = services, reference
        films = Films(reference.movies.values())
        self.marks = Marks(films)
        self.worlds, self.left_out = worlds_of(goals, films)

    @classmethod
    async def of(cls, services: Services, goals: Sequence[Goal]) -> "Stage":
        """On running services. Raises: IndexFailure, EvalInputProblem."""
        stage = cls(services, await reference_of(services.index), goals)
        if not stage.worlds:
            raise EvalInputProblem(f"no goal can be played on this index: {stage.left_out[0]}")
        return stage

    async def config(self, wanted: Cast) -> RunConfig:
        """Everything that defines a run."""
        build = await build_of(self.services, self.reference.sha, wanted.agent)
        user = "agenda"
        if wanted.voice is not None:
            user = f"model {wanted.speaker}, prompt {load_prompt('user_simulator').sha}"
        data = {
            "scenarios": sha_of([world.goal.model_dump(mode="json") for world in self.worlds]),
            "scenario_ids": [world.goal.id for world in self.worlds],
            "seed": wanted.seed,
            "user": user,
            "catalogue_sha": build.catalogue_sha,
        }
        agent = build.model_dump(mode="json", exclude={"catalogue_sha"})
        return RunConfig(command="simulate", data=data, agent=agent, dialogues=wanted.count)

    async def figures(self, wanted: Cast, folder: RunFolder | None = None) -> Figures:
        """Play what is not done yet, audit and score all of it."""
        began = time.perf_counter()
        build = await build_of(self.services, self.reference.sha, wanted.agent)
        agent = agent_of(wanted.agent, self.services, self.reference)
        plan = list(cases(self.worlds, wanted.count, wanted.seed, wanted.speaker))
        meter = Meter()

        def users(case: Case) -> SimulatedUser:
            if wanted.voice is None:
                return AgendaUser(case.world, case.user_seed)
            return ModelUser(wanted.voice, case.world, case.user_seed, self.marks, meter)

        # Rules answer at once; a model is waited for, so several dialogues go on at a time.
        gate = asyncio.Semaphore(AT_ONCE if wanted.voice else 1)
        play = partial(play_case, agent, user_for=users, build=build)
        transcripts = await _played(plan, play, folder, gate)
        took = time.perf_counter() - began
        faults = audit_all(transcripts, self.worlds, self.marks)
        with shown() as report:
            found = scored(transcripts, self.reference, partial(report, "scoring"))
        if folder:
            folder.write_scores(found.scores)
            folder.whole()
        return Figures(found, faults, self.left_out, took, wanted.speaker, meter.total)


def agent_of(name: str, services: Services, reference: Reference) -> Replies:
    """Who answers, by the name that --agent takes."""
    if name == PRODUCT:
        return services.assistant
    return bad_agents(services.assistant, reference)[AGENTS.get(name, name)]()


def audit_all(
    transcripts: Sequence[Transcript], worlds: Sequence[World], marks: Marks
) -> list[Fault]:
    """Every fault of every simulated user; a model's words are free, the agenda's are not."""
    by_id = {world.goal.id: world for world in worlds}
    return [
        fault
        for one in transcripts
        for fault in audit(one, by_id[one.scenario_id or ""], marks, "user" not in one.tags)
    ]


async def _played(
    plan: Sequence[Case],
    play: Callable[[Case], Awaitable[Transcript]],
    folder: RunFolder | None,
    gate: asyncio.Semaphore,
) -> list[Transcript]:
    """What is not done yet; each dialogue is on disk when it ends."""
    played = {t.key: t for t in folder.transcripts()} if folder else {}
    waiting = [case for case in plan if case.key not in played]
    with shown() as report:

        async def one(case: Case) -> None:
            async with gate:
                transcript = await play(case)
            played[case.key] = transcript
            if folder:
                folder.append(transcript)
            report("talking", len(played), len(plan))

        await all_of(one(case) for case in waiting)
    return [played[case.key] for case in plan]
