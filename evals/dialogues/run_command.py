"""`python -m evals run`: scripted scenarios, played on any index and scored.

Knows the flags, the run folder and what defines a run. Does not know how dialogues are played
(play.py) or scored (scorers/). Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.bad_agents import NAMES, bad_agents
from evals.dialogues.build import build_of
from evals.dialogues.kept import Kept
from evals.dialogues.play import Plan, play_one
from evals.dialogues.reference import Reference, reference_of
from evals.dialogues.run_folder import RunConfig, RunFolder, sha_of
from evals.dialogues.scenario import FOLDER, load_scenarios
from evals.dialogues.scored import scored, tell
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import EvalInputProblem, write_models
from evals.place import ROOT, opened
from infra.progress import shown
from infra.script import Replies
from infra.wiring import Services

KEPT = ROOT / "data" / "evals" / "dialogues"
DETAILS = """\
--output DIR is a run folder: config.json, transcripts.jsonl, scores.jsonl. Give the same command
again to go on where it stopped; another index, build or set of scenarios is refused. With
--output FILE.jsonl the transcripts alone are written, at the end.

examples:
  python -m evals run --index data/index --output runs/today
  python -m evals run --input evals/scenarios/mood.yaml --trials 5 --json
      the first trial as written, the others reworded: how stable is the answer?
  python -m evals run --agent always-clarify
      a deliberately bad agent, to see that the scorers see it
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "run", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(run(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, help="a scenario or a folder (default: our own)")
    parser.add_argument("--output", type=Path, help="run folder, or a .jsonl for transcripts")
    parser.add_argument("--trials", type=int, default=1, help="wordings of each (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the wordings (default 0)")
    parser.add_argument("--agent", choices=("usher", *NAMES), default="usher", help="who answers")
    parser.add_argument("--fresh", action="store_true", help="play again what is kept")


async def run(given: argparse.Namespace) -> int:
    """Run the command; 1 when something happened that must never happen."""
    if given.trials < 1:
        raise EvalInputProblem("--trials must be 1 or more")
    scenarios = load_scenarios(given.input or FOLDER)
    async with opened(given.index) as services:
        reference = await reference_of(services.index)
        build = await build_of(services, reference.sha, given.agent)
        kept = Kept(None if given.fresh else KEPT)
        plan = Plan(scenarios, build, given.trials, given.seed, kept)
        folder = _folder(given.output, plan)
        transcripts = await _play(_agent(given.agent, services, reference), plan, folder)
    with shown() as report:
        found = scored(transcripts, reference, partial(report, "scoring"))
    if folder:
        folder.write_scores(found.scores)
        folder.whole()
    elif given.output:
        write_models(given.output, transcripts)
    tell(found)
    if given.json:
        print(json.dumps(found.as_json()))
    return 0 if found.holds else 1


def config_of(plan: Plan) -> RunConfig:
    """Everything that defines a run."""
    ids = [scenario.id for scenario in plan.scenarios]
    data = {
        "scenarios": sha_of([s.model_dump(mode="json") for s in plan.scenarios]),
        "scenario_ids": ids,
        "trials": plan.trials,
        "seed": plan.seed,
        "catalogue_sha": plan.build.catalogue_sha,
    }
    agent = plan.build.model_dump(mode="json", exclude={"catalogue_sha"})
    return RunConfig(command="run", data=data, agent=agent, dialogues=len(ids) * plan.trials)


def _folder(output: Path | None, plan: Plan) -> RunFolder | None:
    """The run folder, new or to be continued. Raises: EvalInputProblem."""
    if output is None:
        return None
    if ".jsonl" in output.suffixes:
        if not output.parent.is_dir():  # said before minutes of work, not after them
            raise EvalInputProblem(f"--output {output}: {output.parent} is no folder")
        return None
    return RunFolder.create(output, config_of(plan))


def _agent(name: str, services: Services, reference: Reference) -> Replies:
    if name == "usher":
        return services.assistant
    return bad_agents(services.assistant, reference)[name]()


async def _play(agent: Replies, plan: Plan, folder: RunFolder | None) -> Sequence[Transcript]:
    """What is not done yet; each dialogue is on disk when the next one begins."""
    played = {t.key: t for t in folder.transcripts()} if folder else {}
    dialogues = list(plan.dialogues())
    with shown() as report:
        for number, (scenario, trial) in enumerate(dialogues, 1):
            if (scenario.id, trial) not in played:
                transcript = await play_one(agent, plan, scenario, trial)
                played[transcript.key] = transcript
                if folder:
                    folder.append(transcript)
            report("playing", number, len(dialogues))
    return [played[scenario.id, trial] for scenario, trial in dialogues]
