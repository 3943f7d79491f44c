"""The words of a text, folded, with their places, and a stretch of them that names a film.

Knows what a word is. Does not know which words name what. Pure; called by linking.py and those who
read what it links.
"""

import re
from dataclasses import dataclass

from retrieval.movie import fold
from retrieval.nlu.lexicon import TitleEntry

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word with its folded form and place in the text."""

    folded: str
    start: int
    end: int
    capital: bool


def tokenize(text: str) -> list[Token]:
    """The words of a text with their places."""
    return [
        Token(fold(m.group()), m.start(), m.end(), m.group()[0].isupper())
        for m in _TOKEN.finditer(text)
    ]


@dataclass(frozen=True, slots=True)
class LinkedTitle:
    """A span that means a movie."""

    entry: TitleEntry
    start: int
    end: int
    sure: bool = True
