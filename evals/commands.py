"""What the commands of evals share: the table of commands and the flags they have in common.

Knows in which module each command's `add` stands. Does not import any of them: `--help` must not
pay for numpy, and a new command is one line here. Called by evals/__main__.py and every command.
"""

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

JSON_HELP = "end with one JSON object of figures"
COMMANDS: dict[str, tuple[str, str]] = {
    "suite": ("evals.suite", "what `make eval` runs: starter index, own scenarios"),
    "figures": ("evals.figures", "what `make figures` runs: slow, resumable"),
    "run": ("evals.dialogues.run_command", "play scenarios on an index and score them"),
    "scenarios": ("evals.dialogues.scenarios_command", "what ours cover; transcripts as scenarios"),
    "simulate": ("evals.users.simulate_command", "simulated users talk to an agent"),
    "critiques": ("evals.dialogues.critiques_command", "random taps: dead ends, idle chips"),
    "score": ("evals.dialogues.score_command", "score transcripts from anywhere; needs no agent"),
    "export": ("evals.dialogues.export_command", "transcripts for other systems, pseudonymised"),
    "compare": ("evals.verdicts.compare_command", "what differs between two runs, pair by pair"),
    "gate": ("evals.verdicts.gate_command", "floors, and no loss against a baseline: for CI"),
    "guard": ("evals.verdicts.starter_gate", "what `make gate` runs: nothing lost on the starter"),
    "baseline": ("evals.verdicts.baseline_command", "store a run as the baseline of `gate`"),
    "calibrate": ("evals.judging.calibrate_command", "does a judge agree with people?"),
    "judge": ("evals.judging.judge_command", "let a language model grade a run by a rubric"),
    "report": ("evals.verdicts.report_command", "one HTML page of a run, alone or beside another"),
    "rank": ("evals.recorded.rank_command", "rank movies for recorded turns, with recall figures"),
    "fusion": ("evals.recorded.fusion", "choose how much a model's proposals weigh"),
    "signal": ("evals.recorded.signal", "what each part of the knowledge adds to ranking"),
    "cases": ("evals.recorded.cases", "recorded turns as features: what the ranker learns from"),
    "describe": ("evals.recorded.describe", "find films by descriptions without the title"),
    "tags": ("evals.recorded.tags", "how well moods, themes and grades are guessed from text"),
    "route": ("evals.recorded.route_command", "acts per turn of conversations labelled by intent"),
    "extract": ("evals.recorded.extract_command", "entities in queries marked word for word"),
    "pairs": ("evals.recorded.pairs", "recorded turns as pairs to train the enhancer on"),
    "enhancer": ("evals.recorded.enhancer", "what the query enhancer adds, and how sure it is"),
    "intents": ("evals.recorded.intents", "requests labelled by intent: balance, agreement"),
    "opensearch": ("evals.service.opensearch_command", "OpenSearch beside the local index"),
    "stores": ("evals.service.stores_command", "races on SQLite and DynamoDB: what they break"),
    "latency": ("evals.service.latency", "time served turns on an index"),
    "start": ("evals.service.start", "how soon a server is ready, and what it weighs"),
    "plain": ("evals.service.plain", "time the plain endpoints on an index, cold and cached"),
    "cache": ("evals.service.cache", "hits, wrong hits and time saved by the semantic cache"),
}
"""{command: (module with `add(commands)`, one line of help)}."""


def new_command(commands: Commands, name: str, details: str = "") -> argparse.ArgumentParser:
    """The parser of a command; `details` are shown under its flags: examples, formats."""
    return commands.add_parser(
        name,
        help=COMMANDS[name][1],
        description=COMMANDS[name][1],
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_index_and_json(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that measures on an index."""
    parser.add_argument("--index", type=Path, help="index folder (default: USHER_INDEX_DIR)")
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The flag of every command with figures."""
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
