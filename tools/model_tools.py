"""The tools that a model may call before it answers: methods whose docstring is the schema.

Knows how methods become tool specs, how a call is checked and bounded, and that a model gets the
reading ones only. Does not know models. Who is asking is fixed when the tools are made, from the
session; no argument can name anybody. Called by agent/look_up.py.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from retrieval.index import IndexFailure
from retrieval.movie import Constraints, Movie, Query, Seed, satisfies
from tools.stores import StoreFailure
from tools.toolbox import Toolbox, ToolFailure, effect

MAX_RESULT_CHARS = 900
SIMILAR = 5
Film = Annotated[str, Field(min_length=1, max_length=120, description='As "Title (Year)".')]


@dataclass
class ModelTools:
    """The tools of one turn, for one person, under the wishes that bind."""

    toolbox: Toolbox
    principal: str
    constraints: Constraints
    found: list[Movie] = field(default_factory=list)
    """Films that came up and satisfy the constraints: they may be spoken of."""

    @effect("read")
    async def details(self, film: Film) -> str:
        """Facts of one film: people, length, genres, moods, story."""
        return _described(await self._resolve(film))

    @effect("read")
    async def similar(self, film: Film) -> str:
        """Up to 5 films like one film that fit what this person wants."""
        movie = await self._resolve(film)
        query = Query("", seeds=(Seed(movie.movie_id),), constraints=self.constraints)
        taste = await self.toolbox.taste(self.principal)
        near = (await self.toolbox.search(query, taste)).candidates[:SIMILAR]
        films = [c.movie for c in near if satisfies(c.movie, self.constraints)]
        self.found += films
        return "; ".join(film.label() for film in films) or "none that fit"

    @effect("read")
    async def profile(self) -> str:
        """Films that this person liked, disliked and has seen."""
        taste = await self.toolbox.taste(self.principal)
        ids = [*list(taste.likes)[:8], *list(taste.dislikes)[:8]]
        movies = await self.toolbox.movies(ids)
        liked = [movies[m].label() for m in list(taste.likes)[:8] if m in movies]
        disliked = [movies[m].label() for m in list(taste.dislikes)[:8] if m in movies]
        return f"liked: {liked}; disliked: {disliked}; seen: {len(taste.seen)} films"

    async def _resolve(self, film: str) -> Movie:
        entry = (await self.toolbox.lexicon()).resolve(film)
        movie = await self.toolbox.movie(entry.movie_id) if entry else None
        if movie is None:
            raise ToolFailure('no such film in the catalogue: give its title as "Title (Year)"')
        return movie


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as offered: name, docstring, the model of its arguments."""

    name: str
    description: str
    arguments: type[BaseModel]


def offers(tools: type[ModelTools] = ModelTools) -> list[Offer]:
    """Every method tagged `read`, in the order of their names, so that the specs never change."""
    found = []
    for name, method in inspect.getmembers(tools, inspect.isfunction):
        if getattr(method, "effect", None) == "read":
            found.append(Offer(name, inspect.getdoc(method) or name, _arguments(name, method)))
    return found


async def call(tools: ModelTools, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
    """What a tool says, and whether it failed: every error tells the model what to change."""
    offered = {offer.name: offer for offer in offers(type(tools))}
    if name not in offered:
        return f"there is no tool {name[:40]!r}: choose from {', '.join(offered)}", True
    try:
        checked = offered[name].arguments.model_validate(dict(arguments))
        said: str = await getattr(tools, name)(**checked.model_dump())
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong[:3]]
        return f"{name} cannot take these arguments: {'; '.join(problems)}", True
    except ToolFailure as failure:
        return str(failure), True
    except (IndexFailure, StoreFailure):
        return f"{name} is out of order: answer without it", True
    return said[:MAX_RESULT_CHARS], False


def _arguments(name: str, method: Callable[..., Any]) -> type[BaseModel]:
    parameters = list(inspect.signature(method, eval_str=True).parameters.values())[1:]
    fields: dict[str, Any] = {p.name: (p.annotation, ...) for p in parameters}
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _described(movie: Movie) -> str:
    people: Sequence[tuple[str, object]] = (
        ("directed by", ", ".join(movie.directors[:2])),
        ("with", ", ".join(movie.cast[:4])),
        ("minutes", movie.runtime_min),
        ("genres", ", ".join(movie.genres)),
        ("moods", ", ".join(movie.moods[:4])),
        ("rated", movie.certificate),
        ("story", movie.overview[:400]),
    )
    known = [f"{name} {value}" for name, value in people if value]
    return f"{movie.label()}: {'; '.join(known)}"
