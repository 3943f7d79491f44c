"""How long a film may be by the clock: "we have till 10 and it's 8:15", "1:30 max".

Knows times of day and how people set one against another. Does not know lengths said in minutes or
hours (quantities.py). Pure; called by preferences.py only.
"""

import re

from retrieval.nlu.spans import NUMBER_WORDS, Span

SHORTEST, LONGEST = 20, 400
"""Minutes between two times of day that can be an evening's film."""
HALF_DAY = 12 * 60

_HOUR = r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_TIME = rf"{_HOUR}(?:[:.](\d\d))?(?: ?(?:am|pm|a\.m\.|p\.m\.|o'?clock))?(?![\w:])"
_NOT_TIME = r"(?! ?(?:min|hour|hrs?|years?|movies?|films?|people|of us|kids|options|more|%))"
_NOW = re.compile(
    rf"\b(?:it'?s|it is|now|right now)(?: (?:already|now|about|almost|only|just|past|currently))* {_TIME}{_NOT_TIME}"
)
_END = re.compile(
    rf"\b(?:till|til|until|by|before|(?:bed|leave|done|over|ends?|finish(?:ed)?|go|starts?|out)(?: \w+)? at)(?: (?:around|about))? {_TIME}{_NOT_TIME}"
)
_MIDNIGHT = re.compile(
    r"\b(?:till|til|until|by|before|at)(?: (?:around|about))? (?P<twelve>midnight|noon)\b"
)
_HOURS_MINUTES = re.compile(
    r"(?P<before>\b(?:under|max(?:imum)?|at most|less than|(?:no|if it'?s) (?:longer|more) than|below|within|past) )?"
    r"\b(?P<h>[1-3])[:h.](?P<m>[0-5]\d)\b(?P<after>,? (?:max(?:imum)?|tops|at (?:the )?most|or (?:less|under|shorter)))?"
)
_BARE_HOURS = re.compile(
    r"\b(?:keep it|make it|must be|be|it|stays?|runs?|comes? in|clocks? in|something|anything|that'?s|nothing)(?: at)? (?P<which>under|below|over) (?P<h>two|three|2|3)(?P<half> and a half)?(?= *(?:$|[.,!?;)]| please| and\b(?! (?:a |\d))))"
)
"""Hours that need no name: "keep it under two"."""


def find_time_left(text: str) -> list[Span]:
    """The lengths that two times of day, or hours written like one, leave."""
    found = []
    ends = [*_END.finditer(text), *_MIDNIGHT.finditer(text)]
    for now in _NOW.finditer(text):
        for end in ends:
            left = (_minutes(end) - _minutes(now)) % HALF_DAY
            apart = now.end() <= end.start() or end.end() <= now.start()
            if apart and SHORTEST <= left <= LONGEST:
                span = min(now.start(), end.start()), max(now.end(), end.end())
                return [Span("runtime", *span, max=left)]
    for match in _HOURS_MINUTES.finditer(text):
        if match.group("before") or match.group("after"):
            minutes = 60 * int(match.group("h")) + int(match.group("m"))
            found.append(Span("runtime", *match.span(), max=minutes))
    for match in _BARE_HOURS.finditer(text):
        hours = match.group("h")
        minutes = 60 * (int(hours) if hours.isdigit() else NUMBER_WORDS[hours])
        minutes += 30 if match.group("half") else 0
        over = match.group("which") == "over"
        low, high = (minutes, None) if over else (None, minutes)
        found.append(Span("runtime", match.start("which"), match.end(), low, high))
    return found


def _minutes(match: re.Match[str]) -> int:
    if match.re is _MIDNIGHT:
        return HALF_DAY
    hour = match.group(1)
    hours = int(hour) if hour.isdigit() else NUMBER_WORDS.get(hour, 0)
    return 60 * hours + int(match.group(2) or 0)
