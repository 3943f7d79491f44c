"""What free wording points at: films and people in a message that a model wrote.

Knows how a title or a name stands in a sentence of somebody who words freely: as a phrase, after a
word that announces one, or with a capital where no sentence begins. The agenda's words are few, so
audit.py holds those against sets of words; a model says "partner" and "a long day" as well, which
are titles and names too. Does not know what may be said when. Pure; called by audit.py.
"""

import re
from collections.abc import Iterator

from evals.users.audit_words import Marks, content, everyday_vocabulary, heard_in, says_something
from retrieval.movie import Movie, fold, stem, title_key

MAX_TITLE_WORDS = 8
_CUE = re.compile(
    r"\b(?:seen|saw|watch(?:ed|ing)?|called|named|titled|like|loved?|maybe|got|about|of|film|movie|"
    r"want(?:ed)?|mean|say|again|try|is it|was it)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_NAME_CUE = re.compile(r"\b(?:with|by|starring|from|of|directed|has|like|featuring)\s+$", re.I)
_STARTS = re.compile(r"(?:^|[.!?:;]\s+|[\n])[\"'“(]*$")


def titles_in(text: str, marks: Marks, strange: frozenset[str]) -> Iterator[Movie]:
    """Films named in a text by a phrase of which some word is not explained."""
    spoken = [(m.start(), m.end()) for m in re.finditer(r"[\w'’-]+", text)]
    for first in range(len(spoken)):
        for last in range(first, min(first + MAX_TITLE_WORDS, len(spoken))):
            phrase = text[spoken[first][0] : spoken[last][1]]
            telling = content(phrase)
            if not telling & strange:
                continue
            movie = marks.films.named(phrase)
            if movie is not None and _is_title(text, spoken[first][0], phrase, telling):
                yield movie


def _is_title(text: str, at: int, phrase: str, telling: frozenset[str]) -> bool:
    everyday = telling <= everyday_vocabulary()
    if len(title_key(phrase).split()) > 1:
        return not everyday or all(
            w[:1].isupper() for w in phrase.split() if says_something(fold(w))
        )
    if _capital_inside(text, at):
        return True
    return not everyday and _CUE.search(text[:at]) is not None


def people_in(text: str, marks: Marks, strange: frozenset[str]) -> Iterator[str]:
    """Surnames of the catalogue that stand in a text as a name."""
    for match in re.finditer(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text):
        token = stem((fold(match.group()).removesuffix("'s").split() or [""])[-1])
        if token not in marks.people or not heard_in(match.group()) & strange:
            continue
        cued = _NAME_CUE.search(text[: match.start()]) is not None
        named = cued and token not in everyday_vocabulary()
        if named or _capital_inside(text, match.start()) or _in_full(text, token, marks):
            yield token


def _in_full(text: str, surname: str, marks: Marks) -> bool:
    """Whether somebody of this surname is named with the first name."""
    said = fold(text)
    movies = (marks.films.by_id[i] for i in marks.people[surname])
    names = {fold(name) for m in movies for name in (*m.directors, *m.cast)}
    return any(" " in n and stem(n.split()[-1]) == surname and n in said for n in names)


def _capital_inside(text: str, at: int) -> bool:
    """Whether a word has a capital that no sentence gave it."""
    return text[at].isupper() and _STARTS.search(text[:at]) is None
