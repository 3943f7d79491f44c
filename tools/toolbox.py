"""One toolbox: everything the agent may do, as typed methods.

Knows which tools there are, which only read and which write, and the clear error a tool gives back.
Does not know which model or surface calls it; the principal is handed in by the caller's session
and is never part of a tool's arguments. Called by agent/ and by the plain HTTP endpoints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from retrieval.analysis import Analysis
from retrieval.index import MovieIndex
from retrieval.movie import (
    Candidate,
    Clause,
    Constraints,
    Movie,
    Query,
    Taste,
    fold,
    satisfies,
    title_key,
)
from retrieval.nlu.lexicon import Lexicon
from retrieval.retriever import Retrieved, Retriever
from tools.catalogue import Catalogue, Tables
from tools.profile import ProfileTool
from tools.semantic_cache import SemanticCache, recipe_of
from tools.stores import Interaction

F = TypeVar("F", bound=Callable[..., object])
WINDOW = 50
"""Candidates handed to verification: enough to fill a list after any film is refused."""


class ToolFailure(Exception):
    """A tool could not do its work; the message tells the caller what to change."""


def effect(kind: Literal["read", "write"]) -> Callable[[F], F]:
    """Tag a tool: `read` may be repeated freely, `write` changes something for the user."""

    def tag(method: F) -> F:
        method.effect = kind  # type: ignore[attr-defined]  # a plain marker on the function
        return method

    return tag


@dataclass(frozen=True)
class Toolbox:
    """The tools over one catalogue and one set of stores."""

    index: MovieIndex
    catalogue: Catalogue
    retriever_for: Callable[[Tables], Retriever]
    profile: ProfileTool
    cache: SemanticCache | None = None
    """None: every search is made anew."""

    @effect("read")
    async def search(self, query: Query, taste: Taste, k: int = WINDOW) -> Retrieved:
        """Rank movies for a query; every one satisfies the query's constraints."""
        tables = await self.catalogue.tables()
        retriever = self.retriever_for(tables)
        if self.cache is None:
            return await retriever.retrieve(query, taste, k)
        return await self.cache.search(retriever, tables.revision, query, taste, k)

    @effect("read")
    async def analysis(self, query: Query, taste: Taste) -> Analysis | None:
        """What a query is taken to be after; None without words, or without an enhancer."""
        retriever = self.retriever_for(await self.catalogue.tables())
        return (await retriever.prepare(query, taste)).analysis

    @effect("read")
    async def model_version(self) -> str:
        """A short name of what ranks: it changes with encoder, weights and learned parts."""
        tables = self.catalogue.current or await self.catalogue.tables()
        return recipe_of(self.retriever_for(tables)).version

    @effect("read")
    async def movie(self, movie_id: str) -> Movie | None:
        """One movie by id, or None."""
        return (await self.index.get([movie_id])).get(movie_id)

    @effect("read")
    async def movies(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """Movies by id; unknown ids are left out."""
        return await self.index.get(list(dict.fromkeys(movie_ids))) if movie_ids else {}

    @effect("read")
    async def find(self, query: Query, k: int = WINDOW) -> Retrieved:
        """Movies by title or words, exact titles first: for people who type a name."""
        query = replace(query, known_item=True)
        found = await self.search(query, Taste(), k)
        names, titles = (fold(query.text), title_key(query.text)), (await self.lexicon()).titles
        exact = await self.movies([e.movie_id for name in names for e in titles.get(name, ())])
        ranked = {c.movie.movie_id: c for c in found.candidates}
        best = max((c.score for c in found.candidates), default=1.0)
        first = [
            ranked.get(movie_id) or Candidate(movie, best)
            for movie_id, movie in exact.items()
            if satisfies(movie, query.constraints)
        ]
        rest = [c for c in found.candidates if c.movie.movie_id not in exact]
        return replace(found, candidates=tuple([*first, *rest][:k]))

    @effect("read")
    async def lexicon(self) -> Lexicon:
        """The names of the catalogue."""
        return (await self.catalogue.tables()).lexicon

    @effect("read")
    async def count(self, constraints: Constraints) -> int:
        """How many movies fit."""
        return await self.index.count(constraints)

    @effect("read")
    async def unknown_share(self, constraints: Constraints, clause: Clause) -> float:
        """Of the movies that fit all else, the share whose field for `clause` is not known."""
        lacking, total = await self.index.unknown(constraints, clause)
        return lacking / total if total else 0.0

    @effect("read")
    async def taste(self, principal: str) -> Taste:
        """What is known of a person's taste."""
        return await self.profile.taste(principal)

    @effect("write")
    async def record(self, principal: str, interactions: Sequence[Interaction]) -> int:
        """Append what a person did; how many were new."""
        return await self.profile.record(principal, interactions)
