"""The starter's files as rows, and the table that the checks fill.

Knows where each file lies and what a line of the table is. Does not know what is checked. Called by
check.py and the check_*.py files beside it.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.catalogs.sources import CatalogError, json_rows, reading
from retrieval.movie import Movie
from retrieval.title_join import TitleJoin

Row = Mapping[str, Any]

FOLDER = Path(__file__).parent
MOVIES, TAGS, LISTS = "movies.jsonl.gz", "tags.jsonl.gz", "neighbours.jsonl.gz"
ARCHETYPES, COMENTION, VOCABULARY = "archetypes.jsonl.gz", "comention.json.gz", "vocabulary.json"
ACCEPTED = "accepted_differences.tsv"


@dataclass(frozen=True)
class Starter:
    """Everything in the folder, read once."""

    movies: Sequence[Row]
    tags: Sequence[Row]
    lists: Sequence[Row]
    """Neighbours; longer than `movies`: some films have a list only."""
    archetypes: Sequence[Row]
    comention: Row
    vocabulary: Mapping[str, Mapping[str, str]]
    """{"moods" | "themes" | "genres": {name: definition}}."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """{file: bytes}."""
    accepted: Sequence[Row] = ()
    """Differences from other sources in which the starter is right."""

    def join(self) -> TitleJoin:
        """Finds references in the starter, by id or by title and year."""
        found = TitleJoin()
        for row in self.movies:
            found.add(movie_of(row))
        return found


def read_starter(folder: Path = FOLDER) -> Starter:
    """Raises: CatalogError for a file that is missing or damaged."""
    with reading(folder / COMENTION):
        comention = json.loads(gzip.decompress((folder / COMENTION).read_bytes()))
    with reading(folder / VOCABULARY):
        vocabulary = json.loads((folder / VOCABULARY).read_text("utf-8"))
    names = (MOVIES, TAGS, LISTS, ARCHETYPES, COMENTION, VOCABULARY)
    return Starter(
        movies=rows_of(folder / MOVIES),
        tags=rows_of(folder / TAGS),
        lists=rows_of(folder / LISTS),
        archetypes=rows_of(folder / ARCHETYPES),
        comention=comention,
        vocabulary=vocabulary,
        sizes={name: (folder / name).stat().st_size for name in names},
        accepted=_accepted(folder / ACCEPTED),
    )


def rows_of(path: Path) -> list[Row]:
    """Every line of a JSON Lines file. Raises: CatalogError."""
    rows: list[Row] = []
    for number, row in json_rows(path):
        if isinstance(row, ValueError):
            raise CatalogError(f"{path} line {number} {row}: restore the file as it shipped")
        rows.append(row)
    return rows


def refused_by_loader(folder: Path) -> list[str]:
    """What the product's own loader says of the movies: bad rows and unread keys."""
    report = ReadReport()
    for _ in open_catalogue(folder / MOVIES, "usher").movies(report):
        pass
    unread = [f"{MOVIES}: no field reads {key!r}" for key in sorted(report.unused)]
    return [*(f"{MOVIES} line {bad.row}: {bad.reason}" for bad in report.bad), *unread]


def movie_of(row: Row) -> Movie:
    """As much of a movie as joining needs."""
    return Movie(
        movie_id=str(row["movie_id"]),
        title=str(row["title"]),
        alt_titles=tuple(row.get("alt_titles") or ()),
        year=row.get("year"),
        directors=tuple(row.get("directors") or ()),
        runtime_min=row.get("runtime_min"),
        imdb=row.get("imdb"),
    )


def label(row: Row) -> str:
    """`Title (Year)`."""
    return f"{row.get('title')} ({row.get('year')})"


def _accepted(path: Path) -> list[Row]:
    if not path.exists():
        return []
    head, *lines = path.read_text("utf-8").splitlines()
    names = head.split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines if line]


# --- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One figure; `ok` is False when its bound is missed."""

    section: str
    name: str
    value: str
    bound: str = ""
    ok: bool = True
    details: tuple[str, ...] = ()
    """The rows behind it."""


@dataclass
class Findings:
    """What the checks found, in order."""

    lines: list[Line] = field(default_factory=list)
    section: str = ""
    skipped: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[Line]:
        """The lines whose bound is missed."""
        return [line for line in self.lines if not line.ok]

    def say(self, name: str, value: object, details: Iterable[str] = ()) -> None:
        """A figure without a bound."""
        self._add(name, _shown(value), "", True, details)

    def at_least(self, name: str, value: float, bound: float, details: Iterable[str] = ()) -> None:
        """A count or share that must reach its bound."""
        self._add(name, _shown(value), f">= {_shown(bound)}", value >= bound, details)

    def at_most(self, name: str, value: float, bound: float, details: Iterable[str] = ()) -> None:
        """A count or share that must not exceed its bound."""
        self._add(name, _shown(value), f"<= {_shown(bound)}", value <= bound, details)

    def none(self, name: str, problems: Sequence[str]) -> None:
        """Something that must not occur; each occurrence is one problem."""
        self._add(name, _shown(len(problems)), "0", not problems, problems)

    def _add(self, name: str, value: str, bound: str, ok: bool, details: Iterable[str]) -> None:
        self.lines.append(Line(self.section, name, value, bound, ok, tuple(details)))


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)
