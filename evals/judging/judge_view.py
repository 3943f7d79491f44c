"""What a judge gets to see of a dialogue: what was said and shown, nothing that names the system.

Knows the form that the prompts judge.md and judge_pair.md describe, and what gives a system away.
Does not know rubrics or models. Pure. Called by judge.py and judge_pairs.py.
"""

import re
from collections.abc import Sequence
from typing import Any

from evals.dialogues.transcript import Transcript

Conversation = list[dict[str, Any]]

NAMES = ("usher", "bedrock", "anthropic", "claude", "gpt", "gemini", "llama", "mistral", "titan")
"""Products, makers and families of models."""
BLIND = "the assistant"


def view_of(one: Transcript) -> Conversation:
    """A transcript, blinded."""
    names = {*NAMES, *((one.build.name, *one.build.model_ids) if one.build else ())}
    names |= {model_id for turn in one.turns for model_id in turn.model_ids}
    # "The Fall of the House of Usher" is a film, not a product.
    titles = [card.title for turn in one.turns for card in turn.cards]
    said: Conversation = []
    for turn in one.turns:
        said.append({"role": "user", "text": turn.user})
        answer: dict[str, Any] = {"role": "assistant", "text": blinded(turn.prose, names, titles)}
        if turn.cards:
            answer["films"] = [
                {"title": f"{c.title} ({c.year})" if c.year else c.title, "why": list(c.why)}
                for c in turn.cards
            ]
        if turn.question:
            answer["question"] = blinded(turn.question.question, names, titles)
        said.append(answer)
    return said


def view_of_texts(said: Sequence[tuple[str, str]]) -> Conversation:
    """Plain messages of (role, text)."""
    return [
        {"role": role, "text": text if role == "user" else blinded(text, NAMES, ())}
        for role, text in said
    ]


def blinded(text: str, names: Sequence[str] | set[str], titles: Sequence[str]) -> str:
    """The text without the names, titles left as they are."""
    kept = sorted({title for title in titles if title}, key=len, reverse=True)
    told = sorted((name for name in names if name), key=len, reverse=True)
    parts = [f"(?P<kept>{'|'.join(map(re.escape, kept))})"] if kept else []
    parts.append(rf"(?<!\w)(?:{'|'.join(map(re.escape, told))})(?!\w)")
    pattern = re.compile("|".join(parts), re.IGNORECASE)
    return pattern.sub(lambda m: m.group() if m.groupdict().get("kept") else BLIND, text)


def length_of(view: Conversation) -> int:
    """Characters that the assistant wrote: judges are known to like more of them."""
    return sum(len(one["text"]) for one in view if one["role"] == "assistant")


def turn_of_quote(view: Conversation, quote: str) -> int | None:
    """The turn (1 = first) that has the quote, 0 before any; None where none has it."""
    wanted = _plain(quote)
    if not wanted:
        return None
    turn = 0
    for one in view:
        turn += 1 if one["role"] == "user" else 0
        films = [f"{film['title']} {' '.join(film['why'])}" for film in one.get("films", ())]
        parts = (one["text"], one.get("question", ""), *films)
        if any(wanted in _plain(part) for part in parts):
            return turn
    return None


def _plain(text: str) -> str:
    """Letters and digits alone: a judge may change quotation marks, not words."""
    return " ".join(re.findall(r"\w+", text.casefold()))
