"""The same wish in other words: what a scripted message looks like when somebody else types it.

Knows case, punctuation, politeness, contractions and one slip of the fingers. Changes no name, no
number and no wish. Pure and seeded; called by play.py for every trial after the first, because an
agent without chance answers the same message the same way.
"""

import random
import re
from collections.abc import Callable

_LONG_FORMS = {
    "I'm": "I am",
    "I've": "I have",
    "don't": "do not",
    "can't": "cannot",
    "what's": "what is",
    "didn't": "did not",
    "doesn't": "does not",
    "it's": "it is",
}
_BEFORE = ("hi, ", "hmm, ", "ok, ", "so ", "well, ")
_AFTER = (" please", " thanks", ", if you can", " :)")
_SLIP_LETTERS = 7
"""Shorter words become other words too easily."""


def reword(text: str, seed: int) -> str:
    """A message as another person would type it; seed 0 leaves it as it is."""
    if seed == 0:
        return text
    rng = random.Random(f"{seed}:{text}")
    for change in rng.sample(_CHANGES, k=2):
        text = change(text, rng)
    return text


def _lower(text: str, _: random.Random) -> str:
    return text.lower()


def _bare(text: str, _: random.Random) -> str:
    return text.rstrip(" .!?")


def _polite(text: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(_BEFORE) + text
    return text.rstrip(" .!?") + rng.choice(_AFTER)


def _long_forms(text: str, _: random.Random) -> str:
    for short, long in _LONG_FORMS.items():
        text = re.sub(rf"\b{short}\b", long, text)
    return text


def _slip(text: str, rng: random.Random) -> str:
    """Two neighbouring letters swapped inside one long lower-case word: never in a name."""
    places = [m for m in re.finditer(r"\b[a-z]+\b", text) if len(m.group()) >= _SLIP_LETTERS]
    if not places:
        return text
    word = rng.choice(places)
    i = rng.randrange(word.start() + 1, word.end() - 2)
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _lower,
    _bare,
    _polite,
    _long_forms,
    _slip,
)
