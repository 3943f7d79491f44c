"""`python -m evals baseline RUN`: store a run as what later ones are held against.

Knows what may become a baseline and tells what moves. Does not know its form (scored_run.py). The
only writer of baselines. Called by evals/__main__.py.
"""

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from evals.commands import Commands, new_command
from evals.dialogues.scored_run import ScoredRun, load_baseline, load_folder, write_baseline
from evals.dialogues.transcript_files import EvalInputProblem
from evals.verdicts.comparison import compare, differing
from evals.verdicts.gates import floors

DETAILS = "Commit the file, so that its change is reviewed; nothing else ever writes one."


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "baseline", DETAILS)
    parser.set_defaults(command=baseline)
    parser.add_argument("run", type=Path, help="a run folder, whole and scored")
    parser.add_argument("--output", type=Path, required=True, help="the baseline file (.json)")


def baseline(given: argparse.Namespace) -> int:
    """The command. Raises: EvalProblem."""
    run = load_folder(given.run)
    floors_broken = [check for check in floors(run) if check.fails]
    if floors_broken:
        first = floors_broken[0]
        raise EvalInputProblem(f"{given.run} breaks a floor ({first.scorer}: {first.told})")
    if given.output.suffix != ".json":
        raise EvalInputProblem(f"--output {given.output}: a baseline is one .json file")
    if given.output.exists():
        say_what_moves(load_baseline(given.output), run)
    write_baseline(run, given.output)
    print(f"{len(run.keys)} dialogues, {len(run.values)} scorers -> {given.output}")
    return 0


def say_what_moves(old: ScoredRun, new: ScoredRun) -> None:
    """Every mean that is another now, on standard output."""
    moved = differing("data", old.data or {}, new.data or {})
    if moved:
        for place, before, after in moved:
            print(f"  {place}: {before!r} -> {after!r}")
        print("  other data than before: values cannot be compared")
        return
    both = old.values.keys() & new.values.keys()
    raised = sorted(n for n in both if old.values[n].version != new.values[n].version)
    for name in raised:
        before, after = old.values[name].version, new.values[name].version
        print(f"  {name}: version {before} -> {after}, values cannot be compared")
    if len(raised) == len(both):
        return
    for row in compare(_without(raised, old), _without(raised, new)).rows:
        if row.difference.value:
            print(f"  {row.values.scorer}: {row.a:.3g} -> {row.b:.3g}")


def _without(names: Collection[str], run: ScoredRun) -> ScoredRun:
    return replace(run, values={n: v for n, v in run.values.items() if n not in names})
