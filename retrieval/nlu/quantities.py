"""Years and running times in text, and with them what eras.py and counts.py find.

Knows how people write them. Does not know negation or titles: it says what a span of tokens means
and understand.py decides what to do with it. Pure; called by understand.py only.
"""

import re
from dataclasses import replace

from retrieval.nlu.ages import find_ages
from retrieval.nlu.counts import find_counts
from retrieval.nlu.eras import find_eras
from retrieval.nlu.spans import NUMBER_WORDS, Span, number

TENS = {
    **{"ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50},
    **{"sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "a hundred": 100},
    "one hundred": 100,
}
"""Minutes that people write in words."""
DECADE_WORDS = {
    **{"twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960},
    **{
        "seventies": 1970,
        "eighties": 1980,
        "nineties": 1990,
        "noughties": 2000,
        "two thousands": 2000,
    },
}
SHORT_MIN = 100
"""Minutes: what "short" means at most."""
SHORT_FILM_MIN = 45
"""Minutes: what "a short film" has at most; the Academy draws the line at 40."""
LONG_MIN = 150
"""Minutes: what "long" means at least."""

SHORTEST, LONGEST = 20, 600
"""Minutes that can be a running time."""

_N = r"(\d+(?:\.\d+)?|one|two|three|four|an?|half an)"
_OR = re.compile(r" ?(?:or|and|to|/|-|–|,|, or|through) ?(?:the |early |in the |from the )*['’]?")
_TO = re.compile(r",? ?(?:to|through|until|till|up to|-|–) ?(?:the |in the )*")
"""Between the ends of one stretch of years: "mid-60s to late 70s"."""
_BETWEEN = re.compile(r"\bbetween (?:the )?$")
_YEAR = r"(?:in |the year )?((?:19|20)\d\d)\b(?! ?['’]?s\b)"
_DECADE = (
    r"(?:the )?(?:(early|mid|late)[ -])?(?:(?P<d4>(?:19|20)\d0)|(?P<d2>[2-9]0|00|10))['’ ]?s\b"
)


def find_quantities(text: str, newest_year: int) -> list[Span]:
    """Every year range, running time and count in `text`, first come first served, no overlaps.

    Args:
        text: lower-case text.
        newest_year: the newest year of the catalogue, for "recent" and "this year".
    """
    spans: list[Span] = []
    for finder in (_runtimes, find_ages, _years, _decades, find_eras, find_counts):
        for span in finder(text, newest_year):
            if all(span.end <= s.start or span.start >= s.end for s in spans):
                spans.append(span)
    return _either(sorted(spans, key=lambda s: s.start), text)


def _either(spans: list[Span], text: str) -> list[Span]:
    """Join "the 80s or 90s" into one range when nothing lies between the two."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and _one_stretch(last, span, text):
            joined[-1] = replace(
                last, end=span.end, min=_lowest(last, span), max=_highest(last, span)
            )
        else:
            joined.append(span)
    return joined


def _one_stretch(a: Span, b: Span, text: str) -> bool:
    """Whether two spans of years are one: "the 80s or 90s", "mid-60s to late 60s"."""
    if not (a.kind == b.kind == "year") or None in (a.min, a.max, b.min, b.max):
        return False
    between = text[a.end : b.start]
    ends = _TO.fullmatch(between) or (_BETWEEN.search(text[: a.start]) and between.strip() == "and")
    in_order = (a.min or 0) <= (b.min or 0)
    return bool((ends and in_order) or (_OR.fullmatch(between) and _adjoin(a, b)))


def _adjoin(a: Span, b: Span) -> bool:
    return (_lowest(b, b) - _highest(a, a)) in (0, 1) or (_lowest(a, a) - _highest(b, b)) in (0, 1)


def _lowest(a: Span, b: Span) -> int:
    return min(a.min or 0, b.min or 0)


def _highest(a: Span, b: Span) -> int:
    return max(a.max or 0, b.max or 0)


_HALF = re.compile(
    r"\b(?:an hour and a half|(\d|one|two|three) ?(?:and a half|½|1/2|\.5) ?(?:hours?|hrs?|h))\b"
)
_QUARTERS = re.compile(
    r"\b(?:(an|one|a|two|three|\d) (?:hours?|hrs?) and|(one|two|three|\d) and) (?:(three)[ -]quarters?|a quarter)(?: hours?)?\b"
)
_TENS = rf"(?:{'|'.join(sorted(TENS, key=len, reverse=True))})(?:(?: and)?[ -](?:ten|twenty|thirty|five))?"
_HOURS = re.compile(
    rf"\b(?!ah\b){_N}[ -]?(?:hours?|hrs?|h)(?:\b|(?=\d))(?:(?: and)? ?(\d{{1,2}}|a half|{_TENS}) ?(?:minutes?|mins?|m)?\b)?"
)
_MINUTES = re.compile(rf"\b(\d{{2,3}}|{_TENS}) ?-?(?:minutes?|mins?|min)\b")
_AT_MOST = re.compile(
    r"(?:under|less than|below|at (?:the )?(?:very )?most|not a (?:minute|second) (?:over|past|more than|longer than)|(?:cap(?:ped)?|limit(?:ed)?)(?: it| them| things)? (?:at|to)|limit of|shorter than|max(?:im(?:um|al|ally))?\.?(?: of)?|no above|tops|no (?:more|longer) than"
    r"|nothing (?:over|above|longer than)|within|up to|nothing more than|(?:nothing|no|not|n't)(?: \w+){0,3} past|ready by|fits? (?:in|into|inside)"
    r"|(?:not|n't|cannot|never|nothing that) (?:\w+ ){0,2}?(?:over|above|beyond|more than|longer than)|(?:only|just) (?:have|got)"
    r"|(?:got|have|'ve|only)(?: only| just| got)?(?: the)? (?:time|patience) for|have (?:only|just|about|got)(?: about)?|(?:i|we|you|they)(?:'ve| have)(?: got)?(?: about)?|in|(?:flight|ride|drive|trip|journey|layover|break|nap) (?:is|takes|lasts))\s+(?:about |around |the )?$|\bsub-?\s?$"
)
_AT_LEAST = re.compile(
    r"(?:over|more than|at least|longer than|above|min(?:im(?:um|al|ally))?(?: of)?|(?:no|not) (?:less|shorter|under) than"
    r"|nothing (?:under|shorter than))\s+(?:about |around )?$"
)
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:after|first|last|next|every|another|for|since|wait(?:ed)?) $"
)
"""Before minutes that are no film's length: "asleep after 20 minutes"."""
_LONG_AFTER = r"^,?\s*(?:long\s*,?\s*)?"
_OF_THE_NEXT = r"(?! than| (?:of )?(?:a |an |about )?(?:\d|one|two|three|four|five|six|seven|eight|nine|ten|half)\b)"
"""Not behind such a bound: "at most 2 hours, at least 7 out of 10" bounds another number."""
_AFTER_MOST = re.compile(
    rf"{_LONG_AFTER}(?:(?:or|and) (?:less|shorter|under)|max(?:im(?:um|al|ally))?|tops|(?:at|the) (?:the )?(?:very )?most"
    r"|(?:is|'s) the (?:most|longest|max(?:imum)?) (?:i|we) (?:can|could|want|will|have|am|are)"
    r"|(?:(?:is|'s)(?: about)? (?:the|my|our|her|his|their) (?:\w+ )?|[- ]?(?:time )?)(?:limit|ceiling|cap|cut-?off)"
    r"|(?:and |but )?(?:no|not|nothing) (?:more|longer|over)|not a minute (?:more|longer)|(?:before|until|till) (?!the end)"
    rf"|-?(?:train |bus |car |plane )?(?:ride|flight|drive|trip|journey|commute|layover|lunch)(?: break)?)\b{_OF_THE_NEXT}"
)
_AFTER_LEAST = re.compile(
    rf"{_LONG_AFTER}(?:(?:or|and) (?:more|longer|over)|(?:at|the) (?:the )?least|min(?:im(?:um|al|ally))|plus"
    rf"|(?:and |but )?(?:no|not|nothing) (?:less|shorter|under))\b{_OF_THE_NEXT}"
)
_BOTH_ENDS = re.compile(
    r"\b(?:(?:between|from|anywhere from|over|more than|longer than|at least) )?(\d{2,3}|\d(?:\.5)?|one|two|three|four)"
    r"(?: ?(?:minutes?|mins?|hours?|hrs?|h))? ?(?:-|–|to|and|until|till|up to|(?:but|and) (?:under|less than|at most|no more than|shorter than)) ?"
    r"(\d{2,3}|\d(?:\.5)?|one|two|three|four) ?-?(minutes?|mins?|hours?|hrs?|h)\b"
)
"""Two ends that share a unit: "between 120 and 160 minutes", "90-120 min", "two to three hours"."""
_OTHER_END = re.compile(
    r",? ?(?:and |but |yet )?(?:(?P<most>at most|(?:no|not|nothing) (?:more|longer) than|under|less than|shorter than|below|up to)"
    r"|(?P<least>at least|(?:no|not|nothing) (?:less|shorter) than|over|more than|longer than)) "
    r"(?P<n>\d{1,3}(?:\.\d)?|one|two|three|four)(?P<half> and a half)?(?=\W*$|,? (?:and|but|or|please|with|in|if)\b|[.;!?])"
)
"""The other end of a bounded length, its unit left out: "longer than 90 minutes, shorter than 120"."""
_IN_HOURS = re.compile(r"hours?|hrs?|\dh\b")
_SHORT = re.compile(
    r"\b(?:(?:something|anything|a|an|make it|keep it|nice and|pretty|fairly|be) short(?! series| show)|short (?:movie|one)|quick watch|short and sweet|short ?-?ish|short enough|(?:on the )?shorter side"
    r"|(?<!too )(?<!so )(?<!very )(?<!not )short (?=(?:[a-z]+ )?(?:comed|drama|thriller|horror|romance|western|documentar|action|animat|sci|adventure|family|musical|myster|cartoon))"
    r"|^\W*(?:and |but )?short(?:ish)?(?: please)?\W*$|not (?:too |so |very |that )?long(?! ago)|nothing (?:too )?long|(?:don't|dont) have (?:much|a lot of) time)\b"
)
_LONG = re.compile(
    r"\b(?:something (?:really |very |properly )?long|long (?:movie|film|one)|a (?:really |very |proper |properly )*long (?:one|movie|film|epic|watch|sit|drama|story)"
    r"|(?<!too )(?<!so )(?<!how )(?:really|very|properly) long(?= *(?:$|[,.;!?])| movie| film| one))\b(?! time| while)"
)


_SHORTS = re.compile(
    r"\b(?:short films?|film shorts?|animated shorts?|(?:(?<=no )|(?<=any )|(?<=some )|(?<=only )|(?<=of ))shorts)\b(?! enough)"
)
"""A film of under an hour, and not one that is only short."""


def _runtimes(text: str, _newest: int) -> list[Span]:
    found = _both_ends(text)
    for match in [
        *_HALF.finditer(text),
        *_QUARTERS.finditer(text),
        *_HOURS.finditer(text),
        *_MINUTES.finditer(text),
    ]:
        minutes = _minutes(match)
        told = any(s.start < match.end() and match.start() < s.end for s in found)
        if told or not minutes or not SHORTEST <= minutes <= LONGEST:
            continue
        before, after = text[: match.start()], text[match.end() :]
        low, high = _AT_LEAST.search(before), _AT_MOST.search(before)
        if low and high:  # "nothing longer than" contains "longer than": the longer cue counts
            low, high = (low, None) if low.start() < high.start() else (None, high)
        start = low.start() if low else high.start() if high else match.start()
        if low or (not high and _AFTER_LEAST.match(after)):
            found.append(Span("runtime", start, match.end(), min=minutes))
        elif high or _AFTER_MOST.match(after):
            found.append(Span("runtime", start, match.end(), max=minutes))
        elif not _OF_SOMETHING_ELSE.search(before):
            found.append(Span("runtime", start, match.end(), minutes - 15, minutes + 15))
    found = [_with_other_end(span, text) for span in found]
    found += [
        Span("runtime", *m.span(), max=SHORT_FILM_MIN, vague=True) for m in _SHORTS.finditer(text)
    ]
    found += [Span("runtime", *m.span(), max=SHORT_MIN, vague=True) for m in _SHORT.finditer(text)]
    found += [Span("runtime", *m.span(), min=LONG_MIN, vague=True) for m in _LONG.finditer(text)]
    return found


def _with_other_end(span: Span, text: str) -> Span:
    """The span with the end that follows it, in the unit that was said once."""
    other = _OTHER_END.match(text, span.end)
    if other is None or (span.min is not None and span.max is not None):
        return span
    unit = 60 if _IN_HOURS.search(text[span.start : span.end]) else 1
    minutes = round((number(other.group("n")) + 0.5 * bool(other.group("half"))) * unit)
    if not SHORTEST <= minutes <= LONGEST:
        return span
    if other.group("most") and span.min is not None and minutes > span.min:
        return replace(span, end=other.end(), max=minutes)
    if other.group("least") and span.max is not None and minutes < span.max:
        return replace(span, end=other.end(), min=minutes)
    return span


def _both_ends(text: str) -> list[Span]:
    """Ranges with a low and a high end; "2 and 3 hours" of 20 minutes or less is none."""
    found = []
    for match in _BOTH_ENDS.finditer(text):
        unit = 60 if match.group(3).startswith("h") else 1
        low, high = (round(number(match.group(n)) * unit) for n in (1, 2))
        if SHORTEST <= low < high <= LONGEST:
            found.append(Span("runtime", *match.span(), low, high))
    return found


def _minutes(match: re.Match[str]) -> int:
    if match.re is _MINUTES:
        return _in_words(match.group(1))
    if match.re is _HALF:
        return round(number(match.group(1) or "one") * 60) + 30
    if match.re is _QUARTERS:
        hours = number(match.group(1) or match.group(2))
        return round(hours * 60) + (45 if match.group(3) else 15)
    first = match.group(1)
    hours = 0.5 if first == "half an" else number(first)
    rest = match.group(2)
    return round(hours * 60) + (30 if rest == "a half" else _in_words(rest) if rest else 0)


def _in_words(said: str) -> int:
    """Minutes: "40", "forty", "a hundred and twenty"."""
    if said.isdigit():
        return int(said)
    parts = re.split(r"(?<!one) and |(?<!^a)[ -](?=ten|twenty|thirty|five)", said)
    return sum(TENS.get(part.strip(), NUMBER_WORDS.get(part.strip(), 0)) for part in parts)


_FROM_TO = re.compile(
    r"\b(?:from |between )?((?:19|20)\d\d) ?(?:-|–|to|and|until|till) ?((?:19|20)\d\d)\b(?!s)"
)
_LAST_YEARS = re.compile(
    r"\b(?:(?:in |from |of )?(?:the )?(?:last|past)|(?:not|nothing|no|n't|isn't) older than(?: the last)?) (?:(?:(?:\d{1,2}|one|two|three|four|five|couple(?: of)?)(?: or |-| to |–))?(\d{1,2}|couple(?: of)?|few|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty) )?"
    r"(year|decade)s?\b"
)
_BOUNDED_YEAR = re.compile(
    r"\b(nothing older than|no older than|not older than|nothing before|not before|no earlier than|nothing earlier than"
    r"|nothing newer than|no newer than|not newer than|nothing after|not after|no later than"
    r"|newer than|after|post|since|later than|older than|before|prior to|pre|up to|until|by|from)[ -]"
    r"(?:the (?:year )?)?((?:19|20)\d\d)(s?)\b(?: (onwards?|on|and up|or (?:newer|later)|or (?:older|earlier)))?"
)
_PLAIN_YEAR = re.compile(
    rf"\b(?:from |made in |released in )?{_YEAR}(?! (?:remake|version|original|one)\b)"
    r"(?: (onwards?|(?:or|and) (?:newer|later|after|older|earlier|before)))?"
)
_SINCE = {
    "nothing older than",
    "no older than",
    "not older than",
    "nothing before",
    "not before",
} | {*("no earlier than", "nothing earlier than", "since")}
_UNTIL = {"nothing newer than", "no newer than", "not newer than", "nothing after", "not after"} | {
    *("no later than", "up to", "until", "by")
}


def _years(text: str, newest: int) -> list[Span]:
    found = []
    for match in _FROM_TO.finditer(text):
        low, high = sorted((int(match.group(1)), int(match.group(2))))
        found.append(Span("year", *match.span(), low, high))
    for match in _LAST_YEARS.finditer(text):
        word = (match.group(1) or "one").removesuffix(" of")
        years = round(number(word)) * (10 if match.group(2) == "decade" else 1)
        # "Last year" alone reaches back into the year before the newest.
        found.append(Span("year", *match.span(), min=newest - max(years - 1, 1)))
    for match in _BOUNDED_YEAR.finditer(text):
        low_high = _bounds(match.group(1), int(match.group(2)), match.group(3), match.group(4))
        if low_high:
            found.append(Span("year", *match.span(), *low_high))
    for match in _PLAIN_YEAR.finditer(text):
        year, tail = int(match.group(1)), match.group(2) or ""
        newer = tail.startswith("on") or tail.endswith(("newer", "later", "after"))
        older = tail.endswith(("older", "earlier", "before"))
        found.append(Span("year", *match.span(), None if older else year, None if newer else year))
    return found


def _bounds(
    cue: str, year: int, plural: str, tail: str | None
) -> tuple[int | None, int | None] | None:
    decade_end = year + 9 if plural else year
    if tail and tail.startswith(("on", "and up", "or n", "or l")):
        return year, None
    if tail:
        return None, decade_end
    if cue in _SINCE:
        return year, None
    if cue in _UNTIL:
        return None, decade_end
    if cue in ("newer than", "after", "post", "later than"):
        return decade_end + 1, None
    if cue in ("older than", "before", "prior to", "pre"):
        return None, year - 1
    return None  # "from 1994" and "from the 1990s" are read by the finders after this one


_DECADES = re.compile(
    rf"\b(?:(before|pre|after|post|since|nothing before|nothing older than|older than|newer than)[ -])?{_DECADE}"
)
_DECADE_NAMES = re.compile(
    rf"\b(?:(before|pre|after|post|since|nothing before|nothing older than|older than|newer than)[ -])?(?:the )?(?:(early|mid|late)[ -])?({'|'.join(DECADE_WORDS)})\b"
)
_OR_ON = re.compile(
    r",? (?:(?:or|and) (earlier|older|before|later|newer|after|up|on|onwards?)|(onwards?|on(?= *(?:$|[.,;!?]))))\b"
)
"""Behind a decade: "the 80s or earlier"."""
_LIVES = re.compile(r"\b(?:our|my|his|her|their|your) (?:early |mid |late )?$")
"""Before an age: "a couple in our sixties"."""
_PART = {None: (0, 9), "early": (0, 4), "mid": (3, 6), "late": (5, 9)}


def _decades(text: str, newest: int) -> list[Span]:
    found = []
    for match in _DECADES.finditer(text):
        four, two = match.group("d4"), match.group("d2")
        start = int(four) if four else int(two) + (2000 if int(two) < 20 else 1900)
        found.append(_decade_span(match, start, match.group(1), match.group(2)))
    for match in _DECADE_NAMES.finditer(text):
        found.append(
            _decade_span(match, DECADE_WORDS[match.group(3)], match.group(1), match.group(2))
        )
    found = [s for s in found if not _LIVES.search(text[: s.start])]
    return [s for s in found if (s.min or 0) <= newest]


def _decade_span(match: re.Match[str], start: int, cue: str | None, part: str | None) -> Span:
    if cue in ("before", "pre", "older than"):
        return Span("year", *match.span(), max=start - 1)
    if cue in ("after", "post", "newer than"):
        return Span("year", *match.span(), min=start + 10)
    if cue:
        return Span("year", *match.span(), min=start)
    low, high = _PART[part]
    if tail := _OR_ON.match(match.string, match.end()):
        end = tail.end()
        earlier = tail.group(1) in ("earlier", "older", "before")
        if earlier:
            return Span("year", match.start(), end, max=start + high)
        return Span("year", match.start(), end, min=start + low)
    return Span("year", *match.span(), start + low, start + high)
