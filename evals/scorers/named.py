"""Titles, years and people named in an answer: found in its text, without guessing.

Knows how people write titles (quoted, in bold, as a list, "Title (Year)", in capitals) and when a
span is believed to be one. Does not know what was shown or whether a name is right (grounding.py,
reasons.py). Built for precision: a scorer must not accuse an answer of a title it did not name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.lexicon import LONGEST_TITLE, Lexicon, TitleEntry, is_vocabulary
from retrieval.linking import Token, tokenize
from retrieval.movie import fold, title_key
from retrieval.wording import STOPWORDS

_YEAR_AFTER = re.compile(r"[!?.\"'”*_]*\s*\((\d{4})\)")
_QUOTED = re.compile(
    r"[\"“]([^\"“”\n]{2,80})[\"”]|\*\*([^*\n]{2,80})\*\*|(?<!\w)_([^_\n]{2,80})_(?!\w)"
)
_LISTED = re.compile(
    r"^\s*(?:\d{1,2}[.)]|[-•*])\s+\**([^\n:–—(*]{2,80}?)\**\s*(?=[:–—(\n]|-\s|$)", re.M
)
_DATED = re.compile(r"([^\n.!?;:,\"“”*()]{2,90}?)[\"”*_]*\s*\(((?:18|19|20)\d\d)\)")
_INSIDE_TITLES = frozenset("of the and a an in to for on at from with".split())
_SHORT_TITLE = 2
"""Words; two capitals at the start of a sentence may be ordinary words."""
_LONGEST_NAME = 4
"""Words of a person's name."""


@dataclass(frozen=True, slots=True)
class NamedTitle:
    """A span that names a film; `entry` is None when the catalogue has none of that title."""

    text: str
    start: int
    end: int
    year: int | None
    entry: TitleEntry | None


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A span that names a person of the catalogue."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Names:
    """Everything named in one text."""

    titles: tuple[NamedTitle, ...]
    people: tuple[NamedPerson, ...]


def names_in(text: str, lexicon: Lexicon) -> Names:
    """The films and people that a text names."""
    marked = list(_marked(text, lexicon))
    taken = [(title.start, title.end) for title in marked]
    tokens = tokenize(text)
    people: list[NamedPerson] = []
    titles: list[NamedTitle] = []
    for n in range(LONGEST_TITLE, 0, -1):
        for span in _spans(tokens, n):
            start, end = span[0].start, span[-1].end
            if not all(end <= a or start >= b for a, b in taken):
                continue
            key = " ".join(token.folded for token in span)
            if key in lexicon.titles and _is_title(span, key, text, lexicon):
                titles.append(_title(text, start, end, key, lexicon))
                taken.append((start, end))
            elif 1 < n <= _LONGEST_NAME and key in lexicon.people and _capitals(span):
                people.append(NamedPerson(key, start, end))
                taken.append((start, end))
    found = sorted([*marked, *titles], key=lambda title: title.start)
    return Names(tuple(found), tuple(people))


def _spans(tokens: Sequence[Token], n: int) -> Iterator[Sequence[Token]]:
    for i in range(len(tokens) - n + 1):
        yield tokens[i : i + n]


def _title(text: str, start: int, end: int, key: str, lexicon: Lexicon) -> NamedTitle:
    after = _YEAR_AFTER.match(text, end)
    year = int(after.group(1)) if after else None
    entry = lexicon.choose(key, year) or lexicon.choose(key)
    return NamedTitle(text[start:end], start, after.end() if after else end, year, entry)


def _is_title(span: Sequence[Token], key: str, text: str, lexicon: Lexicon) -> bool:
    """Capitals throughout, more than a word of the trade, and not the start of a sentence only."""
    if _YEAR_AFTER.match(text, span[-1].end):
        return span[0].capital or span[0].folded.isdigit()
    if is_vocabulary(key) or key in lexicon.tags or key.isdigit() or not _capitals(span):
        return False
    content = [t.folded for t in span if t.folded not in STOPWORDS]
    if not content:
        return False
    if len(content) > 1 and len(span) > _SHORT_TITLE:
        return True
    if len(span) > 1:
        return any(word not in lexicon.common for word in content) or _mid_sentence(span, text)
    return _mid_sentence(span, text) and not _part_of_a_name(span, text)


def _capitals(span: Sequence[Token]) -> bool:
    plain = (t.capital or t.folded in STOPWORDS or t.folded.isdigit() for t in span)
    return (span[0].capital or span[0].folded.isdigit()) and all(plain)


def _mid_sentence(span: Sequence[Token], text: str) -> bool:
    before = text[: span[0].start].rstrip(" \"'“*_")
    return bool(before) and before[-1] not in ".!?:;\n-•("


def _part_of_a_name(span: Sequence[Token], text: str) -> bool:
    """Whether a capitalised word stands right beside: "Rocky" in "Rocky Aoki"."""
    after = text[span[-1].end :]
    before = re.search(r"([A-Z][\w'’-]*) $", text[: span[0].start])
    return bool(re.match(r" [A-Z]", after) or (before and fold(before.group(1)) not in STOPWORDS))


# --- titles that are marked as such, known or not -------------------------------------------------


def _marked(text: str, lexicon: Lexicon) -> Iterator[NamedTitle]:
    taken: list[tuple[int, int]] = []
    for pattern in (_QUOTED, _LISTED, _DATED):
        for match in pattern.finditer(text):
            title = _marked_title(text, match, pattern is _DATED, lexicon)
            if title and all(title.end <= a or title.start >= b for a, b in taken):
                taken.append((title.start, title.end))
                yield title


def _marked_title(
    text: str, match: re.Match[str], dated: bool, lexicon: Lexicon
) -> NamedTitle | None:
    group = next(i for i in (1, 2, 3) if match.re.groups >= i and match.group(i))
    start, end = match.span(group)
    said = text[start:end]
    after = _YEAR_AFTER.match(text, end)
    year = int(after.group(1)) if after else None
    stop = after.end() if after else end
    for skip in _starts(said) if dated else (0,):
        rest = said[skip:]
        entry = _entry(rest, year, lexicon)
        if entry is not None:
            return NamedTitle(rest, start + skip, stop, year, entry)
    name = _last_capitals(said) if dated else said.strip()
    if not _looks_like_a_title(name):
        return None
    return NamedTitle(name, start + said.rfind(name.split()[0]), stop, year, None)


def _entry(title: str, year: int | None, lexicon: Lexicon) -> TitleEntry | None:
    for key in (fold(title), title_key(title)):
        found = lexicon.choose(key, year) or lexicon.choose(key)
        if found:
            return found
    return None


def _starts(said: str) -> Iterator[int]:
    """Where a title may begin in "you might like Heat": at every word, the longest first."""
    yield from (
        m.start()
        for m in re.finditer(r"\S+", said)
        if m.group()[0].isupper() or m.group()[0].isdigit()
    )


def _last_capitals(said: str) -> str:
    """The capitalised words at the end: "Glass Harbour" of "you might like Glass Harbour"."""
    kept: list[str] = []
    for word in reversed(said.split()):
        if not (word[0].isupper() or word[0].isdigit() or word in _INSIDE_TITLES):
            break
        kept.append(word)
    while kept and kept[-1] in _INSIDE_TITLES:
        kept.pop()
    return " ".join(reversed(kept))


def _looks_like_a_title(name: str) -> bool:
    content = [w for w in re.findall(r"[\w'’-]+", name) if fold(w) not in STOPWORDS]
    capitals = all(w[0].isupper() or w[0].isdigit() for w in content)
    some = any(w[0].isupper() for w in content)
    return some and capitals and len(name.split()) <= LONGEST_TITLE
