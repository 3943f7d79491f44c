"""Which films the questions of an utterance are about: named there, named before, or in focus.

Knows where questions and films stand in the text. Does not know how questions are worded
(questions.py) nor what the answer is. Pure; called by understand.py only.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from retrieval.movie import Movie, RangeField, number_of
from retrieval.nlu.questions import FoundQuestion, find_questions, find_why
from retrieval.understanding import Mention, Question, Stance

_AND_THAT = re.compile(
    r"\W*(?:(?:and|ok|so)\W+)*(?:and|what about|how about) (?:for |of |is |was )?[^.?!]{2,40}\?*\W*"
)
_THEY = re.compile(r"\b(?:they|these|those|them|the two|both)\b")
_EACH = re.compile(
    r"\b(?:each|both|they|these|those|them)\b|\bany of\b|\bwhich (?:ones?|films?|movies?)\b"
)
"""Asked of the whole list: "how long is each of these?", "did any of them win an Oscar?"."""
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
    return tuple(_answerable(question, mentions, focus, lower, shown) for question in found)


def _answerable(
    found: FoundQuestion,
    mentions: Sequence[Mention],
    focus: Movie | None,
    lower: str,
    shown: Sequence[Movie],
) -> Question:
    if not mentions and found.about == "difference" and _THEY.search(lower):
        return _of_the_first_two(found, shown)
    of_all = len(shown) > 1 and not mentions and not found.extreme
    if of_all and _EACH.search(lower, *found.span):
        return replace(found.of(shown[0].movie_id), all_ids=tuple(m.movie_id for m in shown))
    return _asked_about(found, mentions, focus, lower)


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


def furthest(
    question: FoundQuestion, mentions: Sequence[Mention], shown: Sequence[Movie]
) -> tuple[Mention, ...]:
    """The films that "which is the shortest?" asks of: those named, else the answer of the list."""
    named = tuple(m for m in mentions if m.stance == "asked")
    # "Rocky or Raging Bull, which is shorter?" names them before it asks.
    before = tuple(m for m in mentions if m.stance == "seed" and m.end <= question.span[0])
    if not named and len(before) > 1:
        return tuple(replace(m, stance="asked") for m in before)
    if len(named) > 1:
        return named  # "which is longer, Alien or Aliens?" is answered from the catalogue
    field = cast(RangeField, question.about)
    rated = question.about == "rating"
    values = [(m.rating if rated else number_of(m, field), m) for m in shown]
    known = [(value, m) for value, m in values if value is not None]
    if not known:
        return ()
    return (meant(max(known, key=lambda v: v[0] * question.extreme)[1], "asked"),)


def meant(movie: Movie, stance: Stance) -> Mention:
    """A film that is meant without being named."""
    return Mention(movie.movie_id, movie.title, movie.year, stance, 0, 0)
