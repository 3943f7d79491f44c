"""`python -m evals describe`: does a description without the title find the film?

Knows our own descriptions (queries_descriptive.jsonl), posts of people who look for a film, how a
target is found in an index and what counts as a hit. Does not know the index or the legs. Called by
evals/__main__.py and figures.py.

Our descriptions were written from memory of the films, before the overviews were read, and share no
word with the title. Posts come with the id of the film that was meant, from the catalogue that the
index was built from. A film that the index lacks is a miss.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded.rank_input import InputProblem
from evals.recorded.ranking import ABSENT, Estimate, ranks_of, recall_estimate
from evals.recorded.worlds import World, shipped_world
from evals.report import Row
from infra.progress import shown
from infra.wiring import Services
from retrieval.catalog_sources import CatalogError, json_rows
from retrieval.movie import Query
from retrieval.retriever import RetrieverSettings
from retrieval.title_join import TitleJoin

DESCRIBED = "hit@10 of films described without their titles"
"""What it adds to the results table."""
QUERIES = Path(__file__).parent / "queries_descriptive.jsonl"
POSTS = ("queries/tomt_dev_1000.jsonl.gz", "queries/trec_tot_train.jsonl.gz")
"""Posts of people who look for a film, with the ids of catalogue_core."""
MAX_LISTED = 100
"""Missed films that are listed; of a thousand posts the figures say enough."""
KS = (1, 10, 50)
ROWS: Mapping[str, RetrieverSettings] = {
    "fused": RetrieverSettings(),
    "lexical": RetrieverSettings.only("text_whole"),
    "dense": RetrieverSettings.only("dense"),
}


@dataclass(frozen=True, slots=True)
class Description:
    """How somebody describes a film, and which film it is."""

    qid: str
    text: str
    title: str = ""
    year: int = 0
    target_movie_id: str = ""
    """Instead of title and year: the id in the catalogue of the index."""

    @property
    def name(self) -> str:
        """What the film is called in a report."""
        return f"{self.title} ({self.year})" if self.title else self.target_movie_id


@dataclass(frozen=True)
class Found:
    """The rank of each described film in each row."""

    descriptions: Sequence[Description]
    ranks: Mapping[str, Sequence[int]]
    """{row: a rank for each description}."""
    lacking: int
    """Films that the index does not have."""

    def hits(self, row: str, k: int) -> Estimate:
        """hit@k of a row."""
        ranks = np.array(self.ranks[row], dtype=np.int32)
        qids = [d.qid for d in self.descriptions]
        return recall_estimate(ranks, qids, k, np.random.default_rng(0))

    def missed(self, row: str, k: int) -> list[tuple[Description, int]]:
        """What a row did not find among its first k, with the rank it has."""
        pairs = zip(self.descriptions, self.ranks[row], strict=True)
        return [(d, rank) for d, rank in pairs if rank > k]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        rows = {
            row: {f"hit@{k}": round(self.hits(row, k).value, 4) for k in KS} for row in self.ranks
        }
        return {"descriptions": len(self.descriptions), "lacking": self.lacking, "rows": rows}


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "describe")
    parser.set_defaults(command=lambda given: asyncio.run(describe(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, help="descriptions, JSON lines (default: our own)")


async def describe(given: argparse.Namespace) -> int:
    """The command. Raises: InputProblem and what opening an index raises."""
    descriptions = read_descriptions(given.input or QUERIES)
    async with opened(given.index) as services:
        with shown() as report:
            found = await measure(descriptions, services, partial(report, "describing"))
    console = Console(width=max(Console().width, 100))
    console.print(_table(found))
    missed = found.missed("fused", 10)
    for description, rank in missed if len(missed) <= MAX_LISTED else ():
        place = "not found" if rank == ABSENT else f"rank {rank}"
        print(f"  {description.name}, {place}: {description.text}")
    if given.json:
        print(json.dumps(found.as_json()))
    return 0


def read_descriptions(path: Path) -> list[Description]:
    """Raises: InputProblem."""
    try:
        rows = list(json_rows(path))
    except CatalogError as error:
        raise InputProblem(str(error)) from None
    return [_description(row, f"{path} line {number}") for number, row in rows]


def _description(row: object, where: str) -> Description:
    if isinstance(row, dict) and {"qid", "text"} <= row.keys():
        qid, text = str(row["qid"]), str(row["text"])
        if "target_movie_id" in row:  # a post; its own "title" is a headline, not the film's
            return Description(qid, text, target_movie_id=str(row["target_movie_id"]))
        if isinstance(row.get("title"), str) and isinstance(row.get("year"), int):
            return Description(qid, text, row["title"], row["year"])
    raise InputProblem(
        f'{where}: needs "qid", "text", and either "target_movie_id" or "title" and "year"'
    )


async def measure(
    descriptions: Sequence[Description],
    services: Services,
    report: Callable[[int, int], None],
    rows: Mapping[str, RetrieverSettings] = ROWS,
) -> Found:
    """Search for every description with every row of weights."""
    world = await shipped_world(services)
    join = TitleJoin()
    there: set[str] = set()
    async for movie in services.index.scan():
        join.add(movie)
        there.add(movie.movie_id)
    targets = [_target(d, join, there) for d in descriptions]
    ranks: dict[str, list[int]] = {row: [] for row in rows}
    for number, (description, target) in enumerate(zip(descriptions, targets, strict=True), 1):
        for row, settings in rows.items():
            ranks[row].append(await _rank(description, target, world, settings))
        report(number, len(descriptions))
    return Found(descriptions, ranks, targets.count(None))


def _target(described: Description, join: TitleJoin, there: set[str]) -> str | None:
    if described.target_movie_id:
        return described.target_movie_id if described.target_movie_id in there else None
    return join.find({"title": described.title, "year": described.year})


async def _rank(
    description: Description, target: str | None, world: World, settings: RetrieverSettings
) -> int:
    query = Query(text=description.text, known_item=True)
    found = await world.retriever(settings).retrieve(query, k=200)
    return ranks_of([target or ""], [c.movie.movie_id for c in found.candidates])[0]


def row_of(found: Found, data: str, bound: str = "") -> Row:
    """The row of the results table."""
    alone = [f"{row} {found.hits(row, 10).value:.3f}" for row in found.ranks if row != "fused"]
    return Row(DESCRIBED, data, f"{found.hits('fused', 10)} ({', '.join(alone)})", bound)


def _table(found: Found) -> Table:
    lacking = f"; {found.lacking} films are not in the index" if found.lacking else ""
    title = f"{len(found.descriptions)} films described without their titles{lacking}"
    table = Table(title=title, caption="share found among the first k, 95 % intervals")
    table.add_column("row")
    for k in KS:
        table.add_column(f"hit@{k}", justify="right")
    for row in found.ranks:
        table.add_row(row, *[str(found.hits(row, k)) for k in KS])
    return table
