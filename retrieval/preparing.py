"""From a query to its vector and to what it is after: the encoder, and the enhancer where there is.

Knows which films stand behind a query and when the plain vector is kept. Does not know legs or how
an index searches. Called by `Retriever.prepare`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from retrieval.analysis import Analysis, Intent
from retrieval.encoder import Encoder, TokenStates, unit_mean
from retrieval.enhancer import Enhancer
from retrieval.enhancer_input import NEAR_FILMS, Backing
from retrieval.index import MovieIndex
from retrieval.movie import Query, Taste
from retrieval.neighbours import Knowledge, Votes, list_votes, seed_weights

T = TypeVar("T")

ENCODED = 1024
"""Texts whose vectors are kept, 1.5 KB each: encoding one takes 2 ms of a processor."""
READ = 64
"""Texts whose token states are kept, about 50 KB each."""
KEPT_FILMS = 4096
"""Movies whose vectors are kept, 1.5 KB each: the same seeds are asked for several times a turn."""
VOTES = 64
"""Sets of liked films whose votes are kept, about 20 KB each: more than there are turns at once."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a query before anything is searched."""

    vector: np.ndarray | None
    """What the dense leg searches by: shape (d,), L2-normalised; None for a query without words."""
    analysis: Analysis | None = None
    """None where nobody asked for it."""
    plain: np.ndarray | None = None
    """What the encoder alone says of the words; wordings are compared by it."""
    intents: Mapping[Intent, float] = field(default_factory=dict)
    """{intent: probability} of the words that are searched; empty where no enhancer read them."""


class Preparer:
    """Prepares queries over one revision of one index."""

    def __init__(
        self,
        index: MovieIndex,
        encoder: Encoder,
        knowledge: Knowledge,
        executor: Executor,
        enhancer: Enhancer | None = None,
    ) -> None:
        self.enhancer = enhancer
        self._index = index
        self._executor = executor
        self._encode = lru_cache(maxsize=ENCODED)(lambda text: encoder.encode([text])[0])
        self._states = lru_cache(maxsize=READ)(encoder.tokens)
        self._analyse = lru_cache(maxsize=ENCODED)(self._analysed)
        self._vectors: dict[str, np.ndarray] = {}
        self._votes = lru_cache(maxsize=VOTES)(
            lambda weights: list_votes(dict(weights), knowledge.lists)
        )

    async def prepare(self, query: Query, taste: Taste, analysed: bool) -> Prepared:
        """Without an enhancer, the plain vector and nothing else.

        Args: analysed: whether somebody reads the analysis. A search does not, and where the
            message is not what is searched by, it costs one more run of the encoder.
        """
        if self.enhancer is None:
            plain = await self.run(lambda: self._encode(query.text)) if query.text else None
            return Prepared(plain, plain=plain)
        # Who describes one film is not helped by what others like.
        moved = query.text and not query.known_item
        backing = await self._backing(query, taste) if moved else None
        enhancer = self.enhancer
        return await self.run(lambda: self._prepared(enhancer, query, backing, analysed))

    def _prepared(
        self, enhancer: Enhancer, query: Query, backing: Backing | None, analysed: bool
    ) -> Prepared:
        said = query.said or query.text
        analysis = self._analyse(enhancer, said) if said and analysed else None
        if not query.text:
            return Prepared(None, analysis)
        states: TokenStates = self._states(query.text)
        plain = unit_mean(states.states)
        if backing is None:
            return Prepared(plain, analysis, plain)
        found = enhancer.enhance(states, backing)
        if analysis is not None:
            analysis = replace(analysis, enhanced_score=round(found.trust, 4))
        return Prepared(found.vector, analysis, plain, found.intents)

    def _analysed(self, enhancer: Enhancer, text: str) -> Analysis:
        return enhancer.read(self._states(text), text)

    async def _backing(self, query: Query, taste: Taste) -> Backing:
        """The vectors of the films behind a query."""
        seeds = [seed.movie_id for seed in sorted(query.seeds, key=lambda seed: seed.ago)]
        votes = self.votes_of(seed_weights(query.seeds, taste)).scores
        near = sorted(votes, key=lambda m: (-votes[m], m))[:NEAR_FILMS]
        likes = sorted(taste.likes, key=lambda m: (-taste.likes[m], m))
        known = await self.vectors_of([*seeds, *near, *likes])
        return Backing(
            [known[m] for m in seeds if m in known],
            mean_of({m: votes[m] for m in near}, known),
            [known[m] for m in likes if m in known],
        )

    def votes_of(self, weights: Mapping[str, float]) -> Votes:
        """Of the neighbour lists; a search asks twice, for its vector and for its leg."""
        return self._votes(tuple(weights.items()))

    async def vectors_of(self, movie_ids: Sequence[str]) -> dict[str, np.ndarray]:
        """From memory where they are: a preparer lives as long as its catalogue's revision."""
        lacking = [m for m in dict.fromkeys(movie_ids) if m not in self._vectors]
        found = await self._index.vectors(lacking) if lacking else {}
        known = {m: v for m in movie_ids if (v := self._vectors.get(m, found.get(m))) is not None}
        if found:
            room = len(self._vectors) + len(found) <= KEPT_FILMS
            self._vectors = {**self._vectors, **found} if room else found
        return known

    async def run(self, work: Callable[[], T]) -> T:
        """Processor work, in the bounded executor."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def mean_of(weights: Mapping[str, float], vectors: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The unit-length weighted mean of those vectors that there are."""
    known = [m for m in weights if m in vectors]
    if not known:
        return None
    mean = np.sum([weights[m] * vectors[m] for m in known], axis=0)
    norm = float(np.linalg.norm(mean))
    return np.asarray(mean / norm, dtype=np.float32) if norm > 0 else None
