"""Who watches and where: children, companions, somebody else, occasions, languages, services, kind.

Knows how people say for whom a film is meant and in which form it must come. Does not know genres,
titles or people. Pure; called by preferences.py, whose findings it adds to.
"""

import re
from collections.abc import Sequence
from typing import Protocol, cast

from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.ages import ADULT
from retrieval.nlu.forgotten import is_known_item
from retrieval.nlu.linking import Linker
from retrieval.nlu.scope import Reach, mode_at, sentence_at
from retrieval.nlu.wording import COMPANIONS, SITUATIONS
from retrieval.understanding import Finding, Mark, Polarity, SlotKind, Withdrawal

NOT_ME = " (not me)"
"""Ends the value of a companion who chooses alone: the asker's own taste has no say then."""

_THEIRS = frozenset({"my", "our", "the"})
"""What makes "the kids" of "kids": those of whoever asks."""
FOR_CHILDREN = "family or animation"
"""Genres that a young child's age asks for."""


_CHILD = "|".join(
    sorted((w for w, who in COMPANIONS.items() if who == "kids"), key=len, reverse=True)
)
_HOW_MANY = (
    r"(?:(?:an?|one|some|two|three|a couple of|a few|small|young|little|tiny|the|our|my|their) )*"
)
_HERE = (
    r"(?:watching|joining|around|there|here|present|with us|over|staying|coming|awake|up late|in tow"
    r"|in the (?:room|house|audience)|on (?:my|our) lap|on board)"
)
_CHILD_THERE = (
    re.compile(
        rf"\b(?:there(?:'s|'ll be| is| are| will be)|(?:we|i)(?:'ve got|'ll have| have(?: got)?)) {_HOW_MANY}({_CHILD})\b"
        rf"(?= *(?:$|[.,;!?]|and\b|so\b|too\b|as well|tonight|this evening|{_HERE}))"
    ),
    re.compile(rf"\b({_CHILD})(?:'s|'ll be| is| are| will be)?(?: also| both| all)? {_HERE}\b"),
    re.compile(rf"\b(?:bring(?:s|ing)|babysitting|looking after|minding) {_HOW_MANY}({_CHILD})\b"),
)
"""A child that is present, said without "with" or "for": "there's a toddler in the room"."""


class Reader(Protocol):
    """What these functions need of the reading they add to."""

    linker: Linker
    reaches: Sequence[Reach]
    lower: str
    findings: list[Finding]
    marks: list[Mark]
    no_wishes: list[tuple[int, int]]
    shown: bool

    def free(self, start: int, end: int) -> bool:
        """Whether no earlier finding took any part of the span."""
        ...

    def negated(self, start: int) -> bool:
        """Whether a negator reaches this place."""
        ...

    def add(self, kind: SlotKind, value: str, start: int, end: int, hard: bool = True) -> None:
        """Add a finding with the polarity of its place."""
        ...


def children(reading: Reader, youngest: int) -> None:
    """What must not be in a film for somebody of this age."""
    bar = patterns.NOT_FOR_CHILDREN if youngest < 10 else patterns.NOT_FOR_TEENS
    who = "kids" if youngest < patterns.TEEN else "teens"
    reading.findings.append(Finding("companion", who, "want", False))
    reading.findings.append(Finding("certificate", bar, "avoid", True))
    # A teenager may well cry over a film.
    graded = ("scariness", "violence", "sadness")[: 3 if youngest < patterns.TEEN else 2]
    for name in graded:
        too_much = patterns.TOO_MUCH + (youngest > 9 or name == "sadness")
        value = {"name": name, "min": too_much}
        reading.findings.append(Finding("attribute", value, "avoid", True))
    if youngest < patterns.YOUNG_CHILD:
        reading.findings.append(Finding("genre", FOR_CHILDREN, "want", True))


def occasion(reading: Reader) -> None:
    """Somebody else's evening, and occasions that could be titles ("date night", "Halloween")."""
    for match in patterns.HOLIDAY.finditer(reading.lower):
        if reading.free(*match.span()) and not reading.negated(match.start()):
            reading.findings.append(Finding("keyword", match.group(1), "want", False))
            reading.linker.take(*match.span())
    for match in patterns.FOR_SOMEBODY.finditer(reading.lower):
        suits = patterns.TOO_MUCH_FOR.search(reading.lower[: match.start()])
        if reading.free(*match.span()) and not (suits or reading.negated(match.start())):
            whom = next(name for name in match.groups() if name)
            reading.findings.append(Finding("companion", f"my {whom}{NOT_ME}", "want", False))
            reading.linker.take(*match.span())
    for match in patterns.SITUATION.finditer(reading.lower):
        words = reading.linker.text[match.start() : match.end()].split()
        is_title = reading.linker.cased and len(words) > 1 and all(w[0].isupper() for w in words)
        if reading.free(*match.span()) and not is_title:
            who = SITUATIONS[match.group(1)]
            reading.findings.append(Finding("companion", who, "want", False))
            reading.linker.take(*match.span())


def who(reading: Reader) -> None:
    """The family, children, partners and friends they watch with, and certificates."""
    for match in patterns.FAMILY.finditer(reading.lower):
        if reading.free(*match.span()):
            reading.add("genre", "family", *match.span())
    story = is_known_item(reading.lower)
    for match in patterns.COMPANION.finditer(reading.lower):
        if story and not patterns.THEIR_OWN.search(match.group()):
            continue  # "that film where the kid sees dead people"
        if not _of_another_evening(reading, match):
            _companion(reading, match)
    for there in _CHILD_THERE:
        child = there.search(reading.lower)
        if child and not (story or patterns.TOLD.search(reading.lower[: child.start()])):
            _companion(reading, child)
    _certificates(reading)


def _of_another_evening(reading: Reader, match: re.Match[str]) -> bool:
    """Whether somebody is told of who does not watch with them now."""
    before = reading.lower[: match.start()]
    together = match.group().startswith("with")
    if patterns.CHOSE.match(reading.lower, match.end()) and not together:
        return True
    if reading.negated(match.start()) and match.group().startswith("for"):
        return True  # taken back, or never meant: see `not_for`
    if _is_theirs(match) and patterns.LEFT_OUT.search(before):
        reading.linker.take(*match.span())  # an evening without the kids
        return True
    start, _ = sentence_at(reading.lower, match.start())
    earlier = together and patterns.WATCHED.search(before, start)
    return bool(earlier) and mode_at(reading.lower, match.start()) == "comment"


def _is_theirs(match: re.Match[str]) -> bool:
    return not _THEIRS.isdisjoint(match.group().split())


def _companion(reading: Reader, match: re.Match[str]) -> None:
    companion = COMPANIONS[match.group(1)]
    if reading.negated(match.start()) and not _is_theirs(match):
        # "A slasher, but not with teenagers" is no evening without them.
        if reading.free(*match.span(1)):
            reading.add("keyword", match.group(1), *match.span(1))
        return
    same = {"kids", "teens"} if companion in ("kids", "teens") else {companion}
    known = any(f.kind == "companion" and f.value in same for f in reading.findings)
    if known or not reading.free(*match.span(1)):
        return
    reading.linker.take(*match.span())
    reading.marks.append(Mark("companion", *match.span(1)))
    if companion in ("kids", "teens"):
        if (age := _age_of(reading, match, companion)) < ADULT:
            children(reading, age)
    else:
        reading.findings.append(Finding("companion", companion, "want", False))


def _age_of(reading: Reader, match: re.Match[str], companion: str) -> int:
    """How old somebody is taken to be: a son of 25 is no child, one for a thriller no small one."""
    if match.group(1) not in patterns.OF_ANY_AGE:
        return patterns.YOUNG_CHILD - 4 if companion == "kids" else patterns.TEEN
    found = patterns.GROWN_AGE.finditer(reading.lower)
    ages = [int(m.group(1) or m.group(2)) for m in found]
    grown = patterns.GROWN.search(match.group()) or patterns.GROWN.search(
        reading.lower[: match.start()]
    )
    if grown or ages:
        return ADULT if grown else min(ages)
    rough = any(not reading.negated(m.start()) for m in patterns.ROUGH.finditer(reading.lower))
    return patterns.TEEN if rough else patterns.YOUNG_CHILD - 4


def not_for(reading: Reader) -> list[Withdrawal]:
    """Whom it is not for after all: "no wait, not for kids"."""
    matches = [m for m in patterns.COMPANION.finditer(reading.lower) if m.group().startswith("for")]
    refused = [m for m in matches if reading.negated(m.start())]
    adults = patterns.FOR_ADULTS.search(reading.lower)
    if adults and mode_at(reading.lower, adults.start()) == "comment":
        adults = None  # "it was good for kids and for adults too"
    if adults:
        value = {"name": "family_friendly", "min": patterns.TOO_MUCH + 1}
        reading.findings.append(Finding("attribute", value, "avoid", True))
        reading.linker.take(*adults.span())
    gone = [COMPANIONS[m.group(1)] for m in refused] + (["kids"] if adults else [])
    return [Withdrawal("companion", who) for who in dict.fromkeys(gone)]


def _certificates(reading: Reader) -> None:
    for match in patterns.CERTIFICATE.finditer(reading.lower):
        rated = (match.group(1) or match.group(2)).replace("r-rated", "r").replace("g-rated", "g")
        name = re.sub(r"rated|-rated|\s", "", rated).upper()
        name = {"PG13": "PG-13", "NC17": "NC-17", **patterns.ABROAD}.get(name, name)
        abroad = rated.upper() in patterns.ABROAD
        allowed = patterns.ALLOWED.match(reading.lower, match.end())
        if name in patterns.CERTIFICATES and not allowed and reading.free(*match.span()):
            if _is_limit(reading.lower, match):
                reading.findings.append(at_most(name))
                reading.linker.take(*match.span())
                continue
            upto = (
                patterns.CERTIFICATES[: patterns.CERTIFICATES.index(name) + 1]
                if match.group(3) or abroad
                else (name,)
            )
            barred = [
                f for f in reading.findings if f.kind == "certificate" and f.polarity == "avoid"
            ]
            held = any(set(upto) <= set(str(f.value).split(" or ")) for f in barred)
            if held and reading.negated(match.start()):
                reading.linker.take(*match.span())  # "for my teenager, nothing rated R"
                continue
            reading.add("certificate", " or ".join(upto), *match.span())


def at_most(name: str) -> Finding:
    """What "nothing above PG-13" asks for: a certificate that is known, and no higher."""
    return Finding("certificate", patterns.AT_MOST[name], "want", True)


def _is_limit(lower: str, match: re.Match[str]) -> bool:
    """Whether nothing above the certificate named there may come."""
    start = match.start(1) if match.group(1) else match.start(2)
    return bool(patterns.NOTHING_ABOVE.search(lower[:start]))


def which_language(reading: Reader) -> None:
    """English only, or anything but English."""
    for match in patterns.SUBTITLES_FINE.finditer(reading.lower):
        reading.no_wishes.append(match.span())
        reading.linker.take(*match.span())
    for match in patterns.FOREIGN.finditer(reading.lower):
        refused = reading.negated(match.start()) and "english" not in match.group()
        wanted: Polarity = "want" if refused else "avoid"
        if reading.free(*match.span()):
            reading.findings.append(Finding("language", "en", wanted, True))
            reading.linker.take(*match.span())
    for match in patterns.SUBTITLES.finditer(reading.lower):
        if not reading.free(*match.span()):
            continue
        if reading.negated(match.start()):
            reading.findings.append(Finding("language", "en", "want", True))
            reading.linker.take(*match.span())
        elif reading.lower[: match.start()].endswith("with ") and not patterns.FINE.search(
            reading.lower
        ):
            reading.findings.append(Finding("language", "en", "avoid", True))
            reading.linker.take(*match.span())
    for match in patterns.NO_SUBTITLES.finditer(reading.lower):
        # "Nothing in English", but "no subtitles, in English".
        refused = reading.negated(match.start()) and "subtitle" not in reading.lower
        if reading.free(*match.span()):
            wanted = "avoid" if refused else "want"
            reading.findings.append(Finding("language", "en", wanted, True))
            reading.linker.take(*match.span())


def in_its_language(reading: Reader) -> None:
    """Let "no subtitles" ask for no English film where another language is asked for by name."""
    if "english" in reading.lower or not patterns.SUBTITLES.search(reading.lower):
        return
    wanted = [f for f in reading.findings if f.kind == "language" and f.polarity == "want"]
    english = Finding("language", "en", "want", True)
    if any(f != english for f in wanted):
        reading.findings[:] = [f for f in reading.findings if f != english]


def which_kind(reading: Reader) -> None:
    """A film or a series."""
    for match in patterns.FILM_INSTEAD.finditer(reading.lower):
        reading.findings.append(Finding("kind", "movie", "want", True))
        reading.linker.take(*match.span())
    for match in patterns.SERIES.finditer(reading.lower):
        if reading.free(*match.span()):
            reading.add("kind", "series", match.end() - len("series"), match.end())


def which_look(reading: Reader) -> None:
    """With actors rather than drawn, in colour rather than black and white."""
    for pattern, kind, value in (
        (patterns.LIVE_ACTION, "genre", "animation"),
        (patterns.IN_COLOUR, "keyword", "black and white"),
    ):
        for match in pattern.finditer(reading.lower):
            if reading.free(*match.span()) and not reading.negated(match.start()):
                found = Finding(cast(SlotKind, kind), value, "avoid", True)
                reading.findings.append(found)
                reading.linker.take(*match.span())


def on_services(reading: Reader) -> None:
    """The streaming service it should be on."""
    for match in patterns.ON_SERVICE.finditer(reading.lower):
        asked = any(a <= match.start() < b for a, b in reading.linker.asking)
        if reading.free(*match.span()) and not asked:
            names = " or ".join(name for name in match.groups() if name)
            reading.add("service", names, *match.span())
