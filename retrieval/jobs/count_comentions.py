"""Makes the co-mention counts that ship: python -m retrieval.jobs.count_comentions --help.

Knows the ReDial layout of the shared data and the files involved. Does not know how films are
counted (comention.py) nor what the counts are used for. Run by hand when the conversations change;
`--catalogue` adds IMDb ids, which join better than a title and a year.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.catalogs.sources import CatalogError, json_rows
from retrieval.comention import artifact, count, films_named
from retrieval.nlu.lexicon import split_year

SOURCE = (
    "Counts of films named together in conversations of ReDial (Li et al. 2018, "
    "https://redialdata.github.io, CC BY 4.0). Numbers only, no text of the conversations."
)


def main(arguments: list[str] | None = None) -> int:
    """Read, count, write; 2 and one line when a file cannot be used."""
    parser = argparse.ArgumentParser(description="Count which films people name together.")
    parser.add_argument("--dialogues", type=Path, required=True, help="ReDial JSON lines (.gz ok)")
    parser.add_argument("--catalogue", type=Path, help="catalogue that has the films' IMDb ids")
    parser.add_argument("--out", type=Path, required=True, help="comention.json.gz")
    given = parser.parse_args(arguments)
    try:
        made = build(given.dialogues, given.catalogue)
        packed = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
        given.out.write_bytes(gzip.compress(packed, 9, mtime=0))
    except (CatalogError, OSError) as error:
        print(f"count_comentions: {error}", file=sys.stderr)
        return 2
    print(
        f"{given.out}: {len(made['films'])} films, {len(made['pairs'])} pairs, "
        f"{len(made['dialogues'])} conversations, {given.out.stat().st_size / 1024:.0f} KB"
    )
    return 0


def build(dialogues: Path, catalogue: Path | None) -> dict[str, Any]:
    """The artifact. Raises: CatalogError."""
    names: dict[str, str] = {}
    counts = count(_read(dialogues, names))
    known = _facts(catalogue, set(names)) if catalogue else {}
    films = {film: known.get(film) or _as_written(name) for film, name in names.items()}
    return artifact(counts, films, SOURCE)


def _read(path: Path, names: dict[str, str]) -> Iterable[tuple[str, list[str]]]:
    for number, row in json_rows(path):
        if isinstance(row, ValueError) or "dialogue_id" not in row:
            reason = str(row) if isinstance(row, ValueError) else "has no dialogue_id"
            raise CatalogError(f"{path} line {number} {reason}: give one conversation a line")
        named = films_named(row)
        names.update(named)
        yield str(row["dialogue_id"]), list(named)


def _facts(catalogue: Path, wanted: set[str]) -> dict[str, dict[str, Any]]:
    movies = open_catalogue(catalogue).movies(ReadReport())
    return {
        movie.movie_id: {
            "title": movie.title,
            **({"year": movie.year} if movie.year else {}),
            **({"imdb": movie.imdb} if movie.imdb else {}),
        }
        for movie in movies
        if movie.movie_id in wanted
    }


def _as_written(name: str) -> dict[str, Any]:
    title, year = split_year(name)
    return {"title": title, **({"year": year} if year else {})}


if __name__ == "__main__":
    sys.exit(main())
