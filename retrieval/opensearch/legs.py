"""Legs as OpenSearch requests, and their answers as hits.

Knows how each leg of index.py but the lists (opensearch/lists.py) is scored in the query language,
so that scores agree with those of the local index (local/legs.py). No text of a user reaches a
query parser: only terms of our own making do. Does not know HTTP. Pure. Called by
opensearch_index.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.index import Hits, PopularLeg, TagLeg, TextLeg, VectorLeg
from retrieval.movie import Constraints, Range, Wish, fold_service, title_key
from retrieval.opensearch.document import DECIMALS, as_json
from retrieval.opensearch.filter import all_of, any_of, has_value, range_query
from retrieval.opensearch.layout import Json
from retrieval.opensearch.lists import MAX_HITS
from retrieval.search_terms import (
    EXACT_TITLE,
    PREDICTED,
    TIE_BREAKER,
    TIE_PRIOR,
    TITLE_CHARS,
    TITLE_INSIDE,
    dated_title,
    guessed_parts,
    query_terms,
    title_spans,
)

MORE_NEIGHBOURS = 100
"""Vectors looked for beyond those that are given back: ties are cut by id, and an approximate
search misses less. Of catalogue_core's true 200 it finds .941 so, and .911 with 50 (.925 with 50 in
a graph as built by default, see layout.EF_CONSTRUCTION); of the true ten .985, .977 (.981)."""
MAX_BARRED = 300
"""Up to so many barred movies are left out here, by asking for as many more hits: without them the
same filter serves all turns, and the server and this process can keep what it selects."""
SERVER_TIMEOUT = "2s"
"""After it a shard answers with what it has, and says so."""


# --- how well known -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """What scores depend on besides the documents."""

    top_log_popularity: float
    """The largest `log_popularity` of the index."""
    bm25: float = 1.0

    def prior(self, times: float) -> list[Json]:
        """The functions whose sum is `times` the prior."""
        top = self.top_log_popularity
        return [
            {"field_value_factor": {"field": "fame_part", "factor": times}},
            {
                "field_value_factor": {
                    "field": "popularity_part",
                    "factor": times / top if top > 0 else 0.0,
                }
            },
        ]


def _sum_of(query: Json, functions: list[Json]) -> Json:
    scored = {"query": query, "functions": functions, "score_mode": "sum"}
    return {"function_score": {**scored, "boost_mode": "replace"}}


def _constant(query: Json, score: float) -> Json:
    return {"constant_score": {"filter": query, "boost": score}}


# --- legs -----------------------------------------------------------------------------------------


def split_barred(constraints: Constraints) -> tuple[Constraints, frozenset[str]]:
    """(what the server filters, the ids that are left out here)."""
    if len(constraints.exclude_ids) > MAX_BARRED:
        return constraints, frozenset()
    return replace(constraints, exclude_ids=frozenset()), constraints.exclude_ids


@dataclass(frozen=True, slots=True)
class Search:
    """What all legs of one search share."""

    wanted: Json | None
    """The filter."""
    barred: frozenset[str]
    k: int
    scale: Scale


ScoredLeg = TextLeg | VectorLeg | TagLeg | PopularLeg


class Scored:
    """A leg that the server scores: `line` is what to ask, None when it is answered."""

    def __init__(self, leg: ScoredLeg, search: Search) -> None:
        self._leg = leg
        self._search = search
        self._ids: tuple[str, ...] = ()
        self._scores: tuple[float, ...] = ()
        self._partial = False
        self._offset = 0.0
        self.line = self._ask(leg, search.wanted, search.scale)

    @property
    def lasting(self) -> bool:
        """Whether the same line is likely to be asked again and again."""
        return isinstance(self._leg, PopularLeg)

    def _ask(self, leg: ScoredLeg, wanted: Json | None, s: Scale) -> str | None:
        size, least = min(self._search.k + len(self._search.barred), MAX_HITS), None
        match leg:
            case VectorLeg():
                query: Json | None = _knn(leg, wanted, min(size + MORE_NEIGHBOURS, MAX_HITS))
            case TextLeg():
                query = _text(leg, wanted, s)
            case TagLeg():
                query, self._offset = _tags(leg.wishes, wanted, s)
                least = self._offset + TIE_PRIOR
            case PopularLeg():
                query = _sum_of(all_of(wanted), s.prior(1.0))
        if query is None or self._search.k < 1:
            return None
        body = {"query": query, "size": size, "sort": [{"_score": "desc"}, {"movie_id": "asc"}]}
        return bare_line(body | ({"min_score": least} if least is not None else {}))

    def take(self, hits: list[Json], partial: bool) -> None:
        """Take the answer to `line`."""
        self.line = None
        self._partial = partial
        barred = self._search.barred
        pairs = [hit["sort"] for hit in hits]
        if barred:
            pairs = [pair for pair in pairs if pair[1] not in barred]
        best = pairs[: self._search.k]
        self._ids = tuple([movie_id for _, movie_id in best])
        scores = [float(score) for score, _ in best]
        if isinstance(self._leg, VectorLeg):
            # The server's score of an inner product x: 1 + x, or 1 / (1 - x) below zero.
            scores = [s - 1.0 if s >= 1.0 else 1.0 - 1.0 / s for s in scores]
        elif offset := self._offset:
            scores = [score - offset for score in scores]
        self._scores = tuple(scores)

    def result(self) -> Hits:
        """The hits, once `line` is None."""
        return Hits(self._leg.name, self._ids, self._scores, self._partial)


def line_of(body: Json) -> str:
    """One line of a multi-search."""
    return as_json(body) + "\n"


def bare_line(body: Json) -> str:
    """Hits carry nothing but their sort values: no stored field has to be read."""
    spare = {"_source": False, "stored_fields": "_none_", "track_total_hits": False}
    return line_of({**body, **spare, "timeout": SERVER_TIMEOUT})


def _knn(leg: VectorLeg, wanted: Json | None, k: int) -> Json:
    """The filter stands inside: around the clause it would cut the k hits afterwards."""
    vector = np.round(leg.vector.astype(np.float64), DECIMALS).tolist()
    clause: Json = {"vector": vector, "k": k}
    return {"knn": {"vector": clause | ({"filter": wanted} if wanted else {})}}


def _text(leg: TextLeg, wanted: Json | None, s: Scale) -> Json | None:
    should: list[Json] = [_in_any_field(term, leg.boosts, s) for term in query_terms(leg.text)]
    titles = [*_titles_inside(leg.text), *_whole_titles(leg.text, s)]
    if titles:
        should.append({"dis_max": {"queries": titles}})
    if not should:
        return None
    query: Json = {"should": should, "minimum_should_match": 1}
    return {"bool": query | ({"filter": [wanted]} if wanted else {})}


def _in_any_field(term: str, boosts: Mapping[str, float], s: Scale) -> Json:
    each = [
        {"term": {f"text.{name}": {"value": term, "boost": boost * s.bm25}}}
        for name, boost in boosts.items()
    ]
    return {"dis_max": {"queries": each, "tie_breaker": TIE_BREAKER}}


def _titles_inside(text: str) -> list[Json]:
    by_length: dict[int, list[str]] = {}
    for span, length in title_spans(text).items():
        by_length.setdefault(length, []).append(span)
    return [
        _constant(
            any_of({"terms": {name: spans}} for name in ("title_key", "other_title_keys")),
            TITLE_INSIDE * length,
        )
        for length, spans in by_length.items()
    ]


def _whole_titles(text: str, s: Scale) -> list[Json]:
    """Where the title is the whole text; a year behind it chooses among them.

    Alternative titles come after titles, however well known: catalogues list odd ones.
    """
    if len(text) > TITLE_CHARS:
        return []
    found = _named(text, None, s)
    dated = dated_title(text)
    if dated:
        title, year = dated
        found += _named(title, range_query(Range("year", year - 1, year + 1)), s)
    return found


def _named(title: str, when: Json | None, s: Scale) -> list[Json]:
    key = title_key(title)
    if not key:
        return []
    weights = {"title_key": 2 * EXACT_TITLE, "other_title_keys": EXACT_TITLE}
    return [
        _sum_of(all_of({"term": {name: key}}, when), [{"weight": weight}, *s.prior(weight / 2)])
        for name, weight in weights.items()
    ]


def _tags(wishes: Sequence[Wish], wanted: Json | None, s: Scale) -> tuple[Json | None, float]:
    """The query, and what its scores are too high by.

    Scores cannot be negative, so an unwelcome tag gives its weight to all movies without it.
    """
    welcome = [_share(wish) for wish in wishes if wish.weight > 0]
    unwelcome = [_lack(wish) for wish in wishes if wish.weight < 0]
    if not welcome:
        return None, 0.0
    well_known = _sum_of({"match_all": {}}, s.prior(TIE_PRIOR))
    query: Json = {"must": [any_of(welcome)], "should": [*unwelcome, well_known]}
    query |= {"filter": [wanted]} if wanted else {}
    return {"bool": query}, sum(-wish.weight for wish in wishes if wish.weight < 0)


def _share(wish: Wish) -> Json:
    """The weight where the value is known, PREDICTED of it where a model guessed it."""
    known, guesses = _known_and_guessed(wish)
    half = _constant(any_of(guesses), PREDICTED * wish.weight) if guesses else None
    whole = _constant(known, wish.weight)
    return {"dis_max": {"queries": [whole, half]}} if half else whole


def _lack(wish: Wish) -> Json:
    known, guesses = _known_and_guessed(wish)
    weight = -wish.weight
    neither = _constant({"bool": {"must_not": [known, *guesses]}}, weight)
    if not guesses:
        return neither
    only_guessed = _constant({"bool": {"must_not": [known]}}, (1 - PREDICTED) * weight)
    return {"dis_max": {"queries": [neither, only_guessed]}}


def _known_and_guessed(wish: Wish) -> tuple[Json, list[Json]]:
    value = fold_service(wish.value)
    parts = guessed_parts(wish.field)
    return has_value(wish.field, [value]), [{"term": {f"guess.{part}": value}} for part in parts]
