"""Catalogues: any supported file or folder as a stream of checked movies.

    usher      JSON lines (also .gz) with the field names of `Movie` csv        CSV or Parquet;
    `catalog_names.COLUMNS` lists the column names that are understood, and a
               mapping {field: column} gives others
    movielens  a folder with movies.csv (+ links, tags, ratings) or movies.dat
    tmdb       tmdb_5000_movies.csv or movies_metadata.csv (+ credits, keywords)

A bad row is reported with its number and reason and skipped; a broken file raises CatalogError.
Does not know indexes or encoders. Called by jobs/build_index.py, the CLI and the starter
catalogue's checks.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from retrieval.catalogs.fields import BadValue, check_columns, movie_of, unused_columns
from retrieval.catalogs.names import COLUMNS
from retrieval.catalogs.sources import (
    PARQUET,
    TMDB_MOVIES,
    Rows,
    count_lines,
    count_parquet,
    csv_rows,
    first_of,
    head_of,
    json_rows,
    movielens_rows,
    parquet_rows,
    tmdb_rows,
)
from retrieval.catalogs.sources import CatalogError as CatalogError  # what callers catch
from retrieval.movie import Movie

Format = Literal["auto", "usher", "csv", "movielens", "tmdb"]
FORMATS: tuple[Format, ...] = get_args(Format)
_FILES = ("*.parquet", "*.jsonl", "*.jsonl.gz", "*.csv", "*.csv.gz")
BAD_KEPT = 1000
"""Bad rows remembered one by one; more are only counted."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was skipped; `row` counts as an editor does, header and first line being 1."""

    row: int
    reason: str


@dataclass
class ReadReport:
    """What happened while a catalogue was read; filled as the stream goes."""

    rows: int = 0
    kept: int = 0
    bad_count: int = 0
    bad: list[BadRow] = field(default_factory=list)
    unused: set[str] = field(default_factory=set)
    """Columns or keys that no field reads."""

    def refuse(self, row: int, reason: str) -> None:
        self.bad_count += 1
        if len(self.bad) < BAD_KEPT:
            self.bad.append(BadRow(row, reason))


@dataclass(frozen=True)
class Catalogue:
    """A catalogue that was found and recognised, not yet read."""

    path: Path
    format: Format
    mapping: Mapping[str, str] = field(default_factory=dict)

    def total(self) -> int:
        """About how many rows there are, for the progress bar."""
        path = self.path
        if self.format == "movielens":
            path = first_of(path, ("movies.csv", "movies.dat")) or path
        if self.format == "tmdb" and path.is_dir():
            path = first_of(path, TMDB_MOVIES) or path
        return count_parquet(path) if head_of(path).startswith(PARQUET) else count_lines(path)

    def movies(self, report: ReadReport) -> Iterator[Movie]:
        """Every good row as a movie, in the order of the file."""
        seen: set[str] = set()
        shapes: set[tuple[str, ...]] = set()
        for number, row in self._rows():
            report.rows += 1
            if isinstance(row, ValueError):
                report.refuse(number, str(row))
                continue
            if tuple(row) not in shapes:
                self._look_at_columns(row, report)
                shapes.add(tuple(row))
            try:
                movie = movie_of(row, self.mapping, films_only=self.format != "usher")
            except BadValue as error:
                report.refuse(number, str(error))
                continue
            if movie.movie_id in seen:
                report.refuse(number, f"movie_id {movie.movie_id} was already given")
                continue
            seen.add(movie.movie_id)
            report.kept += 1
            yield movie
        if not report.kept:
            first = f" (row {report.bad[0].row}: {report.bad[0].reason})" if report.bad else ""
            raise CatalogError(f"{self.path} has no usable movie{first}: nothing to build from")

    def _rows(self) -> Rows:
        if self.format == "movielens":
            return movielens_rows(self.path)
        if self.format == "tmdb":
            return tmdb_rows(self.path)
        if head_of(self.path).startswith(PARQUET):
            return parquet_rows(self.path)
        return json_rows(self.path) if self.format == "usher" else csv_rows(self.path)

    def _look_at_columns(self, row: Mapping[str, object], report: ReadReport) -> None:
        report.unused |= unused_columns(row, self.mapping)
        absent = check_columns(row, self.mapping)
        if absent and self.format == "csv":
            raise CatalogError(
                f"{self.path} has no column for {' and '.join(absent)} (it has "
                f"{', '.join(list(row)[:12])}): give a mapping such as "
                f'{{"{absent[0]}": "NAME_OF_THE_COLUMN"}}'
            )


def open_catalogue(
    path: Path, format: Format = "auto", mapping: Mapping[str, str] | None = None
) -> Catalogue:
    """Recognise a catalogue; raises CatalogError for what cannot be one."""
    if not path.exists():
        raise CatalogError(f"{path} does not exist: check the path")
    if format not in FORMATS:
        raise CatalogError(f"format {format!r} is unknown: choose one of {', '.join(FORMATS)}")
    if path.is_file() and not path.stat().st_size:
        raise CatalogError(f"{path} is empty: it needs one movie a line")
    path = _only_file(path, format) if path.is_dir() else path
    if format == "movielens" and path.is_file():
        path = path.parent
    return Catalogue(path, _recognised(path) if format == "auto" else format, mapping or {})


def describe_columns() -> str:
    """The column names that are understood, one field a line: for help and documentation."""
    return "\n".join(f"{field}: {', '.join(names)}" for field, names in COLUMNS.items())


def read_mapping(path: Path) -> dict[str, str]:
    """A mapping file: one JSON object {movie field: column name}."""
    try:
        mapping = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path} is not a JSON file ({error})") from None
    if not isinstance(mapping, dict) or not all(isinstance(v, str) for v in mapping.values()):
        raise CatalogError(f'{path} must be one object such as {{"title": "film_name"}}')
    unknown = sorted(set(mapping) - set(COLUMNS))
    if unknown:
        raise CatalogError(f"{path} names no field of a movie: {', '.join(unknown)}")
    return mapping


def _is_movielens(folder: Path) -> bool:
    tables = (folder / "movies.csv").exists() and (folder / "links.csv").exists()
    return tables or (folder / "movies.dat").exists()


def _only_file(folder: Path, format: Format) -> Path:
    """The folder itself where its layout is known, else the one catalogue file in it."""
    if format in ("auto", "movielens") and _is_movielens(folder):
        return folder
    if format in ("auto", "tmdb") and first_of(folder, TMDB_MOVIES):
        return folder
    if format == "movielens":
        raise CatalogError(f"{folder} has neither movies.csv with links.csv nor movies.dat")
    own = first_of(folder, ("movies.jsonl", "movies.jsonl.gz"))
    if own:
        return own
    files = [path for pattern in _FILES for path in sorted(folder.glob(pattern))]
    if len(files) == 1:
        return files[0]
    raise CatalogError(
        f"{folder} holds {len(files)} catalogue files and is no MovieLens or TMDB folder: "
        "name the file itself"
    )


def _recognised(path: Path) -> Format:
    if path.is_dir():
        return "movielens" if _is_movielens(path) else "tmdb"
    head = head_of(path)
    if path.name in TMDB_MOVIES:
        return "tmdb"
    if head.startswith(PARQUET):
        return "csv"
    lines = path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson"))
    return "usher" if lines or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else "csv"
