"""The semantic cache: a ranked list is used again for a request that asks the same in near words.

Knows what makes two requests the same, how near is near, and what is never kept. Does not know how
a list is made (retrieval/), how it lies in bytes (cached_lists.py) or who keeps it (the port in
stores.py). Called by toolbox.py, for chat and plain endpoints alike.

The key is everything that retrieval reads but the words, which the vector stands for, and the
movies that are out (seen, shown, disliked), which are removed from every list afterwards. Kept are
ids, scores and evidence; movies are read anew, and the caller verifies them as always.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from retrieval.index import WINDOW, MovieIndex
from retrieval.movie import Candidate, Query, Taste, fold
from retrieval.retriever import Prepared, Retrieved, Retriever
from retrieval.search_terms import query_terms
from tools.cached_lists import Pair, Ranked, pack, read, unpack, write
from tools.profile import ProfileTaste
from tools.stores import Cached, CacheStore, StaleVersion, StoreFailure

NEAR = 0.97
"""Cosine from which two wordings of the same key are one. Of 1,200 pairs that differ in one thing,
the nearest two with one key lie at .942 (`python -m evals cache` on catalogue_core)."""
_ranks: WeakKeyDictionary[Retriever, str] = WeakKeyDictionary()
"""{retriever: the sha of its settings}, which never change: worked out once, not every search."""
LANGUAGE = "en"
"""That lists are made for: a request in another language is put into English before (gloss.py)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What lists are made with; anything else makes other lists."""

    encoder: str
    """Shas, each empty where there is no such part."""
    ranker: str
    enhancer: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """{prompt id: sha}, where a model takes part."""

    @property
    def version(self) -> str:
        """A short name that changes with every part."""
        return _digest(_plain(self))[:12]


def recipe_of(retriever: Retriever, prompts: Mapping[str, str] | None = None) -> Recipe:
    """The recipe of a retriever, and of the model in front of it if there is one."""
    if retriever not in _ranks:
        settings = retriever.settings
        learned = settings.ranker.sha if settings.ranker else ""
        _ranks[retriever] = _digest([_plain(replace(settings, ranker=None)), learned])[:16]
    return Recipe(
        encoder=retriever.encoder.identity.sha,
        ranker=_ranks[retriever],
        enhancer=retriever.enhancer.sha if retriever.enhancer else "",
        prompts=prompts or {},
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where lists of one kind of request are kept: the key, and whose value it is."""

    key: str
    owner: str = ""


@dataclass
class Tally:
    """What the cache did since the process began."""

    hits: int = 0
    misses: int = 0
    refused: int = 0
    """Lists that were not kept: degraded, or made while the catalogue changed."""


@dataclass(frozen=True)
class SemanticCache:
    """Looks a request up, or has it searched and keeps the list."""

    store: CacheStore
    index: MovieIndex
    clock: Callable[[], float]
    ttl_s: float
    prompts: Mapping[str, str] = field(default_factory=dict)
    near: float = NEAR
    tally: Tally = field(default_factory=Tally)

    async def search(
        self, retriever: Retriever, revision: str, query: Query, taste: Taste, k: int
    ) -> Retrieved:
        """The best `k` for a query, from the cache where it may be.

        Args: revision: of the tables that the retriever votes from.
        """
        prepared = await retriever.prepare(telling(query))
        recipe = recipe_of(retriever, self.prompts)
        place = place_of(query, taste, revision, recipe, prepared)
        if place is None or k > WINDOW:
            return await retriever.retrieve(query, taste, k)
        vector, gone = _vector(prepared), _gone(query, taste)
        found = await self._look(place)
        pairs = read(found.value) if found else []
        packed = nearest(pairs, vector, self.near)
        if packed is not None:
            hit = await self._serve(packed, gone, k)
            if hit is not None:
                self.tally.hits += 1
                return hit
            # So many are out that the list has to be made without them from the start.
            return await retriever.retrieve(query, taste, k)
        self.tally.misses += 1
        full = await retriever.retrieve(_general(query), Taste(likes=taste.likes), WINDOW)
        if full.degraded or await self.index.revision() != revision:
            self.tally.refused += 1
        else:
            await self._keep(place, pairs, found.version if found else 0, vector, full)
        kept = tuple(c for c in full.candidates if c.movie.movie_id not in gone)
        if len(kept) < k <= len(full.candidates):
            return await retriever.retrieve(query, taste, k)
        return replace(full, candidates=kept[:k])

    async def _look(self, place: Place) -> Cached | None:
        """A store that fails is no reason not to search."""
        with suppress(StoreFailure):
            return await self.store.versioned(place.key, now=self.clock(), owner=place.owner)
        return None

    async def _keep(
        self, place: Place, pairs: list[Pair], version: int, vector: np.ndarray, full: Retrieved
    ) -> None:
        """In one conditional write; who comes second leaves it: a value may vanish at any time."""
        ranked = [Ranked(c.movie.movie_id, c.score, c.evidence) for c in full.candidates]
        pair = Pair(vector, pack(ranked))
        now = self.clock()
        with suppress(StaleVersion, StoreFailure):
            await self.store.put_if_version(
                place.key,
                write([pair, *pairs]),
                version=version,
                expires_at=now + self.ttl_s,
                now=now,
                owner=place.owner,
            )

    async def _serve(self, packed: bytes, gone: frozenset[str], k: int) -> Retrieved | None:
        """The list without what is out; None when it is too short after that."""
        ranked, length = unpack(packed, k, gone)
        if len(ranked) < k <= length:
            return None
        movies = await self.index.get([one.movie_id for one in ranked])
        candidates = tuple(
            Candidate(movies[one.movie_id], one.score, one.evidence)
            for one in ranked
            if one.movie_id in movies
        )
        return Retrieved(candidates, cached=True)


def place_of(
    query: Query, taste: Taste, revision: str, recipe: Recipe, prepared: Prepared
) -> Place | None:
    """Where the lists of a request are kept; None for a taste of nobody in particular."""
    owner, scope = "", "shared"
    if taste.likes:  # what is seen or disliked only removes movies: it takes no part in a list
        if not isinstance(taste, ProfileTaste):
            return None
        owner, scope = taste.principal, f"profile {taste.version}"
    asked = {
        one.name: _plain(getattr(query, one.name))
        for one in fields(query)
        if one.name not in ("text", "said", "constraints")
    }
    key = {
        "asked": asked,
        "constraints": _plain(_general(query).constraints),
        # A title is not near another one, however alike they sound.
        "title": fold(query.text) if query.known_item else "",
        "words": prepared.vector is not None,
        "k": WINDOW,
        "language": LANGUAGE,
        "intent": prepared.analysis.primary_intent if prepared.analysis else None,
        "revision": revision,
        "recipe": _plain(recipe),
        "scope": scope,
    }
    return Place(f"search:{_digest(key)}", owner)


def telling(query: Query) -> Query:
    """The query with the words that say something of the film, as the lexical leg reads them.

    "Show me a heist film, please" and "a heist movie" are one; and without small talk around it, a
    word that differs weighs more: the wordings to be told apart lie further from each other. The
    intent of the key is read from these words, too: politeness must not tip it. Nothing stands
    behind them, as behind a description of one film: nearness is that of plain vectors.
    """
    return Query(text=" ".join(query_terms(query.text)), known_item=True)


def nearest(pairs: list[Pair], vector: np.ndarray, near: float) -> bytes | None:
    """The packed list of the nearest vector, if it is near enough."""
    if not len(vector):  # without words, the key says it all
        return pairs[0].packed if pairs else None
    found = [(float(pair.vector @ vector), n) for n, pair in enumerate(pairs)]
    best, at = max(found, default=(0.0, 0))
    return pairs[at].packed if best >= near else None


def _vector(prepared: Prepared) -> np.ndarray:
    # Enhanced vectors of different words may be near each other for the sake of the same seeds.
    return np.zeros(0, dtype=np.float32) if prepared.plain is None else prepared.plain


def _general(query: Query) -> Query:
    """The request of anybody: without the movies that are out for this one."""
    return replace(query, constraints=replace(query.constraints, exclude_ids=frozenset()))


def _gone(query: Query, taste: Taste) -> frozenset[str]:
    return query.constraints.exclude_ids | taste.seen | set(taste.dislikes)


def _plain(value: Any) -> Any:
    """Any value of a request as JSON, equal for equal meanings.

    Fields are found, not listed: one that is added to Query later is in the key by itself.
    """
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        return {"": type(value).__name__, **named}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value), key=_text)
    if isinstance(value, tuple | list):
        # Clauses, wishes and seeds mean the same in any order; a list of ids is a ranking.
        plain = [_plain(one) for one in value]
        return sorted(plain, key=_text) if any(map(is_dataclass, value)) else plain
    return value


def _text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _digest(plain: Any) -> str:
    return hashlib.sha256(_text(plain).encode()).hexdigest()
