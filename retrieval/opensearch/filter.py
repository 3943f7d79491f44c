"""Constraints as an OpenSearch filter: exactly `satisfies()` of movie.py.

Knows how a clause reads in the query language. Does not know legs, scores or HTTP. Pure. Called by
opensearch/legs.py and opensearch_index.py.
"""

from collections.abc import Iterable, Sequence

from retrieval.movie import WORD_FIELDS, Clause, Constraints, Match, MatchField, Range, stems
from retrieval.opensearch.layout import Json
from retrieval.search_terms import parts_of

_INT = 2**31 - 1
"""The largest number of an integer field; OpenSearch refuses a bound beyond it."""


def filter_of(constraints: Constraints) -> Json | None:
    """Exactly `satisfies()` of movie.py; None where everything fits."""
    must = [_holds(clause) for clause in constraints.require]
    if constraints.only_ids is not None:
        must.append(ids_query(sorted(constraints.only_ids)))
    must_not = [query for clause in constraints.exclude for query in _excludes(clause)]
    if constraints.exclude_ids:
        must_not.append(ids_query(sorted(constraints.exclude_ids)))
    if not must and not must_not:
        return None
    return {"bool": {"filter": must, "must_not": must_not}}


def known_query(clause: Clause) -> Json:
    """The movies that have any value to test the clause on."""
    if isinstance(clause, Range):
        return _exists(f"number.{clause.field}")
    return any_of(_exists(f"value.{name}") for name in parts_of(clause.field))


def ids_query(ids: Sequence[str]) -> Json:
    """The movies with these ids."""
    return {"terms": {"movie_id": list(ids)}}


def _holds(clause: Clause) -> Json:
    if isinstance(clause, Range):
        return range_query(clause)
    return has_value(clause.field, sorted(clause.values))


def has_value(name: MatchField, values: Sequence[str]) -> Json:
    return any_of({"terms": {f"value.{part}": list(values)}} for part in parts_of(name))


def range_query(clause: Range) -> Json:
    name = f"number.{clause.field}"
    ends = {"gte": clause.min, "lte": clause.max}
    given = {end: max(-_INT, min(_INT, n)) for end, n in ends.items() if n is not None}
    return {"range": {name: given}} if given else _exists(name)


def _excludes(clause: Clause) -> list[Json]:
    """The clause itself, and its words in keywords or overview."""
    found = [_holds(clause)]
    if isinstance(clause, Match) and clause.field in WORD_FIELDS:
        phrases = [stems(value) for value in sorted(clause.values)]
        found += [_phrase(phrase) for phrase in phrases if phrase]
    return found


def _phrase(phrase: tuple[str, ...]) -> Json:
    if len(phrase) == 1:
        return {"term": {"text.body": phrase[0]}}
    return {"match_phrase": {"text.body": " ".join(phrase)}}


def _exists(name: str) -> Json:
    return {"exists": {"field": name}}


def any_of(queries: Iterable[Json]) -> Json:
    each = list(queries)
    return each[0] if len(each) == 1 else {"bool": {"should": each, "minimum_should_match": 1}}


def all_of(*queries: Json | None) -> Json:
    """A filter of several; those that are None do not count."""
    given = [query for query in queries if query is not None]
    return {"bool": {"filter": given}} if given else {"match_all": {}}
