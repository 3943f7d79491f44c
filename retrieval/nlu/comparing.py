"""What there should be more or less of than before: "shorter", "less blood", "too silly".

Knows comparatives, "more" and "less" of a quality or a thing, and what is said of a list that has
too much of something. Does not know which film is compared with (understand.py) nor the bound that
follows (agent/ledger_edits.py). Pure; called by preferences.py.
"""

import re
from typing import Literal, Protocol, cast

from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.audience import Reader
from retrieval.nlu.lexicon import is_vocabulary
from retrieval.nlu.wording import AMOUNTS, COMPARATIVES, GRADE_WORDS, MOOD_WORDS
from retrieval.understanding import Finding

_WHAT = {"long": "runtime", "old": "year", "recent": "year", "modern": "year"}


class Comparing(Reader, Protocol):
    """What these functions need of the reading they add to."""

    comparatives: list[tuple[str, Literal[-1, 1], int, int]]


def compared(reading: Comparing) -> None:
    """Everything that is to be more or less so."""
    for match in patterns.MORE_LESS.finditer(reading.lower):
        more = 1 if match.group(1) == "more" else -1
        word = _WHAT.get(match.group(2))
        what, sign = GRADE_WORDS[match.group(2)] if word is None else (word, 1)
        sign = -1 if match.group(2) == "old" else sign
        _add(reading, what, cast(Literal[-1, 1], more * sign), match)
    for match in patterns.MORE_OF.finditer(reading.lower):
        what, sign = AMOUNTS[match.group(2)]
        # "More horror" asks for a genre, "less horror" bars none.
        if match.group("less") or not is_vocabulary(match.group(2)):
            more = -1 if match.group("less") else 1
            _add(reading, what, cast(Literal[-1, 1], more * sign), match)
    _comparatives(reading)
    for match in patterns.TOO_FAR.finditer(reading.lower) if reading.shown else ():
        _too_far(reading, match)


def _comparatives(reading: Comparing) -> None:
    for match in patterns.COMPARE.finditer(reading.lower):
        what, sign = COMPARATIVES[match.group(1)]
        before = reading.lower[: match.start()].rstrip()
        if patterns.OF_SOMEBODY.search(reading.lower[: match.start()]):
            continue  # "his older films were funny"
        if patterns.NO_FILM_AFTER.match(reading.lower, match.end()):
            continue
        bound = re.match(
            r" than (?:the )?\d|-? than (?:an?|one|two|three|half) ", reading.lower[match.end() :]
        )
        kind = patterns.OF_AN_AGE.match(reading.lower, match.start())  # "some older movies"
        with_list = before.endswith(("but an", "but a", "but some")) or reading.shown
        kind = None if with_list else kind
        if not bound and not kind and not before.endswith(("no", "nothing", "not")):
            _add(reading, what, sign, match)


def _too_far(reading: Comparing, match: re.Match[str]) -> None:
    """Ask for less of what there was too much of: "too old", "too silly"."""
    word = match.group(1)
    reading.no_wishes.append(match.span())
    if word in patterns.TOO_FAR_WAYS:
        _add(reading, *patterns.TOO_FAR_WAYS[word], match)
    elif word in GRADE_WORDS:
        what, sign = GRADE_WORDS[word]
        _add(reading, what, -1 if sign > 0 else 1, match)
    elif reading.free(*match.span()):
        reading.linker.take(*match.span())
        reading.findings.append(Finding("mood", MOOD_WORDS[word], "avoid", True))


def _add(reading: Comparing, what: str, direction: Literal[-1, 1], match: re.Match[str]) -> None:
    if reading.free(*match.span()):
        reading.linker.take(*match.span())
        reading.comparatives.append((what, direction, match.start(), match.end()))
