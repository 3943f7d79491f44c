"""`make eval`: our scenarios, played on the starter index.

Knows the cached starter index, what is printed and which rows go into the results table. Does not
know how dialogues are played (play.py) or scored (scorers/). Called by evals/__main__.py and
figures.py.
"""

import argparse
import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.dialogues.build import build_of
from evals.dialogues.play import Plan, play_one
from evals.dialogues.reference import Reference, reference_of
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.scored import Scored, scored, tell
from evals.dialogues.transcript import Transcript
from evals.place import ROOT, opened
from evals.report import Row, commit_of, publish
from infra.cli_index import STARTER_MOVIES, build_with_progress
from infra.learned import load_build_encoder
from infra.progress import shown
from infra.settings import load
from infra.wiring import Services
from retrieval.jobs.build_index import STARTER, BuildReport

CACHE = ROOT / "data" / "evals"
"""Indexes and half-done measurements; never committed."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "suite")
    parser.set_defaults(command=lambda given: asyncio.run(suite(given)))
    add_json(parser)


async def suite(given: argparse.Namespace) -> int:
    """Build, play, publish; 1 when something happened that must never happen."""
    built = build_starter(CACHE / "starter")
    async with opened(CACHE / "starter") as services:
        with shown() as report:
            found = await play_and_score(services, partial(report, "playing"))
    tell(found)
    print(publish([*rows_of(found, "own scenarios on the starter catalogue"), _build_row(built)]))
    if given.json:
        print(json.dumps(found.as_json()))
    return 0 if found.holds else 1


def build_starter(out: Path) -> BuildReport:
    """The starter index, made anew from kept vectors: seconds, and never out of date."""
    encoder = load_build_encoder(load())
    return build_with_progress(STARTER / STARTER_MOVIES, "usher", None, out, encoder)


async def play_and_score(
    services: Services, report: Callable[[int, int], None] = lambda done, total: None
) -> Scored:
    """Our own scenarios, played by running services, and scored."""
    return scored(*await played(services, report=report))


async def played(
    services: Services,
    trials: int = 1,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Transcript], Reference]:
    """Our own scenarios in so many wordings, and the catalogue to judge them by."""
    reference = await reference_of(services.index)
    plan = Plan(load_scenarios(), await build_of(services, reference.sha), trials)
    dialogues = list(plan.dialogues())
    transcripts = []
    for number, (scenario, trial) in enumerate(dialogues, 1):
        transcripts.append(await play_one(services.assistant, plan, scenario, trial))
        report(number, len(dialogues))
    return transcripts, reference


# --- telling --------------------------------------------------------------------------------------

FIGURES = {
    "constraint_violations": ("hard-constraint violations", "cards"),
    "constraints_unverified": ("required facts that are not known", "cards"),
    "repeated_films": ("repeated films", "cards"),
    "seen_or_disliked_films": ("seen or disliked films", "cards"),
    "off_catalogue_films": ("off-catalogue titles", "cards"),
    "invented_names": ("invented titles or people in prose", "names"),
    "ungrounded_names": ("titles or people that were neither shown nor named", "names"),
    "wrong_facts": ("wrong years or directors in prose", "names"),
    "untrue_reasons": ("untrue reasons", "reasons"),
    "broken_streams": ("broken streams", "turns"),
    "unfinished_turns": ("turns not played to the end", "turns"),
}
"""{scorer: (its row, what it counts faults in)}."""


def rows_of(found: Scored, data: str) -> list[Row]:
    """The rows of the results table."""
    day, commit = datetime.now(UTC).date().isoformat(), commit_of()
    dialogues = len(found.transcripts)
    unfinished = {s.dialogue_id for s in found.scores if s.scorer == "unfinished_turns" and s.value}
    ended = f"{dialogues - len(unfinished)} of {dialogues}"
    cells = [("dialogues played to the end", ended, "all")]
    for scorer, (name, unit) in FIGURES.items():
        count, of = found.floors.get(scorer, 0), found.looked_at(scorer)
        cells.append((name, f"{count} in {of} {unit}", "0"))
    met = f"{found.met:.0%} of {found.turns} turns"
    cells.append(("turns that went as the scenario expects", met, ""))
    return [Row(name, data, value, bound, day, commit) for name, value, bound in cells]


def _build_row(built: BuildReport) -> Row:
    day, commit = datetime.now(UTC).date().isoformat(), commit_of()
    value = f"{built.kept} movies, {built.bad_count} bad rows"
    return Row("starter index builds", "starter catalogue", value, "0 bad", day, commit)
