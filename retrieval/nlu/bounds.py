"""What a range of years or minutes asks for where it stands: wanted, refused, or only guessed at.

Knows how a refused range turns into a wish ("nothing longer than 110 minutes") and which bounds are
usual readings that give way first. Does not know how ranges are found in text (quantities.py).
Pure; called by preferences.py only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from retrieval.nlu.spans import Span
from retrieval.understanding import Finding, SlotKind

_EVEN = re.compile(r"\beven (?:(?:from|in|the|some|better|stuff|films|movies|ones) )*$")


def widened(spans: Sequence[Span], lower: str) -> list[Span]:
    """The spans of a text, those of years joined that "even" adds: "the 90s, or even the 80s"."""
    found: list[Span] = []
    for span in spans:
        last = found[-1] if found else None
        years = last is not None and last.kind == span.kind == "year"
        if last is None or not years or not _EVEN.search(lower, last.end, span.start):
            found.append(span)
            continue
        low = None if last.min is None or span.min is None else min(last.min, span.min)
        high = None if last.max is None or span.max is None else max(last.max, span.max)
        found[-1] = replace(last, end=span.end, min=low, max=high)
    return found


def bound(span: Span, kind: SlotKind, negated: bool, said_not: bool) -> Finding:
    """The finding of a range; `said_not` is the negator inside it ("not too old")."""
    value = {k: v for k, v in (("min", span.min), ("max", span.max)) if v is not None}
    other_side = _other_side(kind, value) if negated and not span.vague else {}
    if other_side:
        # "Nothing longer than 110 minutes" asks for a length that is known to be shorter;
        # "I don't want to sit through 100 minutes" gives a number, but no firm bound.
        return Finding(kind, other_side, "want", True, loose=len(value) > 1)
    # "Recent" is no date: it ranks newer films first, and bars none. "Not too old" is a bar.
    hard = negated or said_not or not span.vague or kind != "year"
    return Finding(kind, value, "avoid" if negated else "want", hard, loose=span.vague)


def _other_side(kind: SlotKind, value: Mapping[str, int]) -> dict[str, int]:
    """What is left where a one-sided range is refused; of a length, what is shorter than it."""
    low, high = value.get("min"), value.get("max")
    if kind == "runtime" and low is not None and high is not None:
        return {"max": (low + high) // 2}
    if low is not None and high is None:
        return {"max": low if kind == "runtime" else low - 1}
    if high is not None and low is None:
        return {"min": high if kind == "runtime" else high + 1}
    return {}
