"""Two touches on a ranking that no index does: what films should rather be, and posts made plain.

Knows how much a leaning counts and which words of a forgotten-title post say nothing of the film.
Does not know legs or fusion. Pure; called by retriever.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from retrieval.movie import Candidate, Clause, Match, Movie, fold, holds, is_excluded_by
from retrieval.wording import FORGOTTEN

LEAN = 3.0
"""Times the score of a film for each leaning that it meets: stronger than any single leg, so that
"something recent" opens with recent films, while one that all else speaks for stays on the list."""
LEAN_TOPIC = 6.0
"""The same for "about chess": a film that is not about it is hardly an answer, however popular."""
MIN_WORDS = 9
"""Shorter descriptions are searched as they are: they may be titles."""


def leaning(candidates: list[Candidate], leanings: Sequence[Clause]) -> list[Candidate]:
    """Raise what is as it should rather be; the order of the others stays."""
    if not leanings:
        return candidates
    raised = [
        replace(c, score=c.score * prod(_lean(c.movie, clause) for clause in leanings))
        for c in candidates
    ]
    return sorted(raised, key=lambda c: -c.score)


def _lean(movie: Movie, clause: Clause) -> float:
    if isinstance(clause, Match) and clause.field == "topic":
        return LEAN_TOPIC if is_excluded_by(movie, clause) else 1.0  # its word, wherever it stands
    return LEAN if holds(movie, clause) else 1.0


def described(text: str) -> str:
    """What a text says of the film that is looked for: without "I think I saw it on TV"."""
    words = text.split()
    if len(words) < MIN_WORDS:
        return text
    return " ".join(w for w in words if fold(w) not in FORGOTTEN) or text
