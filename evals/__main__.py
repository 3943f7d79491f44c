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

JSON_HELP = "end with one JSON object of figures"
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
  python -m evals describe --index DIR
      does text search find 200 films described without their titles?
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn expected errors into one line."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    with expected_errors():
        from evals.latency import ServerProblem
        from evals.rank_input import InputProblem
        from evals.report import ReportProblem
        from evals.scenario import ScenarioProblem

        try:
            return command(given)
        except (InputProblem, ReportProblem, ScenarioProblem, ServerProblem) as problem:
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
    _add_suite(commands)
    _add_figures(commands)
    _add_run(commands)
    _add_rank(commands)
    _add_fusion(commands)
    _add_signal(commands)
    _add_describe(commands)
    _add_latency(commands)
    return parser


def _add_suite(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    suite = commands.add_parser("suite", help="what `make eval` runs: starter index, own scenarios")
    suite.set_defaults(command=_suite)
    suite.add_argument("--json", action="store_true", help=JSON_HELP)


def _add_figures(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    figures = commands.add_parser("figures", help="what `make figures` runs: slow, resumable")
    figures.set_defaults(command=_figures)
    figures.add_argument("--list", action="store_true", help="say what is done and what is not")
    figures.add_argument("--only", metavar="NAME", help="measure one, again if need be")


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="play scenarios on an index and score them")
    run.set_defaults(command=_run)
    _add_common(run)
    run.add_argument("--input", type=Path, help="a scenario or a folder (default: our own)")
    run.add_argument("--output", type=Path, help="where the transcripts go, JSON lines")


def _add_latency(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    latency = commands.add_parser("latency", help="time served turns on an index")
    latency.set_defaults(command=_latency)
    latency.add_argument("--index", type=Path, required=True, help="index folder")


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


def _add_fusion(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    fusion = commands.add_parser("fusion", help="choose how much a model's proposals weigh")
    fusion.set_defaults(command=_fusion)
    _add_common(fusion)
    fusion.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    fusion.add_argument("--proposals", type=Path, required=True, help="what a model proposed")
    fusion.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    fusion.add_argument("--folds", type=int, default=5, help="folds of dialogues (default 5)")
    fusion.add_argument("--seed", type=int, default=0, help="of the folds (default 0)")
    fusion.add_argument("--names", type=Path, help="dialogues that give mentioned films their ids")


def _add_signal(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    signal = commands.add_parser("signal", help="what each part of the knowledge adds to ranking")
    signal.set_defaults(command=_signal)
    _add_common(signal)
    signal.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    signal.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    signal.add_argument("--in-sample", action="store_true", help="accept counts of these dialogues")


def _add_describe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    describe = commands.add_parser("describe", help="find films by descriptions without the title")
    describe.set_defaults(command=_describe)
    _add_common(describe)
    describe.add_argument("--input", type=Path, help="descriptions, JSON lines (default: our own)")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, help="index folder (default: USHER_INDEX_DIR)")
    parser.add_argument("--json", action="store_true", help=JSON_HELP)


def _rank(given: argparse.Namespace) -> int:
    from evals.rank_command import rank

    return asyncio.run(rank(given))


def _fusion(given: argparse.Namespace) -> int:
    from evals.fusion import fusion

    return asyncio.run(fusion(given))


def _signal(given: argparse.Namespace) -> int:
    from evals.signal import signal

    return asyncio.run(signal(given))


def _describe(given: argparse.Namespace) -> int:
    from evals.describe import describe

    return asyncio.run(describe(given))


def _suite(given: argparse.Namespace) -> int:
    from evals.suite import suite

    return asyncio.run(suite(given))


def _figures(given: argparse.Namespace) -> int:
    from evals.figures import figures

    return figures(given)


def _run(given: argparse.Namespace) -> int:
    from evals.suite import run

    return asyncio.run(run(given))


def _latency(given: argparse.Namespace) -> int:
    import json

    from evals.latency import measure
    from evals.scenario import load_scenarios

    spoken = [[step.user for step in scenario.turns] for scenario in load_scenarios()]
    print(json.dumps(measure(given.index, spoken).as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
