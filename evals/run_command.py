"""`python -m evals run`: scenarios, played on any index and scored.

Knows the flags and where transcripts go. Does not know how dialogues are played or scored. Called
by evals/__main__.py.
"""

import argparse
import asyncio
import json
from pathlib import Path

from evals.commands import Commands, add_index_and_json, new_command
from evals.scenario import FOLDER, load_scenarios
from evals.suite import play_on, tell
from infra.cli_common import Refusal


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "run")
    parser.set_defaults(command=lambda given: asyncio.run(run(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, help="a scenario or a folder (default: our own)")
    parser.add_argument("--output", type=Path, help="where the transcripts go, JSON lines")


async def run(given: argparse.Namespace) -> int:
    """Play scenarios on an index; 1 when something happened that must never happen."""
    played = await play_on(given.index, load_scenarios(given.input or FOLDER))
    if given.output:
        lines = (json.dumps(raw, ensure_ascii=False) + "\n" for raw in played.raw)
        try:
            given.output.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise Refusal(f"--output {given.output} cannot be written: {error.strerror}") from None
    tell(played, given.json)
    return 0 if played.holds else 1
