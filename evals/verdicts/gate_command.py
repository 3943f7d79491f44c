"""`python -m evals gate RUN`: what a change must not do.

Knows the flags, the exit code and where verdicts are written. Does not know checks (gates.py).
Called by evals/__main__.py.
"""

import argparse
import json
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.dialogues.scored_run import load_baseline, load_folder
from evals.dialogues.transcript_files import EvalInputProblem, write_lines
from evals.judging.calibration_file import advisory_scorers
from evals.verdicts.comparison import Comparison, compare
from evals.verdicts.gate_output import as_json, junit, lines_of, markdown, verdict_of
from evals.verdicts.gates import Check, Gate, against, floors

GATE = """\
Floors (violations, off-catalogue titles, repeats ...) must be without fault on every dialogue.
With --baseline FILE nothing may be worse than there: the lower end of the 95 % interval of the
paired difference must stay above minus the margin (5 points for shares, 10 % of the baseline's
mean for counts; --margin SCORER=VALUE sets another; times and costs are gated only if you do).
A floor that applies to no dialogue is "not measured"; of violations, off-catalogue titles and
repeats that shuts the gate, of the others it is told.
Exit code 0: passes; 1: does not; 2: could not be checked.
"""


def add(commands: Commands) -> None:
    """The flags of `gate`."""
    parser = new_command(commands, "gate", GATE)
    parser.set_defaults(command=gate)
    parser.add_argument("run", type=Path, help="a run folder, whole and scored")
    parser.add_argument("--baseline", type=Path, help="what `baseline` wrote")
    parser.add_argument(
        "--margin", action="append", default=[], metavar="SCORER=VALUE", help="what may be lost"
    )
    parser.add_argument(
        "--calibration", type=Path, help="what `calibrate --output` wrote: lets a judge decide"
    )
    parser.add_argument("--junit", type=Path, help="write JUnit XML here")
    parser.add_argument("--markdown", type=Path, help="write a summary for a pull request here")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    add_json(parser)


def gate(given: argparse.Namespace) -> int:
    """The command; 1 when the gate stays shut. Raises: EvalProblem."""
    run = load_folder(given.run)
    margins = dict(_margin(text) for text in given.margin)
    if margins and given.baseline is None:
        raise EvalInputProblem("--margin says what may be lost against a baseline: --baseline FILE")
    checks: list[Check] = floors(run)
    comparison: Comparison | None = None
    if given.baseline is not None:
        comparison = compare(load_baseline(given.baseline), run, given.seed)
        advisory = advisory_scorers(run, given.run, given.calibration)
        checks += against(comparison, margins, advisory)
    name = given.baseline.name if given.baseline else None
    found = Gate(run.name, name, checks, comparison.remarks if comparison else ())
    _tell(found, comparison, given)
    return 0 if found.opens else 1


def _margin(text: str) -> tuple[str, float]:
    scorer, equals, value = text.partition("=")
    try:
        margin = float(value)
    except ValueError:
        margin = -1.0
    if not equals or not scorer or not 0 < margin < float("inf"):
        raise EvalInputProblem(f"--margin {text}: say SCORER=VALUE with a value above 0")
    return scorer, margin


def _tell(found: Gate, comparison: Comparison | None, given: argparse.Namespace) -> None:
    for line in (*lines_of(found.checks), *found.remarks):
        print(line)
    print(verdict_of(found))
    if given.junit:
        write_lines(given.junit, junit(found).splitlines())
    if given.markdown:
        write_lines(given.markdown, markdown(found, comparison).splitlines())
    if given.json:
        print(json.dumps(as_json(found)))
