"""`python -m evals extract`: from flags to a file of marked queries and a table.

Knows the flags, progress and output. Does not know how spans are read or counted (extract.py).
Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded.extract import Extraction, extract
from evals.recorded.extract_input import read_marked
from evals.recorded.ranking import short
from evals.report import Row
from infra.progress import shown

WIDTH = 100
"""Columns at least, so that the table is not folded when piped."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "extract")
    parser.set_defaults(command=lambda given: asyncio.run(extract_command(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="mit_movie_*, JSON lines")


async def extract_command(given: argparse.Namespace) -> int:
    """Run the command. Raises: InputProblem and what opening an index raises."""
    found = await measure(given.input, given.index)
    console = Console(width=max(Console().width, WIDTH))
    console.print(_table(found))
    if given.json:
        print(json.dumps(found.as_json()))
    return 0


async def measure(path: Path, index: Path | None) -> Extraction:
    """The counts of a file. Raises: InputProblem."""
    queries = read_marked(path)
    async with opened(index) as services:
        lexicon = await services.toolbox.lexicon()
        with shown() as report:
            return extract(queries, lexicon, partial(report, "reading"))


def _table(found: Extraction) -> Table:
    caption = "dropped: titles and people marked in the file that this catalogue does not have"
    table = Table(title=f"{found.queries} queries, span-exact", caption=caption)
    for column in ("type", "precision", "recall", "F1", "marked", "dropped", "F1 without drop"):
        table.add_column(column, justify="left" if column == "type" else "right")
    for kind, tally in found.kept.items():
        table.add_row(
            kind,
            *(f"{share:.3f}" for share in (tally.precision, tally.recall, tally.f1)),
            str(tally.gold),
            str(found.dropped.get(kind, 0)),
            f"{found.every[kind].f1:.3f}",
        )
    return table


# --- the results table ---

ENTITY_BOUNDS = {"GENRE": ".88", "YEAR": ".93", "ACTOR": ".86", "DIRECTOR": ".86", "TITLE": ".78"}
IN_ENG = "MIT movie corpus eng, 978 queries, span-exact, on catalogue_core"
IN_TRIVIA = "MIT movie corpus trivia, 782 queries, span-exact, on catalogue_core"
EXTRACTION = (
    *((f"entities: {name}, F1 (without the drop)", IN_ENG) for name in ENTITY_BOUNDS),
    ("entities: other types, F1", IN_ENG),
    ("entities: trivia, F1", IN_TRIVIA),
)


def rows_of(index: Path, eng_set: Path, trivia_set: Path) -> list[Row]:
    """The rows of the results table."""
    eng = asyncio.run(measure(eng_set, index))
    trivia = asyncio.run(measure(trivia_set, index))
    values = [
        f"{short(eng.kept[name].f1)} ({short(eng.every[name].f1)}, "
        f"{eng.dropped.get(name, 0)} of {eng.every[name].gold} dropped)"
        for name in ENTITY_BOUNDS
    ]
    others = (name for name in eng.kept if name not in ENTITY_BOUNDS)
    values.append(", ".join(f"{name} {short(eng.kept[name].f1)}" for name in others))
    values.append(", ".join(f"{name} {short(t.f1)}" for name, t in trivia.kept.items()))
    bounds = [*(f">= {bound}" for bound in ENTITY_BOUNDS.values()), "", ""]
    return [Row(*r, v, b) for r, v, b in zip(EXTRACTION, values, bounds, strict=True)]
