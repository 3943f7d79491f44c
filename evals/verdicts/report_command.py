"""`python -m evals report RUN`: one HTML page of a run, alone or beside another.

Knows the flags and where the page goes. Does not know what stands on it (report_page.py). Called by
evals/__main__.py.
"""

import argparse
from pathlib import Path

from evals.commands import Commands, new_command
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scored_run import load_folder
from evals.dialogues.transcript_files import write_lines
from evals.judging.calibration_file import read_log
from evals.verdicts.comparison import compare
from evals.verdicts.report_page import Material, page

DETAILS = """\
The page needs nothing else: send it, print it, open it from a mail. It holds the dialogues'
texts, so keep it where the transcripts may be kept.
"""
PAGE = "report.html"


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "report", DETAILS)
    parser.set_defaults(command=report)
    parser.add_argument("run", type=Path, help="a run folder, whole and scored")
    parser.add_argument(
        "--compare", type=Path, metavar="RUN", help="an earlier run to compare with"
    )
    parser.add_argument("--output", type=Path, help=f"the page (default: {PAGE} in the run folder)")


def report(given: argparse.Namespace) -> int:
    """The command. Raises: EvalProblem."""
    run = load_folder(given.run)
    transcripts = RunFolder.open(given.run).transcripts()
    comparison, other = None, []
    if given.compare:
        comparison = compare(load_folder(given.compare), run)
        other = RunFolder.open(given.compare).transcripts()
    material = Material(run, transcripts, comparison, other, read_log(given.run))
    out = given.output or given.run / PAGE
    write_lines(out, page(material).splitlines())
    print(out)
    return 0
