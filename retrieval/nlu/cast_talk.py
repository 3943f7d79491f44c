"""Who is asked for and who only spoken of: "Will Ferrell is the best", "oh, with Bruce Willis?".

Knows how people talk of those who made a film that they name, that was just shown, or of nobody's
film in particular. Does not know how names are found (people.py). Pure; called by understand.py
only.
"""

import re
from collections.abc import Sequence
from typing import cast

from retrieval.movie import Movie, fold
from retrieval.nlu.lexicon import Lexicon
from retrieval.nlu.people import LinkedPerson
from retrieval.nlu.scope import Reach, asks
from retrieval.nlu.tokens import LinkedTitle
from retrieval.understanding import Finding, Mention, SlotKind

_NEW_WISH = re.compile(r"[.;!?\n]|\b(?:but|only|also|more|other|another|want|and with)\b")
"""Between a title and a person: what follows is asked for, and describes the title no more."""
_ASKED_WITH = re.compile(
    r"\b(?:that|which|where|what|whatever|movies?|films?|flicks?|ones?|anything|something|everything|with|starring|featuring|by|from)(?: the)? $"
)
"""Before a name: "anything Tom Hanks is in" asks for it."""
_SAID_OF_THEM = re.compile(
    r"(?:,? (?:and|&) [\w.'-]+(?: [\w.'-]+){0,2}?)?,? (?:(?:is|was|are|were|does|did)(?!n't| not\b)|makes?|always|never)\b"
    r"(?! (?:(?:both |all )?(?:together|in)|both|all|who|what|there|that|it|fine|ok|okay|welcome|a must|the (?:one|actor|actress|director|lead))\b)"
)
"""Behind a name: what follows says how they are, and asks for nothing."""
_IN = re.compile(r"(?:,? (?:is|was|were|did|does)?(?: \w+){0,3})? (?:in|from)(?: the)? ")
"""Between a name and the title of a film that they made."""
_IN_THE_STYLE_OF = re.compile(r"\b(?:vein|style|spirit|manner) of |\ba la $|-like $")
"""Before a name: like theirs, and by others as well."""
_REACTS = re.compile(
    r"\b(?:nice|oh+|ooh+|wow|cool|awesome|lol|seen|saw|watched|loved?|liked?|enjoyed|is a good one|was good|good (?:one|stuff))\b"
)


_ASKS_ANEW = re.compile(
    r"\b(?:recommend|suggest|name|find|show|give|know|have|how about|what about|any)\b[^.;!?]*\b(?:movies?|films?|flicks?)\b[^.;!?]* $"
    r"|\b(?:how about|what about) (?:something |anything |one )?(?:with |by |from |starring )?$"
)
"""Before a name: a request of its own, which no film need share with the one before."""
_FILMS_OF = re.compile(r"(?:'s?)? (?:movies?|films?|flicks?)\b")
_BESIDE = re.compile(
    r"^\W*(?:and|plus|also)\b|\b(?:too|both|together|as well)\b|\bwith (?:him|her|them)\b"
)
"""Says that a name joins one that was asked for before."""


_SEEN_WHOLE = re.compile(
    r"\b(?:seen|watched|know|been through|done|finished)(?: (?:pretty much|almost|nearly|about|already|just))*"
    r" (?:everything|(?:all|most|every(?: single)?|the whole|the complete)\b)(?: (?!but\b|want|need|some|any)[\w'-]+){0,4}? $"
)
"""Before a name: there is nothing new by them, "I've seen everything by Tarantino"."""
_WHO_IS_SIMILAR = re.compile(
    r"\b(?:similar|comparable|(?:like|as good as) (?:him|her|them|that|those|it)|who else|what else|anyone else|what next|what now|what should)\b"
)
BEST_OF = 3
"""Films of somebody that stand for all of theirs as examples."""


_WROTE_BEFORE = re.compile(
    r"\b(?:written by|(?:novels?|books?|stor(?:y|ies)|plays?|works?) (?:by|of)|adapted from|adaptations? of|based on)(?: an?| the)? $"
)
_WROTE_AFTER = re.compile(r"(?:['’]s?)? (?:novels?|books?|stor(?:y|ies)|adaptations?)\b")


def wrote(lower: str, start: int, end: int) -> bool:
    """Whether somebody is named as who wrote it: no catalogue field tells, its words may."""
    return bool(_WROTE_BEFORE.search(lower, 0, start) or _WROTE_AFTER.match(lower, end))


def best_known_of(
    lower: str, people: Sequence[LinkedPerson], lexicon: Lexicon
) -> tuple[Mention, ...]:
    """The best known films of whoever's they have all seen, as examples of what they like."""
    whole = [p for p in people if _SEEN_WHOLE.search(lower, 0, p.start)]
    if not whole or not _WHO_IS_SIMILAR.search(lower, whole[-1].end):
        return ()
    names = {fold(p.person.name) for p in whole}
    films = [
        e
        for name in sorted(names)
        for found in lexicon.titles.values()
        for e in found
        if name in e.people
    ]
    best = sorted({e.movie_id: e for e in films}.values(), key=lambda e: (-e.prior, e.movie_id))
    return tuple(Mention(e.movie_id, e.title, e.year, "seed", 0, 0) for e in best[:BEST_OF])


def turns_to(lower: str, wished: Sequence[LinkedPerson]) -> bool:
    """Whether somebody else's films are asked for now: "ok, Bradley Cooper movies?"."""
    if not wished or _BESIDE.search(lower):
        return False
    before, after = lower[: wished[0].start], lower[wished[-1].end :]
    return bool(_ASKS_ANEW.search(before) or _FILMS_OF.match(after))


def asked_for(
    lower: str,
    people: Sequence[LinkedPerson],
    titles: Sequence[LinkedTitle],
    shown: Sequence[Movie],
    reaches: Sequence[Reach],
) -> tuple[list[LinkedPerson], list[Finding]]:
    """The people who are asked for, and, only to rank by, those who are spoken of.

    Who stands under a negator is refused, whatever else is said of them: "not by Wes Anderson, I've
    seen them all".
    """
    wished: list[LinkedPerson] = []
    described: list[Finding] = []
    for person in people:
        if wrote(lower, person.start, person.end):
            barred = any(r.start <= person.start < r.end for r in reaches)
            written = Finding(
                "keyword", fold(person.person.name), "avoid" if barred else "want", barred
            )
            described.append(written)
            continue
        if _SEEN_WHOLE.search(lower, 0, person.start):
            kind = cast(SlotKind, "person" if person.role == "person" else person.role)
            described.append(Finding(kind, person.person.name, "avoid", True))
            continue
        refused = any(r.start <= person.start < r.end for r in reaches)
        spoken_of = not refused and _remarked(lower, person, shown)
        alike = not refused and _IN_THE_STYLE_OF.search(lower, 0, person.start)
        if _describes_a_title(lower, person, titles) or spoken_of or alike:
            described.append(Finding("person", person.person.name, "want", False))
        elif lower[: person.start].rstrip()[-1:] != "(":
            wished.append(person)
    return wished, described


def _describes_a_title(lower: str, person: LinkedPerson, titles: Sequence[LinkedTitle]) -> bool:
    """Whether they made the film that is named beside them: "Heat with Pacino", "him in Heat"."""
    key = fold(person.person.name)
    before = [t for t in titles if t.end <= person.start]
    if before and key in before[-1].entry.people:
        compared = lower[: before[-1].start].rstrip().endswith("than")
        between = lower[before[-1].end : person.start]
        if not compared and not _NEW_WISH.search(between):
            return True
    after = [t for t in titles if t.start >= person.end]
    return bool(
        after
        and key in after[0].entry.people
        and _IN.fullmatch(lower, person.end, after[0].start)
        and not asks(lower[: person.start])
    )


def _remarked(lower: str, person: LinkedPerson, shown: Sequence[Movie]) -> bool:
    """Whether something is said of them, or of their part in a film of the list."""
    if _SAID_OF_THEM.match(lower, person.end):
        return not _ASKED_WITH.search(lower[: person.start])
    key = fold(person.person.name)
    on_list = any(key in map(fold, (*m.cast, *m.directors)) for m in shown)
    questioned = lower[person.end :].lstrip(" \"')").startswith("?")
    return on_list and not asks(lower) and bool(questioned or _REACTS.search(lower))
