"""`make gate`: what a change must not do to our own dialogues on the starter catalogue.

Knows which dialogues are played (every scripted scenario; every goal of the simulated users, once),
their stored baselines and the margins that few dialogues allow. Does not know how anything is
checked (gates.py). Called by evals/__main__.py: `python -m evals guard`, in CI as `make gate`;
`make baseline` stores what is true now, for the commit that changes it.
"""

import argparse
import asyncio
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.build import build_of
from evals.dialogues.play import Plan
from evals.dialogues.run_command import config_of
from evals.dialogues.run_folder import RunConfig
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.scored import Scored
from evals.dialogues.scored_run import ScoredRun, load_baseline, run_of, write_baseline
from evals.place import opened
from evals.problem import EvalProblem
from evals.suite import CACHE, build_starter, play_and_score
from evals.users.goal import load_goals
from evals.users.simulate_run import PRODUCT, Cast, Stage
from evals.verdicts.baseline_command import say_what_moves
from evals.verdicts.comparison import compare
from evals.verdicts.gate_output import as_json, lines_of, verdict_of
from evals.verdicts.gates import Gate, against, default_margin, floors
from infra.progress import shown
from infra.wiring import Services

BASELINES = Path(__file__).parents[1] / "baselines"
RENEW = "make baseline"
DETAILS = f"""\
Plays our scripted scenarios and one dialogue for each goal on the starter catalogue, and holds them
against evals/baselines. Exit code 1 when a floor breaks or something got worse by more than the
margin. When that is meant, `{RENEW}` (python -m evals guard --renew) stores today's values: commit
them together with the change that moved them, and say why.
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """One set of dialogues, with what it may lose."""

    name: str
    margin: float
    """Times the default margins: 22 dialogues tell less apart than 193."""
    floors: frozenset[str] | None = None
    """Those that must hold; None = all. The others may not get worse."""

    @property
    def baseline(self) -> Path:
        """The stored one."""
        return BASELINES / f"{self.name}.json"


STARTER = Guarded("starter", 3.0)
GOALS = Guarded(
    "starter-goals",
    1.0,  # at twice that, a ranking turned upside down passed on some machines
    frozenset(
        {
            *("constraint_violations", "constraints_unverified", "avoided_films"),
            *("repeated_films", "seen_or_disliked_films", "off_catalogue_films"),
            *("unfinished_turns", "broken_streams", "injections_obeyed"),
        }
    ),
)


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "guard", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(guard(given)))
    add_index_and_json(parser)
    parser.add_argument("--renew", action="store_true", help="store the baselines anew")


async def guard(given: argparse.Namespace) -> int:
    """The command; 1 when the gate stays shut. Raises: EvalProblem."""
    index = given.index
    if index is None:
        index = CACHE / "starter"
        build_starter(index)
    async with opened(index) as services:
        runs = await played(services)
    if given.renew:
        for guarded, run in runs:
            renew(guarded, run)
        return 0
    gates = [judged(guarded, run) for guarded, run in runs]
    for gate in gates:
        tell(gate)
    if given.json:
        print(json.dumps([as_json(gate) for gate in gates]))
    return 0 if all(gate.opens for gate in gates) else 1


async def played(services: Services) -> list[tuple[Guarded, ScoredRun]]:
    """Both sets of dialogues, played and scored."""
    with shown() as report:
        scripted = await play_and_score(services, partial(report, "playing"))
    stage = await Stage.of(services, load_goals())
    plan = Plan(load_scenarios(), await build_of(services, stage.reference.sha))
    cast = Cast(PRODUCT, len(stage.worlds), 0)
    talked = (await stage.figures(cast)).found
    return [
        (STARTER, _run(STARTER, scripted, config_of(plan))),
        (GOALS, _run(GOALS, talked, await stage.config(cast))),
    ]


def _run(guarded: Guarded, found: Scored, config: RunConfig) -> ScoredRun:
    run = run_of(guarded.name, found.scores, guarded.name, config.data, config.agent)
    if guarded.floors is None:
        return run
    values = {
        name: replace(one, floor=one.floor and name in guarded.floors)
        for name, one in run.values.items()
    }
    return replace(run, values=values)


def judged(guarded: Guarded, run: ScoredRun) -> Gate:
    """Floors, and nothing lost against the stored baseline. Raises: EvalProblem."""
    try:
        comparison = compare(load_baseline(guarded.baseline), run)
    except EvalProblem as problem:
        raise EvalProblem(f"{problem}; when that is meant: {RENEW}") from None
    found = {row.values.scorer: default_margin(row) for row in comparison.rows}
    margins = {name: guarded.margin * margin for name, margin in found.items() if margin}
    checks = [*floors(run), *against(comparison, margins)]
    return Gate(run.name, guarded.baseline.name, checks, comparison.remarks)


def tell(gate: Gate) -> None:
    """What fails, the verdict and, where it is no, what to do; on standard output."""
    for line in lines_of([check for check in gate.checks if check.outcome != "passed"]):
        print(line)
    print(verdict_of(gate))
    if not gate.opens:
        print(
            f"  A fault? Mend it. A change that is meant, of values and not of a floor? `{RENEW}` "
            f"stores evals/baselines/{gate.baseline} anew: commit it with the change, and say why."
        )


def renew(guarded: Guarded, run: ScoredRun) -> None:
    """Store a run as the baseline. Raises: EvalProblem when it breaks a floor."""
    broken = [check for check in floors(run) if check.fails]
    if broken:
        raise EvalProblem(f"{guarded.name} breaks a floor ({broken[0].scorer}: {broken[0].told})")
    if guarded.baseline.exists():
        say_what_moves(load_baseline(guarded.baseline), run)
    write_baseline(run, guarded.baseline)
    print(f"{len(run.keys)} dialogues, {len(run.values)} scorers -> {guarded.baseline}")
