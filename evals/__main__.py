"""python -m evals: measure ranking, play scenarios, score transcripts, write the results table.

Knows how a command is found. Does not know any command's flags (its module's `add`) nor how
anything is measured. Every error that the caller can put right is one line and exit code 2.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from evals.commands import COMMANDS
from evals.problem import EvalProblem
from infra.cli_common import expected_errors, fail

EXAMPLES = """\
examples:
  python -m evals suite
      the starter index, our own scenarios, at most 5 minutes: what `make eval` runs
  python -m evals figures --list
      what `make figures` measures, and what is still to be done
  python -m evals run --index DIR --output runs/today
      play scenarios on any index, resumable, and score them
  python -m evals score transcripts.jsonl --index DIR
      score dialogues from anywhere: Transcript v1, OpenAI messages or `usher chat --script`
  python -m evals export --input runs/today --format openai --output messages.jsonl
  python -m evals rank --index DIR --input turns.jsonl.gz --output ranks.jsonl -k 200 \\
      --counts-from redial_dev_1000.jsonl.gz --folds 5
      recall of recorded conversations, counted out of fold
  python -m evals route --index DIR --input iard_intents_gold_30.jsonl.gz --json
      which acts do recorded turns call for, against labels
  python -m evals extract --index DIR --input mit_movie_eng_valid.jsonl.gz --json
      titles, people, genres and years in queries, against marks
  python -m evals describe --index DIR
      does text search find 200 films described without their titles?

python -m evals COMMAND --help says more about each.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn expected errors into one line."""
    given = _parser(sys.argv[1:] if arguments is None else arguments).parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    with expected_errors():
        try:
            return command(given)
        except EvalProblem as problem:
            fail(str(problem))
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return 130


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Every command with its line of help; only the one asked for with its flags."""
    parser = argparse.ArgumentParser(
        prog="python -m evals",
        description="Measure Usher: ranking, dialogues, durability, latency.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (module, line) in COMMANDS.items():
        if name in arguments[:1]:
            import_module(module).add(commands)
        else:
            commands.add_parser(name, help=line)
    return parser


if __name__ == "__main__":
    sys.exit(main())
