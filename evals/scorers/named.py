"""Titles, years and people named in an answer: found in its text, without guessing.

Knows how people write titles (quoted, in bold, as a list, "Title (Year)", in capitals) and when a
span is believed to be one. A tag of several words is read whole: "American football" names no film
The American. Does not know what was shown or whether a name is right (grounding.py,
reasons.py). Built for precision: a scorer must not accuse an answer of a title it did not name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.scorers.tag_wordings import is_tag
from retrieval.movie import fold, title_key
from retrieval.nlu.lexicon import Lexicon, TitleEntry, is_vocabulary
from retrieval.nlu.tokens import Token, tokenize
from retrieval.nlu.wording import STOPWORDS

_YEAR_AFTER = re.compile(r"[!?.\"'”*_]*\s*\((\d{4})\)")
_QUOTED = re.compile(
    r"[\"“]([^\"“”\n]{2,80})[\"”]|\*\*([^*\n]{2,80})\*\*|(?<!\w)_([^_\n]{2,80})_(?!\w)"
)
_LISTED = re.compile(
    r"^\s*(?:\d{1,2}[.)]|[-•*])\s+\**([^\n:–—(*]{2,80}?)\**\s*(?=[:–—(\n]|-\s|$)", re.M
)
_DATED = re.compile(r"([^\n\"“”*()]{2,90}?)[\"”*_]*\s*\(((?:18|19|20)\d\d)\)")
_RATED = re.compile(r"\brated $", re.IGNORECASE)
"""A certificate follows: "rated G" names no film G."""
_CREDITED = re.compile(r"\b(?:by|with|starring|featuring) $", re.IGNORECASE)
"""A person follows, even where a title begins so: "Stanley Kubrick: A Life in Pictures"."""
_INSIDE_TITLES = frozenset("of the and a an in to for on at from with vs vs. &".split())
_SHORTENED = re.compile(r"(?:[A-Z]\.)+|(?:Mrs?|Ms|Dr|St|Sgt|Jr|Vol|Capt|Lt|vs)\.")
"""Words whose full stop ends no sentence."""
LONGEST_NAMED = 15
"""Words of a title: catalogue_core's longest. Of one not read whole, a part would be found."""
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


def names_in(text: str, lexicon: Lexicon, tags: frozenset[str] = frozenset()) -> Names:
    """The films and people that a text names; `tags`: phrases that are known to be none."""
    marked = list(_marked(text, lexicon))
    taken = [(title.start, title.end) for title in marked]
    tokens = tokenize(text)
    people: list[NamedPerson] = []
    titles: list[NamedTitle] = []
    for n in range(LONGEST_NAMED, 0, -1):
        for span in _spans(tokens, n):
            start, end = span[0].start, span[-1].end
            if not all(end <= a or start >= b for a, b in taken):
                continue
            key = " ".join(token.folded for token in span)
            person = 1 < n <= _LONGEST_NAME and key in lexicon.people and _capitals(span)
            credited = (
                person and _CREDITED.search(text[:start]) and not _YEAR_AFTER.match(text, end)
            )
            if key in lexicon.titles and not credited and _is_title(span, key, text, lexicon):
                titles.append(_title(text, start, end, key, lexicon))
                taken.append((start, end))
            elif person:
                people.append(NamedPerson(key, start, end))
                taken.append((start, end))
            elif n > 1 and is_tag(key, lexicon, tags):
                taken.append((start, end))
    found = sorted([*marked, *titles], key=lambda title: title.start)
    return Names(tuple(found), tuple(people))


def films_called(text: str, lexicon: Lexicon) -> tuple[TitleEntry, ...]:
    """Every film of a title, the best known first."""
    return lexicon.titles.get(fold(text), ()) or lexicon.titles.get(title_key(text), ())


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
    if not content or _RATED.search(text[: span[0].start]):
        return False
    if len(span) > 1:
        # Only the first word can owe its capital to the start of a sentence.
        later = any(token.folded in content and token.capital for token in span[1:])
        return later or _mid_sentence(span, text)
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
    for pattern, read in ((_QUOTED, _quoted), (_LISTED, _quoted), (_DATED, _dated)):
        for match in pattern.finditer(text):
            title = read(text, match, lexicon)
            if title and all(title.end <= a or title.start >= b for a, b in taken):
                taken.append((title.start, title.end))
                yield title


def _quoted(text: str, match: re.Match[str], lexicon: Lexicon) -> NamedTitle | None:
    """Quoted, in bold or an item of a list: all of it is the title, or none."""
    start, end = match.span(next(i for i in range(1, match.re.groups + 1) if match.group(i)))
    name = text[start:end].strip()
    after = _YEAR_AFTER.match(text, end)
    year = int(after.group(1)) if after else None
    entry = _entry(name, year, lexicon) or _entry(name, None, lexicon)
    if entry is None and not _looks_like_a_title(name):
        return None
    return NamedTitle(name, start, after.end() if after else end, year, entry)


def _dated(text: str, match: re.Match[str], lexicon: Lexicon) -> NamedTitle | None:
    """In "you might like Heat (1995)": the longest end of the words that is a film of that year."""
    start, end = match.span(1)
    said, year, stop = text[start:end], int(match.group(2)), match.end()
    for word in re.finditer(r"\S+", said):
        entry = _entry(said[word.start() :], year, lexicon)
        if entry is not None:
            return NamedTitle(said[word.start() :], start + word.start(), stop, year, entry)
    begin = _last_capitals(said)
    if begin is None:
        return None
    # Of another year, then, or of none: the words with capitals, without the one that opens a
    # sentence ("Try Heat").
    shorter = said.find(" ", begin) + 1 or begin
    for place in (begin, shorter):
        entry = _entry(said[place:], None, lexicon)
        if entry is not None:
            return NamedTitle(said[place:], start + place, stop, year, entry)
    known = _looks_like_a_title(said[begin:])
    return NamedTitle(said[begin:], start + begin, stop, year, None) if known else None


def _entry(title: str, year: int | None, lexicon: Lexicon) -> TitleEntry | None:
    return lexicon.choose(fold(title), year) or lexicon.choose(title_key(title), year)


def _last_capitals(said: str) -> int | None:
    """Where the capitalised words at the end begin: "Glass Harbour" of "I liked Glass Harbour"."""
    begin = None
    for word in reversed(list(re.finditer(r"\S+", said))):
        ends_sentence = word.group()[-1] in ".!?" and not _SHORTENED.fullmatch(word.group())
        if ends_sentence and word.end() < len(said):
            break
        if word.group()[0].isupper() or word.group()[0].isdigit():
            begin = word.start()
        elif word.group() not in _INSIDE_TITLES:
            break
    return begin


def _looks_like_a_title(name: str) -> bool:
    content = [w for w in re.findall(r"[\w'’-]+", name) if fold(w) not in STOPWORDS]
    capitals = all(w[0].isupper() or w[0].isdigit() for w in content)
    some = any(w[0].isupper() for w in content)
    return some and capitals and len(name.split()) <= LONGEST_NAMED
