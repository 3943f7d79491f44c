"""The one deep door of retrieval: from (query, taste) to ranked movies with evidence.

Knows the pipeline: plan the legs, search them in one round trip, fuse, fetch, diversify. Does not
know how an index works (index.py), how votes are counted (neighbours.py) or who is asking. Called
by tools/search.py and `python -m evals rank`.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from retrieval.admission import Admission
from retrieval.diversity import reorder
from retrieval.encoder import Encoder
from retrieval.enhancer import Enhancer
from retrieval.fusion import RRF_K, reciprocal_rank_fusion
from retrieval.guesses import met_wishes
from retrieval.index import (
    WINDOW,
    Leg,
    ListLeg,
    MovieIndex,
    PopularLeg,
    TagLeg,
    TextLeg,
    VectorLeg,
)
from retrieval.leaning import described, leaning, touches, wary
from retrieval.movie import Candidate, Evidence, Query, Taste, Wish
from retrieval.neighbours import (
    Knowledge,
    Votes,
    archetype_votes,
    comention_votes,
    seed_weights,
)
from retrieval.preparing import Prepared as Prepared  # what `prepare` returns
from retrieval.preparing import Preparer, mean_of
from retrieval.rank_features import Search
from retrieval.ranker import CANDIDATES, Ranker, ranks, reranked
from retrieval.search_plan import PLAN, Kind, Row, row_of

WITH_SEEDS: Mapping[str, float] = {
    **{"proposals": 5.0, "neighbours": 1.0, "comention": 0.55, "mentions": 0.3, "popular": 0.2},
    **{"archetypes": 0.3, "tags": 0.6, "dense_seeds": 0.3, "dense": 0.15, "text": 0.05},
}
WITHOUT_SEEDS: Mapping[str, float] = {
    **{"proposals": 5.0, "neighbours": 1.0, "comention": 0.7, "mentions": 1.0, "popular": 0.1},
    **{"archetypes": 1.0, "tags": 1.2, "dense": 0.3, "text": 0.2},
}
KNOWN_ITEM: Mapping[str, float] = {"dense": 1.0, "text": 1.0}
"""Fusion weights by situation; from the pilot, then set by hand on ReDial dev turns. That of a
model's proposals was chosen by cross-validation over dialogues (`python -m evals fusion`). Known
items on 500 of tomt_dev_1000, hit@10: BM25 .122, without filler words .130, dense .116, both fused
.186. Dense over sentences or without filler words, popularity and years named add nothing."""


@dataclass(frozen=True)
class RetrieverSettings:
    """What may be varied from outside: for experiments and single-leg rows."""

    with_seeds: Mapping[str, float] = field(default_factory=lambda: dict(WITH_SEEDS))
    without_seeds: Mapping[str, float] = field(default_factory=lambda: dict(WITHOUT_SEEDS))
    known_item: Mapping[str, float] = field(default_factory=lambda: dict(KNOWN_ITEM))
    plan: Mapping[Kind, Row] = field(default_factory=lambda: dict(PLAN))
    """How fields and weights follow what is asked for; empty: they do not."""
    rrf_k: int = RRF_K
    diversify: bool = True
    ranker: Ranker | None = None
    """Puts the candidates of the fixed weights into its own order; None leaves theirs."""

    @classmethod
    def only(cls, *legs: str) -> "RetrieverSettings":
        """Only these legs, with equal weight and no reordering."""
        weights = dict.fromkeys(legs, 1.0)
        return cls(weights, weights, weights, plan={}, diversify=False)

    def weights(self, query: Query, has_seeds: bool) -> Mapping[str, float]:
        """The weights for this kind of query, before its row of the plan."""
        if query.known_item:
            return self.known_item
        return self.with_seeds if has_seeds else self.without_seeds


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Ranked candidates, best first; `degraded` when a leg's answer may be partial."""

    candidates: tuple[Candidate, ...]
    degraded: bool = False
    cached: bool = False
    """True when the list was made for an earlier request in near words."""


class Retriever:
    """Retrieves from one index with one encoder and what is known about the catalogue."""

    def __init__(
        self,
        index: MovieIndex,
        encoder: Encoder,
        knowledge: Knowledge,
        executor: Executor,
        settings: RetrieverSettings | None = None,
        enhancer: Enhancer | None = None,
    ) -> None:
        self.index = index
        self.encoder = encoder
        self.enhancer = enhancer
        self.knowledge = knowledge
        self.settings = settings or RetrieverSettings()
        self._preparer = Preparer(index, encoder, knowledge, executor, enhancer)
        self._admission = Admission()

    async def retrieve(
        self, query: Query, taste: Taste | None = None, k: int = WINDOW
    ) -> Retrieved:
        """The best `k` movies for a query that satisfy its constraints.

        Movies named as seeds and those the taste says are seen or disliked are never returned.
        """
        async with self._admission.one():
            return await self._retrieved(query, taste or Taste(), k)

    async def _retrieved(self, query: Query, taste: Taste, k: int) -> Retrieved:
        query = _without_known(query, taste)
        weights = seed_weights(query.seeds, taste)
        prepared = await self._preparer.prepare(query, taste, analysed=False)
        row = row_of(query, bool(weights), prepared.intents, self.settings.plan)
        legs, sources = await self._plan(query, weights, prepared, row)
        hits = await self.index.search(legs, query.constraints, max(k, WINDOW))
        leg_weights = row.weights(self.settings.weights(query, bool(weights)), hits)
        exclude = query.constraints.exclude
        ranker = self.settings.ranker if ranks(query) else None
        whole = touches(query.leanings, exclude)
        kept = max(k, WINDOW if whole else CANDIDATES if ranker else k)
        fused = reciprocal_rank_fusion(hits, leg_weights, self.settings.rrf_k, kept)
        if ranker:
            search = Search(query, weights, hits, {f.movie_id: f.score for f in fused})
            fused = await self._preparer.run(
                lambda: reranked(fused, search, self.knowledge, ranker)
            )
            fused = fused if whole else fused[:k]
        movies = await self.index.get([f.movie_id for f in fused])
        candidates = [
            Candidate(movies[f.movie_id], f.score, f.evidence)
            for f in fused
            if f.movie_id in movies
        ]
        candidates = leaning(wary(candidates, exclude), query.leanings, len(query.seeds))[:k]
        # A model's own order is a considered one; diversifying it lost more than it gave.
        if self.settings.diversify and not (query.known_item or query.proposals):
            top = [c.movie.movie_id for c in candidates[:30]]
            candidates = reorder(candidates, await self.index.vectors(top))
        # Sources only of what is returned: up to three in four of the candidates are not.
        named = tuple([_with_sources(c, sources, query.wishes) for c in candidates])
        degraded = any(h.degraded for h in hits)
        return Retrieved(named, degraded)

    async def prepare(self, query: Query, taste: Taste | None = None) -> Prepared:
        """The query's vector and what it is after: the one door for the query enhancer."""
        return await self._preparer.prepare(query, taste or Taste(), analysed=True)

    async def _plan(
        self, query: Query, weights: Mapping[str, float], prepared: Prepared, row: Row
    ) -> tuple[list[Leg], dict[str, Votes]]:
        """The legs worth searching for this query, and the votes behind the list legs."""
        legs: list[Leg] = []
        votes: dict[str, Votes] = {}
        if prepared.vector is not None and prepared.plain is not None:
            text = described(query.text) if query.known_item else query.text
            legs += [TextLeg(text, boosts=row.boosts()), VectorLeg(prepared.vector)]
            if query.known_item and "text_whole" in self.settings.known_item:
                legs.append(TextLeg(query.text, "text_whole"))  # plain BM25, for comparison
            if not query.known_item:
                known = self.knowledge
                votes["archetypes"] = archetype_votes(
                    prepared.plain,
                    known.requests,
                    known.request_vectors,
                    known.request_lists,
                )
        if query.known_item:
            return legs, votes
        if weights:
            votes["neighbours"] = self._preparer.votes_of(weights)
            votes["comention"] = comention_votes(weights, self.knowledge.related)
            seeds = await self._mean_of_seeds(weights)
            legs += [VectorLeg(seeds, "dense_seeds")] if seeds is not None else []
        if query.wishes:
            legs.append(TagLeg(query.wishes))
        if query.proposals:
            scores = {m: 1.0 / (1 + i) for i, m in enumerate(query.proposals)}
            votes["proposals"] = Votes(scores, {})
        legs += [ListLeg(v.scores, name) for name, v in votes.items() if v.scores]
        if self.knowledge.mentions:
            legs.append(ListLeg(self.knowledge.mentions, "mentions"))
        return [*legs, PopularLeg()], votes

    async def _mean_of_seeds(self, weights: Mapping[str, float]) -> np.ndarray | None:
        return mean_of(weights, await self._preparer.vectors_of(list(weights)))


def _without_known(query: Query, taste: Taste) -> Query:
    gone = {s.movie_id for s in query.seeds} | taste.seen | set(taste.dislikes) | set(taste.likes)
    constraints = query.constraints
    return replace(
        query,
        constraints=replace(constraints, exclude_ids=constraints.exclude_ids | gone),
    )


def _with_sources(
    candidate: Candidate, votes: Mapping[str, Votes], wishes: Sequence[Wish]
) -> Candidate:
    """Name the source of each piece of evidence: the seed, request or tag behind it."""
    movie, named = candidate.movie, []
    for piece in candidate.evidence:
        source = ""
        if piece.leg in votes:
            source = votes[piece.leg].sources.get(movie.movie_id, "")
        elif piece.leg == "tags":
            source = ", ".join(met_wishes(movie, wishes))
        named.append(Evidence(piece.leg, piece.rank, piece.score, source) if source else piece)
    return Candidate(movie, candidate.score, tuple(named))
