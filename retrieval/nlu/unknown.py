"""Names that stand where a film's does, and that the catalogue lacks: said aloud, never guessed at.

Knows the words before such a name and what a name looks like in mixed case. Does not know titles or
people: whatever the linker read is taken already. Pure; called by understand.py only.
"""

import re

from retrieval.movie import fold
from retrieval.nlu.forgotten import is_known_item
from retrieval.nlu.lexicon import is_vocabulary
from retrieval.nlu.linking import Linker
from retrieval.nlu.wording import COMPANIONS, NATIONS, SERVICES, STOPWORDS, UNTOLD

_BEFORE = (
    r"\b(?:like|similar to|loved?|liked|enjoyed?|adored?|hated?|seen|watched|rewatched|finished"
    r"|obsessed with|fan of|directed|made|(?:stars|is|was) in"
    r"|(?:runtime|length|plot|cast|director|vein|style|spirit|lines) of|how long is)"
    r" (?:the (?:movie|film) )?"
)
_WORD = r"[A-Z][\w'’-]*"
_UNTOLD = {what: re.compile("|".join(patterns)) for what, patterns in UNTOLD.items()}
_SMALL = "of|the|and|in|a|an|to|for|on|de|la|le|du"
_TITLE = rf"({_WORD}(?:(?: (?:{_SMALL}))* {_WORD})*)"
_NAME = re.compile(rf"{_BEFORE}{_TITLE}")
_ASKED = re.compile(
    rf"\b(?:[Ii]s|[Ww]as) {_TITLE} (?:an?|too|very|really|more|about|scary|funny|sad|violent|good"
    r"|worth|any good|suitable|ok|okay|on)\b"
    rf"|\b(?:[Hh]ave you got|[Dd]o you (?:have|know)) {_TITLE}(?=\W*$)"
)
"""A film that is asked about or for: "Is Nope a horror film?"."""
_FAVOURITE = re.compile(
    rf"{_TITLE} (?:is|are|was|were) (?:(?:one|some|both) of )?(?:my|our) (?:\w+ )?favou?rites?\b"
)
MIN_LETTERS = 4
"""Shorter names are more often abbreviations."""


def unknown_names(linker: Linker) -> tuple[str, ...]:
    """The names that nothing else of the utterance explains."""
    if not linker.cased:
        return ()
    patterns = (_NAME, _ASKED, _FAVOURITE)
    matches = [m for pattern in patterns for m in pattern.finditer(linker.text)]
    named = [(m.group(n), m.start(n)) for m in matches for n in (1, 2) if m.re.groups >= n and m[n]]
    found = (name for name, start in named if _stands_alone(linker, name, start))
    return tuple(dict.fromkeys(found))


def untold(linker: Linker) -> tuple[str, ...]:
    """What is asked for that no catalogue tells; of a question or a forgotten film, nothing is."""
    if linker.trusted or is_known_item(linker.lower):
        return ()
    found = {what: pattern.search(linker.lower) for what, pattern in _UNTOLD.items()}
    asked = (what for what, m in found.items() if m and not _in_a_title(linker, m.span()))
    return tuple(asked)


def _in_a_title(linker: Linker, span: tuple[int, int]) -> bool:
    return any(a < span[1] and span[0] < b for a, b in linker.title_spans)


def _stands_alone(linker: Linker, name: str, start: int) -> bool:
    if len(name) < MIN_LETTERS or not linker.free(start, start + len(name)):
        return False
    parts = [fold(word) for word in name.split()]
    telling = [part for part in parts if part not in STOPWORDS]  # somebody is called "And"
    return bool(telling) and not any(_explained(linker, part) for part in telling)


def _explained(linker: Linker, word: str) -> bool:
    lexicon = linker.lexicon
    named = word in lexicon.surnames or word in lexicon.first_names or word in lexicon.people
    known = (
        named or word in NATIONS or word in COMPANIONS or word in SERVICES or is_vocabulary(word)
    )
    return known or word in lexicon.tags or f"{word}s" in lexicon.tags
