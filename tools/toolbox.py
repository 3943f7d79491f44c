"""One toolbox: everything the agent may do, as typed methods.

Knows which tools there are, which only read and which write, and the clear error a tool gives back.
Does not know which model or surface calls it; the principal is handed in by the caller's session
and is never part of a tool's arguments. Called by agent/ and by the plain HTTP endpoints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from retrieval.index import MovieIndex
from retrieval.lexicon import Lexicon
from retrieval.movie import Clause, Constraints, Movie, Query, Taste, fold, title_key
from retrieval.retriever import Retrieved, Retriever
from tools.catalogue import Catalogue, Tables
from tools.profile import ProfileTool
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

    @effect("read")
    async def search(self, query: Query, taste: Taste, k: int = WINDOW) -> Retrieved:
        """Rank movies for a query; every one satisfies the query's constraints."""
        tables = await self.catalogue.tables()
        return await self.retriever_for(tables).retrieve(query, taste, k)

    @effect("read")
    async def movie(self, movie_id: str) -> Movie | None:
        """One movie by id, or None."""
        return (await self.index.get([movie_id])).get(movie_id)

    @effect("read")
    async def movies(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """Movies by id; unknown ids are left out."""
        return await self.index.get(list(dict.fromkeys(movie_ids))) if movie_ids else {}

    @effect("read")
    async def find(self, text: str, k: int = 10) -> list[Movie]:
        """Movies by title or words, exact titles first: for people who type a name."""
        query = Query(text=text, known_item=True)
        found = (await self.search(query, Taste(), max(k, 20))).candidates
        named = (await self.lexicon()).titles
        exact = [e.movie_id for key in (fold(text), title_key(text)) for e in named.get(key, ())]
        first = await self.movies(exact)
        rest = [c.movie for c in found if c.movie.movie_id not in first]
        return [*first.values(), *rest][:k]

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
