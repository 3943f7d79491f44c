"""Looking movies up: one by id, or a few by what they are called.

Knows the two read-only routes. Does not know the index; the toolbox does. Mounted by app.py.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from infra.api.problems import documented
from infra.wiring import Services
from retrieval.movie import Movie
from tools.stores import NotFound

MAX_FOUND = 50


class Movies(BaseModel):
    """Movies, best first."""

    movies: list[Movie]


def router(services: Services) -> APIRouter:
    """The routes, bound to the services."""
    routes = APIRouter(prefix="/v1/movies", tags=["catalogue"])

    @routes.get("/{movie_id}", responses=documented(404, 503))
    async def movie(movie_id: str) -> Movie:
        """One movie with everything that the catalogue knows about it."""
        found: Movie | None = await services.toolbox.movie(movie_id)
        if found is None:
            raise NotFound(f"there is no movie {movie_id!r}")
        return found

    @routes.get("", responses=documented(422, 503))
    async def find(
        query: Annotated[str, Query(min_length=1, max_length=200)],
        k: Annotated[int, Query(ge=1, le=MAX_FOUND)] = 10,
    ) -> Movies:
        """Movies whose title, people or description match the query, best first."""
        return Movies(movies=await services.toolbox.find(query, k))

    return routes
