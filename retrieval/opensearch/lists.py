"""List legs on OpenSearch: scored elsewhere, so that the server only says which of their ids fit.

Knows what is remembered of one revision: the order of long lists, and which ids a filter lets
through as far as anybody asked. Does not know HTTP nor the other legs (opensearch/legs.py). Called
by opensearch_index.py, which keeps one `Lists` a revision.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.index import Hits, ListLeg
from retrieval.opensearch.filter import all_of, ids_query
from retrieval.opensearch.layout import Json

MAX_HITS = 10_000
"""`max_result_window` of the mapping."""
FIRST = 2
"""Times k ids of a list are looked at first; almost always k of them fit."""
LONG = 1_000
"""Lists of so many ids are the knowledge's own, the same in every search."""
KEPT_ORDERS = 4
KEPT_FITS = 200_000
"""Ids of all filters together: about 20 MB."""


@dataclass
class Lists:
    """What is kept of one revision."""

    _fits: dict[str, dict[str, bool]] = field(default_factory=dict)
    """{filter: {movie_id: whether it is there and the filter lets it through}}."""
    _orders: dict[int, tuple[Mapping[str, float], Sequence[str]]] = field(default_factory=dict)
    """{identity of a long list: (the list, its ids best first)}."""

    def fits(self, wanted: Json | None) -> dict[str, bool]:
        """What is known of a filter; whoever learns more adds it."""
        if sum(map(len, self._fits.values())) > KEPT_FITS:
            self._fits.clear()
        return self._fits.setdefault(json.dumps(wanted), {})

    def without(self, movie_ids: frozenset[str]) -> "Lists":
        """The same for another revision, where only these movies differ."""
        fits = {
            wanted: {i: fit for i, fit in known.items() if i not in movie_ids}
            for wanted, known in self._fits.items()
        }
        return Lists(fits, dict(self._orders))

    def order(self, scores: Mapping[str, float]) -> Sequence[str]:
        """Best first, ties by id."""
        kept = self._orders.get(id(scores))
        if kept is not None and kept[0] is scores:
            return kept[1]
        # Two sorts because a key in Python costs three times as much.
        order = sorted(sorted(scores), key=scores.__getitem__, reverse=True)
        if len(order) >= LONG:
            if len(self._orders) >= KEPT_ORDERS:
                self._orders.clear()
            self._orders[id(scores)] = (scores, order)
        return order


class Listed:
    """One list leg on its way: `unknown` is what to ask next, nothing when it is answered."""

    def __init__(
        self,
        leg: ListLeg,
        order: Sequence[str],
        fits: dict[str, bool],
        barred: frozenset[str],
        k: int,
    ) -> None:
        self.unknown: list[str] = []
        self._leg, self._order, self._barred, self._k = leg, order, barred, k
        self._fits = fits
        self._unsure: dict[str, bool] = {}
        """Of partial answers: good for this search and no other."""
        self._found: list[str] = []
        self._look(FIRST * k)

    def _look(self, depth: int) -> None:
        """Walk down the list until k fit or `depth` may."""
        self._found, self.unknown = found, unknown = [], []
        # Names and counters of its own: some 3,000 ids are walked by in a search.
        fits_of, unsure_of, barred = self._fits.get, self._unsure.get, self._barred
        lacking, room = self._k, depth
        for movie_id in self._order if lacking > 0 else ():
            if movie_id in barred:
                continue
            fits = fits_of(movie_id)
            if fits is None:
                fits = unsure_of(movie_id)
            if fits is None:
                unknown.append(movie_id)
            elif fits:
                found.append(movie_id)
                lacking -= 1
            else:
                continue
            room -= 1
            if lacking <= 0 or room <= 0:
                return

    def take(self, answered: Mapping[str, bool], partial: bool) -> None:
        """Take the answer about some ids; every list gets what any of them asked."""
        if partial:
            self._unsure |= {i: answered[i] for i in self.unknown if i in answered}
        else:
            self._fits |= answered
        # From now on all the rest: a filter that lets so little through returns little.
        self._look(MAX_HITS)

    def result(self) -> Hits:
        """The hits, once nothing is unknown."""
        best = tuple(self._found[: self._k])
        scores = tuple([self._leg.scores[movie_id] for movie_id in best])
        return Hits(self._leg.name, best, scores, bool(self._unsure))


def unknown_to(lists: Iterable[Listed]) -> list[str]:
    """The ids to ask about in one request for all lists."""
    return list(dict.fromkeys(i for one in lists for i in one.unknown))[:MAX_HITS]


def fits_body(movie_ids: Sequence[str], wanted: Json | None) -> Json:
    """Which of the ids are there and fit."""
    query = all_of(ids_query(movie_ids), wanted)
    return {"query": query, "size": len(movie_ids), "sort": ["movie_id"]}
