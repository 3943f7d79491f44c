"""`python -m evals simulate`: simulated users talk to an agent; what came of it, and whose fault.

Knows the flags, the run folder, what defines a run and what is printed. Does not know how users
make up their minds (user_agenda.py, user_model.py) nor how dialogues are played, audited and scored
(simulate_run.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from agent.model import ChatModel
from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.bad_agents import NAMES
from evals.dialogues.build import build_of
from evals.dialogues.reference import reference_of
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.score_command import read_transcripts
from evals.dialogues.scored import scored, tell
from evals.dialogues.transcript_files import EvalInputProblem, write_models
from evals.language_model import the_model
from evals.place import opened
from evals.users.goal import GOALS, HELD_OUT, SPLITS, Goal, load_goals
from evals.users.simulate import replay
from evals.users.simulate_figures import print_figures
from evals.users.simulate_run import AGENTS, PRODUCT, Cast, Stage, agent_of

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
  python -m evals simulate --index data/index -n 100 --user model
      a language model plays the users (USHER_MODEL); every message is audited before it is sent
  python -m evals simulate --index data/index --split test
      goals that nobody reads while working on the agent: for figures only
  python -m evals simulate --index data/index --replay transcripts.jsonl --output replayed.jsonl
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "simulate", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(simulate(given)))
    add_index_and_json(parser)
    parser.add_argument("-n", type=int, default=200, help="how many dialogues (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of words and whims (default 0)")
    parser.add_argument("--input", type=Path, help="goals (default: our own)")
    parser.add_argument(
        "--split", choices=SPLITS, help="only this split (default: all but the held-out test)"
    )
    parser.add_argument("--only", metavar="WHAT", help="only goals that cover this, or of this id")
    agents = (PRODUCT, *AGENTS, *(name for name in NAMES if name not in AGENTS.values()))
    parser.add_argument("--agent", choices=agents, default=PRODUCT, help="who answers")
    parser.add_argument(
        "--user", choices=("agenda", "model"), default="agenda", help="who plays the users"
    )
    parser.add_argument("--model", help="with --user model: another model id of the provider")
    parser.add_argument("--replay", type=Path, help="say what these transcripts' users said")
    parser.add_argument("--output", type=Path, help="run folder")


async def simulate(given: argparse.Namespace) -> int:
    """Run the command; 1 when something happened that must never happen, or a user was unfair."""
    if given.n < 1:
        raise EvalInputProblem("-n must be 1 or more")
    if given.replay:
        return await _replay(given)
    if given.model and given.user != "model":
        raise EvalInputProblem("--model names the model of --user model")
    goals = _chosen(given)
    async with AsyncExitStack() as stack:
        # First of all: without a model, nothing else needs to be waited for.
        voice = await stack.enter_async_context(_voice(given))
        services = await stack.enter_async_context(opened(given.index))
        stage = await Stage.of(services, goals)
        cast = Cast(given.agent, given.n, given.seed, voice)
        config = await stage.config(cast)
        folder = RunFolder.create(given.output, config) if given.output else None
        figures = await stage.figures(cast, folder)
    print_figures(figures)
    if given.json:
        print(json.dumps(figures.as_json()))
    return 0 if figures.found.holds and not figures.faults else 1


async def _replay(given: argparse.Namespace) -> int:
    """Recorded users, new answers, the same scores."""
    recorded = read_transcripts(given.replay)
    async with opened(given.index) as services:
        reference = await reference_of(services.index)
        build = await build_of(services, reference.sha, given.agent)
        agent = agent_of(given.agent, services, reference)
        transcripts = [await replay(agent, old, build) for old in recorded]
    found = scored(transcripts, reference)
    if given.output:
        write_models(given.output, transcripts)
    tell(found)
    if given.json:
        print(json.dumps(found.as_json()))
    return 0 if found.holds else 1


def _chosen(given: argparse.Namespace) -> list[Goal]:
    split, only = given.split, given.only
    goals = load_goals(given.input or (HELD_OUT if split == "test" else GOALS))
    kept = [g for g in goals if g.split == split or (split is None and g.split != "test")]
    if not kept:
        raise EvalInputProblem(
            f"{given.input or GOALS} has no goal of the split {split or 'train or dev'}; "
            "held-out goals are played with --split test"
        )
    chosen = [g for g in kept if only is None or only in (g.id, *g.covers)]
    if not chosen:
        known = ", ".join(sorted({what for goal in kept for what in goal.covers}))
        raise EvalInputProblem(f"--only {only}: no goal covers that; choose from {known}, or an id")
    return chosen


@asynccontextmanager
async def _voice(given: argparse.Namespace) -> AsyncIterator[ChatModel | None]:
    """The model that plays the users, if one is asked for."""
    if given.user == "agenda":
        yield None
    else:
        async with the_model("a model-based user (--user model)", given.model) as model:
            yield model
