"""Which films of the list on screen are so: "which one has Tom Cruise?", "are any of them French?".

Knows how that and a choice among them is asked, and how what was heard in the question is checked
against a film. Does not know how wishes are read (preferences.py) nor how the answer is said. Pure;
called by understand.py.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, cast

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
_OF_IT = rf"(?: (?:of|from) {_LIST})"
_PICK = re.compile(
    rf"{_BEGINS}(?:if (?:i|we) (?:(?:can|could|only|just) )*(?:watch|see|have|pick) "
    rf"(?:(?:only|just) )*one{_OF_IT}?\W+)?(?:"
    rf"(?:which(?: ones?| film| movie)?{_OF_IT}? (?:would|should|do) (?:you|i|we)"
    r"(?: yourself| personally| most| really)? (?:pick|choose|recommend|suggest|go (?:for|with)"
    r"|take|watch|start with|begin with|prefer|like best)"
    r"|what (?:would|should) (?:you|i|we) (?:pick|choose|go (?:for|with)|take|start with))"
    rf"(?: (?:first|most|tonight|out)|{_OF_IT})*"
    r"|(?:(?:just|please|so) )*(?:pick|choose) (?:(?:just|only) )?(?P<n>one|two|three|[1-3])"
    rf"(?:{_OF_IT}| for (?:me|us|tonight))*"
    r"|(?:(?:just|only|give|show|name|tell|narrow it down|cut it|make it|keep|that'?s|too many"
    r"|please|me|us|to|the|i want|we want|i need|best|top)\W+)+"
    rf"(?P<m>one|two|three|four|[1-4]){_OF_IT}?"
    r")\W*(?:please|then|now|thanks)?\W*$"
)
"""Asks to choose from the list that is there: "which one would you pick?", "give me just 2"."""
_PICKED: Final = {"one": 1, "two": 2, "three": 3, "four": 4}
_TOPICS = ("theme", "keyword", "mood", "genre")
_AS_NAMED = ("person", "actor", "director", "language", "country", "certificate", "kind", "service")


def asks_of_list(lower: str) -> bool:
    """Whether the whole message asks which films of a list are so."""
    return bool(_WHICH.search(lower))


def picks(lower: str, shown: int) -> int:
    """How many films of a list of so many are to be chosen; 0 where none is asked to be."""
    match = _PICK.match(lower) if shown > 1 else None
    if match is None:
        return 0
    said = match.group("n") or match.group("m") or "one"
    many = _PICKED.get(said) or int(said)
    return many if many < shown else 0


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
