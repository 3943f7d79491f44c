"""Touches on a ranking that no index does: what films should rather be, what they look like.

Knows how much a leaning counts, that a guessed tag never excludes but may push a film down, and
which words of a forgotten-title post say nothing of the film. Does not know legs or fusion. Pure;
called by retriever.py.
"""

from collections.abc import Sequence
from math import prod

from retrieval.guesses import looks
from retrieval.movie import (
    ATTRIBUTES,
    Candidate,
    Clause,
    Match,
    fold,
    holds,
    is_excluded_by,
)
from retrieval.nlu.wording import FORGOTTEN

LEAN = 3.0
"""Times the score of a film for each leaning that it meets: stronger than any single leg, so that
"something recent" opens with recent films, while one that all else speaks for stays on the list."""
LEAN_TOPIC = 6.0
"""The same for "about chess": a film that is not about it is hardly an answer, however popular.

Both are for requests that name no film. With n films named a leaning counts its (1 + n)th root:
what they have in common says by then what is wanted. Of 376 ReDial dev targets in turns with films
and a leaning, 88 are in the first ten without leanings, 60 with whole ones, 78 with shared ones.
"""
WARY = 0.5
"""Times the score of a film that only looks like what was ruled out: half, as in the tag leg."""
GUESSED = frozenset({"mood", "theme", "topic", *ATTRIBUTES})
"""What the tagger guesses; nothing looks like a series or too short."""
MIN_WORDS = 9
"""Shorter descriptions are searched as they are: they may be titles."""


def touches(leanings: Sequence[Clause], exclude: Sequence[Clause]) -> bool:
    """Whether `leaning` or `wary` can move anything: then films from further down may come up."""
    return bool(leanings) or any(clause.field in GUESSED for clause in exclude)


def leaning(
    candidates: list[Candidate], leanings: Sequence[Clause], named: int = 0
) -> list[Candidate]:
    """Raise what is as it should rather be; the order of the others stays.

    Args: named: how many films were named as examples.
    """
    if not leanings:
        return candidates
    share = 1 / (1 + named)
    times = [prod(_lean(c, one) ** share for one in leanings) for c in candidates]
    pairs = zip(candidates, times, strict=True)
    raised = [_scored(c, by) if by != 1.0 else c for c, by in pairs]
    return sorted(raised, key=lambda c: -c.score)


def wary(candidates: list[Candidate], exclude: Sequence[Clause]) -> list[Candidate]:
    """Push down what looks like something the user does not want; a guess takes nothing away."""
    barred = [clause for clause in exclude if clause.field in GUESSED]
    looking = [any(looks(c.movie, clause) for clause in barred) for c in candidates]
    if not any(looking):
        return candidates
    pairs = zip(candidates, looking, strict=True)
    pushed = [_scored(c, WARY) if is_one else c for c, is_one in pairs]
    return sorted(pushed, key=lambda c: -c.score)


def _scored(candidate: Candidate, times: float) -> Candidate:
    """With its score times something; `replace` on each of 200 took a millisecond."""
    return Candidate(candidate.movie, candidate.score * times, candidate.evidence)


def _lean(candidate: Candidate, clause: Clause) -> float:
    movie = candidate.movie
    if isinstance(clause, Match) and clause.field == "topic":
        # Its word, wherever it stands; or a model that was asked for the topic names the film.
        proposed = any(piece.leg == "proposals" for piece in candidate.evidence)
        return LEAN_TOPIC if proposed or is_excluded_by(movie, clause) else 1.0
    return LEAN if holds(movie, clause) else 1.0


def described(text: str) -> str:
    """What a text says of the film that is looked for: without "I think I saw it on TV"."""
    words = text.split()
    if len(words) < MIN_WORDS:
        return text
    return " ".join(w for w in words if fold(w) not in FORGOTTEN) or text
