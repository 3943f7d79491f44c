"""`python -m evals critiques`: random critiques on an index; what ended in nothing or did nothing.

Knows the flags and what is printed. Does not know how critiques are drawn or judged
(critiques_walk.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
from functools import partial

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.critiques_walk import Walked, walk
from evals.dialogues.transcript_files import EvalInputProblem
from evals.place import opened
from infra.progress import shown

DETAILS = """\
Conversations of a wish and 3 to 12 critiques: said as people say them, or tapped where chips or
options are offered. A dead end is an answer with no list and nothing to tap. A chip is idle when
fewer than 3 of the 5 films at the top differ from what "show me more" would have brought in the
same conversation. A ledger chip must remove its entry and change no other.

examples:
  python -m evals critiques --index data/index
  python -m evals critiques --index data/index -n 2000 --seed 1 --json
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "critiques", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(critiques(given)))
    add_index_and_json(parser)
    parser.add_argument("-n", type=int, default=500, help="how many critiques (default 500)")
    parser.add_argument("--seed", type=int, default=0, help="of what is tapped (default 0)")


async def critiques(given: argparse.Namespace) -> int:
    """Run the command; 1 when anything went wrong. Raises: EvalProblem, IndexFailure."""
    if given.n < 1:
        raise EvalInputProblem("-n must be 1 or more")
    async with opened(given.index) as services:
        with shown() as report:
            found = await walk(services.assistant, given.n, given.seed, partial(report, "tapping"))
    tell(found)
    if given.json:
        print(json.dumps(as_json(found)))
    return 0 if found.holds else 1


def tell(found: Walked) -> None:
    """Every fault with the conversation that led to it, then the counts."""
    for name, faults in _faults(found).items():
        for fault in faults:
            print(f"{name}: {fault}")
    print(f"{len(found.dead_ends)} dead ends in {found.critiques} critiques")
    print(f"{len(found.idle)} idle of {found.chips} suggested critiques that were tapped")
    wrong = f"{len(found.wrong_removals)} wrong of {found.removals} ledger chips tapped away"
    print(wrong)


def as_json(found: Walked) -> dict[str, int]:
    """For --json."""
    faults = {name.replace(" ", "_"): len(told) for name, told in _faults(found).items()}
    tried = {"critiques": found.critiques, "chips": found.chips, "removals": found.removals}
    return tried | faults


def _faults(found: Walked) -> dict[str, list[str]]:
    return {
        "dead end": found.dead_ends,
        "idle chip": found.idle,
        "wrong removal": found.wrong_removals,
    }
