"""What a local index keeps of each movie in numpy: numbers, known fields and value lists.

Knows the fixed row record and the value hashes of a movie, and how to turn them back into "which
rows have this value". Does not know files, constraints or text. Called by local/writer.py
(encode) and local/snapshot.py, local/filter.py, local/legs.py (read).
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from retrieval.movie import ATTRIBUTES, MatchField, Movie, RangeField, fold, title_key, values_of
from retrieval.record import FIELD_NAMES
from retrieval.search_terms import STORED, guessed_parts, known_fields, parts_of

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NONE = -(2**31)
"""An unknown number."""
ROW = np.dtype(
    [
        ("start", "<u8"),  # of the movie's line in movies.jsonl
        ("length", "<u4"),
        ("known", "<u4"),  # bit i: field FIELD_NAMES[i] has a value
        ("values", "<u4"),  # how many hashes in values.u64
        ("year", "<i4"),
        ("runtime", "<i4"),
        ("fame", "<i4"),
        ("popularity", "<f4"),  # NaN when unknown
        ("rating", "<f4"),
        ("attributes", "<i2", (len(ATTRIBUTES),)),
    ]
)
_NO_GRADE = -(2**15)
_BITS = {name: 1 << i for i, name in enumerate(FIELD_NAMES)}

_FIELD_OF: dict[MatchField, str] = {
    **{"genre": "genres", "mood": "moods", "theme": "themes", "keyword": "keywords"},
    **{"director": "directors", "actor": "cast", "language": "language", "country": "country"},
    **{"certificate": "certificate", "kind": "kind", "service": "available_on"},
}
TITLE, OTHER_TITLE = "title", "other title"
"""Pseudo fields: the key of the title, and those of the alternative titles."""


@lru_cache(maxsize=16384)
def value_hash(name: str, value: str) -> int:
    """64 bits of a folded value in a field; two values of one catalogue practically never meet."""
    return int.from_bytes(blake2b(f"{name}\0{value}".encode(), digest_size=8).digest(), "little")


def predicted(name: MatchField) -> tuple[str, ...]:
    """The pseudo fields that hold what a model guessed for a match field."""
    return tuple(f"~{part}" for part in guessed_parts(name))


def hashes_of(movie: Movie) -> npt.NDArray[np.uint64]:
    """Every value of a movie that can be asked for, hashed."""
    found = {value_hash(name, v) for name in STORED for v in values_of(movie, name)}
    found.add(value_hash(TITLE, title_key(movie.title)))
    found.update(value_hash(OTHER_TITLE, title_key(title)) for title in movie.alt_titles)
    found.update(
        value_hash(f"~{tag.kind}", fold(tag.name))
        for tag in movie.predicted_tags
        if tag.kind != "attribute"
    )
    return np.array(sorted(found), dtype="<u8")


def row_of(movie: Movie, start: int, length: int, values: int) -> bytes:
    """The fixed record of a movie."""
    row = np.zeros((), dtype=ROW)
    row["start"], row["length"], row["values"] = start, length, values
    row["known"] = sum(_BITS[name] for name in known_fields(movie))
    row["year"] = NONE if movie.year is None else movie.year
    row["runtime"] = NONE if movie.runtime_min is None else movie.runtime_min
    row["fame"] = NONE if movie.fame is None else movie.fame
    row["popularity"] = np.nan if movie.popularity is None else movie.popularity
    row["rating"] = np.nan if movie.rating is None else movie.rating
    row["attributes"] = [movie.attributes.get(name, _NO_GRADE) for name in ATTRIBUTES]
    return row.tobytes()


class Columns:
    """The numbers of all rows, by name."""

    def __init__(self, rows: npt.NDArray[np.void]) -> None:
        self.start = rows["start"].astype(np.int64)
        self.length = rows["length"].astype(np.int64)
        self.year = rows["year"].copy()
        self.runtime = rows["runtime"].copy()
        self.prior = prior(rows["fame"], rows["popularity"])
        self._known = rows["known"].copy()
        self._attributes = {
            name: rows["attributes"][:, i].copy() for i, name in enumerate(ATTRIBUTES)
        }

    def number(self, name: RangeField) -> tuple[npt.NDArray[np.integer], Mask]:
        """The values of a range field and where they are known."""
        if name == "year":
            return self.year, self.year != NONE
        if name == "runtime":
            return self.runtime, self.runtime != NONE
        grades = self._attributes[name]
        return grades, grades != _NO_GRADE

    def has(self, name: MatchField) -> Mask:
        """Where a match field has any value."""
        bits = sum(_BITS[_FIELD_OF[part]] for part in parts_of(name))
        return np.asarray((self._known & np.uint32(bits)) != 0, dtype=np.bool_)

    def known_counts(self, live: Mask) -> dict[str, int]:
        """{field: how many live movies have a value}."""
        known = self._known[live]
        return {name: int(np.count_nonzero(known & np.uint32(b))) for name, b in _BITS.items()}


def prior(
    fame: npt.NDArray[np.int32], popularity: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """How well known each movie is, 0 (nothing known) to 1: the order of the popularity leg.

    p = log(1 + popularity) / log(1 + the largest popularity here), 0 to 1. Fame known: (fame - 1
    + p) / 5, so fame decides and popularity orders within a grade (p = 1/2 where it is unknown).
    Fame unknown: 4/5 p, since a film that nobody graded is hardly of the top grade.
    """
    counted = ~np.isnan(popularity)
    raw = np.log1p(np.maximum(np.where(counted, popularity, 0.0), 0.0))
    p = raw / max(float(raw.max(initial=0.0)), 1e-9)
    graded = (np.clip(fame, 1, 5) - 1 + np.where(counted, p, 0.5)) / 5
    return np.where(fame == NONE, 0.8 * p, graded).astype(np.float32)


class Postings:
    """Which rows have a value: the hashes of all rows, sorted."""

    def __init__(self, hashes: npt.NDArray[np.uint64], counts: npt.NDArray[np.integer]) -> None:
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        self._values = ordered[first] if len(ordered) else ordered
        self._ends = np.append(first, len(ordered))
        self._rows = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[order]

    def rows(self, name: str, value: str) -> npt.NDArray[np.int32]:
        """The rows (dead ones included) with a folded value in a stored field."""
        return self.rows_of(value_hash(name, value))

    def rows_of(self, wanted: int) -> npt.NDArray[np.int32]:
        at = int(np.searchsorted(self._values, np.uint64(wanted)))
        if at >= len(self._values) or int(self._values[at]) != wanted:
            return self._rows[:0]
        return self._rows[self._ends[at] : self._ends[at + 1]]

    def present(self, wanted: Sequence[int]) -> list[int]:
        """Those of many hashes that any row has."""
        asked = np.array(wanted, dtype=np.uint64)
        if not len(asked) or not len(self._values):
            return []
        at = np.minimum(np.searchsorted(self._values, asked), len(self._values) - 1)
        return [int(h) for h in asked[self._values[at] == asked]]
