"""Which films the questions of an utterance are about: named there, named before, or in focus.

Knows where questions and films stand in the text. Does not know how questions are worded
(questions.py) nor what the answer is. Pure; called by understand.py only.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from retrieval.movie import Movie
from retrieval.questions import FoundQuestion, find_questions, find_why
from retrieval.understanding import Mention, Question

_AND_THAT = re.compile(
    r"\W*(?:(?:and|ok|so)\W+)*(?:and|what about|how about) (?:for |of |is |was )?[^.?!]{2,40}\?*\W*"
)
_THEY = re.compile(r"\b(?:they|these|those|them|the two|both)\b")
_PRONOUN = re.compile(r"\b(?:it|that|this)(?: one)?\b")


def asked_again(lower: str, before: str) -> tuple[tuple[FoundQuestion, ...], bool]:
    """The question, or the why, of the message before, that "and the first?" asks once more."""
    if not _AND_THAT.fullmatch(lower):
        return (), False
    again = (replace(q, span=(0, 0), words=None) for q in find_questions(before) if not q.extreme)
    return tuple(again)[:1], find_why(before)


def asked_about(
    found: Sequence[FoundQuestion],
    mentions: Sequence[Mention],
    focus: Movie | None,
    lower: str,
    shown: Sequence[Movie] = (),
) -> tuple[Question, ...]:
    """Every question with its film: "how scary is The Shining? And is it ok for a child?"."""
    return tuple(
        _of_the_first_two(question, shown)
        if question.about == "difference" and not mentions and _THEY.search(lower)
        else _asked_about(question, mentions, focus, lower)
        for question in found
    )


def _of_the_first_two(found: FoundQuestion, shown: Sequence[Movie]) -> Question:
    """The two at the top of the list: "how are they different?"."""
    ids = [movie.movie_id for movie in shown[:2]]
    return found.of(ids[0], ids[1]) if len(ids) > 1 else found.of(None)


def movie_asked(mentions: Sequence[Mention], focus: Movie | None) -> str | None:
    """The movie that a question or a why is about: one named, else what is in focus."""
    named = next((m.movie_id for m in mentions if m.stance == "asked"), None)
    return named or (focus.movie_id if focus else None)


def _asked_about(
    found: FoundQuestion, mentions: Sequence[Mention], focus: Movie | None, lower: str
) -> Question:
    asked = [m for m in mentions if m.stance == "asked"]
    low, high = found.span
    within = [m for m in asked if low <= m.start < high]
    named = [m for m in mentions if 0 < m.end <= low and m.stance != "not_now"]
    if not within and named and _PRONOUN.search(lower, low, high):
        return found.of(named[-1].movie_id)  # "the second one sounds nice, how long is it?"
    within = within or asked
    ids = list(dict.fromkeys(m.movie_id for m in within))
    if len(ids) > 1:
        return found.of(ids[0], ids[1])
    compared = ids and focus and focus.movie_id != ids[0] and found.about == "difference"
    if compared and focus and _PRONOUN.search(lower, low, high):
        return found.of(focus.movie_id, ids[0])
    return found.of(movie_asked(within, focus))
