"""What the agent may know while it is measured: all that ships, or counts made out of fold.

Knows folds of dialogues and how counts replace what ships. Does not know input files or metrics.
Called by rank.py. In sample, co-mention scores .72 at ten where out of fold it scores .12
(research/pilots.md): every figure on development dialogues is out of fold, or says that it is not.
"""

import random
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from infra.wiring import Services
from retrieval.comention import count, prefix
from retrieval.encoder import Encoder, FloatArray
from retrieval.enhancer import Enhancer
from retrieval.index import Changed, Hits, IndexStats, Leg, ListLeg, MovieIndex, PopularLeg, Row
from retrieval.knowledge import COMENTION, FILES, CoMention
from retrieval.local.columns import NONE, prior
from retrieval.movie import Clause, Constraints, Movie
from retrieval.neighbours import Knowledge
from retrieval.ranker import Ranker
from retrieval.retriever import Retriever, RetrieverSettings
from tools.catalogue import Catalogue
from tools.toolbox import Toolbox

LEARNED = (COMENTION,)
"""Knowledge files that were counted or trained from dialogues and carry their prefixes."""
GRADES = (1, 2, 4, 8, 16)
"""Fame 1-5 from counts: named in at least so many of the dialogues counted."""


@dataclass(frozen=True)
class World:
    """Everything one retrieval needs, with one state of knowledge."""

    toolbox: Toolbox
    knowledge: Knowledge
    index: MovieIndex
    encoder: Encoder
    executor: Executor
    ranker: Ranker | None = None
    """Out of fold, where one was given: the one that ships saw the development dialogues."""
    blind: Mapping[str, Ranker] = field(default_factory=dict)
    """{group of features: a ranker out of fold that may not look at it}."""
    enhancer: Enhancer | None = None

    def retriever(self, settings: RetrieverSettings) -> Retriever:
        """A retriever with other weights over the same knowledge."""
        names = {*settings.with_seeds, *settings.without_seeds, *settings.known_item}
        index = FewLegs(self.index, names)
        return Retriever(
            index, self.encoder, self.knowledge, self.executor, settings, self.enhancer
        )


async def shipped_world(services: Services) -> World:
    """As a user has it."""
    knowledge = (await services.toolbox.catalogue.tables()).knowledge
    return World(
        services.toolbox,
        knowledge,
        services.index,
        services.encoder,
        services.executor,
        enhancer=services.enhancer,
    )


async def recounted_world(
    services: Services, counts: CoMention, enhancer: Enhancer | None = None
) -> World:
    """With co-mention, popularity and fame from `counts` in place of what ships.

    So with the enhancer: the one that ships learned from these dialogues; without one that did not,
    queries keep their plain vectors.

    A catalogue's own popularity stays: it knows nothing of the dialogues. So does the fame by which
    an index breaks ties among equal tags and titles: it was written by hand, not counted.
    """
    index = await RecountedIndex.over(services.index, counts)

    def load(found: Mapping[str, bytes]) -> Knowledge:
        return Knowledge.load(found).with_counts(counts)

    catalogue = Catalogue(index, services.executor, load, tuple(FILES))
    toolbox = replace(services.toolbox, index=index, catalogue=catalogue)
    knowledge = (await catalogue.tables()).knowledge
    encoder = RememberingEncoder(services.encoder)
    return World(toolbox, knowledge, index, encoder, services.executor, enhancer=enhancer)


def folds_of(dialogue_ids: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """{dialogue_id: its fold}: a seeded shuffle, dealt out in turn."""
    shuffled = sorted(dialogue_ids)
    random.Random(seed).shuffle(shuffled)
    return {dialogue_id: i % folds for i, dialogue_id in enumerate(shuffled)}


def counts_without(
    folds: Collection[int], of: Mapping[str, int], dialogues: Mapping[str, Mapping[str, str]]
) -> CoMention:
    """The counts of all dialogues but those of some folds."""
    return count((d, list(films)) for d, films in dialogues.items() if of[d] not in folds)


async def counted_in(index: MovieIndex) -> frozenset[str]:
    """The prefixes of every dialogue that something in this index was counted from."""
    found: frozenset[str] = frozenset()
    for name in LEARNED:
        content = await index.knowledge(name)
        if content is not None:
            found |= CoMention.load(content).dialogues
    return found


def leaked(dialogue_ids: Sequence[str], counted: frozenset[str]) -> list[str]:
    """The dialogues that were counted."""
    return [d for d in dict.fromkeys(dialogue_ids) if prefix(d) in counted]


class IndexView:
    """A MovieIndex that passes everything on; what derives from it sees some things otherwise."""

    def __init__(self, inner: MovieIndex) -> None:
        self._inner = inner

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        return await self._inner.search(legs, constraints, k)

    async def scan(self) -> AsyncIterator[Movie]:
        async for movie in self._inner.scan():
            yield movie

    async def get(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        return await self._inner.get(movie_ids)

    async def vectors(self, movie_ids: Sequence[str]) -> dict[str, np.ndarray]:
        return await self._inner.vectors(movie_ids)

    async def count(self, constraints: Constraints) -> int:
        return await self._inner.count(constraints)

    async def unknown(self, constraints: Constraints, clause: Clause) -> tuple[int, int]:
        return await self._inner.unknown(constraints, clause)

    async def stats(self) -> IndexStats:
        return await self._inner.stats()

    async def knowledge(self, name: str) -> bytes | None:
        return await self._inner.knowledge(name)

    async def revision(self) -> str:
        return await self._inner.revision()

    async def changed_since(self, revision: str) -> Changed | None:
        return await self._inner.changed_since(revision)

    async def upsert(self, rows: Sequence[Row]) -> None:
        raise TypeError("an index under measurement is not written to")

    async def delete(self, movie_ids: Sequence[str]) -> int:
        raise TypeError("an index under measurement is not written to")

    async def put_knowledge(self, name: str, content: bytes, sha: str) -> None:
        raise TypeError("an index under measurement is not written to")

    async def close(self) -> None:
        """The index belongs to the services."""


class RecountedIndex(IndexView):
    """Movies have the fame that some counts give them, and no other."""

    def __init__(
        self, inner: MovieIndex, fame: Mapping[str, int], known: Mapping[str, float]
    ) -> None:
        super().__init__(inner)
        self._fame = fame
        self._known = known

    @classmethod
    async def over(cls, inner: MovieIndex, counts: CoMention) -> "RecountedIndex":
        """Grade every movie of an index by the counts."""
        grades = np.searchsorted(np.array(GRADES), counts.mentions, side="right")
        fame = dict(zip(counts.ids, grades.tolist(), strict=True))
        movies = [(m.movie_id, m.popularity) async for m in inner.scan()]
        fames = np.array([fame.get(i, NONE) for i, _ in movies], dtype=np.int32)
        popular = np.array([np.nan if p is None else p for _, p in movies], dtype=np.float32)
        known = dict(zip((i for i, _ in movies), prior(fames, popular).tolist(), strict=True))
        return cls(inner, fame, known)

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        graded = [ListLeg(self._known, g.name) if isinstance(g, PopularLeg) else g for g in legs]
        return await self._inner.search(graded, constraints, k)

    async def scan(self) -> AsyncIterator[Movie]:
        async for movie in self._inner.scan():
            yield replace(movie, fame=self._fame.get(movie.movie_id))

    async def get(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        found = await self._inner.get(movie_ids)
        return {i: replace(movie, fame=self._fame.get(i)) for i, movie in found.items()}


class FewLegs(IndexView):
    """Searches some legs only: a row that weighs one leg need not pay for the others."""

    def __init__(self, inner: MovieIndex, names: Collection[str]) -> None:
        super().__init__(inner)
        self._names = names

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        wanted = [leg for leg in legs if leg.name in self._names]
        return await self._inner.search(wanted, constraints, k)


class RememberingEncoder:
    """Encodes a text once for all rows."""

    def __init__(self, inner: Encoder) -> None:
        self.identity = inner.identity
        self.tokens = inner.tokens
        self._inner = inner
        self._one = lru_cache(maxsize=64)(lambda text: inner.encode([text])[0])

    def encode(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self._one(text) for text in texts])
