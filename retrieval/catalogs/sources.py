"""The files of a catalogue as plain rows: JSON lines, CSV, Parquet, MovieLens and TMDB folders.

Knows how files are opened, decoded and joined, and what a broken one looks like. Does not know
`Movie`: a row is a dict of what the file says. Streams; only small side tables (links, tags,
credits) are held. Called by catalog.py.
"""

import csv
import gzip
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from retrieval.catalogs.fields import entries

if TYPE_CHECKING:
    import duckdb

Rows = Iterator[tuple[int, Any]]
"""(number in the file, dict of the row or a ValueError that says why there is none)."""

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
FEWEST_RATINGS = 5
"""A mean of fewer ratings says little about the film."""
MOST_TAGS = 20
"""Tags kept per film, the most used first."""
BILLED = 15
"""Actors kept of a TMDB credit list."""
WIDEST_CELL = 10_000_000
"""Characters: the cast of one TMDB film exceeds the csv module's 131,072."""


class CatalogError(Exception):
    """A catalogue cannot be read; the message says what to do."""


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked."""
    with reading(path):
        with _binary(path) as file:
            return file.read(65536)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What a broken file raises, as one line that says what to do."""
    try:
        yield
    except FileNotFoundError:
        raise CatalogError(f"{path} does not exist: check the path") from None
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#04x}): save it as UTF-8"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CatalogError(f"{path} is a broken gzip file ({error}): pack it again") from None
    except csv.Error as error:
        raise CatalogError(f"{path} is not a CSV table ({error}): save it as CSV") from None
    except IsADirectoryError:
        raise CatalogError(f"{path} is a folder: name a file") from None
    except OSError as error:
        raise CatalogError(f"{path} cannot be read ({error.strerror or error})") from None


def _binary(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    file = path.open("rb")
    packed = file.read(2) == GZIP
    file.seek(0)
    if packed:
        file.close()
        return cast(BinaryIO, gzip.open(path, "rb"))
    return file


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of a UTF-8 file, plain or gzip, blank lines left out. Raises: CatalogError."""
    with reading(path), _binary(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.decode("utf-8-sig")


def json_rows(path: Path) -> Rows:
    """One JSON object a line; a line that is none is one bad row."""
    for number, line in text_lines(path):
        yield number, _json_row(line)


def _json_row(line: str) -> Any:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return ValueError("is not JSON")
    return row if isinstance(row, dict) else ValueError("is not a JSON object")


def csv_rows(path: Path, encoding: str = "utf-8-sig") -> Rows:
    """A table with a header line; , ; or tab between the columns."""
    csv.field_size_limit(WIDEST_CELL)
    with reading(path), _binary(path) as binary:
        with TextIOWrapper(binary, encoding=encoding, newline="") as file:
            header = file.readline()
            if not header.strip():
                raise CatalogError(f"{path} is empty: it needs a header line and rows")
            delimiter = max(",;\t", key=header.count)
            columns = next(csv.reader([header], delimiter=delimiter))
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 2):
                if len(cells) == len(columns):
                    yield number, dict(zip(columns, cells, strict=True))
                elif cells:
                    yield number, ValueError(f"{len(cells)} cells, the header has {len(columns)}")


def parquet_rows(path: Path) -> Rows:
    """A Parquet file, a thousand rows at a time."""
    number = 0
    with _parquet(path, "select * from read_parquet(?)") as cursor:
        columns = [column[0] for column in cursor.description or ()]
        while batch := cursor.fetchmany(1000):
            for cells in batch:
                number += 1
                yield number, dict(zip(columns, cells, strict=True))


def count_parquet(path: Path) -> int:
    """How many rows a Parquet file has; its footer knows."""
    with _parquet(path, "select count(*) from read_parquet(?)") as cursor:
        return int(cursor.fetchall()[0][0])


@contextmanager
def _parquet(path: Path, query: str) -> "Iterator[duckdb.DuckDBPyConnection]":
    try:
        import duckdb  # an extra: 65 MB that only Parquet needs
    except ImportError:
        raise CatalogError(
            f"reading {path.name} needs one more package: pip install 'usher[parquet]'"
        ) from None
    try:
        with duckdb.connect() as connection:
            yield connection.execute(query, [str(path)])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(f"{path} is not a readable Parquet file ({reason})") from None


def count_lines(path: Path) -> int:
    """How many lines a file has, for the progress bar."""
    with reading(path), _binary(path) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


# --- MovieLens
# --------------------------------------------------------------------------------------

_TITLE_YEAR = re.compile(r"^(?P<title>.*?)\s*\((?P<year>\d{4})(?:[-–]\d{0,4})?\)\s*$", re.S)
_LAST_PARENTHESIS = re.compile(r"^(.+?)\s*\(([^()]*)\)\s*$", re.S)


def movielens_rows(folder: Path) -> Rows:
    """Either layout: movies.csv with links, tags and ratings, or movies.dat of the 1M set."""
    csv_layout = (folder / "movies.csv").exists()
    movies = csv_rows(folder / "movies.csv") if csv_layout else _dat_rows(folder / "movies.dat")
    links = _side_table(folder / "links.csv", csv_rows)
    tags = _tags(folder / "tags.csv")
    ratings = _ratings(folder)
    for number, row in movies:
        if isinstance(row, ValueError):
            yield number, row
            continue
        movie_id = str(row.get("movieId", "")).strip()
        link = links.get(movie_id, {})
        yield (
            number,
            {
                "movie_id": movie_id,
                "movielens": movie_id,
                **split_title(str(row.get("title", ""))),
                "genres": row.get("genres"),
                "imdb": link.get("imdbId"),
                "tmdb": link.get("tmdbId"),
                "keywords": tags.get(movie_id),
                **ratings.get(movie_id, {}),
            },
        )


def split_title(text: str) -> dict[str, Any]:
    """Title, alternative titles and year of "City, The (a.k.a. Cité, La) (1995)"."""
    dated = _TITLE_YEAR.match(text)
    title = dated["title"] if dated else text
    others: list[str] = []
    # Only at the end: "(500) Days of Summer" is a title.
    while last := _LAST_PARENTHESIS.match(title):
        title = last[1]
        others.insert(0, re.sub(r"^a\.?k\.?a\.? ", "", last[2], flags=re.I))
    return {
        "title": title,
        "alt_titles": others,
        "year": dated["year"] if dated else None,
    }


def _dat_rows(path: Path) -> Rows:
    with reading(path), path.open(encoding="latin-1") as file:
        for number, line in enumerate(file, 1):
            cells = line.rstrip("\r\n").split("::")
            if len(cells) == 3:
                yield number, dict(zip(("movieId", "title", "genres"), cells, strict=True))
            else:
                yield number, ValueError("is not id::title::genres")


def _side_table(path: Path, read: Callable[[Path], Rows]) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    return {row["movieId"]: row for _, row in read(path) if isinstance(row, dict)}


def _tags(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, row in csv_rows(path):
        if isinstance(row, dict):
            counts[row["movieId"]][row["tag"].strip().lower()] += 1
    return {i: [tag for tag, _ in c.most_common(MOST_TAGS)] for i, c in counts.items()}


def _ratings(folder: Path) -> dict[str, dict[str, float]]:
    """{movie: how many rated it and their mean on 0-10}, learnt on this machine."""
    count: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for movie_id, rating in _rating_pairs(folder):
        count[movie_id] += 1
        total[movie_id] += rating  # type: ignore[assignment]
    return {
        i: {"popularity": n, **({"rating": 2 * total[i] / n} if n >= FEWEST_RATINGS else {})}
        for i, n in count.items()
    }


def _rating_pairs(folder: Path) -> Iterable[tuple[str, float]]:
    table, dat = folder / "ratings.csv", folder / "ratings.dat"
    if table.exists():
        for _, row in csv_rows(table):
            if isinstance(row, dict):
                yield row["movieId"], float(row["rating"])
    elif dat.exists():
        with reading(dat), dat.open(encoding="latin-1") as file:
            for line in file:
                _, movie_id, rating, _ = line.split("::")
                yield movie_id, float(rating)


# --- TMDB
# -------------------------------------------------------------------------------------------

TMDB_MOVIES = ("tmdb_5000_movies.csv", "movies_metadata.csv")
_TMDB_CREDITS = ("tmdb_5000_credits.csv", "credits.csv")
_TMDB_KEYWORDS = "keywords.csv"


def tmdb_rows(path: Path) -> Rows:
    """TMDB tables: the movies file, with credits and keywords of the same folder where they are."""
    folder = path if path.is_dir() else path.parent
    movies = path if path.is_file() else first_of(folder, TMDB_MOVIES)
    beside = movies is not None and movies.name in TMDB_MOVIES
    credits = first_of(folder, _TMDB_CREDITS) if beside else None
    people = _credits(credits) if credits else {}
    keywords = _keywords(folder / _TMDB_KEYWORDS) if beside else {}
    if movies is None:
        raise CatalogError(f"{folder} has none of {', '.join(TMDB_MOVIES)}")
    for number, row in csv_rows(movies):
        if isinstance(row, dict):
            tmdb = str(row.get("id") or row.get("movie_id") or "").strip()
            row = {**row, "movie_id": tmdb, "tmdb": tmdb, **people.get(tmdb, {})}
            if tmdb in keywords:
                row["keywords"] = keywords[tmdb]
            if row.get("vote_count") in ("0", "0.0"):
                row["vote_average"] = None
        yield number, row


def first_of(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of these files that is in a folder."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def _credits(path: Path) -> dict[str, dict[str, list[str]]]:
    found = {}
    for _, row in csv_rows(path):
        if isinstance(row, dict):
            cast_list, crew = _objects(row.get("cast")), _objects(row.get("crew"))
            found[str(row.get("movie_id") or row.get("id"))] = {
                "cast": [str(person.get("name")) for person in cast_list[:BILLED]],
                "directors": [str(p.get("name")) for p in crew if p.get("job") == "Director"],
            }
    return found


def _keywords(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return {str(r.get("id")): r.get("keywords") for _, r in csv_rows(path) if isinstance(r, dict)}


def _objects(text: str | None) -> list[dict[str, Any]]:
    """The objects of a JSON list; Kaggle's copies write Python literals instead."""
    try:
        return [entry for entry in entries(text or "[]") if isinstance(entry, dict)]
    except ValueError:
        return []
