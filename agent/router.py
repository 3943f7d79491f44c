"""Which acts an utterance calls for, from what it says and what was done just before.

Knows how the moves of sentences (retrieval/nlu/moves.py), what was understood, and whether a request is
under way come to acts: search, refine, inform, chat. Does not know ledgers or how acts are carried
out. Pure. Called by decide.py, where its rules are unsure, and by `python -m evals route`, which
measures it on recorded conversations.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.events import Act
from retrieval.nlu.moves import After, Move, Sentence, masked, read_moves
from retrieval.understanding import Understanding

SURE: Final = 0.5
"""Probability from which a sentence's likeliest move counts beside a clearer one of the same turn;
.35 to .6 differ by .005 micro-F1 on the IARD partial set."""
CERTAIN: Final = 0.8
"""Probability from which a turn that no rule recognises is answered without a search."""
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
    clearest = max((s.sureness for s in sentences), default=0.0)
    moves = {s.likeliest for s in sentences if s.sureness >= min(SURE, clearest)}
    telling = moves & {"wish", "inquire", "chat"}
    if not telling:
        # Only "no, I haven't seen it": news to them; only "yes" or "no" answers what was asked.
        news = moves == {"unseen"} or after in ("closed", "nothing")
        telling = {"chat"} if news else {"wish"}
    elif telling == {"wish"} and "unseen" in moves:
        telling |= {"chat"}
    wish: Act = "refine" if opened else "search"
    acts: tuple[tuple[Move, Act], ...] = (("wish", wish), ("inquire", "inform"), ("chat", "chat"))
    return tuple(act for move, act in acts if move in telling)


def takes_up(heard: Understanding, after: After) -> bool:
    """Whether all that is said surely takes up, thanks or closes: "ooh, that looks fun"."""
    sentences = read_moves(heard, after)
    return bool(sentences) and all(s.moves["chat"] >= CERTAIN for s in sentences)
