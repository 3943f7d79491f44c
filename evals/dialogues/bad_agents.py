"""Five deliberately bad agents: the harness's own test, behind the seam that the product has.

Knows five ways to be bad that real systems have: at random, only what is popular, inventing, always
asking, never asking. Does not know scorers; tests/test_evals_self.py says which of them must see
which. Called by `python -m evals run --agent NAME`.
"""

import random
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from agent.events import (
    Act,
    Card,
    Clarify,
    Event,
    Fact,
    Option,
    Recommendations,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from agent.turn import Turn
from evals.dialogues.reference import Reference
from infra.script import Replies
from retrieval.movie import Movie

CARDS = 5
INVENTED = ("Glass Harbour", "The Lantern Thief of Ostrava", "Nine Quiet Mondays")
"""Films that no catalogue has."""
INVENTOR = "Marlo Trentwick"
"""Nobody."""


def _turn(conversation_id: str | None, acts: Sequence[Act], *parts: dict[str, Any]) -> list[Event]:
    """One whole, well-ordered stream: a bad agent is bad in one way only."""
    turn_id = f"t_{uuid.uuid4().hex}"
    started: dict[str, Any] = {
        "type": "turn.started",
        "conversation_id": conversation_id or f"c_{turn_id}",
    }
    finished: dict[str, Any] = {"type": "turn.finished", "status": "completed", "acts": list(acts)}
    finished |= {"timings": {}, "prompt_shas": {}}
    kinds: dict[str, type[Event]] = {
        "turn.started": TurnStarted,
        "recommendations": Recommendations,
        "text.delta": TextDelta,
        "clarify": Clarify,
        "turn.finished": TurnFinished,
    }
    rows = [started, *parts, finished]
    return [
        kinds[row["type"]].model_validate({**row, "id": n, "turn_id": turn_id})
        for n, row in enumerate(rows, 1)
    ]


def _card(movie: Movie) -> Card:
    facts = Fact(genres=list(movie.genres), runtime_min=movie.runtime_min)
    return Card(id=movie.movie_id, title=movie.title, year=movie.year, why=[], facts=facts)


class RandomAgent:
    """Shows films by chance, whatever is said."""

    def __init__(self, movies: Sequence[Movie], seed: int = 0) -> None:
        self._movies = movies
        self._rng = random.Random(seed)

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """The same shape of answer to every message."""
        cards = [_card(movie) for movie in self._pick(turn)]
        listed = {"type": "recommendations", "cards": cards}
        said = {"type": "text.delta", "text": "Here are some films."}
        for event in _turn(turn.conversation_id, ["search"], listed, said):
            yield event

    def _pick(self, turn: Turn) -> Sequence[Movie]:
        return self._rng.sample(self._movies, CARDS)


class PopularAgent(RandomAgent):
    """Shows the best known films, then the next best known, whatever is said."""

    def __init__(self, movies: Sequence[Movie], best_first: Callable[[Movie], float]) -> None:
        super().__init__(sorted(movies, key=best_first))
        self._told: dict[str, int] = {}

    def _pick(self, turn: Turn) -> Sequence[Movie]:
        told = self._told.get(turn.principal, 0)
        self._told[turn.principal] = told + CARDS
        return self._movies[told : told + CARDS]


class AlwaysClarify:
    """Asks the same question again and again, and never shows a film."""

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """A question."""
        options = [Option(label="Something funny", text="something funny")]
        asked = {"type": "clarify", "question": "What kind of film?", "options": options}
        for event in _turn(turn.conversation_id, ["clarify"], asked):
            yield event


class NeverClarify:
    """The product without its questions: it shows a list however little was said."""

    def __init__(self, product: Replies) -> None:
        self._product = product

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """The product's events, renumbered without `clarify`."""
        number = 0
        async for event in self._product.reply(turn):
            if isinstance(event, Clarify):
                continue
            number += 1
            changes: dict[str, Any] = {"id": number}
            if isinstance(event, TurnFinished):
                changes["acts"] = [act for act in event.acts if act != "clarify"]
            yield event.model_copy(update=changes)


class Hallucinating:
    """The product, inventing: a film, its director, a year, and a reason on every first card."""

    def __init__(self, product: Replies) -> None:
        self._product = product
        self._lists = 0
        self._silent = False

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """The product's events with inventions."""
        async for event in self._product.reply(turn):
            yield self._spoil(event)

    def _spoil(self, event: Event) -> Event:
        if isinstance(event, Recommendations) and event.cards:
            return event.model_copy(update={"cards": self._spoilt(event.cards)})
        if isinstance(event, TextDelta) and self._silent:
            self._silent = False
            film = INVENTED[self._lists % len(INVENTED)]
            told = f' I also love "{film}" (1987), directed by {INVENTOR}. '
            return event.model_copy(update={"text": f"{event.text}{told}"})
        return event

    def _spoilt(self, cards: Sequence[Card]) -> list[Card]:
        self._lists += 1
        self._silent = True
        first, *others = cards
        minutes = (first.facts.runtime_min or 0) + 17
        why = [f"It is {minutes} minutes long", *first.why]
        spoilt = [first.model_copy(update={"why": why}), *others]
        if len(others) > 1:
            title = INVENTED[self._lists % len(INVENTED)]
            changes = {"id": f"x{self._lists}", "title": title, "year": 1987}
            spoilt[-1] = others[-1].model_copy(update=changes)
        return spoilt


def bad_agents(product: Replies, reference: Reference) -> Mapping[str, Callable[[], Replies]]:
    """Each by its name, made anew for every run."""
    movies = [reference.movies[movie_id] for movie_id in sorted(reference.movies)]
    return {
        "random": lambda: RandomAgent(movies),
        "popular": lambda: PopularAgent(movies, reference.obscurity),
        "hallucinating": lambda: Hallucinating(product),
        "always-clarify": AlwaysClarify,
        "never-clarify": lambda: NeverClarify(product),
    }


NAMES = ("random", "popular", "hallucinating", "always-clarify", "never-clarify")
"""For flags; `bad_agents` has them all."""
