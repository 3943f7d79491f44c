"""Constraints as a mask over the rows of a local index: exactly `satisfies()` of movie.py.

Knows how a clause reads from value lists, numbers and word search. Does not know legs or scores.
A clause met in one turn is met again in the next, so its mask is kept. Called by
local/snapshot.py.
"""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

import numpy as np

from retrieval.local.columns import Columns, Mask, Postings
from retrieval.local.text import TextReader
from retrieval.movie import WORD_FIELDS, Clause, Constraints, Match, Range, stems
from retrieval.search_terms import parts_of

KEPT = 256
"""Masks remembered per snapshot: one byte a movie each."""


class Filter:
    """The clauses of one snapshot; safe to use from several threads."""

    def __init__(
        self,
        columns: Columns,
        postings: Postings,
        text: TextReader,
        row_of: Mapping[str, int],
        live: Mask,
    ) -> None:
        self._columns = columns
        self._postings = postings
        self._text = text
        self._row_of = row_of
        self._live = live
        self._kept: OrderedDict[tuple[Clause, bool], Mask] = OrderedDict()
        self._lock = Lock()

    def mask(self, constraints: Constraints) -> Mask:
        """The rows that satisfy the constraints, as a new array."""
        mask = self._live.copy()
        if constraints.only_ids is not None:
            mask &= self._of_ids(constraints.only_ids)
        if constraints.exclude_ids:
            mask &= ~self._of_ids(constraints.exclude_ids)
        for clause in constraints.require:
            mask &= self._clause(clause, excluding=False)
        for clause in constraints.exclude:
            mask &= ~self._clause(clause, excluding=True)
        return mask

    def known(self, clause: Clause) -> Mask:
        """The rows that have any value to test the clause on."""
        if isinstance(clause, Range):
            return self._columns.number(clause.field)[1]
        return self._columns.has(clause.field)

    def _of_ids(self, ids: frozenset[str]) -> Mask:
        mask = np.zeros(len(self._live), dtype=np.bool_)
        mask[[row for i in ids if (row := self._row_of.get(i)) is not None]] = True
        return mask

    def _clause(self, clause: Clause, excluding: bool) -> Mask:
        words = excluding and isinstance(clause, Match) and clause.field in WORD_FIELDS
        key = (clause, words)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        mask = self._range(clause) if isinstance(clause, Range) else self._match(clause, words)
        with self._lock:
            self._kept[key] = mask
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return mask

    def _range(self, clause: Range) -> Mask:
        numbers, known = self._columns.number(clause.field)
        mask = known.copy()
        if clause.min is not None:
            mask &= numbers >= clause.min
        if clause.max is not None:
            mask &= numbers <= clause.max
        return mask

    def _match(self, clause: Match, words: bool) -> Mask:
        mask = np.zeros(len(self._live), dtype=np.bool_)
        for value in clause.values:
            for name in parts_of(clause.field):
                mask[self._postings.rows(name, value)] = True
            phrase = stems(value) if words else ()
            if phrase:
                rows = self._text.rows_with(phrase)
                mask[rows[rows < len(mask)]] = True
        return mask
