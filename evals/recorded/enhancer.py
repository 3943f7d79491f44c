"""`python -m evals enhancer`: what the query enhancer adds, and how well it reads requests.

Knows what is measured together: the dense leg with four vectors out of fold, the fused list with
and without, known items, intents, telling words, size and time. Does not know how each is computed
(enhancer_vectors.py, enhancer_reading.py) nor how an enhancer is trained. Called by
evals/__main__.py and figures.py.

Vectors are measured with `--models DIR`: fold-0..4/enhancer.onnx, each trained without its fold of
dialogues (python -m retrieval.jobs.train_enhancer --folds DIR). Without it the one that ships is
read for everything that no dialogue touched: intents, words, descriptions, time.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.problem import EvalProblem
from evals.recorded.enhancer_fused import BLENDED, MOVED, PLAIN, Fused, drawn, fused
from evals.recorded.enhancer_reading import Read, read_all, share
from evals.recorded.enhancer_vectors import (
    BLEND,
    ENHANCED,
    LAST,
    TURNS,
    Asked,
    Compared,
    Side,
    compare,
)
from evals.recorded.intents import FOLDER as LABELS
from evals.recorded.intents import read_labelled
from evals.recorded.models import MODELS, TRAIN, enhancers_in
from evals.recorded.pairs import FOLDS, dev_turns, replayed_queries
from evals.recorded.ranking import Estimate, short
from evals.report import Row
from infra.progress import shown
from infra.wiring import Services
from retrieval.enhancer import FOLDER, MODEL, Enhancer
from retrieval.enhancer_input import Backing

WHICH = ("all", "seeds", "no seeds")
ON_TURNS = "ReDial dev turns, new targets, all films of catalogue_core, dense leg alone, 5 folds"
ON_LISTS = "ReDial dev turns, new targets, catalogue_core, whole lists by fixed weights, 5 folds"
ON_LABELS = "460 requests, labelled twice by language models under a guide"
FIGURES = (
    (f"R@10 / R@50 {LAST}", ON_TURNS),
    (f"R@10 / R@50 {TURNS}", ON_TURNS),
    (f"R@10 / R@50 {BLEND}", ON_TURNS),
    (f"R@10 / R@50 {ENHANCED}", ON_TURNS),
    ("R@50 enhancer less blend, paired", ON_TURNS),
    ("R@50 enhancer less the better of (a) and (b), turns without films", ON_TURNS),
    ("R@10 / R@50 fused: plain, blend (c), enhancer", ON_LISTS),
    ("R@10 / R@50 fused with the enhancer less fused with the blend (c), paired", ON_LISTS),
    ("query intents, macro-F1", ON_LABELS),
    ("expected calibration error of intents", ON_LABELS),
    ("one of the two heaviest words is marked", ON_LABELS),
    ("query enhancer, added time p95", "requests of the labelled set, one core"),
)
"""What it adds to the results table."""
Report = Callable[[str, int, int], None]


@dataclass
class Measured:
    """Everything that was measured; None where the models for it were not given."""

    read: Read
    vectors: Compared | None = None
    fused: Fused | None = None
    added_ms: list[float] = field(default_factory=list)
    size: int = 0


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "enhancer")
    parser.set_defaults(command=lambda given: asyncio.run(enhancer(given)))
    add_index_and_json(parser)
    parser.add_argument("--models", type=Path, help="folder of fold-0..4/enhancer.onnx")
    parser.add_argument(
        "--fused", type=int, metavar="N", help="whole lists of N turns (all; 0: none)"
    )


async def enhancer(given: argparse.Namespace) -> int:
    """Run the command. Raises: EvalProblem and what opening an index raises."""
    async with opened(given.index) as services:
        enhancers: Mapping[int, Enhancer] = {}
        if given.models:
            enhancers = enhancers_in(given.models, services.encoder.identity, FOLDS)
            if not enhancers:
                raise EvalProblem(f"{given.models} lacks enhancers: {TRAIN} {given.models}")
        with shown() as report:
            found = await measure(services, enhancers, report, given.fused)
    _print(found)
    if given.json:
        print(json.dumps(as_json(found)))
    return 0


def on(index: Callable[[], Path]) -> Callable[[], list[Row]]:
    """For figures.py; vectors only where every fold has its enhancer among the models."""

    async def run() -> Measured:
        async with opened(index()) as services:
            enhancers = enhancers_in(MODELS, services.encoder.identity, FOLDS)
            with shown() as report:
                return await measure(services, enhancers, report)

    return lambda: rows_of(asyncio.run(run()))


async def measure(
    services: Services, enhancers: Mapping[int, Enhancer], report: Report, turns: int | None = None
) -> Measured:
    """Measure what can be with the fold enhancers that are there. Raises: EvalProblem.

    `turns`: on how many turns whole lists are compared, by default on all.
    """
    shipped = services.enhancer
    if shipped is None:
        raise EvalProblem("there is no query enhancer to measure: usher doctor says why")
    labelled = read_labelled(LABELS)
    states = [services.encoder.tokens(one.text) for one in labelled]
    said = [shipped.read(s, one.text) for s, one in zip(states, labelled, strict=True)]
    found = Measured(read_all(labelled, said))
    if enhancers:
        await _vectors(found, services, enhancers, report, turns)
    found.size = (FOLDER / MODEL).stat().st_size
    side = await _side(services)
    seeds = [side.vectors[row] for row in range(3)]
    for one in states:
        started = time.perf_counter()
        shipped.enhance(one, Backing(seeds, seeds[0]))
        found.added_ms.append((time.perf_counter() - started) * 1000)
    return found


async def _vectors(
    found: Measured,
    services: Services,
    enhancers: Mapping[int, Enhancer],
    report: Report,
    turns: int | None,
) -> None:
    """The dense leg alone, then whole lists."""
    cases, of = dev_turns()
    cases = [case for case in cases if case.new_targets]
    queries = await replayed_queries(cases, services, partial(report, "reading"))
    asked = [
        Asked(case, query, of[case.dialogue_id]) for case, query in zip(cases, queries, strict=True)
    ]
    side = await _side(services)
    found.vectors = await asyncio.to_thread(compare, asked, side, services.encoder, enhancers)
    chosen = drawn(asked, len(asked) if turns is None else turns)
    if chosen:
        blended = [(asked[place], found.vectors.blends[place]) for place in chosen]
        tell = partial(report, "answering")
        found.fused = await fused(blended, of, services, enhancers, tell)


async def _side(services: Services) -> Side:
    ids = [movie.movie_id async for movie in services.index.scan()]
    vectors = await services.index.vectors(ids)
    knowledge = (await services.toolbox.catalogue.tables()).knowledge
    there = [movie_id for movie_id in ids if movie_id in vectors]
    return Side(there, np.stack([vectors[m] for m in there]), knowledge.lists)


# --- telling --------------------------------------------------------------------------------------


def rows_of(found: Measured) -> list[Row]:
    """The rows of the results table; see `FIGURES`."""
    if found.vectors is None:
        step = f"not measured: no fold models ({TRAIN})"
        of_turns = [Row(figure, data, step) for figure, data in FIGURES[:8]]
    else:
        of_turns = [*_rows_of_vectors(found.vectors), *_rows_of_lists(found.fused)]
    return [*of_turns, *_rows_of_reading(found)]


def _rows_of_vectors(vectors: Compared) -> list[Row]:
    rows = []
    for name in (LAST, TURNS, BLEND, ENHANCED):
        value = f"{vectors.recall(name, 10)} / {vectors.recall(name, 50)}"
        rows.append(Row(f"R@10 / R@50 {name}", ON_TURNS, value))
    gain = vectors.gain(ENHANCED, BLEND, 50)
    least = f">= {0.1 * vectors.recall(BLEND, 50).value:.3f}, interval above 0"
    rows.append(Row(FIGURES[4][0], ON_TURNS, signed(gain), least))
    base = max((LAST, TURNS), key=lambda name: vectors.recall(name, 50, "no seeds").value)
    alone = vectors.gain(ENHANCED, base, 50, "no seeds")
    rows.append(Row(FIGURES[5][0], ON_TURNS, f"{signed(alone)} over {base}", "above 0"))
    return rows


def _rows_of_lists(lists: Fused | None) -> list[Row]:
    if lists is None:
        return []
    told = [
        " / ".join(short(lists.recall(row, k).value) for row in (PLAIN, BLENDED, MOVED))
        for k in (10, 50)
    ]
    gains = [signed(lists.gain(BLENDED, k)) for k in (10, 50)]
    return [
        Row(FIGURES[6][0], ON_LISTS, f"@10 {told[0]}; @50 {told[1]}"),
        Row(FIGURES[7][0], ON_LISTS, f"@10 {gains[0]}; @50 {gains[1]}", "interval above 0"),
    ]


def _rows_of_reading(found: Measured) -> list[Row]:
    read = found.read
    second = read.f1_of_second
    added = f"{np.percentile(found.added_ms, 95):.1f} ms, file {found.size / 2**20:.1f} MB"
    error = f"{read.ece_cross_fitted} cross-fitted, {read.ece} as it ships"
    words = f"{share(read.words_right)} (random words {read.random_right.mean():.3f})"
    told = (
        (f"{read.f1} (second labeller {second:.3f})", f">= .85 and >= {0.9 * second:.3f}"),
        (error, "<= .05"),
        (words, ">= .80"),
        (added, "<= 4 ms, <= 8 MB"),
    )
    return [
        Row(figure, data, value, bound)
        for (figure, data), (value, bound) in zip(FIGURES[8:], told, strict=True)
    ]


def signed(gain: Estimate) -> str:
    """A difference with its interval."""
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _print(found: Measured) -> None:
    console = Console(width=max(Console().width, 120))
    if found.vectors is not None:
        table = Table(title="dense leg alone, out of fold", caption=str(found.vectors.weights))
        table.add_column("vector")
        for which in WHICH:
            table.add_column(f"R@10 {which}", justify="right")
            table.add_column(f"R@50 {which}", justify="right")
        for name in (LAST, TURNS, BLEND, ENHANCED):
            cells = [str(found.vectors.recall(name, k, w)) for w in WHICH for k in (10, 50)]
            table.add_row(name, *cells)
        console.print(table)
    for row in rows_of(found):
        bound = f" (bound {row.bound})" if row.bound else ""
        print(f"{row.figure}: {row.value}{bound}")
    right = found.read.primary_right
    if len(right):
        told = f"{share(right)}, said {found.read.confidence.mean():.3f}"
        print(f"primary intent is a true label: {told} (n = {len(right)})")


def as_json(found: Measured) -> Mapping[str, Any]:
    """For --json."""
    return {row.figure: row.value for row in rows_of(found)}
