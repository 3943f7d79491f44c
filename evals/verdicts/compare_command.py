"""`python -m evals compare A B`: what changed between two runs, how surely, and what may hide.

Knows the flags and the tables. Does not know tests (statistics.py) nor what may be compared
(comparison.py). Called by evals/__main__.py.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_json, new_command
from evals.dialogues.scored_run import ScoredRun, load_run
from evals.dialogues.transcript_files import EvalInputProblem, write_lines
from evals.recorded.rank_lists import is_rank_file, load_lists, overlap_of
from evals.verdicts.comparison import Comparison, as_json, compare
from evals.verdicts.gate_output import HEAD, cells_of, table

DETAILS = """\
A and B are run folders, files of scores (scores.jsonl), stored baselines (.json), or two lists
written by `rank --output` (then --turns FILE says what was right). Differences are B - A over
pairs of the same scenario and trial, with a paired bootstrap over scenarios as interval. p is
McNemar's for passes of single dialogues, else that of flipping the signs of whole scenarios;
Holm's correction is over all rows in which enough pairs differ to show anything. "detectable" is
the smallest true difference that these pairs would show in 4 of 5 tries: a smaller one may hide
behind no verdict. Fewer than 6 scenarios say too little for an interval.
"""
WIDTH = 175
"""Columns of text; a table that wraps cannot be read."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "compare", DETAILS)
    parser.set_defaults(command=run)
    parser.add_argument("a", type=Path, help="the run before")
    parser.add_argument("b", type=Path, help="the run after")
    parser.add_argument("--turns", type=Path, help="turns with targets, for two rank files")
    parser.add_argument("--first", type=int, help="only the first so many turns, as in `rank`")
    parser.add_argument("--names", type=Path, help="dialogues that give mentioned films their ids")
    parser.add_argument("-k", type=int, default=10, help="rank files: cut lists here (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """The command. Raises: EvalProblem."""
    a, b = _load(given.a, given), _load(given.b, given)
    found = compare(a, b, given.seed)
    tell(found)
    if all(path.is_file() and is_rank_file(path) for path in (given.a, given.b)):
        shared = overlap_of(given.a, given.b, given.k)
        print(f"overlap@{given.k} of the lists: {shared:.3f}")
    if given.markdown:
        write_lines(given.markdown, table(found).splitlines())
    if given.json:
        print(json.dumps(as_json(found)))
    return 0


def _load(path: Path, given: argparse.Namespace) -> ScoredRun:
    if path.is_file() and is_rank_file(path):
        if given.turns is None:
            raise EvalInputProblem(f"{path} has ranked lists: --turns FILE must say what was right")
        return load_lists(path, given.turns, given.names, given.k, given.first)
    return load_run(path)


def tell(found: Comparison) -> None:
    """The table on standard output."""
    title = f"A = {found.a}, B = {found.b}"
    shown = Table(title=title, title_justify="left")
    for name in HEAD:
        left = name in ("scorer", "unit", "test", "")
        shown.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in found.rows:
        shown.add_row(*cells_of(row))
    # Names come from files: nothing in them is markup.
    console = Console(width=max(Console().width, WIDTH), markup=False)
    console.print(shown)
    for line in (*found.remarks, *(f"{name}: {why}" for name, why in found.skipped.items())):
        print(line)
