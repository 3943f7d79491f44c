"""Saying it with a model: prose streamed from verified cards only, sentence by checked sentence.

Knows what the model is told, how its stream is held back until a sentence is safe, and what stands
in when it falls silent. Does not know providers (model_turn.py) nor what makes a sentence safe
(film_guard.py). Called by steps.py where the turn has models; respond.py speaks otherwise.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agent import respond
from agent.events import TextDelta
from agent.film_guard import FilmGuard, sentences
from agent.inform import informed
from agent.ledger import movie_id_of
from agent.model import ModelFailure
from agent.model_decider import history_of
from agent.model_turn import ModelTurn
from agent.state import Card, Deps, TurnState
from prompts.loader import PROMPTS, load_prompt

MAX_SENTENCES = 8
OVERVIEW_CHARS = 140
FACT_CHARS = 1400
HISTORY_TURNS = 4
"""The ledger holds what earlier turns amounted to; these are for the tone."""


async def speak(state: TurnState, deps: Deps, turn: ModelTurn) -> str:
    """Emit the answer as it becomes safe to say, and return it; templates stand in for silence."""
    guard = guard_of(state)
    said: list[str] = []
    try:
        messages = turn.asked("respond", **told(state, deps))
        async with aclosing(_safe(turn.stream(messages), guard)) as safe:
            async for sentence in safe:
                said.append(sentence if not said else f" {sentence}")
                deps.emit(TextDelta, text=said[-1])
                if len(said) == MAX_SENTENCES:
                    break
    except ModelFailure as failure:
        if said:
            turn.note(f"respond: cut short ({failure.kind})")
    if guard.refused:
        turn.note(f"respond: {len(guard.refused)} sentences left out", degrades=False)
    if not said:
        turn.note("respond: templates instead")
        text = respond.compose(state, deps.phrases)
        if not text and state["clarify"] is None:  # the model meant to answer from what it knows
            text = deps.phrases.say("not_understood")
        said = list(respond.pieces(text))
        for piece in said:
            deps.emit(TextDelta, text=piece)
    return "".join(said)


async def _safe(stream: AsyncGenerator[str, None], guard: FilmGuard) -> AsyncGenerator[str, None]:
    """Whole sentences that the guard lets pass; the rest is dropped without a word."""
    held = ""
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            whole, held = sentences(held + piece)
            for sentence in whole:
                if guard.passes(sentence):
                    yield sentence.strip()
            await asyncio.sleep(0)  # a stream that never waits must not hold the loop
    if held.strip() and guard.passes(held):
        yield held.strip()


def guard_of(state: TurnState) -> FilmGuard:
    """What this turn's prose may name: cards and conversation."""
    movies = state["movies"]
    named = {m.movie_id for m in state["understanding"].mentions}
    named |= {m for e in state["ledger"].entries if (m := movie_id_of(e))}
    named |= set(state["before"].last_shown) | {state["before"].in_focus or ""}
    films = [card.candidate.movie for card in state["cards"]]
    films += [movies[m] for m in sorted(named) if m in movies]
    films += state.get("found", [])
    # Only what catalogue fields and templates made: words of users, stories and tools may be bait.
    free = ("mood", "theme", "keyword")
    wishes = [entry.label for entry in state["ledger"].entries if entry.kind not in free]
    reasons = [reason.text for card in state["cards"] for reason in card.reasons]
    return FilmGuard(
        films,
        [*wishes, *reasons, *state["notes"]],
        state["tables"].lexicon,
        [load_prompt(name).text for name in PROMPTS],
        state["decision"].language,
    )


def told(state: TurnState, deps: Deps) -> dict[str, Any]:
    """The inputs of the prompt `respond`."""
    decision = state["decision"]
    clarify = state["clarify"]
    question = ""
    if clarify is not None:
        question = respond.question(clarify, deps.phrases, len(state["before"].asked))
    return {
        "message": state["turn"].message,
        "language": decision.language,
        "acts": list(decision.acts),
        "cards": [_card(card) for card in state["cards"][:5]],
        "facts": facts_of(state, deps),
        "must_say": [*respond.changes_said(state, deps.phrases), *state["notes"]],
        "question": question,
        "wishes": [entry.label for entry in state["ledger"].entries][-12:],
        "history": history_of(state.get("history", ())[-HISTORY_TURNS:]),
    }


def facts_of(state: TurnState, deps: Deps) -> list[str]:
    """What the rules and the tools found out for this answer."""
    answers = [" ".join(informed(state, deps.phrases))]
    facts: Sequence[str] = [*answers, *state.get("facts", ())]
    kept, room = [], FACT_CHARS
    for fact in facts:
        kept += [fact[:room]] if fact and room > 0 else []
        room -= len(fact)
    return kept


def _card(card: Card) -> dict[str, Any]:
    movie = card.candidate.movie
    facts = {
        "genres": list(movie.genres[:3]),
        "director": ", ".join(movie.directors[:2]),
        "cast": ", ".join(movie.cast[:3]),
        "minutes": movie.runtime_min,
        "moods": list(movie.moods[:3]),
        "story": movie.overview[:OVERVIEW_CHARS],
    }
    why = [reason.text for reason in card.reasons]
    known = {name: value for name, value in facts.items() if value}
    return {"title": movie.title[:80], "year": movie.year, **known, "why": why}
