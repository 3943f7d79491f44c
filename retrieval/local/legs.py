"""How each leg of a search is scored on a snapshot of a local index.

Knows the legs of index.py and how to rank rows with stable ties. Does not know files or
constraints: it gets the mask of rows that may be returned. Called by local/snapshot.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from retrieval.index import Hits, Leg, ListLeg, PopularLeg, TagLeg, TextLeg, VectorLeg
from retrieval.local.columns import (
    OTHER_TITLE,
    TITLE,
    Columns,
    Mask,
    Postings,
    predicted,
    value_hash,
)
from retrieval.local.text import TextReader
from retrieval.movie import Wish, fold_service, title_key
from retrieval.search_terms import (
    EXACT_TITLE,
    PREDICTED,
    TIE_PRIOR,
    TITLE_CHARS,
    TITLE_INSIDE,
    dated_title,
    parts_of,
    query_terms,
    title_spans,
)

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

GATHER_BELOW = 8
"""With fewer than 1/8 of the rows allowed, their vectors are gathered before the dot product."""
BLOCK = 256
"""Rows whose vectors stay in a processor's cache, 400 kB."""
LONG = 1_000
"""Lists of so many ids are the knowledge's own, the same in every search: their rows are kept."""
KEPT_LISTS = 4


@dataclass(frozen=True)
class Searchable:
    """What scoring reads of a snapshot."""

    ids: Sequence[str]
    row_of: Mapping[str, int]
    id_rank: npt.NDArray[np.int32]
    """Place of each row in the order of movie ids: breaks ties."""
    columns: Columns
    postings: Postings
    text: TextReader
    vectors: Floats
    lists: dict[int, tuple[Mapping[str, float], Rows, Floats]] = field(default_factory=dict)
    """{identity of a long list: (the list, its rows, their scores)}."""


def run_legs(s: Searchable, legs: Sequence[Leg], mask: Mask, k: int) -> list[Hits]:
    """The best k allowed rows of each leg, in the order of the legs."""
    rows, cosines = _cosines(s, [leg.vector for leg in legs if isinstance(leg, VectorLeg)], mask)
    of_vectors = iter(cosines)
    return [
        _top(s, leg.name, rows, next(of_vectors), k)
        if isinstance(leg, VectorLeg)
        else _run(s, leg, mask, k)
        for leg in legs
    ]


def _run(s: Searchable, leg: TextLeg | TagLeg | ListLeg | PopularLeg, mask: Mask, k: int) -> Hits:
    match leg:
        case TextLeg():
            rows, scores = _text(s, leg, mask, k)
        case TagLeg():
            rows, scores = _tags(s, leg.wishes, mask)
        case ListLeg():
            rows, scores = _listed(s, leg.scores, mask)
        case PopularLeg():
            rows = np.flatnonzero(mask)
            scores = s.columns.prior[rows]
    return _top(s, leg.name, rows, scores, k)


def _top(s: Searchable, name: str, rows: Rows, scores: Floats, k: int) -> Hits:
    """The k best, ties by movie id; selecting before sorting keeps a full scan cheap."""
    if len(rows) > k > 0:
        cut = np.partition(scores, len(scores) - k)[len(scores) - k]
        near = scores >= cut
        rows, scores = rows[near], scores[near]
    order = np.lexsort((s.id_rank[rows], -scores))[:k]
    best = tuple(s.ids[row] for row in rows[order])
    return Hits(leg=name, movie_ids=best, scores=tuple(scores[order].tolist()))


def _cosines(s: Searchable, vectors: Sequence[Floats], mask: Mask) -> tuple[Rows, Floats]:
    """The allowed rows, and of each vector its cosines with them.

    `vecdot`, not `@`: BLAS would wake its threads, which spin against every other process here.
    Measured on 15,729 x 384, two busy cores: vecdot 1.2 ms, `@` 8 ms (1.0 ms with one BLAS thread).
    Block by block, so that a block comes from memory once for all vectors: two in 3.1 ms, not 6.0.
    """
    rows = np.flatnonzero(mask) if vectors else np.zeros(0, dtype=np.int64)
    few = len(rows) * GATHER_BELOW < len(mask)
    films = s.vectors[rows] if few else s.vectors
    found = np.empty((len(vectors), len(films)), dtype=np.float32)
    for at in range(0, len(films) if vectors else 0, BLOCK):
        block = slice(at, at + BLOCK)
        for scores, vector in zip(found, vectors, strict=True):
            np.vecdot(films[block], vector.astype(np.float32, copy=False), out=scores[block])
    return rows, found if few else found[:, rows]


def _listed(s: Searchable, scores: Mapping[str, float], mask: Mask) -> tuple[Rows, Floats]:
    rows, values = _rows_of(s, scores)
    allowed = mask[rows]
    return rows[allowed], values[allowed]


def _rows_of(s: Searchable, scores: Mapping[str, float]) -> tuple[Rows, Floats]:
    kept = s.lists.get(id(scores))
    if kept is not None and kept[0] is scores:
        return kept[1], kept[2]
    found = [(row, score) for i, score in scores.items() if (row := s.row_of.get(i)) is not None]
    rows = np.array([row for row, _ in found], dtype=np.int64)
    values = np.array([score for _, score in found], dtype=np.float32)
    if len(scores) >= LONG:
        if len(s.lists) >= KEPT_LISTS:
            s.lists.clear()
        s.lists[id(scores)] = (scores, rows, values)
    return rows, values


def _tags(s: Searchable, wishes: Sequence[Wish], mask: Mask) -> tuple[Rows, Floats]:
    """Sum of weights; a movie that fulfils more unwelcome than welcome wishes is no hit."""
    total = np.zeros(len(mask), dtype=np.float32)
    for wish in wishes:
        value = fold_service(wish.value)
        share = np.zeros(len(mask), dtype=np.float32)
        for name in predicted(wish.field):
            share[s.postings.rows(name, value)] = PREDICTED
        for name in parts_of(wish.field):
            share[s.postings.rows(name, value)] = 1.0
        total += np.float32(wish.weight) * share
    rows = np.flatnonzero(mask & (total > 0))
    return rows, total[rows] + np.float32(TIE_PRIOR) * s.columns.prior[rows]


def _text(s: Searchable, leg: TextLeg, mask: Mask, k: int) -> tuple[Rows, Floats]:
    rows, scores = s.text.best(query_terms(leg.text), mask, k, leg.boosts)
    extra = _titles_in(s, leg.text, mask)
    if not extra:
        return rows, scores
    total = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    for row, boost in extra.items():
        total[row] = total.get(row, 0.0) + boost
    return np.fromiter(total, np.int64), np.fromiter(total.values(), np.float32)


def _titles_in(s: Searchable, text: str, mask: Mask) -> dict[int, float]:
    """{row: boost} of movies whose title is the text, or stands in it as several words."""
    boosts: dict[int, float] = {}
    spans = title_spans(text)
    by_hash = {
        value_hash(name, span): n for span, n in spans.items() for name in (TITLE, OTHER_TITLE)
    }
    for found in s.postings.present(list(by_hash)):
        for row in s.postings.rows_of(found):
            boosts[int(row)] = max(boosts.get(int(row), 0.0), TITLE_INSIDE * by_hash[found])
    boosts |= _titled(s, text)
    return {row: boost for row, boost in boosts.items() if mask[row]}


def _titled(s: Searchable, text: str) -> dict[int, float]:
    """{row: boost} where the title is the whole text; a year behind it chooses among them.

    Alternative titles come after titles, however well known: catalogues list odd ones.
    """
    if len(text) > TITLE_CHARS:
        return {}
    boosts = _named(s, text)
    dated = dated_title(text)
    if dated:
        title, year = dated
        named = _named(s, title)
        boosts |= {r: b for r, b in named.items() if abs(int(s.columns.year[r]) - year) <= 1}
    return boosts


def _named(s: Searchable, title: str) -> dict[int, float]:
    key = title_key(title)
    boosts: dict[int, float] = {}
    for name, weight in ((OTHER_TITLE, EXACT_TITLE), (TITLE, 2 * EXACT_TITLE)) if key else ():
        rows = s.postings.rows(name, key)
        boosts |= {int(row): weight * (1.0 + float(s.columns.prior[row]) / 2) for row in rows}
    return boosts
