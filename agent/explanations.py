"""Reasons in a model's words: one short sentence per card, tied to evidence, cached, checked.

Knows which evidence a card has, what an explanation must look like, and that a template stands in
for every one that does not. Does not know providers (model_turn.py) nor where the cache lies
(tools/stores.py). Called by steps.py before cards are sent.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, Field

from agent.film_guard import FilmGuard
from agent.model import ModelFailure
from agent.model_turn import ModelTurn
from agent.state import Card
from prompts.loader import PROMPTS, load_prompt
from retrieval.movie import Movie
from retrieval.nlu.lexicon import Lexicon
from tools.explain import Reason
from tools.stores import StoreFailure

MAX_WORDS = 25
MAX_EVIDENCE = 8
KEPT_S = 30 * 86_400
"""A reason stays true as long as its evidence, which is part of its key."""
SPOILERS = re.compile(
    r"\b(dies|die at|is killed|gets killed|killer is|murderer is|turns out|twist is|in the end|"
    r"at the end|the ending|finale|(was|were|is) dead|secretly|reveal(s|ed)? (that|to))\b",
    re.IGNORECASE,
)


class Explanation(BaseModel):
    """Why one film is on the list."""

    n: int
    text: str
    rests_on: Annotated[list[int], Field(min_length=1)]


class Explanations(BaseModel):
    """Call this once with one item per card."""

    items: list[Explanation]


@dataclass(frozen=True)
class Audience:
    """Whom the reasons are for: their wishes, the films they named, their language."""

    wishes: Sequence[str]
    named: Sequence[Movie]
    lexicon: Lexicon
    language: str


async def explained(cards: Sequence[Card], audience: Audience, turn: ModelTurn) -> list[Card]:
    """The cards with reasons in a model's words, where it gave good ones."""
    if not cards or turn.models.explain_s <= 0:
        return list(cards)
    first = turn.models.decide.rungs[0].model.model_id
    cases = [_Case(card, evidence_of(card, audience.wishes), audience) for card in cards]
    known = [await _cached(case.key(first), turn) for case in cases]
    missing = [i for i, reason in enumerate(known) if reason is None]
    if missing:
        written, model_id = await _written([cases[i] for i in missing], turn)
        for i, reason in zip(missing, written, strict=True):
            known[i] = reason
            if reason is not None and _for_everybody(reason, cases[i]):
                await _keep(cases[i].key(model_id), reason, turn)
    return [
        card if reason is None else replace(card, reasons=(reason,))
        for card, reason in zip(cards, known, strict=True)
    ]


@dataclass(frozen=True)
class _Case:
    card: Card
    evidence: list[str]
    audience: Audience

    def key(self, model_id: str) -> str:
        """Everything that an explanation depends on."""
        movie_id, language = self.card.candidate.movie.movie_id, self.audience.language
        parts = (movie_id, self.evidence, language, model_id, load_prompt("explain").sha)
        return f"explain:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"

    def told(self, n: int) -> dict[str, Any]:
        """The card as the prompt gets it."""
        evidence = {i: text[:120] for i, text in enumerate(self.evidence, 1)}
        return {"n": n, "title": self.card.candidate.movie.title[:80], "evidence": evidence}


def evidence_of(card: Card, wishes: Sequence[str]) -> list[str]:
    """What may be said for a card: its reasons first, then facts, then what was asked for."""
    movie = card.candidate.movie
    facts = [
        f"directed by {movie.directors[0]}" if movie.directors else "",
        f"with {', '.join(movie.cast[:2])}" if movie.cast else "",
        f"{movie.runtime_min} minutes long" if movie.runtime_min else "",
        ", ".join((*movie.genres[:2], *movie.moods[:2])),
        f"about {', '.join(movie.themes[:2])}" if movie.themes else "",
    ]
    reasons = [reason.text for reason in card.reasons]
    asked_for = [f"asked for: {', '.join(wishes[:4])}"] if wishes else []
    return [part for part in (*reasons, *facts, *asked_for) if part][:MAX_EVIDENCE]


async def _written(cases: Sequence[_Case], turn: ModelTurn) -> tuple[list[Reason | None], str]:
    """One batched call and who answered it; None for a card without a good explanation."""
    listed = [case.told(n) for n, case in enumerate(cases, 1)]
    try:
        language = cases[0].audience.language
        messages = turn.asked("explain", language=language, cards=listed)
        answer, model_id = await turn.structured("explain", messages, Explanations)
    except ModelFailure as failure:
        turn.note(f"explain: templates instead ({failure.kind})", degrades=False)
        return [None] * len(cases), ""
    by_number = {item.n: item for item in reversed(answer.items)}
    found = [_checked(by_number.get(n), case) for n, case in enumerate(cases, 1)]
    refused = sum(reason is None for reason in found)
    if refused:
        turn.note(f"explain: {refused} templates instead", degrades=False)
    return found, model_id


def _checked(item: Explanation | None, case: _Case) -> Reason | None:
    """The explanation as a reason; None when it is long, tells the end, or rests on nothing."""
    evidence, audience = case.evidence, case.audience
    if item is None or any(not 1 <= i <= len(evidence) for i in item.rests_on):
        return None
    text = " ".join(item.text.split())
    guard = _guard(case, audience.named)
    too_long = len(text.split()) > MAX_WORDS or len(text) > 12 * MAX_WORDS
    if not text or too_long or SPOILERS.search(text) or not guard.passes(text):
        return None
    return Reason(text, "; ".join(evidence[i - 1] for i in dict.fromkeys(item.rests_on)))


def _guard(case: _Case, named: Sequence[Movie]) -> FilmGuard:
    return FilmGuard(
        [case.card.candidate.movie, *named],
        case.evidence,
        case.audience.lexicon,
        [load_prompt(name).text for name in PROMPTS],
        case.audience.language,
    )


def _for_everybody(reason: Reason, case: _Case) -> bool:
    """Whether nothing in it is known from this conversation alone: others are told what is kept."""
    return _guard(case, ()).passes(reason.text)


# --- the cache ------------------------------------------------------------------------------------


async def _cached(key: str, turn: ModelTurn) -> Reason | None:
    try:
        stored = await turn.models.cache.get(key, now=turn.models.now())
    except StoreFailure:
        return None  # a cache that is away is an empty cache
    return Reason(*json.loads(stored)) if stored else None


async def _keep(key: str, reason: Reason, turn: ModelTurn) -> None:
    value = json.dumps([reason.text, reason.rests_on]).encode()
    with suppress(StoreFailure):
        await turn.models.cache.put(key, value, expires_at=turn.models.now() + KEPT_S)
