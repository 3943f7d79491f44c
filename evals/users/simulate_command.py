"""`python -m evals simulate`: simulated users talk to an agent; what came of it, and whose fault.

Knows the flags, the run folder, what defines a run and what is printed. Does not know how users
make up their minds (user_agenda.py), how dialogues are played (simulate.py), scored (scorers/) or
audited (audit.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.bad_agents import NAMES, bad_agents
from evals.dialogues.build import build_of
from evals.dialogues.reference import Reference, reference_of
from evals.dialogues.run_folder import RunConfig, RunFolder, sha_of
from evals.dialogues.score_command import read_transcripts
from evals.dialogues.scored import scored, tell
from evals.dialogues.transcript import Build, Transcript
from evals.dialogues.transcript_files import EvalInputProblem, write_models
from evals.place import opened
from evals.users.audit import audit
from evals.users.audit_words import Marks
from evals.users.goal import GOALS, Goal, load_goals
from evals.users.goal_world import Films, World, worlds_of
from evals.users.simulate import Case, cases, play_case, replay
from evals.users.simulate_figures import Figures, print_figures
from evals.users.user_agenda import AgendaUser
from infra.progress import shown
from infra.script import Replies
from infra.wiring import Services

PRODUCT = "product"
AGENTS = {"popularity": "popular"}
"""Other names of evals/dialogues/bad_agents.py."""
DETAILS = """\
Each scenario of evals/scenarios/goals is played again and again, in other words and with other
whims, until -n dialogues are done. --output is a run folder (config.json, transcripts.jsonl,
scores.jsonl): give the same command again to go on where it stopped; another index, build, agent
or set of scenarios is refused.

examples:
  python -m evals simulate --index data/index -n 500
  python -m evals simulate --index data/index -n 2000 --seed 1 --output runs/product --json
  python -m evals simulate --index data/index -n 2000 --seed 1 --agent popularity
  python -m evals simulate --index data/index --only undo -n 60
  python -m evals simulate --index data/index --replay transcripts.jsonl --output replayed.jsonl
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "simulate", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(simulate(given)))
    add_index_and_json(parser)
    parser.add_argument("-n", type=int, default=200, help="how many dialogues (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of words and whims (default 0)")
    parser.add_argument("--input", type=Path, default=GOALS, help="goals (default: our own)")
    parser.add_argument("--split", choices=("train", "dev"), help="only this split")
    parser.add_argument("--only", metavar="WHAT", help="only goals that cover this, or of this id")
    agents = (PRODUCT, *AGENTS, *(name for name in NAMES if name not in AGENTS.values()))
    parser.add_argument("--agent", choices=agents, default=PRODUCT, help="who answers")
    parser.add_argument("--replay", type=Path, help="say what these transcripts' users said")
    parser.add_argument("--output", type=Path, help="run folder")


async def simulate(given: argparse.Namespace) -> int:
    """Run the command; 1 when something happened that must never happen, or a user was unfair."""
    if given.n < 1:
        raise EvalInputProblem("-n must be 1 or more")
    if given.replay:
        return await _replay(given)
    goals = _chosen(load_goals(given.input), given.split, given.only)
    async with opened(given.index) as services:
        reference = await reference_of(services.index)
        films = Films(reference.movies.values())
        worlds, left_out = worlds_of(goals, films)
        if not worlds:
            raise EvalInputProblem(f"no goal can be played on this index: {left_out[0]}")
        build = await build_of(services, reference.sha, given.agent)
        folder = _folder(given, worlds, build)
        agent = _agent(given.agent, services, reference)
        began = time.perf_counter()
        plan = list(cases(worlds, given.n, given.seed))
        transcripts = await _play(agent, plan, build, folder)
        took = time.perf_counter() - began
    by_id = {world.goal.id: world for world in worlds}
    marks = Marks(films)
    faults = [f for t in transcripts for f in audit(t, by_id[t.scenario_id or ""], marks)]
    with shown() as report:
        found = scored(transcripts, reference, partial(report, "scoring"))
    if folder:
        folder.write_scores(found.scores)
        folder.whole()
    figures = Figures(found, faults, left_out, took)
    print_figures(figures)
    if given.json:
        print(json.dumps(figures.as_json()))
    return 0 if found.holds and not faults else 1


async def _replay(given: argparse.Namespace) -> int:
    """Recorded users, new answers, the same scores."""
    recorded = read_transcripts(given.replay)
    async with opened(given.index) as services:
        reference = await reference_of(services.index)
        build = await build_of(services, reference.sha, given.agent)
        agent = _agent(given.agent, services, reference)
        transcripts = [await replay(agent, old, build) for old in recorded]
    found = scored(transcripts, reference)
    if given.output:
        write_models(given.output, transcripts)
    tell(found)
    if given.json:
        print(json.dumps(found.as_json()))
    return 0 if found.holds else 1


def _chosen(goals: Sequence[Goal], split: str | None, only: str | None) -> list[Goal]:
    kept = [g for g in goals if split in (None, g.split)]
    kept = [g for g in kept if only is None or only in (g.id, *g.covers)]
    if not kept:
        known = ", ".join(sorted({what for goal in goals for what in goal.covers}))
        raise EvalInputProblem(f"--only {only}: no goal covers that; choose from {known}, or an id")
    return kept


def _folder(given: argparse.Namespace, worlds: Sequence[World], build: Build) -> RunFolder | None:
    """The run folder, new or to be continued. Raises: EvalInputProblem."""
    if given.output is None:
        return None
    data = {
        "scenarios": sha_of([world.goal.model_dump(mode="json") for world in worlds]),
        "scenario_ids": [world.goal.id for world in worlds],
        "seed": given.seed,
        "user": "agenda",
        "catalogue_sha": build.catalogue_sha,
    }
    agent = build.model_dump(mode="json", exclude={"catalogue_sha"})
    config = RunConfig(command="simulate", data=data, agent=agent, dialogues=given.n)
    return RunFolder.create(given.output, config)


def _agent(name: str, services: Services, reference: Reference) -> Replies:
    if name == PRODUCT:
        return services.assistant
    return bad_agents(services.assistant, reference)[AGENTS.get(name, name)]()


def _user(case: Case) -> AgendaUser:
    return AgendaUser(case.world, case.user_seed)


async def _play(
    agent: Replies, plan: Sequence[Case], build: Build, folder: RunFolder | None
) -> list[Transcript]:
    """What is not done yet; each dialogue is on disk when the next one begins."""
    played = {t.key: t for t in folder.transcripts()} if folder else {}
    with shown() as report:
        for number, case in enumerate(plan, 1):
            if case.key not in played:
                played[case.key] = await play_case(agent, case, _user, build)
                if folder:
                    folder.append(played[case.key])
            report("talking", number, len(plan))
    return [played[case.key] for case in plan]
