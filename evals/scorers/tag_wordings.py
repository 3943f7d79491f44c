"""How tags read in a sentence: which phrases stand for a tag, so none of their words is a name.

Knows the tags of the catalogue, those that an agent's evidence names, and the words in which
prompts/tags.yaml says them ("American football", "the sea"). Does not know titles or people
(named.py) nor whether a tag is true of a film (reasons.py). Pure; read by both.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from agent.events import CardEvidence
from prompts.loader import load_tag_words
from retrieval.guesses import GUESS_MARK
from retrieval.movie import fold
from retrieval.nlu.lexicon import Lexicon

TAG_LEGS = frozenset({"tags"})
"""Legs whose source is a list of `field:value`."""
LONGEST_TAG = 6
"""Words."""


@cache
def other_words() -> Mapping[str, frozenset[str]]:
    """{wording: the tags that it may stand for}, both folded, where they differ."""
    words = load_tag_words()
    found: dict[str, set[str]] = {}
    for table in (words.said, words.before_films):
        for tag, wording in table.items():
            if fold(tag) != fold(wording):
                found.setdefault(fold(wording), set()).add(fold(tag))
    return {wording: frozenset(tags) for wording, tags in found.items()}


def tags_told(evidence: Iterable[CardEvidence]) -> frozenset[str]:
    """The folded values of the tags that stand behind a card."""
    sources = (piece.source for piece in evidence if piece.leg in TAG_LEGS)
    pairs = (pair.removeprefix(GUESS_MARK) for source in sources for pair in source.split(", "))
    return frozenset(fold(pair.partition(":")[2]) for pair in pairs if ":" in pair)


def is_tag(phrase: str, lexicon: Lexicon, told: frozenset[str] = frozenset()) -> bool:
    """Whether a folded phrase is a tag, in its own words or in those of a sentence."""
    return phrase in lexicon.tags or phrase in told or phrase in other_words()
