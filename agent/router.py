"""Which acts an utterance calls for, from what it says and what was done just before.

Knows how the moves of sentences (retrieval/moves.py), what was understood, and whether a request is
under way come to acts: search, refine, inform, chat. Does not know ledgers or how acts are carried
out. Pure. Called by decide.py, where its rules are unsure, and by `python -m evals route`, which
measures it on recorded conversations.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.events import Act
from retrieval.moves import SURE, After, Move, Sentence, masked, read_moves
from retrieval.understanding import Understanding

_GREETS: Final = re.compile(
    r"^\W*(?:hi|hello|hey|hiya|howdy|good (?:morning|evening|afternoon))\b|\bhow (?:are|is|'s) (?:you|it going|your)\b|\bhow's (?:it|your)\b"
)
_CLOSES: Final = re.compile(
    r"\b(?:bye|goodbye|welcome|glad (?:i|to)|have a (?:good|great|nice|wonderful)|enjoy|take care|happy to help|hope (?:you|that|i|these|this)"
    r"|good luck|no problem|thanks|thank you)\b"
)
_REQUESTS_WORDS: Final = re.compile(
    r"\?|\btell me\b|\b(?:what|which) (?:kind|type|genre|sort)s?\b|\blooking for\b"
)
_PLEASANTRY: Final = re.compile(r"\bhow (?:are|is|'s)\b[^?]*\?|\bhow's [^?]*\?|\bwhat'?s up\b")


def what_was_done(heard: Understanding) -> After:
    """What another side's turn did, for conversations that this agent did not lead."""
    text = masked(heard.text, heard.marks)
    if "TITLE" in text:
        return "recommended"
    if _REQUESTS_WORDS.search(_PLEASANTRY.sub(" ", text)):
        return "asked"
    if _GREETS.search(text):
        return "greeted"
    return "closed" if _CLOSES.search(text) else "told"


def acts_called_for(heard: Understanding, after: After, opened: bool) -> tuple[Act, ...]:
    """The acts a turn calls for; `opened`: whether a request was made before."""
    return acts_of(read_moves(heard, after), after, opened)


def acts_of(sentences: Sequence[Sentence], after: After, opened: bool) -> tuple[Act, ...]:
    """What the moves of a turn's sentences come to together."""
    moves: set[Move] = set()
    for sentence in sentences:
        moves.add(sentence.likeliest)
        moves |= {m for m, p in sentence.moves.items() if p >= SURE}
    telling = moves & {"wish", "inquire", "chat"}
    if not telling:
        # Nothing but "no, I haven't seen it": news to them; "yes" or "no" answers what was asked.
        telling = {"chat"} if moves == {"unseen"} or after in ("closed", "nothing") else {"wish"}
    acts: list[Act] = []
    if "wish" in telling:
        acts.append("refine" if opened else "search")
    if "inquire" in telling:
        acts.append("inform")
    if "chat" in telling:
        acts.append("chat")
    return tuple(acts)
