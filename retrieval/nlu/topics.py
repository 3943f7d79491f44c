"""What a film is to be about, or not to be about, in words that no table has.

Knows how people name a topic or a place ("set in Paris", "about lighthouses") and what they do not
want to see ("no ghosts or demons"). Does not know themes, genres or titles: what they took is
taken. Pure; called by preferences.py, whose findings it adds to.
"""

import re

from retrieval.movie import stem
from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.audience import Reader
from retrieval.nlu.cast_talk import wrote
from retrieval.nlu.lexicon import is_vocabulary
from retrieval.nlu.scope import mode_at
from retrieval.nlu.tokens import Token
from retrieval.nlu.wording import LANDS, STOPWORDS
from retrieval.understanding import Finding, Polarity

_SET_IN = re.compile(r"\bset in (?:the )?$")
LONGEST_NAME = 30
"""Letters of a first name and a surname."""
NAME_WORDS = 2
"""Words in capitals that are somebody's name."""
_BEFORE_A_NAME = frozenset("by from of a an any another more the based on written".split())


def wanted(reading: Reader) -> None:
    """What the film is about or where it is set, where no theme of the catalogue says it."""
    lower = reading.lower
    for match in patterns.TOPIC.finditer(lower):
        start = match.start(1)
        words = match.group(1).split()
        kept = words[: next((n for n, w in enumerate(words) if w in STOPWORDS), len(words))]
        said = " ".join(kept)
        topic, end = _singular(said), start + len(said)
        told = patterns.TOLD.search(lower[:start]) or mode_at(lower, start) == "comment"
        if topic and not told and reading.free(start, end) and not reading.negated(start):
            reading.findings.append(Finding("keyword", topic, "want", False))


def with_things(reading: Reader) -> None:
    """What there is to be in the film, where its keywords know such things: "with explosions"."""
    for match in patterns.WITH_THINGS.finditer(reading.lower):
        thing = _singular(stem(match.group(1)))
        known = thing in reading.linker.lexicon.subjects and match.group(1) not in STOPWORDS
        start, end = match.span(1)
        told = patterns.TOLD.search(reading.lower[:start])
        if known and not told and reading.free(start, end) and not reading.negated(start):
            reading.findings.append(Finding("keyword", thing, "want", False))
            reading.linker.take(start, end)


def _singular(topic: str) -> str:
    """Without the plural ending that `movie.stem` leaves half: "volcanoes"."""
    last = topic.split()[-1:]
    many = last and len(last[0]) > len("shoes") and last[0].endswith("oes")
    return topic.removesuffix("es") if many else topic


def alone(reading: Reader) -> None:
    """What a message only names as its topic or place: "or about ballet", "in New York"."""
    match = patterns.ABOUT_ALONE.match(reading.lower)
    if match is None or not reading.free(*match.span(1)):
        return
    words = match.group(1).split()
    while words and words[-1] in STOPWORDS:
        words.pop()  # "or about jazz then"
    if words and not patterns.NOT_TOPICS & set(words) and not reading.negated(match.start(1)):
        reading.findings.append(Finding("keyword", _singular(" ".join(words)), "want", False))
        reading.linker.take(*match.span(1))


def unwanted(reading: Reader) -> None:
    """Everything that must not be in it: "no nudity, swearing or spiders"."""
    for match in patterns.UNWANTED_NOUNS.finditer(reading.lower):
        before = reading.lower[: match.start()]
        if patterns.TOLD.search(before) or patterns.OWNS.search(before):
            continue  # "where a man has no memory" tells a story
        start, end = match.span(1)
        placed = bool(_SET_IN.search(reading.lower, 0, start))
        while start < end:
            taken = _unwanted_noun(reading, start, end, placed)
            # Of "no ghosts or demons" the first may be a theme, and the second none.
            known = taken if taken > start else _end_of_taken(reading, start)
            also = patterns.ALSO_UNWANTED.match(reading.lower, known)
            start, end = also.span(1) if also else (end, end)


def written(reading: Reader) -> None:
    """Whoever wrote what the film is made from: "based on an Agatha Christie novel"."""
    tokens = reading.linker.tokens if reading.linker.cased else ()
    for first, last in zip(tokens, tokens[1:], strict=False):
        start, end = first.start, last.end
        named = first.capital and last.capital and reading.free(start, end)
        if named and end - start < LONGEST_NAME and wrote(reading.lower, start, end):
            name = f"{first.folded} {last.folded}"
            refused = reading.negated(start)
            polarity: Polarity = "avoid" if refused else "want"
            reading.findings.append(Finding("keyword", name, polarity, refused))
            reading.linker.take(start, end)


def unwanted_names(reading: Reader) -> None:
    """Somebody refused whom the catalogue only tells of in words: "not Agatha Christie"."""
    linker = reading.linker
    for reach in reading.reaches if linker.cased else ():
        run: list[Token] = []
        for token in linker.tokens:
            inside = reach.start <= token.start < reach.end
            if not inside or (not run and token.folded in _BEFORE_A_NAME):
                continue
            if not (token.capital and linker.free(token.start, token.end)):
                break
            run.append(token)
        known = any(t.folded in STOPWORDS or is_vocabulary(t.folded) for t in run)
        if len(run) == NAME_WORDS and not known:
            reading.add("keyword", " ".join(t.folded for t in run), run[0].start, run[-1].end)


def _end_of_taken(reading: Reader, start: int) -> int:
    """Where what was read at this place ends."""
    return max((b for a, b in reading.linker.taken if a <= start < b), default=start)


def _opens_a_name(reading: Reader, start: int) -> bool:
    """Whether a name stands there that the catalogue lacks: nobody needs to be kept from it."""
    return reading.linker.cased and reading.linker.text[start].isupper()


def _unwanted_noun(reading: Reader, start: int, end: int, placed: bool) -> int:
    """Bar the topic that stands there, if it is one; where it ends. `placed`: after "set in"."""
    kept: list[tuple[int, int]] = []
    for word in patterns.WORD.finditer(reading.lower, start, end):
        plain = word.group() in STOPWORDS or word.group() in patterns.NOT_TOPICS
        if not reading.free(*word.span()):
            return start  # the "child" of "child abuse", of which the theme is read
        name = _opens_a_name(reading, word.start())
        where = name and (placed or word.group() in LANDS)  # "not about Vietnam"
        if not where and (plain or name):
            break
        kept.append(word.span())
    if not kept or not reading.negated(kept[0][0]):
        return start
    phrase = " ".join(reading.lower[a:b] for a, b in kept)
    if patterns.SEX.search(phrase):
        for bare in ("sex", "nudity"):
            reading.add("keyword", bare, kept[0][0], kept[-1][1])
        return kept[-1][1]
    reading.add("keyword", phrase, kept[0][0], kept[-1][1])
    return kept[-1][1]
