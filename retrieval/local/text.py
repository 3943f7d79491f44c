"""The lexical half of a local index: BM25 and word search with tantivy.

Knows how to build typed queries from our own tokens (search_terms.py); the user's
text never reaches tantivy's query parser ("-word" would become MUST NOT, an apostrophe would
raise). Rows are numbers that local/writer.py gives out; rows that a snapshot does not count are
masked out by the caller, so that a killed change is never seen. Called by local/legs.py,
local/filter.py and local/writer.py.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import tantivy
from tantivy import DocAddress, Occur, Query

from retrieval.local.columns import Mask
from retrieval.movie import Movie
from retrieval.search_terms import BOOSTS, TIE_BREAKER, texts_of

SMALL = 600
"""Up to so many allowed rows tantivy is given them; above, it is asked for more hits instead."""
_HEAP = 30_000_000
"""Bytes for the writer; tantivy wants at least 15 MB."""


def schema() -> tantivy.Schema:
    """`row` joins a document to the numpy rows; the text fields hold stems separated by spaces."""
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    for name in BOOSTS:
        builder.add_text_field(name, tokenizer_name="whitespace")
    return builder.build()


def _document(row: int, movie: Movie) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("row", row)
    for name, text in texts_of(movie).items():
        document.add_text(name, text)
    return document


class TextWriter:
    """One change to the text folder; `with` releases tantivy's own lock whatever happens."""

    def __init__(self, folder: Path, create: bool = False) -> None:
        if create:
            folder.mkdir()
        with _as_os_error():
            index = tantivy.Index(schema(), path=str(folder), reuse=not create)
            self._writer: Any = index.writer(_HEAP, 1)

    def __enter__(self) -> "TextWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was not committed is thrown away with the writer.
        self._writer = None

    def forget(self, first: int) -> None:
        """Drop what a killed change left: documents from row `first` on."""
        left = Query.range_query(schema(), "row", tantivy.FieldType.Unsigned, lower_bound=first)
        with _as_os_error():
            self._writer.delete_documents_by_query(left)

    def drop(self, rows: Iterable[int]) -> None:
        """Remove rows that no snapshot from now on counts."""
        with _as_os_error():
            for row in rows:
                self._writer.delete_documents_by_term("row", row)

    def add(self, row: int, movie: Movie) -> None:
        document = _document(row, movie)
        with _as_os_error():
            self._writer.add_document(document)

    def commit(self) -> None:
        """Bring everything to disk, merges included, so that the files stand still afterwards."""
        with _as_os_error():
            self._writer.commit()
            self._writer.wait_merging_threads()
        self._writer = None


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Tantivy says ValueError also when the disk is full or the folder cannot be written."""
    try:
        yield
    except ValueError as error:
        raise OSError(str(error)) from error


def segments_of(folder: Path) -> frozenset[str]:
    """The names, up to the dot, of the files that tantivy's newest commit uses."""
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        return frozenset(segment["segment_id"].replace("-", "") for segment in meta["segments"])
    except (KeyError, TypeError):
        raise ValueError(f"{folder / 'meta.json'} is damaged") from None


class TextReader:
    """The text folder as it was when opened."""

    def __init__(self, folder: Path) -> None:
        self._schema = schema()
        index = tantivy.Index.open(str(folder))
        index.config_reader("manual")
        index.reload()
        self._searcher = index.searcher()
        self._documents = max(1, self._searcher.num_docs)

    def rows_with(self, phrase: Sequence[str]) -> npt.NDArray[np.int64]:
        """The rows whose keywords or overview contain these stems next to each other."""
        if len(phrase) == 1:
            query = self._term("body", phrase[0])
        else:
            query = Query.phrase_query(self._schema, "body", list(phrase))
        return self._best(query, self._documents)[0]

    def best(
        self, terms: Sequence[str], mask: Mask, k: int, boosts: Mapping[str, float] = BOOSTS
    ) -> tuple[npt.NDArray[Any], ...]:
        """(rows, BM25 scores) of at least the k best allowed rows, with all ties of the last."""
        if not terms:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = self._any_of(terms, boosts)
        allowed = int(np.count_nonzero(mask))
        if allowed <= SMALL:
            query = self._within(query, np.flatnonzero(mask))
        share = 1.0 if allowed <= SMALL else allowed / len(mask)
        limit = min(self._documents, int(k / share * 1.25) + 50)
        while True:
            rows, scores = self._best(query, limit)
            complete = len(rows) < limit or limit >= self._documents
            last = scores[-1] if len(scores) else 0.0
            counted = rows < len(mask)
            rows, scores = rows[counted], scores[counted]
            fits = mask[rows]
            rows, scores = rows[fits], scores[fits]
            if complete or (len(rows) >= k and scores[k - 1] > last):
                return rows, scores
            limit = min(self._documents, limit * 4)

    def _best(self, query: Query, limit: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        hits: list[tuple[float, DocAddress]] = self._searcher.search(query, limit, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        return np.array(rows, dtype=np.int64), scores

    def _any_of(self, terms: Sequence[str], boosts: Mapping[str, float]) -> Query:
        parts = [(Occur.Should, self._in_any_field(term, boosts)) for term in terms]
        return Query.boolean_query(parts)

    def _in_any_field(self, term: str, boosts: Mapping[str, float]) -> Query:
        fields = [Query.boost_query(self._term(name, term), b) for name, b in boosts.items()]
        return Query.disjunction_max_query(fields, TIE_BREAKER)

    def _within(self, query: Query, rows: npt.NDArray[Any]) -> Query:
        allowed = Query.term_set_query(self._schema, "row", [int(row) for row in rows])
        unscored = Query.const_score_query(allowed, 0.0)
        return Query.boolean_query([(Occur.Must, query), (Occur.Must, unscored)])

    def _term(self, name: str, term: str) -> Query:
        return Query.term_query(self._schema, name, term)
