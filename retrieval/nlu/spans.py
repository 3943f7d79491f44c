"""What a stretch of text says in numbers: years, minutes, how many films, how old a child.

Knows the shape and the numbers that people write in words. Does not know how they are found.
Pure; called by quantities.py, eras.py, clock.py, counts.py and preferences.py.
"""

from dataclasses import dataclass
from typing import Literal

NUMBER_WORDS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{
        "nine": 9,
        "ten": 10,
        "eleven": 11,
        "twelve": 12,
        "a": 1,
        "an": 1,
        "couple": 2,
        "few": 3,
        "dozen": 12,
    },
}
_LARGER = {"fifteen": 15, "twenty": 20, "thirty": 30}
"""Numbers of years, and of nothing else here."""


@dataclass(frozen=True, slots=True)
class Span:
    """A meaning with the part of the text (start, end) that carries it."""

    kind: Literal["year", "runtime", "count", "age"]
    start: int
    end: int
    min: int | None = None
    max: int | None = None
    vague: bool = False
    """True for "recent", "classic", "short", "long": a usual reading, not a number."""


def number(word: str) -> float:
    """The value of a number in digits or words; "half a dozen" has words of its own."""
    return float(NUMBER_WORDS.get(word) or _LARGER.get(word) or word)
