"""Looking a movie up by its id.

Knows the one read-only route; recommend.py finds movies by what they are called. Does not know the
index; the toolbox does. Mounted by app.py.
"""

from fastapi import APIRouter

from infra.api.problems import documented
from infra.wiring import Services
from retrieval.movie import Movie
from tools.stores import NotFound


def router(services: Services) -> APIRouter:
    """The routes, bound to the services."""
    routes = APIRouter(prefix="/v1/movies", tags=["catalogue"])

    @routes.get("/{movie_id}", responses=documented(404, 429, 503))
    async def movie(movie_id: str) -> Movie:
        """One movie with everything that the catalogue knows about it."""
        found: Movie | None = await services.toolbox.movie(movie_id)
        if found is None:
            raise NotFound(f"there is no movie {movie_id!r}")
        return found

    return routes
