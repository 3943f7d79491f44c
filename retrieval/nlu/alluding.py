"""Films meant without being named: "seen it", "hated that one", "something similar", "like those".

Knows the words that point back at a film in focus, at the list, or at films named before. Does not
know titles nor places of a list (pointing.py). Pure; called by understand.py only.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from retrieval.movie import Movie
from retrieval.nlu.asked import meant
from retrieval.nlu.people import LinkedPerson
from retrieval.nlu.stances import NEVER_SEEN
from retrieval.understanding import Mention

_SEEN_ALL = re.compile(
    r"\b(?:seen|watched|know) (?:all|both|every one|most)(?:(?: of)? (?:them|those|these|that)\b|(?=\W*(?:$|[.,;!?]|but\b|already\b)))|\b(?:already )?(?:seen|watched) (?:them|those|these)\b"
)
_SEEN_IT = re.compile(
    r"\b(?:i(?:'ve| have)? )?(?:already )?(?:seen|watched|saw) (?:it|that(?: one)?|this(?: one)?)\b"
)
_BAD_IT = re.compile(
    r"\b(?:hated?|didn'?t like|don'?t like|dislike|not interested in) (?:it|that(?: one)?|this(?: one)?)\b"
)

_SIMILAR = re.compile(
    r"\b(?:something|anything|films?|movies?|more) (?:very |quite )?similar\b(?! to \w)|\bsimilar(?: (?:films?|movies?|ones?|stuff|things?))?(?: to (?:it|that|this)(?: one)?)?\W*(?:please\W*)?(?:$|\b(?:but|and|only|just|except|without|from|in|with)\b)"
    r"|\b(?:something|anything|films?|movies?|others?|more|one) (?:just |exactly )?like (?:it|that|this)(?: one)?\b|\bin the same (?:vein|spirit|style|mood|line)\b|\balong (?:those|the same|these) lines\b"
)
_LIKE_THEM = re.compile(
    r"\b(?:like|similar to) (?:them|those|these|both|either)\b|\bwhat(?: else)?(?:'s| is) (?:similar|like (?:it|that))\b"
    r"|\b(?:more|others?|another|else) (?:of (?:that|the same|this) (?:kind|sort|type)|in that (?:vein|style))\b"
)
"""Behind films that were seen: more of their kind is wanted."""
_SAME_LINES = re.compile(
    r"\b(?:along|in) (?:those|these|the same|that) (?:lines?|vein|style|spirit)\b"
)


def alike_again(lower: str, named: Sequence[Mention]) -> tuple[Mention, ...]:
    """Films that were seen as examples as well: "I've seen Heat, anything similar?"."""
    seen = [m for m in named if m.stance == "seen"]
    other = any(m.stance in ("seed", "asked") for m in named)
    alike = _SIMILAR.search(lower) or _LIKE_THEM.search(lower)
    if other or not alike or any(m.start > alike.start() for m in seen):
        return ()
    return tuple(replace(m, stance="seed") for m in seen if not m.also)


def alluded_to(
    lower: str,
    mentions: Sequence[Mention],
    people: Sequence[LinkedPerson],
    shown: Sequence[Movie],
    focus: Movie | None,
) -> tuple[Mention, ...]:
    """Movies of the list by pronoun: "seen it", "seen them all", "hated that one"."""
    seen_all = _SEEN_ALL.search(lower)
    # "Not by Wes Anderson, I've seen them all": all of his.
    place = seen_all.start() if seen_all else 0
    named = any(m.stance == "seen" and m.start >= place for m in mentions)
    if seen_all and not named and not any(p.end <= place for p in people):
        return tuple(meant(m, "seen") for m in shown)
    asked = next((m for m in mentions if m.stance == "asked"), None)
    if asked and len(mentions) == 1 and _SIMILAR.search(lower):
        return (replace(asked, stance="seed", start=0, end=0),)
    return _of_focus(lower, mentions, shown, focus) if focus else ()


def _of_focus(
    lower: str, mentions: Sequence[Mention], shown: Sequence[Movie], focus: Movie
) -> tuple[Mention, ...]:
    if _SAME_LINES.search(lower) and tuple(shown[:1]) == (focus,):
        return ()  # the list as it is, not the film that happens to stand first on it
    if _SIMILAR.search(lower) and not mentions:
        return (meant(focus, "seed"),)
    bad, seen = _BAD_IT.search(lower), _SEEN_IT.search(lower)
    said = bad or seen
    if said and any(0 < m.end <= said.start() for m in mentions):
        return ()  # "not the second one, I've seen it": of that one it is heard already
    if bad:
        return (meant(focus, "disliked"),)
    if seen and not NEVER_SEEN.search(lower):
        return (meant(focus, "seen"),)
    return ()
