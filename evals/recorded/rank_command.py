"""`python -m evals rank`: from flags to files and a table.

Knows the flags, where the names of mentioned films are looked up, progress and output. Does not
know the protocol (rank.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import gzip
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from evals.commands import Commands, add_index_and_json, new_command
from evals.place import find_data, opened
from evals.recorded import rank_input
from evals.recorded.models import read_models
from evals.recorded.rank import ROWS, Protocol, Run, run_rank
from evals.recorded.rank_figures import figures_of, metrics_table_of, remarks_of, table_of
from evals.recorded.rank_input import Case, InputProblem
from infra.progress import shown
from infra.wiring import Services

NAMES = "redial_dev_1000.jsonl.gz"
"""The dialogues whose film names ("Title (Year)") come with ids."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "rank")
    parser.set_defaults(command=lambda given: asyncio.run(rank(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    parser.add_argument("--first", type=int, help="only the first so many turns of the input")
    parser.add_argument("--output", type=Path, help="where the lists go, JSON lines (.gz ok)")
    parser.add_argument("-k", type=int, default=200, help="length of each list (default 200)")
    parser.add_argument("--candidates", type=Path, help="rank only these movie ids, one a line")
    parser.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    parser.add_argument("--folds", type=int, default=5, help="folds of dialogues (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default 0)")
    parser.add_argument("--in-sample", action="store_true", help="accept counts of these dialogues")
    parser.add_argument("--proposals", type=Path, help='{"qid", "titles"}: what a model proposed')
    parser.add_argument("--models", type=Path, help="rankers per fold: jobs.train_folds --out")
    parser.add_argument("--names", type=Path, help="dialogues that give mentioned films their ids")
    parser.add_argument("--legs", help="rows, comma-separated: full,popularity,lexical,dense,...")


async def rank(given: argparse.Namespace) -> int:
    """Run the command. Raises: InputProblem and what opening an index raises."""
    protocol = _protocol(given)
    cases, names = read(given.input, given.names, given.counts_from)
    cases = cases[: given.first]
    if given.proposals:
        cases = rank_input.with_proposals(cases, given.proposals)
    if given.output:
        _check_writable(given.output)
    async with opened(given.index) as services:
        await _check_ids(protocol, services)
        await _check_targets(cases, services)
        run = await with_progress(cases, protocol, services)
    if given.output:
        write_lists(given.output, run)
    figures = figures_of(run, names, given.seed)
    if figures is None:
        print(f"{len(cases)} turns in {run.seconds:.0f} s; no targets given, so no figures")
    else:
        console = Console(width=max(Console().width, 150))
        console.print(table_of(figures))
        console.print(metrics_table_of(figures))
        for line in remarks_of(figures):
            print(line)
    if given.json:
        print(json.dumps(figures.as_json() if figures else {"turns": len(cases)}))
    return 0


def read(
    path: Path, names_file: Path | None, counts_from: Path | None
) -> tuple[list[Case], dict[str, str]]:
    """The cases with mentioned films by id, and the names used. Raises: InputProblem."""
    cases = rank_input.read_cases(path)
    names: dict[str, str] = {}
    source = names_file or counts_from or _names_beside(path)
    if source is not None:
        names = rank_input.names_of(rank_input.read_dialogues(source))
    elif rank_input.needs_names(cases):
        raise InputProblem(
            f"{path} names mentioned films without ids: give --names {NAMES}, or exclude_ids"
        )
    return rank_input.with_names(cases, names), names


def _names_beside(path: Path) -> Path | None:
    beside = path.parent / NAMES
    return beside if beside.exists() else find_data(f"dialogue/{NAMES}")


async def with_progress(cases: Sequence[Case], protocol: Protocol, services: Services) -> Run:
    """Run with progress on standard error."""
    with shown() as report:
        return await run_rank(cases, protocol, services, partial(report, "ranking"))


def _protocol(given: argparse.Namespace) -> Protocol:
    if given.k < 1:
        raise InputProblem("-k must be 1 or more")
    if given.first is not None and given.first < 1:
        raise InputProblem("--first must be 1 or more")
    if given.folds < 2:
        raise InputProblem("--folds must be 2 or more")
    candidates = rank_input.read_ids(given.candidates) if given.candidates else None
    if given.models and not given.counts_from:
        raise InputProblem("--models needs --counts-from: counts and rankers out of the same folds")
    rows = tuple(given.legs.split(",")) if given.legs else ROWS
    return Protocol(
        k=given.k,
        candidates=candidates,
        counts_from=given.counts_from,
        folds=given.folds,
        seed=given.seed,
        in_sample=given.in_sample,
        models=read_models(given.models) if given.models else None,
        rows=rows,
    )


async def _check_ids(protocol: Protocol, services: Services) -> None:
    """Candidates that the index lacks are named; none at all is a mistake."""
    if protocol.candidates is None:
        return
    found = await services.index.get(sorted(protocol.candidates))
    lacking = len(protocol.candidates) - len(found)
    if not found:
        raise InputProblem("none of the --candidates is in this index: is it the right one?")
    if lacking:
        print(f"{lacking} of the candidates are not in this index", file=sys.stderr)


async def _check_targets(cases: Sequence[Case], services: Services) -> None:
    """Targets of another catalogue would silently give a recall of 0."""
    targets = {target for case in cases for target in case.targets}
    found = await services.index.get(sorted(targets))
    if targets and not found:
        raise InputProblem(
            "none of the targets is in this index: build one from the catalogue of these ids"
        )
    if len(found) < len(targets):
        lacking = len(targets) - len(found)
        print(f"{lacking} of {len(targets)} targets are not in this index", file=sys.stderr)


def _check_writable(path: Path) -> None:
    """Before minutes of work, not after them."""
    if not path.parent.is_dir() or path.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputProblem(f"--output {path} cannot be written: name a file in a folder of yours")


def write_lists(path: Path, run: Run) -> None:
    """{"qid", "movie_ids", "scores"} in the order of the input; whole or not at all."""
    answers = ((case.qid, run.answers[case.qid]) for case in run.cases)
    lines = (
        json.dumps({"qid": qid, "movie_ids": a.movie_ids, "scores": a.scores}) + "\n"
        for qid, a in answers
    )
    content = "".join(lines).encode()
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        partial.replace(path)
    except OSError as error:
        raise InputProblem(f"--output {path} cannot be written ({error.strerror})") from None
