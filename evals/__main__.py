"""python -m evals: measure ranking, play scenarios, write the results table.

Knows the commands and their flags. Does not know how anything is measured. Every error that the
caller can put right is one line and exit code 2.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.cli_common import expected_errors, fail

EXAMPLES = """\
examples:
  python -m evals suite
      the starter index, our own scenarios, at most 5 minutes: what `make eval` runs
  python -m evals figures --list
      what `make figures` measures, and what is still to be done
  python -m evals run --index DIR --input evals/scenarios --json
      play scenarios on any index
  python -m evals rank --index DIR --input turns.jsonl.gz --output ranks.jsonl -k 200 \\
      --counts-from redial_dev_1000.jsonl.gz --folds 5
      recall of recorded conversations, counted out of fold
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn expected errors into one line."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    with expected_errors():
        from evals.rank_input import InputProblem

        try:
            return command(given)
        except InputProblem as problem:
            fail(str(problem))
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals",
        description="Measure Usher: ranking, scenarios, durability, latency.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_rank(commands)
    return parser


def _add_rank(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rank = commands.add_parser("rank", help="rank movies for recorded turns, with recall figures")
    rank.set_defaults(command=_rank)
    _add_common(rank)
    rank.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    rank.add_argument("--output", type=Path, help="where the lists go, JSON lines (.gz ok)")
    rank.add_argument("-k", type=int, default=200, help="length of each list (default 200)")
    rank.add_argument("--candidates", type=Path, help="rank only these movie ids, one a line")
    rank.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    rank.add_argument("--folds", type=int, default=5, help="folds of dialogues (default 5)")
    rank.add_argument("--seed", type=int, default=0, help="of the folds (default 0)")
    rank.add_argument("--in-sample", action="store_true", help="accept counts of these dialogues")
    rank.add_argument("--proposals", type=Path, help='{"qid", "titles"}: what a model proposed')
    rank.add_argument("--names", type=Path, help="dialogues that give mentioned films their ids")
    rank.add_argument("--legs", help="rows, comma-separated: full,popularity,lexical,dense,...")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, help="index folder (default: USHER_INDEX_DIR)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object of figures")


def _rank(given: argparse.Namespace) -> int:
    from evals.rank_command import rank

    return asyncio.run(rank(given))


if __name__ == "__main__":
    sys.exit(main())
