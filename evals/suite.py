"""`make eval`: our scenarios, played on the starter index.

Knows the cached starter index, what is printed and which rows go into the results table. Does not
know how dialogues are played or scored (play.py, scorers.py). Called by evals/__main__.py and
run_command.py.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.place import ROOT, opened
from evals.play import Played, play_scenarios
from evals.report import Row, commit_of, publish
from evals.scenario import Scenario, load_scenarios
from infra.cli_index import STARTER_MOVIES, build_with_progress
from infra.progress import shown
from infra.settings import load
from infra.wiring import load_encoder
from retrieval.jobs.build_index import STARTER, BuildReport

CACHE = ROOT / "data" / "evals"
"""Indexes and half-done measurements; never committed."""
PROBLEMS_SHOWN = 40


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "suite")
    parser.set_defaults(command=lambda given: asyncio.run(suite(given)))
    add_json(parser)


async def suite(given: argparse.Namespace) -> int:
    """Build, play, publish; 1 when something happened that must never happen."""
    built = build_starter(CACHE / "starter")
    scenarios = load_scenarios()
    played = await play_on(CACHE / "starter", scenarios)
    data = "own scenarios on the starter catalogue"
    rows = [*rows_of(played, data), _build_row(built)]
    tell(played, given.json)
    print(publish(rows))
    return 0 if played.holds else 1


def build_starter(out: Path) -> BuildReport:
    """The starter index, made anew from kept vectors: seconds, and never out of date."""
    encoder = load_encoder(load())
    return build_with_progress(STARTER / STARTER_MOVIES, "usher", None, out, encoder)


async def play_on(index: Path | None, scenarios: Sequence[Scenario]) -> Played:
    """Play and score, with progress on standard error."""
    async with opened(index) as services:
        with shown() as report:
            return await play_scenarios(scenarios, services, partial(report, "playing"))


# --- telling --------------------------------------------------------------------------------------


def rows_of(played: Played, data: str) -> list[Row]:
    """The rows of the results table."""
    day, commit = datetime.now(UTC).date().isoformat(), commit_of()
    unfinished = {p.dialogue_id for p in played.floors["turns not played to the end"]}
    ended = played.dialogues - len(unfinished)
    cells = [("dialogues played to the end", f"{ended} of {played.dialogues}", "all")]
    for name, problems in played.floors.items():
        of = "turns" if name in ("broken streams", "turns not played to the end") else "cards"
        total = played.turns if of == "turns" else played.cards
        cells.append((name, f"{len(problems)} in {total} {of}", "0"))
    met = f"{played.met:.0%} of {played.turns} turns"
    cells.append(("turns that went as the scenario expects", met, ""))
    return [Row(name, data, value, bound, day, commit) for name, value, bound in cells]


def _build_row(built: BuildReport) -> Row:
    day, commit = datetime.now(UTC).date().isoformat(), commit_of()
    value = f"{built.kept} movies, {built.bad_count} bad rows"
    return Row("starter index builds", "starter catalogue", value, "0 bad", day, commit)


def tell(played: Played, as_json: bool) -> None:
    """Problems and counts on standard output."""
    problems = [
        p for found in (played.floors, played.expectations) for ps in found.values() for p in ps
    ]
    for problem in problems[:PROBLEMS_SHOWN]:
        print(problem)
    if len(problems) > PROBLEMS_SHOWN:
        print(f"... and {len(problems) - PROBLEMS_SHOWN} more")
    print(f"{played.dialogues} dialogues, {played.turns} turns, {played.cards} cards")
    for name, found in played.floors.items():
        print(f"  {len(found):4} {name}")
    print(f"  {played.met:.0%} of turns as expected")
    if as_json:
        print(json.dumps(played.as_json()))
