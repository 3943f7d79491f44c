"""Names of many films under one roof: Marvel, Pixar, James Bond.

Knows the brands of wording.yaml: how they are named, how their titles begin, and what somebody
wants who asks for one. A catalogue does not know studios, so a refused brand is refused title by
title, and a wished one becomes the wishes behind it. Pure; called by understand.py.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from retrieval.nlu.lexicon import Lexicon, TitleEntry
from retrieval.nlu.linking import Linker
from retrieval.nlu.scope import Reach, mode_at
from retrieval.nlu.wording import BRANDS
from retrieval.understanding import Finding, Mention, SlotKind

_SEEN_ALL = re.compile(
    r"\b(?:seen|watched|know) (?:pretty much |almost |nearly )?(?:all|every|most)(?: of)?"
    r"(?: the| those)? $"
)


@dataclass(frozen=True, slots=True)
class FoundBrands:
    """What naming brands meant."""

    refused: tuple[Mention, ...] = ()
    wishes: tuple[Finding, ...] = ()


def find_brands(linker: Linker, reaches: Sequence[Reach]) -> FoundBrands:
    """The brands named in an utterance; each takes its span."""
    refused: list[Mention] = []
    wishes: list[Finding] = []
    for match in _pattern().finditer(linker.lower):
        name = _names()[match.group(1)]
        if not linker.free(*match.span()) or _in_a_title(linker, *match.span()):
            continue
        negated = any(r.start <= match.start() < r.end for r in reaches)
        seen = _SEEN_ALL.search(linker.lower[: match.start()])
        if negated or seen:
            named = _refused(name, linker.lexicon, match.span())
            refused += [replace(m, stance="seen") for m in named] if seen else named
        elif mode_at(linker.lower, match.start()) != "comment":
            found: list[tuple[str, Any]] = [(f, v) for f, v in BRANDS[name]["wishes"]]
            wishes += [Finding(cast(SlotKind, f), v, "want", False) for f, v in found]
        linker.take(*match.span())
    return FoundBrands(tuple(refused), tuple(wishes))


def _in_a_title(linker: Linker, start: int, end: int) -> bool:
    """Whether the word is only a part of a title that is named: "Captain Marvel"."""
    tokens = linker.tokens
    for n in (5, 4, 3, 2):
        for i in range(len(tokens) - n + 1):
            key = " ".join(t.folded for t in tokens[i : i + n])
            inside = tokens[i].start <= start and end <= tokens[i + n - 1].end
            if inside and key in linker.lexicon.titles:
                return True
    return False


def brand_named(key: str) -> str | None:
    """The brand that goes by this name, if one does: "bond", "mcu"."""
    return _names().get(key) or _names().get(f"{key} films")


def films_of_brand(name: str, lexicon: Lexicon) -> list[TitleEntry]:
    """Its films that the catalogue has, the best known first."""
    whole = {str(t) for t in BRANDS[name]["titles"]}
    beginnings = tuple(f"{t} " for t in whole)
    found: dict[str, TitleEntry] = {}
    for key, entries in lexicon.titles.items():
        if key in whole or key.startswith(beginnings):
            found |= {e.movie_id: e for e in entries}
    return sorted(found.values(), key=lambda e: (-e.prior, e.movie_id))


def _refused(name: str, lexicon: Lexicon, span: tuple[int, int]) -> list[Mention]:
    found = films_of_brand(name, lexicon)
    if not found:
        return []
    first, *rest = found
    label = f"{'DC' if name == 'dc' else name.title()} films"
    also = tuple(e.movie_id for e in rest)
    return [Mention(first.movie_id, label, None, "not_now", *span, also=also)]


@cache
def _names() -> dict[str, str]:
    return {str(word): name for name, brand in BRANDS.items() for word in brand["words"]}


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(map(re.escape, _names()), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(words)})(?![\w-]| ?(?:plus|\+))")
