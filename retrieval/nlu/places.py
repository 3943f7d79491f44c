"""Where a film comes from: a country, a part of the world, anywhere but the US.

Knows how people name origins ("from Iceland", "outside the US", "not Hollywood"), and that of the
films whose origin is not known most are American. Does not know languages as such nor where a story
is set. Pure; called by preferences.py, whose findings it adds to.
"""

import re
from typing import Final, cast

from retrieval.catalogs.names import CODES
from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.audience import Reader
from retrieval.nlu.wording import HOMES, LANDS, MOSTLY, NATIONS
from retrieval.understanding import Finding, SlotKind

_LAND: Final = "|".join(sorted(map(re.escape, LANDS), key=len, reverse=True))
_FROM: Final = re.compile(
    r"\b(?:from(?: (?:behind|around|within|somewhere in|anywhere in))?|(?:made|produced|shot|filmed) in|produced by|out of)"
    rf" (?:the )?({_LAND})(?!\w)"
)
_OR_LAND: Final = re.compile(rf"(?:,|,? or|,? and|/) ?(?:from )?(?:the )?({_LAND})(?!\w)")
"""The next of "from Italy or Spain"."""
_OUTSIDE: Final = re.compile(
    r"\b(?:outside(?: of)?|beyond|(?:else|any|some|every)where (?:(?:other|else) )?(?:than|but)|(?:other|another country) than|away from)"
    rf" (?:the )?({_LAND})(?!\w)"
)
_NON_US: Final = re.compile(r"\bnon[- ]u\.?s\b\.?")
_US_FILM: Final = re.compile(
    r"\bu\.?s\.?a?\.? (?=films?\b|movies?\b|cinema\b|comed|drama|thriller)"
)
_HOLLYWOOD: Final = re.compile(r"\bhollywood(?:'s)?\b")
_ITS_STORY: Final = re.compile(
    r"\b(?:about|in|on|of|behind|into|to|satire) (?:the )?(?:old |classic )?$"
)
"""Before the Hollywood that a film is about."""
_AMERICAN: Final = "american"
_NATION: Final = "|".join(sorted(map(re.escape, NATIONS), key=len, reverse=True))
_CHOICE: Final = re.compile(rf"\b({_NATION})(?:,? or |,? and |/|, )(?:an? )?({_NATION})(?![\w-])")


def from_where(reading: Reader) -> None:
    """The country or part of the world that a film comes from, or does not."""
    for match in _CHOICE.finditer(reading.lower):
        _choose(reading, match)
    for match in _OUTSIDE.finditer(reading.lower):
        _refuse(reading, LANDS[match.group(1)], match)
    for match in _NON_US.finditer(reading.lower):
        _refuse(reading, _AMERICAN, match)
    for match in _FROM.finditer(reading.lower):
        if patterns.OF_PEOPLE.search(reading.lower[: match.start()]):
            continue  # "being from England": somebody, no film
        _add(reading, LANDS[match.group(1)], match)
        more = _OR_LAND.match(reading.lower, match.end())
        while more:
            _add(reading, LANDS[more.group(1)], more)
            more = _OR_LAND.match(reading.lower, more.end())
    for match in _US_FILM.finditer(reading.lower):
        if "u." in match.group() or reading.linker.text[match.start()].isupper():
            _add(reading, _AMERICAN, match)
    for match in _HOLLYWOOD.finditer(reading.lower):
        told = _ITS_STORY.search(reading.lower[: match.start()])
        if not told or reading.negated(match.start()):
            _add(reading, _AMERICAN, match, hard=False)


def _add(reading: Reader, nation: str, match: re.Match[str], hard: bool = True) -> None:
    kind, code = NATIONS[nation]
    if reading.free(*match.span()):
        reading.add(cast(SlotKind, kind), code, *match.span(), hard=hard)


def _choose(reading: Reader, match: re.Match[str]) -> None:
    """Of "Spanish or Mexican" one names a language and one a country: countries, either of them."""
    named = [NATIONS[word] for word in match.groups()]
    codes = [code if field == "country" else HOMES.get(code) for field, code in named]
    if len({field for field, _ in named}) == 2 and all(codes) and reading.free(*match.span()):
        reading.add("country", " or ".join(c for c in codes if c), *match.span())


def _refuse(reading: Reader, nation: str, match: re.Match[str]) -> None:
    kind, code = NATIONS[nation]
    if reading.free(*match.span()):
        reading.findings.append(Finding(cast(SlotKind, kind), code, "avoid", True))
        reading.linker.take(*match.span())


def others(field: str, codes: frozenset[str]) -> frozenset[str]:
    """What a film must be known to be instead where its most usual value is refused; or none."""
    if field not in MOSTLY or MOSTLY[field] not in codes:
        return frozenset()
    return CODES[field] - codes
