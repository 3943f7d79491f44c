"""`python -m evals describe`: does a description without the title find the film?

Knows our own descriptions (queries_descriptive.jsonl), posts of people who look for a film, how a
target is found in an index and what counts as a hit. Does not know the index or the legs. Called by
evals/__main__.py and figures.py.

Our descriptions were written from memory of the films, before the overviews were read, and share no
word with the title. Posts come with the id of the film that was meant, from the catalogue that the
index was built from. A film that the index lacks is a miss.

Who describes a film is searched for by plain vectors: the query enhancer learned from wishes. Three
pairs tell what it would change: the search as it is, the dense leg alone if it did move the vector,
and the answer to the very text said in chat, where the agent may take it for a wish.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.transcript_files import objects_of
from evals.place import opened
from evals.recorded.describe_asked import (
    BARE,
    CHAT,
    DENSE,
    FUSED,
    LEXICAL,
    MOVED,
    Answer,
    Asker,
    Kept,
)
from evals.recorded.rank_input import InputProblem
from evals.recorded.ranking import ABSENT, Estimate, paired_gain, recall_estimate
from evals.report import Row
from infra.progress import shown
from infra.wiring import Services
from retrieval.title_join import TitleJoin

DESCRIBED = "hit@10 of films described without their titles"
ENHANCED = "hit@10 with the enhancer less without, films described without their titles"
FIGURES = (DESCRIBED, ENHANCED)
"""What it adds to the results table."""
QUERIES = Path(__file__).parent / "queries_descriptive.jsonl"
POSTS = ("queries/tomt_dev_1000.jsonl.gz", "queries/trec_tot_train.jsonl.gz")
"""Posts of people who look for a film, with the ids of catalogue_core."""
MAX_LISTED = 100
"""Missed films that are listed; of a thousand posts the figures say enough."""
KS = (1, 10, 50)
PAIRS = ((FUSED, FUSED + BARE), (MOVED, DENSE), (CHAT, CHAT + BARE))
"""(with the enhancer, without it)."""
SLACK, LEAST = -0.01, -0.03
"""The least difference of a pair, and what its interval must stay above."""


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
    heard: int
    """Texts that the agent takes for a film whose name is forgotten."""

    def gain(self, row: str, base: str, k: int = 10) -> Estimate:
        """hit@k of a row less that of another."""
        one, other = (np.array(self.ranks[name], dtype=np.int32) for name in (row, base))
        qids = [d.qid for d in self.descriptions]
        return paired_gain(one, other, qids, k, np.random.default_rng(0))

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
        gains = {row: asdict(self.gain(row, base)) for row, base in PAIRS}
        counts = {"descriptions": len(self.descriptions), "lacking": self.lacking}
        return {**counts, "heard_as_known_item": self.heard, "rows": rows, "enhancer": gains}


DETAILS = """\
A description is one JSON object a line (.gz ok): {"qid", "text"} with "target_movie_id", or with
"title" and "year". Rows: fused is the search for a film whose name is forgotten; lexical is BM25
over the same texts, dense their vectors; in chat is the answer to the text as a first message.

examples:
  python -m evals describe --index data/index
  python -m evals describe --index data/index --input tomt.jsonl.gz --output ranks.jsonl --json
      give the same command again to go on where it stopped
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "describe", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(describe(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, help="descriptions, JSON lines (default: our own)")
    parser.add_argument("--first", type=int, help="only so many of them")
    parser.add_argument("--output", type=Path, help="ranks as JSON lines; what is there is done")


async def describe(given: argparse.Namespace) -> int:
    """The command. Raises: InputProblem and what opening an index raises."""
    if given.first is not None and given.first < 1:
        raise InputProblem("--first must be 1 or more")
    descriptions = read_descriptions(given.input or QUERIES)[: given.first]
    async with opened(given.index) as services:
        kept = await Kept.open(given.output, services) if given.output else None
        with shown() as report:
            tell = partial(report, "describing")
            found = await measure(descriptions, services, tell, kept)
    console = Console(width=max(Console().width, 100))
    console.print(_table(found))
    for line in lines_of(found):
        print(line)
    missed = found.missed(FUSED, 10)
    for description, rank in missed if len(missed) <= MAX_LISTED else ():
        place = "not found" if rank == ABSENT else f"rank {rank}"
        print(f"  {description.name}, {place}: {description.text}")
    if given.json:
        print(json.dumps(found.as_json()))
    return 0


def read_descriptions(path: Path) -> list[Description]:
    """Raises: InputProblem."""
    found: dict[str, Description] = {}
    for number, row in objects_of(path):
        one = _description(row, f"{path} line {number}")
        if one.qid in found:
            raise InputProblem(f"{path} line {number}: qid {one.qid!r} is there twice")
        found[one.qid] = one
    if not found:
        raise InputProblem(f"{path} is empty: it needs one description a line")
    return list(found.values())


def _description(row: Mapping[str, Any], where: str) -> Description:
    if {"qid", "text"} <= row.keys():
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
    kept: Kept | None = None,
) -> Found:
    """Search for every description in every row. Raises: InputProblem, IndexFailure."""
    join = TitleJoin()
    there: set[str] = set()
    async for movie in services.index.scan():
        join.add(movie)
        there.add(movie.movie_id)
    targets = [_target(d, join, there) for d in descriptions]
    if not any(targets):
        raise InputProblem(
            f"none of the {len(targets)} films described is in this index: is it the right one?"
        )
    asker = await Asker.of(services)
    answers: list[Answer] = []
    for number, (description, target) in enumerate(zip(descriptions, targets, strict=True), 1):
        answer = kept.get(description.qid, target) if kept else None
        if answer is None:
            answer = await asker.ask(description.qid, description.text, target)
            if kept:
                kept.append(answer)
        answers.append(answer)
        report(number, len(descriptions))
    ranks = {row: [answer.ranks[row] for answer in answers] for row in asker.rows}
    heard = sum(answer.heard for answer in answers)
    return Found(descriptions, ranks, targets.count(None), heard)


def _target(described: Description, join: TitleJoin, there: set[str]) -> str | None:
    if described.target_movie_id:
        return described.target_movie_id if described.target_movie_id in there else None
    return join.find({"title": described.title, "year": described.year})


def rows_of(found: Found, data: str, bound: str) -> list[Row]:
    """The rows of the results table; see `FIGURES`."""
    alone = [f"{row} {found.hits(row, 10).value:.3f}" for row in (LEXICAL, DENSE, CHAT)]
    pairs = [f"{row} {_signed(found.gain(row, base))}" for row, base in PAIRS]
    return [
        Row(DESCRIBED, data, f"{found.hits(FUSED, 10)} ({', '.join(alone)})", bound),
        Row(ENHANCED, data, "; ".join(pairs), f">= {SLACK}, low end > {LEAST}"),
    ]


def lines_of(found: Found) -> list[str]:
    """What the table has no room for."""
    lines = [
        f"hit@10 of {row} less {base}: {_signed(found.gain(row, base))}"
        for row, base in ((FUSED, LEXICAL), *PAIRS)
    ]
    of = len(found.descriptions)
    return [*lines, f"{found.heard} of {of} are heard as a film whose name is forgotten"]


def _signed(gain: Estimate) -> str:
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


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
