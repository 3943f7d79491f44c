"""What each sentence of an utterance does in a conversation: wishes, asks, takes up, only answers.

Knows how a turn is cut into sentences, and which words and which turn before speak for which move
(weights fitted on our own utterances, evals/recorded/train_moves.py). Does not know acts, ledgers or how a
turn is answered. Pure. Called by agent/router.py.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, get_args

from retrieval.understanding import Mark, Understanding

Move = Literal["wish", "inquire", "chat", "unseen", "answer"]
"""wish: what they want, like, saw or refuse; chat: greets, thanks, takes a suggestion up;
unseen, answer: say only that a film was not seen, or yes or no."""
MOVES: Final[tuple[Move, ...]] = get_args(Move)
After = Literal["nothing", "greeted", "asked", "recommended", "told", "closed"]
"""What the other side did just before."""
AFTERS: Final[tuple[After, ...]] = get_args(After)
WEIGHTS: Final = "moves.json"
SHORT_WORDS = 4
"""Words up to which a sentence is read together with the turn before it: "yes", "not really"."""

_YEARED = re.compile(
    r"(?:\"|<)?(?:[A-Z0-9][^\s()<>]*|&)(?:\s+(?:[A-Z0-9–&-][^\s()<>]*|of|the|and|a|an|in|to|for|vs\.?|with|on|at|from|is|de|la))*"
    r"\s*\((?:19|20)\d\d\)"
)
"""A film written with its year, whether the catalogue has it or not."""
_END = re.compile(
    r"\.{2,}|[.!?;\n…]+(?=\s|$|[A-Z])|\s+but\s+|\s-+\s|,\s+(?=(?:what|whats|who|whos|is it|how|can you|could you|do you|any other|but)\b)"
)
_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|hiya|howdy|good (?:morning|evening|afternoon))\b(?: there| again)?[\s,!.]*",
    re.I,
)
_WORD = re.compile(r"[A-Z]{3,}(?=\b)|[a-z0-9]+(?:['’][a-z]+)?|\?")
_LETTER = re.compile(r"[^\W\d_]")
_INTERJECTION = re.compile(
    r"(?:\W|\b(?:o+h+|a+h+|lol|(?:ha)+h?|h+m+|wow|well|ya+y?|yea|omg|um+|aw+|whoa|hehe)\b)+"
)
"""A sentence that says nothing by itself."""
_BARE = re.compile(
    r"\W*(?:(?:yes|yeah|yea|yep|yup|no|nope|nah|sure|of course|absolutely|definitely)\W*)+"
    r"(?:i (?:have|did|do|am|have not|haven'?t|did not|didn'?t|do not|don'?t)\W*)?|\W*i (?:have|did|do|am|have not|haven'?t|didn'?t)\W*"
)
"""Yes, no, and no more."""
_MASKS: Final[Mapping[str, str]] = {
    **{"title": "TITLE", "actor": "PERSON", "director": "PERSON", "person": "PERSON"},
    **{"genre": "GENRE", "subgenre": "GENRE", "year": "YEAR"},
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a turn with names put by their kind, and how likely each move is."""

    words: str
    moves: Mapping[Move, float]

    @property
    def likeliest(self) -> Move:
        """The move it most probably makes."""
        return max(self.moves, key=lambda m: self.moves[m])

    @property
    def sureness(self) -> float:
        """How probable the likeliest move is."""
        return self.moves[self.likeliest]


def read_moves(heard: Understanding, after: After) -> list[Sentence]:
    """The sentences of an utterance with their moves."""
    return [
        Sentence(words, _probabilities(words, after, _weights()))
        for words in sentences(masked(heard.text, heard.marks))
        if not _INTERJECTION.fullmatch(words)
    ]


def masked(text: str, marks: Sequence[Mark]) -> str:
    """The text in small letters with films, people, genres and years put by their kind."""
    spans = [(m.start(), m.end(), "TITLE") for m in _YEARED.finditer(text)]
    spans += [(m.start, m.end, _MASKS[m.kind]) for m in marks if _is_named(text, m)]
    found = ""
    place = 0
    for start, end, mask in sorted(spans, key=lambda s: (s[0], -s[1])):
        if start >= place and end > start:
            found += text[place:start].lower() + f" {mask} "
            place = end
    return found + text[place:].lower()


def _is_named(text: str, mark: Mark) -> bool:
    """Whether a mark stands for its kind: no "awesome" for a film, no "classic" for a year."""
    written = text[mark.start : mark.end]
    if mark.kind == "title":
        return written[:1].isupper() or written[:1].isdigit() or text[1:].islower()
    return mark.kind in _MASKS and (mark.kind != "year" or any(c.isdigit() for c in written))


def sentences(text: str) -> list[str]:
    """A masked turn in its sentences; a greeting that opens one is a sentence of its own."""
    found: list[str] = []
    place = 0
    for match in [*_END.finditer(text), None]:
        end = match.start() if match else len(text)
        asks = "?" if match and "?" in match.group() else ""
        found += _without_greeting(text[place:end] + asks)
        place = match.end() if match else end
    return [s for s in found if _LETTER.search(s)]


def _without_greeting(sentence: str) -> list[str]:
    greeting = _GREETING.match(sentence)
    if greeting is None or not _LETTER.search(sentence, greeting.end()):
        return [sentence]
    return [greeting.group(), sentence[greeting.end() :]]


def features(words: str, after: After) -> Iterator[str]:
    """What speaks for a move: words, neighbouring words, and the turn before."""
    tokens = _WORD.findall(words.replace("’", "'"))
    plain = [t.replace("'", "") for t in tokens if t != "?"]
    yield f"after {after}"
    if "?" in tokens:
        yield "?"
        yield f"{after} ?"
    yield from dict.fromkeys(plain)
    ends = ["^", *plain, "$"]
    for n in (2, 3):
        for i in range(len(ends) - n + 1):
            yield " ".join(ends[i : i + n])
    if len(plain) <= SHORT_WORDS:
        yield f"short {after}"
        yield f"{after}: {' '.join(plain)}"


def _probabilities(
    words: str, after: After, weights: Mapping[str, Sequence[float]]
) -> dict[Move, float]:
    if _BARE.fullmatch(words):
        return {move: float(move == "answer") for move in MOVES}
    sums = list(weights["bias"])
    for feature in features(words, after):
        row = weights.get(feature)
        if row is not None:
            sums = [s + w for s, w in zip(sums, row, strict=True)]
    top = max(sums)
    powers = [math.exp(s - top) for s in sums]
    return {move: p / sum(powers) for move, p in zip(MOVES, powers, strict=True)}


@cache
def _weights() -> Mapping[str, Sequence[float]]:
    """{feature: one weight per move} as evals/recorded/train_moves.py wrote them."""
    found: Mapping[str, Sequence[float]] = json.loads(
        files("retrieval.nlu").joinpath(WEIGHTS).read_text("utf-8")
    )
    return found
