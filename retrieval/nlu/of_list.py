"""Which films of the list on screen are so: "which one has Tom Cruise?", "are any of them French?".

Knows how that is asked, and how what was heard in the question is checked against a film. Does not
know how wishes are read (preferences.py) nor how the answer is said. Pure; called by understand.py.
"""

import re
from collections.abc import Iterable, Sequence
from typing import cast

from retrieval.movie import Clause, Match, MatchField, Movie, Range, RangeField
from retrieval.movie import is_excluded_by as touches
from retrieval.understanding import Finding

_BEGINS = r"^\W*(?:(?:and|so|ok(?:ay)?|but|hm+|cool|nice|great|wait|thanks)\W+)*"
_LIST = r"(?:these|those|them|the (?:list|lot|two|three|four|five))"
_WHICH = re.compile(
    rf"{_BEGINS}(?:which|what) (?:ones?|(?:films?|movies?) (?:of|on|from|in) (?:{_LIST}|here)"
    rf"|of {_LIST})(?: (?:films?|movies?))?(?: of {_LIST})?"
    r" (?:has|have|had|is|are|was|were|stars?|starred|features?|takes?|plays?|got)\b"
    rf"|{_BEGINS}(?:is|are|was|were|does|do|did|has|have) any(?: ones?)? of {_LIST}\b"
)
_TOPICS = ("theme", "keyword", "mood", "genre")
_AS_NAMED = ("person", "actor", "director", "language", "country", "certificate", "kind", "service")


def asks_of_list(lower: str) -> bool:
    """Whether the whole message asks which films of a list are so."""
    return bool(_WHICH.search(lower))


def films_that_are(shown: Sequence[Movie], findings: Iterable[Finding]) -> tuple[Movie, ...]:
    """The films of the list of which all of it is known to be true."""
    told = [(clause, f.polarity) for f in findings if (clause := _clause(f)) is not None]
    return tuple(m for m in shown if told and all(_is(m, c, p == "want") for c, p in told))


def _is(movie: Movie, clause: Clause, wanted: bool) -> bool:
    return touches(movie, clause) if wanted else not touches(movie, clause)


def _clause(finding: Finding) -> Clause | None:
    if isinstance(finding.value, str):
        field = "topic" if finding.kind in _TOPICS else finding.kind
        known = field == "topic" or field in _AS_NAMED
        values = frozenset(finding.value.split(" or "))
        return Match(cast(MatchField, field), values) if known else None
    name = finding.value.get("name", finding.kind)
    return Range(cast(RangeField, name), finding.value.get("min"), finding.value.get("max"))
