"""The reach of negation: which parts of an utterance are said not to be wanted.

Knows negators, what ends their reach, and phrases that only look negative. Does not know movies.
Pure; called by understand.py only.
"""

import re
from dataclasses import dataclass

from retrieval.wording import NEGATORS, NOT_NEGATING, SCOPE_ENDS

_BOUNDARY = re.compile(r"[.;!?\n:]|,(?! ?(?:or|nor)\b)|—| - ")
_WORD = re.compile(r"[a-zà-ÿ0-9'’&]+")
_AND_NEW_CLAUSE = re.compile(
    r"\band (?:a|an|something|i|i'm|make|it|should|please|set|maybe|also|then|have|has)\b"
)
_NEGATOR = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, NEGATORS), key=len, reverse=True)) + r")\b"
)
_HARMLESS = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, NOT_NEGATING), key=len, reverse=True)) + r")\b"
)
_AFTERWARDS = re.compile(
    r"\b([\w' -]{2,40}?) (?:is|are|'s|movies are|films are)(?:n't| not) (?:really |exactly )?"
    r"(?:my thing|for me|my cup of tea|what i (?:want|need))"
)
_LIST_TAIL = re.compile(r"^,[^.;!?]{1,40}?\b(?:or|nor)\b")


@dataclass(frozen=True, slots=True)
class Reach:
    """The span (start, end) that a negator at (cue_start, cue_end) covers."""

    cue: str
    cue_start: int
    start: int
    end: int


def negated_spans(lower: str) -> list[Reach]:
    """Every stretch of `lower` (lower-case text) under a negator, in order."""
    harmless = [m.span() for m in _HARMLESS.finditer(lower)]
    spans: list[Reach] = []
    for match in _NEGATOR.finditer(lower):
        if any(a <= match.start() < b for a, b in harmless):
            continue
        if (
            spans
            and match.start() < spans[-1].end
            and match.group() not in ("not", "no", "nothing")
        ):
            continue
        end = _end_of_reach(lower, match.end())
        spans.append(Reach(match.group(), match.start(), match.end(), end))
    for match in _AFTERWARDS.finditer(lower):
        spans.append(Reach("isn't", match.start(), match.start(), match.end(1)))
    return spans


def _end_of_reach(lower: str, start: int) -> int:
    boundary = _next_boundary(lower, start)
    words = list(_WORD.finditer(lower, start, boundary))
    for n, word in enumerate(words):
        # "not looking for", "don't want": a verb right after the negator belongs to it.
        if n >= 2 and word.group() in SCOPE_ENDS:
            return word.start()
        if n == 1 and word.group() in ("but", "just", "only", "however"):
            return word.start()
    clause = _AND_NEW_CLAUSE.search(lower, start, boundary)
    return clause.start() if clause else boundary


def _next_boundary(lower: str, start: int) -> int:
    for match in _BOUNDARY.finditer(lower, start):
        if match.group() == "," and _LIST_TAIL.match(lower[match.start() :]):
            continue
        return match.start()
    return len(lower)
