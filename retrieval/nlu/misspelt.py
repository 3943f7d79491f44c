"""Films named with a slip of the fingers, or as a kind: "like Incepton", "a jurasic park type of movie".

Knows the cues after which a name stands and how near to one words must be. Does not know exact titles
(linking.py, which calls this and whose `Linker` it reads). Pure.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from retrieval.nlu.lexicon import SURE_TITLE, Lexicon, is_vocabulary
from retrieval.nlu.people import FILM_NOUNS
from retrieval.nlu.spans import Span
from retrieval.nlu.tokens import LinkedTitle, Token
from retrieval.nlu.vocabulary import names_a_topic
from retrieval.nlu.wording import STOPWORDS

WELL_KNOWN = 100.0
"""Prior of a film from which its title is believed after a cue though its words are ordinary."""
_FUZZY_CUE = re.compile(
    r"\b(?:like|loved|who(?:'?s| is| was|se) in|who (?:directed|starred in|stars in|plays in)|(?:i|we|really|also|do|absolutely|just|and) love|liked|enjoyed|seen|saw|watched|similar to|fan of|hated|remake of|than|(?P<refused>not|besides|except))\s+(?:the movie |the film |watching )?"
)
_FUZZY_END = re.compile(
    r"[.,;!?\n]|\b(?:but|and|or|with|that|which|because|so|except|only|was|is|please|movies?|films?|pl[sz])\b"
)
_OF_ITS_KIND = re.compile(
    r"(?:^\W*(?:(?:an?|some|any|another|more) )?|\b(?:an?|some|any|another|more) )(?P<name>[\w' -]{5,40}?)(?:[ -](?:type|kind|sort)(?: of)?|[ -](?:style|like|esque)) (?:movies?|films?|flicks?|things?|stuff|vibes?)\b"
    r"|^\W*(?P<end>[\w' -]{5,40}?)[ -](?:type|style|esque)\W*$"
    r"|^\W*(?P<opens>[\w' -]{5,30}?),? (?:but|only|except) "
)
"""A film whose kind is wanted: "a jurasic park type of movie", "jurasic prak but for kids"."""


class Text(Protocol):
    """What these functions need of the linker."""

    text: str
    lower: str
    lexicon: Lexicon
    tokens: list[Token]
    quantities: list[Span]
    cased: bool

    def free(self, start: int, end: int) -> bool: ...


def misspelt(text: Text) -> Iterator[LinkedTitle]:
    """Misspelt titles right after a cue, where nothing exact was found."""
    for cue in _FUZZY_CUE.finditer(text.lower):
        stop = _FUZZY_END.search(text.lower, cue.end() + 1)
        end = stop.start() if stop else len(text.text)
        words = [t for t in text.tokens if cue.end() <= t.start and t.end <= end][:6]
        refused = cue.group("refused") and not (text.cased and words and words[0].capital)
        linked = None if refused else _nearest(text, words)
        if linked:
            yield linked
    for kind in _OF_ITS_KIND.finditer(text.lower):
        linked = _named_by_kind(text, *kind.span(str(kind.lastgroup)))
        if linked:
            yield linked


def _named_by_kind(text: Text, low: int, high: int) -> LinkedTitle | None:
    """The film whose kind is wanted, if all of what stands there is its name."""
    words = [t for t in text.tokens if low <= t.start and t.end <= high]
    if not words or not text.free(low, high):
        return None
    key = " ".join(t.folded for t in words)
    if names_a_topic(key, text.lexicon):
        return None  # "zombies, but make it a comedy"
    if len(words) > 1 and not is_vocabulary(key):
        entry = next(iter(text.lexicon.series_of(key)), None) or text.lexicon.choose(key)
        if entry and entry.prior >= WELL_KNOWN:
            return LinkedTitle(entry, low, high)
    linked = _nearest(text, words)
    sure = linked is not None and linked.sure and linked.entry.prior >= WELL_KNOWN
    return linked if linked and sure and linked.end == high else None


def _nearest(text: Text, words: list[Token]) -> LinkedTitle | None:
    if not words or not text.free(words[0].start, words[-1].end):
        return None
    if any(words[0].start < s.end and words[-1].end > s.start for s in text.quantities):
        return None  # "no more than 80 minutes" is not a misspelt "88 Minutes"
    for n in range(len(words), 0, -1):
        span = words[:n]
        if _tells_the_kind(text, span):
            continue  # "I'd like a submarine film"
        rest = [t.folded for t in words[n:]]
        if any(r not in STOPWORDS and not is_vocabulary(r) for r in rest):
            continue  # "Breaking Bad" is not a misspelt "Breakin'"
        content = [t.folded for t in span if t.folded not in STOPWORDS]
        plain = all(c in text.lexicon.common or is_vocabulary(c) for c in content)
        if not content or plain:
            continue
        hit = text.lexicon.fuzzy_title(" ".join(t.folded for t in span))
        if hit:
            return LinkedTitle(hit[0], span[0].start, span[-1].end, sure=hit[1] >= SURE_TITLE)
    return None


def _tells_the_kind(text: Text, span: Sequence[Token]) -> bool:
    """Whether all that stands there says what kind of film is meant, and "film" follows."""
    at = text.tokens.index(span[-1]) + 1
    films = at < len(text.tokens) and text.tokens[at].folded in FILM_NOUNS
    named = [t for t in span if t.folded not in STOPWORDS]
    small = len(named) == 1 and not named[0].capital
    return films and small and names_a_topic(named[0].folded, text.lexicon)
