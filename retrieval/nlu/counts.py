"""How many films are asked for: "give me three", "a couple of comedies", "just the one".

Knows the words around such numbers. Does not know years, minutes or what is counted. Pure; called
by quantities.py only.
"""

import re
from typing import Final

from retrieval.movie import stem
from retrieval.nlu.spans import NUMBER_WORDS, Span
from retrieval.nlu.wording import COMPOUND_GENRES, GENRE_WORDS

MOST = 20
"""Films that one answer can hold."""
SINGLE: Final = r"(?:a single|just one|only one|one)"
_N = r"(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|couple)"
_NOT_FILMS = r"(?! ?(?:hours?|hrs?|minutes?|mins?|years?|stars?|decades?|o'clock|people|kids|of (?:us|them|these|those))\b|[-:.%]?\d|-|%)"
_NOUNS = (
    r"(?:movies|films|flicks|suggestions|recommendations|recs|options|ideas|picks|titles|choices)"
)
_NOUN = r"(?:movies?|films?|flicks?|suggestions?|recommendations?|recs?|options?|ideas?|picks?|titles|choices)"


def _plurals() -> str:
    names = {w for w in (*GENRE_WORDS, *COMPOUND_GENRES) if stem(w) == w and w != "family"}
    each = {f"{n[:-1]}ies" if n.endswith("y") else f"{n}s" for n in names}
    return "|".join(sorted(each, key=len, reverse=True))


_ASKED = re.compile(
    r"\b(?:give me|give us|show(?: me| us)?|top|list|recommend(?: me)?|suggest(?: me)?|just|name|best|another(?! one)|at most|no more than|only want|just want|i want|i need|we need"
    r"|pick(?: me)?|throw|hit me with|i'?ll take|can (?:i|we) (?:have|get)|could (?:i|we) (?:have|get)|are your top)\s+"
    rf"(?:the |a |your |only )*(?:top |best |exactly )?{_N}\b{_NOT_FILMS}"
)
_OF_FILMS = re.compile(
    rf"(?<!pg )(?<!pg-)(?<!nc )(?<!nc-)(?<!rated )(?<!fsk )(?<!cert )(?<!certificate )\b(?P<n>half a dozen|a dozen|a pair of|a couple(?: of)?|\d{{1,2}}|two|three|four|five|six|seven|eight|nine|ten) (?!hours?|minutes?|years?|of (?:us|them|these|those))(?:(?!and\b|or\b|seen\b)[a-z-]+ ){{0,3}}?(?:{_NOUNS}|{_plurals()})\b(?! (?:a|per|every) )"
)
_ONE = re.compile(
    rf"^\W*(?:(?:i|we|please|just|only|want|need|can|have|would like|'d like|give me)\W+)*{SINGLE} (?:good |great )?{_NOUN}\b(?! (?:where|about|like|of))|\b(?:a single|only one|just one|one) (?:recommendation|suggestion|pick|option)\b"
    r"|\b(?:just|only) the one\b|\bonly one\b(?= *(?:$|[,.;!?]| please))|\b(?:pick|choose) one\b(?: for (?:me|us))?|\bthe best one\b"
)
_NEXT_TIME = re.compile(rf"\b{_N} (?:films? |movies? |of them )?(?:next time|this time)\b")
_LARGE = re.compile(r"\b(?P<n>half a dozen|a dozen)\b(?! people| of us)")
_DOUBLE = re.compile(r"\bdouble (?:feature|bill)\b")
_MORE = re.compile(
    rf"\b(?!one\b){_N} (?:more|others|other ones)\b(?! (?:than|hours?|minutes?|years?|times?))"
)
_TOLD = re.compile(
    r"\b(?:seen|watched|saw|like|liked|loved|love|all|both|those|these|last|first|my|same|in|of the|other)(?: (?:about|all|the|my|like|those|these))* ?$"
)
"""Before a number of films that is told of, not asked for."""
_WORDS: Final = {"half a dozen": 6, "a dozen": 12, "a pair of": 2, "a couple": 2, "a couple of": 2}


def find_counts(text: str, _newest: int) -> list[Span]:
    """Every number of films that is asked for."""
    found = [
        _span(m) for p in (_ASKED, _OF_FILMS, _MORE, _LARGE, _NEXT_TIME) for m in p.finditer(text)
    ]
    found += [Span("count", *m.span(), 1, 1) for m in _ONE.finditer(text)]
    found += [Span("count", *m.span(), 2, 2) for m in _DOUBLE.finditer(text)]
    return [s for s in found if 1 <= (s.min or 0) <= MOST and not _TOLD.search(text[: s.start])]


def _span(match: re.Match[str]) -> Span:
    said = match.group("n")
    n = int(said) if said.isdigit() else _WORDS.get(said) or NUMBER_WORDS[said]
    return Span("count", *match.span("n"), n, n)
