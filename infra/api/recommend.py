"""The plain endpoints, for sites that want no chat: recommend, similar, search.

Knows bodies and query strings. Does not know how a list is made: agent/plain.py reads, searches and
verifies. Mounted by app.py; what a person did with a movie goes to feedback.py.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from agent.plain import Listed, found, recommended, similar
from agent.turn import MAX_MESSAGE_CHARS, check_message
from infra.api.bodies import documented_body, json_body
from infra.api.callers import Asking, RequestQuota, UserId
from infra.api.filters import Filters
from infra.api.problems import documented
from infra.wiring import Services
from prompts.loader import load_phrases
from retrieval.analysis import Analysis, Intent
from retrieval.enhancer import heard
from retrieval.movie import Movie, Taste
from tools.stores import NotFound

MAX_K = 50
K = Annotated[int, Field(ge=1, le=MAX_K, description="How many, at most.")]
ItemId = Annotated[str, Field(min_length=1, max_length=100, description="A movie's id.")]


class RecommendRequest(BaseModel):
    """What to recommend, and for whom. Every field may be left out."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {"query_text": "something like Heat but shorter, nothing gory", "k": 5},
                {"user_id": "u-17", "constraints": {"genre": "comedy", "year_min": 2000}},
            ]
        },
    )

    user_id: UserId | None = None
    k: K = 10
    explain: bool = True
    """Whether items come with reasons."""
    query_text: str = Field(default="", max_length=MAX_MESSAGE_CHARS)
    """What is wanted, in somebody's own words, as they would say it in the chat."""
    constraints: Filters = Filters()


class SearchRequest(Filters):
    """A query string: words, and filters by name."""

    query: Annotated[str, Field(min_length=1, max_length=200, description="A title, or words.")]
    k: K = 10


class SimilarRequest(BaseModel):
    """A query string: the movie that others should be like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: ItemId
    k: K = 10
    user_id: UserId | None = None


class Item(BaseModel):
    """One movie of a list."""

    item_id: str
    title: str
    score: float
    """Higher is better; comparable within one list only."""
    reason: list[str]
    """Why it is here, each tied to a catalogue field or to what was asked; empty if not wanted."""


class SemanticAnalysis(BaseModel):
    """What the words were taken to be after; empty without words or without the enhancer."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    confidence: float | None
    """How likely `primary_intent` is true of the words, 0-1; null with it."""
    primary_intent: Intent | None
    """The likeliest intent; null when none reaches .3."""
    all_intents: dict[Intent, float]
    """Each on its own, 0-1."""
    enhanced_score: float | None = None
    """How far the learned query vector was trusted over the plain one, 0-1."""
    heard: list[str] = []
    """The words that told most, heaviest first; what was rejected is not among them."""


class Recommendations(BaseModel):
    """A list, best first; shorter than `k` where no more fits."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "item_id": "us000291",
                            "title": "Collateral",
                            "score": 0.031,
                            "reason": ["People who love Heat name it as well."],
                        }
                    ],
                    "model_version": "5f0c1e7a9b2d",
                    "cached": False,
                    "semantic_analysis": {
                        "confidence": 0.97,
                        "primary_intent": "similarity_based",
                        "all_intents": {
                            "genre_preference": 0.03,
                            "mood_based": 0.04,
                            "descriptive_features": 0.91,
                            "temporal_context": 0.05,
                            "similarity_based": 0.97,
                        },
                        "enhanced_score": 0.86,
                        "heard": ["Heat", "shorter"],
                    },
                }
            ]
        },
    )

    items: list[Item]
    model_version: str
    """Changes with everything that ranks: encoder, weights, learned parts."""
    cached: bool
    """The list was made for an earlier request in near words; it is checked anew for this one."""
    semantic_analysis: SemanticAnalysis


def router(services: Services, quota: RequestQuota) -> APIRouter:
    """The routes, bound to the services."""
    routes = APIRouter(prefix="/v1", tags=["plain"])
    toolbox = services.toolbox

    @routes.post(
        "/recommend",
        responses=documented(400, 401, 403, 413, 415, 422, 429, 503),
        openapi_extra=documented_body(RecommendRequest),
    )
    async def recommend(
        caller: Asking, asked: Annotated[RecommendRequest, json_body(RecommendRequest)]
    ) -> Recommendations:
        """Movies for a person, for words, for filters, or for all of them.

        Nothing seen or disliked is in the list, and every item satisfies words and filters. Without
        any of them, it is what most people like. `user_id` needs an API key (403 otherwise).
        """
        principal = caller.acting_for(asked.user_id)
        await caller.admit(quota)
        text = asked.query_text.strip()
        if text:
            check_message(text, has_edits=False)
        taste = await toolbox.taste(principal)
        listed = await recommended(toolbox, text, asked.constraints.constraints(), taste, asked.k)
        return await _answer(services, listed, taste, asked.explain)

    @routes.get("/similar", responses=documented(401, 403, 404, 422, 429, 503))
    async def like(caller: Asking, asked: Annotated[SimilarRequest, Query()]) -> Recommendations:
        """Movies like one movie, without what the person saw or dislikes."""
        principal = caller.acting_for(asked.user_id)
        await caller.admit(quota)
        movie: Movie | None = await toolbox.movie(asked.item_id)
        if movie is None:
            raise NotFound(f"there is no movie {asked.item_id!r}")
        listed = await similar(toolbox, movie, await toolbox.taste(principal), asked.k)
        return await _answer(services, listed, Taste(), explain=True)

    @routes.get("/search", responses=documented(401, 422, 429, 503))
    async def search(caller: Asking, asked: Annotated[SearchRequest, Query()]) -> Recommendations:
        """Movies by title or words, exact titles first, that satisfy the filters.

        Filters are named as in `constraints` of `/v1/recommend`: `genre=crime&not_genre=horror`,
        `year_min=1990`, `director=...`. The same for everybody, seen or not.
        """
        await caller.admit(quota)
        listed = await found(toolbox, asked.query, asked.constraints(), asked.k)
        return await _answer(services, listed, Taste(), explain=True)

    return routes


async def _answer(
    services: Services, listed: Listed, taste: Taste, explain: bool
) -> Recommendations:
    phrases = load_phrases()
    items = [
        Item(
            item_id=one.movie.movie_id,
            title=one.movie.title,
            score=round(one.score, 6),
            reason=[why.text for why in listed.why(one, phrases)] if explain else [],
        )
        for one in listed.candidates
    ]
    analysis = await services.toolbox.analysis(listed.query, taste) or Analysis()
    return Recommendations(
        items=items,
        model_version=await services.toolbox.model_version(),
        cached=listed.retrieved.cached,
        semantic_analysis=SemanticAnalysis(
            confidence=analysis.confidence,
            primary_intent=analysis.primary_intent,
            all_intents=dict(analysis.all_intents),
            enhanced_score=analysis.enhanced_score,
            heard=heard(analysis),
        ),
    )
