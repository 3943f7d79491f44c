"""Slips of the fingers in the small words that carry a wish: "nothnig", "thna", "minues", "undr".

Knows the words that turn a wish or set its bound, that name units, and that show what is no matter
for films, and how a typing hand goes wrong. Does not know what they mean. Names, and words that the
catalogue spells that way, are left as they are. Pure; called by understand.py.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from retrieval.movie import fold
from retrieval.nlu.lexicon import Lexicon, is_vocabulary
from retrieval.nlu.wording import STOPWORDS

_NEGATORS = "nothing never without hate avoid dislike except instead".split()
_BOUNDS = (
    "under over below above than most least more less longer shorter older newer earlier later"
    " before after since between until within maximum minimum without except"
).split()
_UNITS = "minutes minute hours hour years".split()
_OF_FILMS = (
    "movie movies film films something anything similar like with from about want please recommend"
    " fifties sixties seventies eighties nineties gory scary violent bloody romantic depressing"
).split()
_KINDS = (
    "documentary documentaries thriller thrillers western westerns musical musicals fantasy mystery"
    " mysteries adventure adventures animated animation comedy comedies horror romance cartoon"
).split()
"""Kinds of film: another letter in the place of one makes no other word."""
_ELSEWHERE = (
    "weather order pizza translate taxi recipe capital president forecast book write poem joke"
    " homework alarm election email hotel flight"
).split()
_SMALL = (*_NEGATORS, *_BOUNDS, *_UNITS, *_OF_FILMS)
_OTHER_WORDS = frozenset(
    "avid blow bellow brook fight form hostel latter lest loner lover moor moore move moves neer"
    " wasnt wit witch width wont yearns bok sine ours".split()
)
"""Words that lie one slip away from a small one, and that few overviews may hold."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NUMBER_BEFORE = re.compile(r"\b(?:\d+|one|two|three|half an|an) ?-?$")
_AT = re.compile(r"\bat $")
_NUMBER_AFTER = re.compile(r" \d")
_COMPARED = re.compile(
    r"\b(?:newer|older|shorter|longer|later|earlier|more|less|fewer|better|lighter|darker) $"
)
_MEASURE = re.compile(r" (?:\d|the \d|an?\b|one\b|two\b|three\b|half\b|[A-Z])")
"""Around "then" where "than" was meant: "newer then 2010"."""
_VOWEL = re.compile("[aeiouy]")
_SHORTHAND = {
    "lik": "like",
    "liek": "like",
    "abt": "about",
    "nto": "not",
    "nothin": "nothing",
    "nuthin": "nothing",
    "somethin": "something",
}
MIN_LETTERS = 4
"""Shorter words lie too near to each other, unless they cannot be words at all ("mst")."""


@dataclass(frozen=True, slots=True)
class Mended:
    """The text with its small words as they were meant, and where each piece stood before."""

    text: str
    changes: tuple[tuple[int, int, int], ...] = ()
    """(start in the new text, end there, letters that the text had more or fewer before)."""

    def before(self, place: int) -> int:
        """Where a place of the new text lies in the text as it was said."""
        at = bisect_right(self.changes, place, key=lambda c: c[1])
        return place + sum(shift for _, _, shift in self.changes[:at])


def mended(text: str, lexicon: Lexicon) -> Mended:
    """Put right the small words that a slip has made into none."""
    pieces: list[str] = []
    changes: list[tuple[int, int, int]] = []
    at, length = 0, 0
    for match in _WORD.finditer(text):
        meant = _meant(match, text, lexicon)
        if meant is None:
            continue
        pieces += [text[at : match.start()], meant]
        start = length + match.start() - at
        length, at = start + len(meant), match.end()
        changes.append((start, length, len(match.group()) - len(meant)))
    return Mended("".join([*pieces, text[at:]]), tuple(changes))


def _meant(match: re.Match[str], text: str, lexicon: Lexicon) -> str | None:
    said = match.group()
    word = said.lower()
    if word in _SHORTHAND:
        return _SHORTHAND[word]
    if word == "then" and _COMPARED.search(text[: match.start()].lower()):
        return "than" if _MEASURE.match(text, match.end()) else None
    if _AT.search(text[: match.start()].lower()) and _NUMBER_AFTER.match(text, match.end()):
        return _nearest(word, ("most", "least"), 1)
    short = len(word) < MIN_LETTERS and (len(word) < 3 or bool(_VOWEL.search(word)))
    name = said[0].isupper() and not said.isupper() and match.start() > 0
    if short or name or not word.isascii() or _is_spelt(word, lexicon):
        return None
    if _NUMBER_BEFORE.search(text[: match.start()].lower()):
        unit = _nearest(word, _UNITS, 2 if len(word) > MIN_LETTERS else 1)
        return unit or _nearest(word, _SMALL, 1)
    return _nearest(word, (*_SMALL, *_ELSEWHERE), 1) or _nearest_kind(word)


def _is_spelt(word: str, lexicon: Lexicon) -> bool:
    key = fold(word)
    tables = (lexicon.known, lexicon.titles, lexicon.people, lexicon.surnames, lexicon.tags)
    if key in STOPWORDS or key in _SMALL or key in _ELSEWHERE or key in _OTHER_WORDS:
        return True
    return is_vocabulary(key) or any(key in table for table in tables)


def _nearest_kind(word: str) -> str | None:
    return next((k for k in _KINDS if word[0] == k[0] and OSA.distance(word, k) == 1), None)


def _by_a_slip(word: str, target: str) -> bool:
    swapped = sorted(word) == sorted(target)
    return swapped or (word[-1] == target[-1] and len(word) != len(target))


def _nearest(word: str, targets: tuple[str, ...] | list[str], most: int) -> str | None:
    """The word that was meant: letters swapped, left out or one too many, never the first.

    Another letter in its place makes other words of words ("older", "order"): that is no slip here.
    """
    found = [
        (OSA.distance(word, target, score_cutoff=most), n, target)
        for n, target in enumerate(targets)
        if word[0] == target[0] and _by_a_slip(word, target)
    ]
    near = [hit for hit in found if 0 < hit[0] <= most]
    return min(near)[2] if near else None
