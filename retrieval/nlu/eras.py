"""When films came out, said without years: "pre-war", "recent", "older than me, I'm 30".

Knows the names of eras (wording.yaml) and how people date a film by its age or by theirs. Does not
know negation or titles. Pure; called by quantities.py and, for what must not be read as a title,
by preferences.py.
"""

import re
from collections.abc import Iterator
from typing import Final

from retrieval.nlu.spans import NUMBER_WORDS, Span
from retrieval.nlu.wording import ERAS

RECENT_YEARS = 5
"""What "recent" or "new" means: the newest years of the catalogue."""
CLASSIC_UNTIL = 1979
"""What "classic" or "old" means, as a last year."""
NOT_OLD_YEARS = 25
"""What "not too old" means: the last so many years of the catalogue."""
ABOUT_YEARS = 2
"""Years to either side of "around 2005"."""
ADULT_AGE = 18
"""Younger people than that are no measure of films: an age says for whom a film is."""

_RECENT = re.compile(
    r"\b(?:recent|recently (?:released|made|out)|latest|newest|brand new|(?:new|newer|more modern) (?:movies?|films?|releases?|ones?|stuff|flicks?)"
    r"|(?:something|anything|a) new|what'?s new(?= in\b|\W*$)|modern|contemporary|(?:new(?:er)?|modern|recent)[- ]?ish)\b"
)
_NOT_OLD = re.compile(
    r"\b(?:not|nothing|isn't|n't|no)(?: \w+)? ?(?:be )?(?:(?:too|so|very|that|super) old|ancient|dated|antique|prehistoric|from decades ago)\b|\bno (?:oldies|old (?:movies|films|stuff))\b"
)
_CLASSIC = re.compile(
    r"\b(?:(?:old|older) (?:movies?|films?|school|ones?|stuff|flicks?)|(?:something|anything) old|vintage|retro|(?:golden )?oldies?"
    r"|(?:an? |old |the |some )?(?<!cult )(?<!modern )(?<!instant )classics?(?= |$|[.,!?]))"
)
_DECADE_OF_NOW = re.compile(r"\b(?:from |in |of )?(?:the )?this (decade|century)\b")
_BEFORE_THIS_DECADE = re.compile(r"\b(?:from |in |of )?the previous decade\b")
_THIS_YEAR = re.compile(r"\b(?:from |in )?this year\b")
_LAST_TWO = re.compile(
    r"\b(?:from |in )?(?:this year (?:or|and) (?:the )?last(?: year| one)?|last year (?:or|and) this(?: year| one)?)\b"
)
_LAST_MONTHS = re.compile(r"\b(?:last|past) (?:twelve|12|six|6|few|couple of) months\b")

_ERAS = re.compile(
    r"\b(?:from |in |during |of )?(?:the )?("
    + "|".join(re.escape(e).replace(r"\ ", "[ -]") for e in sorted(ERAS, key=len, reverse=True))
    + r")\b(?! (?:poland|germany|japan|movie about))"
)
_SETTING = re.compile(
    r"\b(?:set|about|takes? place|happens?|story)(?: (?:in|during|around))?(?: the)? $"
)
"""Before an era that the story is set in."""
_ABOUT_YEAR = re.compile(
    r"\b(?:from |in )?(?:around|circa|roughly|approximately|somewhere around|ca\.?) (?:the year )?((?:19|20)\d\d)\b(?!s)|\b((?:19|20)\d\d)[- ]?ish\b"
)
_OR_NEWER = re.compile(
    r"\b(?:from |in )?((?:19|20)\d\d) (?:or|and|&) (?:(newer|later|after|up|onwards?)|(older|earlier|before))\b"
)
_SHORT_YEAR = re.compile(
    r"\b(?:from|in|of|since|before|after) ['’](\d\d)\b(?! ?s\b)|\b(?:summer|winter|fall|autumn|spring|back) (?:of|in) ['’]?(\d\d)\b(?! ?s\b)"
)
_SHORT_RANGE = re.compile(
    r"(?:\b(?:from|between) )?['’](\d\d) ?(?:to|and|until|till|-|–) ?['’]?(\d\d)\b(?! ?s\b)"
)
"""Two years of one century: "from '65 to '69"."""
_HALF = re.compile(
    r"\b(?:from |in )?the (first|second) half of the (?:(\d0)['’]?s|((?:19|20)\d0)['’]?s|("
    + "sixties|seventies|eighties|nineties"
    + r"))\b"
)
_TENS: Final = {"sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990}
_N = r"(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty)"
_AGE_WORDS: Final = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_FILMS_AGE = re.compile(
    rf"\b(?:(?P<least>at least|more than|over|older than)|(?P<most>less than|under|no more than|not more than|no older than|not older than|younger than|within|at most)|about|around|roughly) (?:the last )?{_N} years old\b"
    rf"|\b{_N} years old (?P<tail>or so|or more|or older|or less|or newer|at (?:least|most))\b|\b(?P<over>(?:more than|over|at least) )?{_N} years ago\b(?P<ago> or (?:more|earlier|older|longer))?"
)
_SOMEBODY = re.compile(
    r"\b(?:i'?m|i am|he|he's|she|she's|they|they're|kids?|child(?:ren)?|son|daughter|who|who's|is|are|for|niece|nephew|boy|girl|man|woman)(?: [\w']+){0,2} $"
)
"""Before an age that is somebody's."""
_THAN_ME = re.compile(
    r"\b(?:(?P<min>(?:no|not|nothing) older than|younger than|newer than|(?:made |released |came out )?(?:after|since))|(?P<max>older than|(?:made |released |came out )?before)|(?P<same>(?:from |made in |released in |in )?(?:the year|the same year|when)|as old as)) "
    r"(?:me|i am|i|my (?:\w+)|us|we|he|she|they)(?: (?:was|were) born| am| is| are)?\b"
)
_THEIR_AGE = re.compile(
    r"\b(?:i'?m|i am|he's|he is|she's|she is|aged?|turning|who'?s|we're) (?P<age>[1-9]\d)\b(?! ?(?:min|%))|\b(?:born in )?(?P<year>(?:19|20)\d\d)\b"
)
_CHILDHOOD = re.compile(
    r"\b(?:from |of )?(?:back )?when (?:i|we) (?:was|were) (?:an? )?(?:\w+ )?(?:kids?|child(?:ren)?|young(?:er)?|little|teens?|teenagers?|small|growing up|in (?:high |grade |elementary )?school|students?|in college)\b|\b(?:of|from) my (?:childhood|youth)\b"
)


def named_eras(text: str, newest: int) -> list[Span]:
    """Years said in words that could be a title or a wish of another kind: "pre-war", "born in"."""
    finders = (_named, _abouts, _ages_of_films, _than_somebody)
    spans: list[Span] = []
    for finder in finders:
        for span in finder(text, newest):
            if all(span.end <= s.start or span.start >= s.end for s in spans):
                spans.append(span)
    return spans


def childhood(text: str) -> list[tuple[int, int]]:
    """Where they tell when they were young: the years beside it are the wish."""
    return [match.span() for match in _CHILDHOOD.finditer(text)]


def _named(text: str, newest: int) -> Iterator[Span]:
    for match in _ERAS.finditer(text):
        if not _SETTING.search(text[: match.start()]):
            first, last = ERAS[match.group(1).replace("-", " ")].split("-")
            low, high = int(first) if first else None, int(last) if last else None
            yield Span("year", *match.span(), low, high)


def _abouts(text: str, newest: int) -> Iterator[Span]:
    for match in _ABOUT_YEAR.finditer(text):
        year = int(match.group(1) or match.group(2))
        yield Span("year", *match.span(), year - ABOUT_YEARS, year + ABOUT_YEARS)
    for match in _OR_NEWER.finditer(text):
        year = int(match.group(1))
        low, high = (year, None) if match.group(2) else (None, year)
        yield Span("year", *match.span(), low, high)
    for match in _SHORT_RANGE.finditer(text):
        first, last = (_of_century(int(match.group(n)), newest) for n in (1, 2))
        if first < last:
            yield Span("year", *match.span(), first, last)
    for match in _SHORT_YEAR.finditer(text):
        two = int(match.group(1) or match.group(2))
        year = _of_century(two, newest)
        cue = match.group().split()[0]
        low = year if cue == "since" else year + 1 if cue == "after" else year
        bounds = (None, year - 1) if cue == "before" else (low, None if low > year else year)
        yield Span("year", *match.span(), *((low, None) if cue == "since" else bounds))
    for match in _HALF.finditer(text):
        said = match.group(2) or match.group(3)
        start = _TENS[match.group(4)] if match.group(4) else int(said)
        start += 0 if start > 99 else 2000 if start < 20 else 1900
        first = match.group(1) == "first"
        yield Span("year", *match.span(), start + (0 if first else 5), start + (4 if first else 9))
    for match in _BEFORE_THIS_DECADE.finditer(text):
        start = newest // 10 * 10
        yield Span("year", *match.span(), start - 10, start - 1)


def _of_century(two: int, newest: int) -> int:
    """The year that two digits are short for."""
    return two + (2000 if 2000 + two <= newest and two < 30 else 1900)


def _ages_of_films(text: str, newest: int) -> Iterator[Span]:
    for match in _FILMS_AGE.finditer(text):
        said = next(g for n in (3, 4, 7) if (g := match.group(n)))
        age = int(said) if said.isdigit() else _AGE_WORDS.get(said) or NUMBER_WORDS[said]
        if _SOMEBODY.search(text[: match.start()]):
            continue
        tail = match.group("tail") or ""
        year = newest - age
        long_ago = match.group("over") or match.group("ago")
        if match.group("least") or long_ago or tail in ("or more", "or older", "at least"):
            yield Span("year", *match.span(), max=year)
        elif match.group("most") or tail in ("or less", "or newer", "at most"):
            yield Span("year", *match.span(), min=year)
        else:
            yield Span("year", *match.span(), year - ABOUT_YEARS, year + ABOUT_YEARS)


def _than_somebody(text: str, newest: int) -> Iterator[Span]:
    """Films "older than me, I'm 30": the age or the year of birth stands elsewhere in the text."""
    for match in _THAN_ME.finditer(text):
        born = match.group().endswith("born") or not match.group("same")
        age = next((a for a in _THEIR_AGE.finditer(text) if a.start() >= match.end() - 1), None)
        age = age or _THEIR_AGE.search(text[: match.start()])
        if age is None or not born or (age.group("age") and int(age.group("age")) < ADULT_AGE):
            continue
        year = int(age.group("year") or newest - int(age.group("age")))
        low = year if not match.group("max") else None
        high = year - 1 if match.group("max") else year if match.group("same") else None
        yield Span("year", min(match.start(), age.start()), max(match.end(), age.end()), low, high)


def find_eras(text: str, newest: int) -> list[Span]:
    """Years that "recent", "classic" or "this decade" stand for."""
    spans = [Span("year", *m.span(), min=newest - 1) for m in _LAST_TWO.finditer(text)]
    taken = [(s.start, s.end) for s in spans]
    this_year = [m.span() for m in _THIS_YEAR.finditer(text)]
    alone = [m for m in this_year if not any(a <= m[0] < b for a, b in taken)]
    spans += [Span("year", *m, min=newest) for m in alone]
    for match in _DECADE_OF_NOW.finditer(text):
        decade = match.group(1) == "decade"
        spans.append(Span("year", *match.span(), min=newest // 10 * 10 if decade else 2000))
    spans += [Span("year", *m.span(), min=newest - 1) for m in _LAST_MONTHS.finditer(text)]
    low = newest - NOT_OLD_YEARS + 1
    spans += [Span("year", *m.span(), min=low, vague=True) for m in _NOT_OLD.finditer(text)]
    low = newest - RECENT_YEARS + 1
    spans += [Span("year", *m.span(), min=low, vague=True) for m in _RECENT.finditer(text)]
    spans += [
        Span("year", *m.span(), max=CLASSIC_UNTIL, vague=True) for m in _CLASSIC.finditer(text)
    ]
    return spans
