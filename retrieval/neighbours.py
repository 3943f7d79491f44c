"""Votes of what people name together: neighbour lists, co-mention counts, request archetypes.

Knows how a list or a count becomes a score for a movie, and which seed or request the vote came
from. Does not know where the knowledge is stored (knowledge.py) nor how votes are fused. Pure.

Formulas and constants were chosen on ReDial dev turns, in a pilot (research/pilots.md) and since.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from retrieval.film_facts import Baskets, FilmFacts, FilmRow, RowGraph
from retrieval.knowledge import ARCHETYPES, COMENTION, NEIGHBOURS, Archetypes, CoMention, Neighbours
from retrieval.movie import Seed, Taste

LIST_OFFSET = 6
"""A film at rank r (0 = best) of a seed's list gets 1 / (6 + r)."""
BACKLINK = 0.35
"""A film whose own list names the seed at rank r gets .35 / (6 + r): liking goes both ways."""
NAMED_POWER = 0.15
"""Votes are multiplied by (1 + how many lists name the film) ** .15: fans name what they know."""
RECENCY = 0.3
"""A seed named j movies ago weighs 1 / (1 + .3 j)."""
TASTE_WEIGHT = 0.3
"""What a like from the profile weighs beside a seed just named."""
ARCHETYPE_OFFSET = 5
NEAREST_ARCHETYPES = 5
MAX_RELATED = 200
ARCHETYPE_FLOOR = 0.35
"""Cosine under which a request is not an instance of an archetype."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Scores by movie id, and for each the source that gave most of it."""

    scores: Mapping[str, float]
    sources: Mapping[str, str]


def seed_weights(seeds: Sequence[Seed], taste: Taste) -> dict[str, float]:
    """{movie_id: weight} of everything liked, the last named first."""
    weights = {seed.movie_id: 1.0 / (1.0 + RECENCY * seed.ago) for seed in seeds}
    for movie_id, weight in taste.likes.items():
        weights.setdefault(movie_id, TASTE_WEIGHT * weight)
    return weights


def list_votes(weights: Mapping[str, float], lists: "ListGraph") -> Votes:
    """Votes of the neighbour lists of the seeds, and of the lists that name a seed."""
    tally = _Tally()
    for seed, weight in weights.items():
        for rank, movie_id in enumerate(lists.forward.get(seed, ())):
            tally.add(movie_id, weight * lists.named(movie_id) / (LIST_OFFSET + rank), seed)
        for movie_id, rank in lists.backward.get(seed, ()):
            vote = BACKLINK * weight * lists.named(movie_id) / (LIST_OFFSET + rank)
            tally.add(movie_id, vote, seed)
    return tally.votes(without=weights)


def comention_votes(
    weights: Mapping[str, float], related: Mapping[str, Sequence[tuple[str, float]]]
) -> Votes:
    """Votes of co-mention: `related` gives each movie's (other, score) pairs."""
    tally = _Tally()
    for seed, weight in weights.items():
        for movie_id, score in related.get(seed, ()):
            tally.add(movie_id, weight * score, seed)
    return tally.votes(without=weights)


def archetype_votes(
    vector: np.ndarray,
    requests: Sequence[str],
    request_vectors: np.ndarray,
    lists: Sequence[Sequence[str]],
) -> Votes:
    """Votes of the archetypes nearest to a request.

    Args:
        vector: the request's vector, shape (d,), L2-normalised.
        requests: the archetypes' wordings, n of them.
        request_vectors: their vectors, shape (n, d).
        lists: their movie ids, best first.
    """
    tally = _Tally()
    if not len(requests):
        return tally.votes(without={})
    cosine = np.vecdot(request_vectors, vector)  # `@` would wake the threads of BLAS
    for i in np.argsort(-cosine, kind="stable")[:NEAREST_ARCHETYPES]:
        if cosine[i] < ARCHETYPE_FLOOR:
            break
        for rank, movie_id in enumerate(lists[i]):
            tally.add(movie_id, float(cosine[i]) / (ARCHETYPE_OFFSET + rank), requests[i])
    return tally.votes(without={})


class _Tally:
    def __init__(self) -> None:
        self.scores: defaultdict[str, float] = defaultdict(float)
        self.best: dict[str, tuple[float, str]] = {}

    def add(self, movie_id: str, score: float, source: str) -> None:
        self.scores[movie_id] += score
        if movie_id not in self.best or score > self.best[movie_id][0]:
            self.best[movie_id] = (score, source)

    def votes(self, without: Mapping[str, float]) -> Votes:
        kept = {m: s for m, s in self.scores.items() if m not in without}
        return Votes(kept, {m: self.best[m][1] for m in kept})


@dataclass(frozen=True)
class ListGraph:
    """The neighbour lists, readable in both directions."""

    forward: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """{movie_id: ids best first}."""
    backward: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    """{movie_id: (the movie whose list names it, its rank there) pairs}."""

    @classmethod
    def of(cls, lists: Mapping[str, Sequence[str]]) -> "ListGraph":
        """Turn the lists around once."""
        backward: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for movie_id, names in lists.items():
            for rank, named in enumerate(names):
                backward[named].append((movie_id, rank))
        return cls(lists, dict(backward))

    def named(self, movie_id: str) -> float:
        """How much more a vote for a movie counts that many lists name."""
        return self._factors.get(movie_id, 1.0)

    @cached_property
    def _factors(self) -> Mapping[str, float]:
        return {m: float((1 + len(of)) ** NAMED_POWER) for m, of in self.backward.items()}


@dataclass(frozen=True)
class Knowledge:
    """Everything the list legs vote from, by the ids of one catalogue; any part may be empty."""

    lists: ListGraph = field(default_factory=ListGraph)
    related: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    """Co-mention: {movie_id: (other id, score) pairs}."""
    mentions: Mapping[str, float] = field(default_factory=dict)
    """How often people name a movie: {movie_id: count}."""
    requests: Sequence[str] = ()
    request_vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    request_lists: Sequence[Sequence[str]] = ()
    facts: FilmFacts = field(default_factory=FilmFacts)
    graph: RowGraph = field(default_factory=RowGraph)
    baskets: Baskets = field(default_factory=Baskets)
    """What the ranker reads; empty until `with_films`."""

    @classmethod
    def load(cls, found: Mapping[str, bytes]) -> "Knowledge":
        """From the joined files of an index, by name; missing ones leave their part empty."""
        known = cls()
        if NEIGHBOURS in found:
            known = replace(known, lists=ListGraph.of(Neighbours.load(found[NEIGHBOURS]).lists))
        if COMENTION in found:
            known = known.with_counts(CoMention.load(found[COMENTION]))
        if ARCHETYPES in found:
            archetypes = Archetypes.load(found[ARCHETYPES])
            known = replace(
                known,
                requests=archetypes.requests,
                request_vectors=archetypes.vectors,
                request_lists=archetypes.lists,
            )
        return known

    def with_films(self, films: Mapping[str, FilmRow]) -> "Knowledge":
        """The same knowledge with the facts of every film of the catalogue."""
        facts = FilmFacts.of(films)
        if facts.row_of == self.facts.row_of:
            return replace(self, facts=facts)  # the lists lead to the same rows as before
        return replace(
            self,
            facts=facts,
            graph=RowGraph.of(self.lists.forward, facts.row_of),
            baskets=Baskets.of(self.lists.forward, self.request_lists, facts.row_of),
        )

    def with_counts(self, counts: CoMention) -> "Knowledge":
        """The same knowledge with other co-mention counts and mentions."""
        mentions = {m: float(n) for m, n in zip(counts.ids, counts.mentions.tolist(), strict=True)}
        return replace(self, related=_related(counts), mentions=mentions)


def _related(counts: CoMention) -> dict[str, list[tuple[str, float]]]:
    """co(a, b) = n_ab / sqrt(n_a n_b + 1) * log(1 + n_b), the best `MAX_RELATED` of each movie."""
    n = counts.mentions.astype(np.float64)
    both = np.concatenate([counts.pairs, counts.pairs[:, ::-1]])
    n_ab = np.concatenate([counts.counts, counts.counts])
    a, b = both[:, 0], both[:, 1]
    scores = n_ab / np.sqrt(n[a] * n[b] + 1) * np.log1p(n[b])
    related: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for i in np.lexsort((b, -scores)):
        of = related[counts.ids[a[i]]]
        if len(of) < MAX_RELATED:
            of.append((counts.ids[b[i]], float(scores[i])))
    return dict(related)
