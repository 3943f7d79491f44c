"""`python -m evals pairs`: recorded turns as the agent reads them, to train the enhancer on.

Knows how a replayed turn becomes a training pair, and writes the map of folds beside them. Does not
know training (retrieval/jobs/train_enhancer.py), which may not import the agent. Called by
evals/__main__.py and enhancer.py.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from agent.replay import replay
from evals.commands import Commands, new_command
from evals.place import find_data, opened
from evals.recorded.rank_command import read
from evals.recorded.rank_input import Case, InputProblem, read_dialogues
from evals.recorded.worlds import folds_of
from infra.progress import shown
from infra.wiring import Services
from retrieval.jobs.train_folds import FOLDS as MAP
from retrieval.jobs.training_pairs import DIALOGUE, Pair, write_pairs
from retrieval.movie import Query

TURNS = "dialogue/redial_rec_turns_dev.jsonl.gz"
DIALOGUES = "dialogue/redial_dev_1000.jsonl.gz"
FOLDS, SEED = 5, 0
"""As `python -m evals rank` divides dialogues."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "pairs")
    parser.set_defaults(command=lambda given: asyncio.run(pairs(given)))
    parser.add_argument("--index", type=Path, help="index folder (default: USHER_INDEX_DIR)")
    parser.add_argument("--output", type=Path, required=True, help="pairs, JSON lines")


async def pairs(given: argparse.Namespace) -> int:
    """Run the command. Raises: InputProblem and what opening an index raises."""
    cases, of = dev_turns()
    async with opened(given.index) as services:
        with shown() as report:
            queries = await replayed_queries(cases, services, partial(report, "reading"))
    found = [pair_of(case, query) for case, query in zip(cases, queries, strict=True)]
    write_pairs([pair for pair in found if pair.films], given.output)
    folds = given.output.with_name(MAP)
    folds.write_text(json.dumps({"folds": of}), encoding="utf-8")
    print(f"{len(found):,} turns in {given.output}, folds in {folds}")
    return 0


def dev_turns() -> tuple[list[Case], dict[str, int]]:
    """The development turns, and {dialogue: fold}. Raises: InputProblem."""
    turns, dialogues = find_data(TURNS), find_data(DIALOGUES)
    if turns is None or dialogues is None:
        raise InputProblem(f"USHER_DATA has no {TURNS} or no {DIALOGUES}")
    cases, _ = read(turns, None, dialogues)
    return cases, folds_of(list(read_dialogues(dialogues)), FOLDS, SEED)


async def replayed_queries(
    cases: Sequence[Case], services: Services, report: Callable[[int, int], None]
) -> list[Query]:
    """Each turn as the agent would search for it."""
    queries = []
    for number, case in enumerate(cases, 1):
        found = await replay(case.turns, services.toolbox, sorted(case.mentioned))
        queries.append(found.query)
        report(number, len(cases))
    return queries


def pair_of(case: Case, query: Query) -> Pair:
    """The words searched by, the films named, and what was recommended next."""
    seeds = [seed.movie_id for seed in sorted(query.seeds, key=lambda seed: seed.ago)]
    gone = tuple(sorted(case.mentioned | set(seeds)))
    return Pair(DIALOGUE, case.dialogue_id, query.text, tuple(seeds), gone, case.new_targets)
