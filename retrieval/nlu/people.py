"""People named in text, and in which role.

Knows full names, surnames that mean one person, misspelt names after a cue, and the words around a
name that say who directs and who plays. Does not know titles beyond which are also names. Pure.
Called by linking.py, whose `Linker` it reads and claims spans of.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.movie import fold
from retrieval.nlu.lexicon import FUZZY_PERSON, SURE_PERSON, Lexicon, PersonEntry, is_vocabulary
from retrieval.nlu.spans import NUMBER_WORDS
from retrieval.nlu.wording import GRADE_WORDS, NEGATORS, NICKNAMES, STOPWORDS, SUBGENRE_ADJECTIVES

LONGEST_NAME = 4
"""Words of a name."""
WELL_KNOWN = 20.0
"""Weight (PersonEntry.acts + directs) from which a name means the person, not a film of that name."""
MOSTLY = 3.0
"""How many times more somebody directs than acts to be meant as a director by name alone."""
SHARE_OF_FAMILY = 0.3
"""Of the best known one's weight, from which a namesake counts among "the brothers"."""
MANY = 4
"""More of one surname are chance."""
_SIBLINGS = frozenset("brothers bros sisters siblings brother's".split())
FILM_NOUNS = frozenset(
    "movie movies film films flick flicks stuff story stories ones one genre type kind thing things vibe vibes "
    "actor actors".split()
)
_CUES = frozenset("starring staring featuring directed director actor actress played".split())
_LIKES = frozenset("love loved like liked hate hated enjoy enjoyed adore adored prefer".split())
_NO_NAMES = (
    _LIKES
    | frozenset(NUMBER_WORDS)
    | STOPWORDS
    | FILM_NOUNS
    | _CUES
    | frozenset(n.replace("'", "") for n in NEGATORS)
)
_PERSON_CUE = re.compile(
    r"\b(with|wiht|wih|wit|w|starring|staring|featuring|by|director|actor|actress|from|directed by|stars?|has)\s+(?:the )?$|\b(?:guy|man|woman|director|filmmaker|actor|actress|bloke|chap|lady),\s+$"
)
_SURNAME_CUE = re.compile(
    r"\b(?:no|not|without|except|minus|hate|love|like|more|both|and|or|than|any|an?|(?:show|give|find) (?:me|us)|some|(?:vein|style|spirit|manner) of|a la)\s+$"
)
_TITLE_BEFORE = re.compile(r"\b(?:movie|film) (?:called |titled |named |entitled )?$")
_ASKS_TO_LIST = frozenset("list find name show give tell get play run search".split())
_DIRECTED_BEFORE = re.compile(
    r"\b(?:directed(?: and \w+)?(?: \w+)? by|directors?|director(?:s? (?:is|was|were|named)|'s)|filmmaker|direction of|by the)\s+$"
)
_DIRECTS_AFTER = re.compile(
    r"\s*(?:(?:didn'?t|did not|doesn'?t|hasn'?t|has not|hadn'?t|wasn'?t|isn'?t|never|ever|also|have|has|had|is|be|been|to|recently|the one who|personally|actually|himself|herself)\s+)*"
    r"(?:direct(?:s|ed|ing)?\b(?! by)|as (?:the |its |a )?director\b)"
)
_MADE_AFTER = re.compile(r"\s*(?:has |have |had )?ma(?:d|k)es?\b")
_ASKS_WHO_DIRECTS = re.compile(r"\b(?:did|does|has|have|had|will|is|was|can)\s+$")
_DIRECT_LATER = re.compile(r"[\w' ]{0,40}?\bdirect(?:ed|ing)?\b(?! by)")
_THEIR_WORK = re.compile(
    r"'s(?= (?:work|best|new|lat|last|old|ear|other|less|most|great|first|movie|film|stuff|masterp))"
    r"(?: (?:best|newest|latest|first|last|early|earlier|later|other|new|old|lesser known|most famous|greatest))*"
    r"(?:\W*$|[.,;!?]| (?:works?|movies?|films?|stuff|masterpieces?|filmography)\b)"
)
"""Behind a name: "Scorsese's best", "Nolan's films"."""
_ENDS_OR_GOES_ON = re.compile(r"\W*(?:$|please\b|but\b|only\b|in (?:colou?r|black)|from the\b)")
"""Behind a director's name that opens a message: "Hitchcock but in colour"."""
_BY_ALONE = re.compile(r"\b(?:by|from) $")
"""Before a director's surname that is a title as well: "something by Hitchcock"."""
_BY = re.compile(r"\b(?:by|from|of)\s+$")
_PLAYS_BEFORE = re.compile(
    r"\b(?:with|wiht|wih|wit|starring|staring|stars?|starred|featuring|features|actors?|actress(?:es)?|has|have|and|played by|cast)\s+$"
)
_MAKER_BEFORE = re.compile(
    r"\b(?:starring|staring|featuring|director|actor|actress|(?:directed|made|films?|movies?|something|anything|one|ones|more|else|comed(?:y|ies)|dramas?|thrillers?|westerns?|horror) by)\s+$"
)
_PLAYS_AFTER = re.compile(
    r"\s*(?:(?:didn'?t|did not|doesn'?t|does not|isn'?t|is not|wasn'?t|never|ever)\s+)*(?:star(?:s|red|ring)?|play(?:s|ed|ing)?|act(?:s|ed|ing)?|in it|as (?!director|the director))\b"
)
_AND = re.compile(r",? (?:and|or|&) |, ?")


@dataclass(frozen=True, slots=True)
class LinkedPerson:
    """A span that means a person, in a role when the text says one."""

    person: PersonEntry
    role: str
    """As far as the catalogue knows them in it: who never directed there is a `person`."""
    start: int
    end: int
    said: str
    """The role that the text says, or else the one that they are known for."""


class Word(Protocol):
    """A token of the linker."""

    @property
    def folded(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def capital(self) -> bool: ...


class Text(Protocol):
    """What is read of the linker."""

    @property
    def lower(self) -> str: ...
    @property
    def tokens(self) -> Sequence[Word]: ...
    @property
    def lexicon(self) -> Lexicon: ...
    def free(self, start: int, end: int) -> bool: ...
    def take(self, start: int, end: int) -> None: ...
    def capitalised(self, i: int, j: int) -> bool: ...


def read_people(text: Text) -> list[LinkedPerson]:
    """Every person of the text, in order; the spans are claimed."""
    found: list[tuple[PersonEntry, int, int]] = []
    for read in (_in_full, _siblings, _misspelt, _by_nickname, _by_surname):
        for person, i, j in read(text):
            start, end = text.tokens[i].start, text.tokens[j - 1].end
            if text.free(start, end):
                text.take(start, end)
                found.append((person, start, end))
    linked: list[LinkedPerson] = []
    for person, start, end in sorted(found, key=lambda f: f[1]):
        role = _role(text.lower, person, start, end)
        mostly = role == "person" and person.directs > person.acts * MOSTLY
        said = "director" if mostly or _said_to_direct(text.lower, start, end) else role
        last = linked[-1] if linked else None
        joined = last and _AND.fullmatch(text.lower[last.end : start])
        if last and joined and role == "person" and last.role == "director" and person.directs:
            role = said = "director"  # "directed by Joel Coen and Ethan Coen"
        linked.append(LinkedPerson(person, role, start, end, said))
    return linked


def _in_full(text: Text) -> Iterator[tuple[PersonEntry, int, int]]:
    for n in range(LONGEST_NAME, 1, -1):
        for i in range(len(text.tokens) - n + 1):
            key = _key(text, i, i + n)
            if n == 2 and key in text.lexicon.surnames and not _after_first_name(text, i):
                yield text.lexicon.people[text.lexicon.surnames[key]], i, i + n
            person = text.lexicon.people.get(key) or _of_possessive(text, key)
            ends = text.tokens[i + n - 1].folded != "by"  # nobody is called "Narrated by"
            if person and ends and _means_person(text, person, key, i, i + n):
                yield person, i, i + n


def _by_nickname(text: Text) -> Iterator[tuple[PersonEntry, int, int]]:
    """Somebody by what people call them: "with The Rock", "no Leo"."""
    for n in (2, 1):
        for i in range(len(text.tokens) - n + 1):
            person = text.lexicon.people.get(NICKNAMES.get(_key(text, i, i + n), ""))
            before = text.lower[: text.tokens[i].start]
            if person and (_PERSON_CUE.search(before) or _SURNAME_CUE.search(before)):
                yield person, i, i + n


def _siblings(text: Text) -> Iterator[tuple[PersonEntry, int, int]]:
    """Several of one surname: "the Coen brothers", "the Wachowskis"."""
    for i, token in enumerate(text.tokens):
        after = text.tokens[i + 1].folded if i + 1 < len(text.tokens) else ""
        plural = i > 0 and text.tokens[i - 1].folded == "the" and token.folded.endswith("s")
        named = after in _SIBLINGS
        plain = token.folded in STOPWORDS or token.folded in text.lexicon.titles
        if not (named or plural) or plain or len(token.folded) < 4:
            continue
        known = token.folded in text.lexicon.common or is_vocabulary(token.folded)
        surname = token.folded if named else token.folded.removesuffix("s")
        family = [] if known and not named else _family(text.lexicon, surname, named)
        if family:
            names = " or ".join(person.name for person in family)
            directs, acts = sum(p.directs for p in family), sum(p.acts for p in family)
            yield PersonEntry(names, directs, acts), i, i + 1 + named


def _family(lexicon: Lexicon, surname: str, named: bool) -> list[PersonEntry]:
    """The well-known people of one surname, if there are several; by a plural, only directors."""
    found = [lexicon.people[key] for key in lexicon.families.get(surname, ())]
    weights = {p.name: (p.directs + p.acts if named else p.directs) for p in found}
    most = max(weights.values(), default=0.0)
    found = [p for p in found if weights[p.name] >= most * SHARE_OF_FAMILY > 0]
    return sorted(found, key=lambda p: -weights[p.name]) if 2 <= len(found) <= MANY else []


def _of_possessive(text: Text, key: str) -> PersonEntry | None:
    """The person of "tom cruises movies", written without the apostrophe."""
    return text.lexicon.people.get(key[:-1]) if key.endswith("s") else None


def _means_person(text: Text, person: PersonEntry, key: str, i: int, j: int) -> bool:
    """Whether a name that is also a title means the person here."""
    if key not in text.lexicon.titles:
        return True
    before = text.lower[: text.tokens[i].start]
    known = person.acts + person.directs >= WELL_KNOWN and not _TITLE_BEFORE.search(before)
    return known or (bool(_PERSON_CUE.search(before)) and text.capitalised(i, j))


def _misspelt(text: Text) -> Iterator[tuple[PersonEntry, int, int]]:
    for n in (3, 2):
        for i in range(len(text.tokens) - n + 1):
            start, end = text.tokens[i].start, text.tokens[i + n - 1].end
            if not text.free(start, end):
                continue
            key = _key(text, i, i + n)
            parts = key.split()
            cued = _PERSON_CUE.search(text.lower[:start])
            # "Wes andersen comedy": a first name, and hardly another name than the one meant.
            plural = parts[-1].endswith("s") and parts[-1][:-1] in text.lexicon.known
            alone = n == 2 and parts[0] in text.lexicon.first_names and not plural
            if not (cued or alone):  # "teddy bears"
                continue
            plain = any(p in STOPWORDS or p in NEGATORS for p in parts)  # "I'd skip war"
            ordinary = plain or all(p in text.lexicon.common for p in parts)
            least = FUZZY_PERSON if cued else SURE_PERSON
            named = not (ordinary or is_vocabulary(key))
            named = named and not _in_a_title(text, i, i + n)
            person = text.lexicon.fuzzy_person(key, least) if named else None
            if person:
                yield person, i, i + n


def _in_a_title(text: Text, i: int, j: int) -> bool:
    """Whether the words belong to a longer title, spelt right: "Forgetting Sarah Marshall"."""
    keys = [token.folded for token in text.tokens]
    spans = [
        (a, b) for a in range(max(0, i - 3), i + 1) for b in range(j, min(len(keys), j + 3) + 1)
    ]
    return any(" ".join(keys[a:b]) in text.lexicon.titles for a, b in spans if b - a > j - i)


def _by_surname(text: Text) -> Iterator[tuple[PersonEntry, int, int]]:
    for i, token in enumerate(text.tokens):
        person = _alone(text, i) if text.free(token.start, token.end) else None
        if person:
            yield person, i, i + 1


def _alone(text: Text, i: int) -> PersonEntry | None:
    """The one person meant by a single name there."""
    token, lexicon = text.tokens[i], text.lexicon
    raw = text.lower[token.start : token.end]
    key = token.folded
    full = lexicon.surnames.get(fold(raw.removesuffix("'s")))
    plain = key in lexicon.common or is_vocabulary(key) or key in GRADE_WORDS  # "blood and gore"
    if plain or key in _ASKS_TO_LIST:
        return None
    before = text.lower[: token.start]
    after = text.tokens[i + 1].folded if i + 1 < len(text.tokens) else ""
    one_name = lexicon.people.get(key) if key not in STOPWORDS else None
    if full is None:
        known = one_name and one_name.acts + one_name.directs >= WELL_KNOWN
        return one_name if known and len(key) > 3 and _PERSON_CUE.search(before) else None
    person = lexicon.people[full]
    theirs = raw.endswith("'s") and bool(_THEIR_WORK.match(text.lower, token.end - len("'s")))
    by = _BY_ALONE.search(before) and person.directs
    maker = _outshines_the_film(lexicon, full, key)
    alone = maker and i == 0 and bool(_ENDS_OR_GOES_ON.match(text.lower, token.end))
    if (
        (key in lexicon.titles and not (by or maker))
        or _belongs_to_a_name(text, i)
        or _after_first_name(text, i)
    ):
        return None
    cue = bool(_PERSON_CUE.search(before)) or theirs or alone
    # "A zombie comedy" is by nobody of that name.
    named = token.capital or not (key in SUBGENRE_ADJECTIVES or f"{key}s" in lexicon.tags)
    cue = cue or (named and (_refers(text, i, before) or before.endswith("that ")))
    if key in lexicon.small and not token.capital:
        # "DAN has no ledger": an ordinary word is a name where only a name can stand.
        famous = full in lexicon.famous and (cue or after in FILM_NOUNS)
        return person if famous or _MAKER_BEFORE.search(before) else None
    a_kind = key in SUBGENRE_ADJECTIVES or f"{key}s" in lexicon.tags  # "a zombie movie"
    films = after in FILM_NOUNS or (token.capital and i > 0 and is_vocabulary(after))
    return person if cue or (films and not a_kind) else None


def _outshines_the_film(lexicon: Lexicon, full: str, key: str) -> bool:
    """Whether a director is better known than the film of that name: "a Hitchcock film"."""
    person, film = lexicon.people[full], lexicon.choose(key)
    known = full in lexicon.famous and person.directs > person.acts * MOSTLY
    topic = f"{key}s" in lexicon.tags or key in lexicon.tags
    return known and not topic and film is not None and person.directs > MOSTLY * film.prior**0.5


def _belongs_to_a_name(text: Text, i: int) -> bool:
    """Whether a name nobody here knows stands around it: "chad fees" is no Chad of the catalogue."""
    return any(
        0 <= k < len(text.tokens)
        and _beside(text, i, k)
        and (text.tokens[k].capital or not text.tokens[i].capital)  # "the shortest Kubrick film"
        and text.tokens[k].folded not in _NO_NAMES
        and text.tokens[k].folded not in text.lexicon.common
        and not is_vocabulary(text.tokens[k].folded)
        and not text.tokens[k].folded.isdigit()
        for k in (i - 1, i + 1)
    )


def _after_first_name(text: Text, i: int) -> bool:
    """Whether somebody else's first name stands before: "jimmy cagney" where only James is known."""
    before = text.tokens[i - 1] if i else None
    return (
        before is not None
        and before.folded in text.lexicon.first_names
        and text.free(before.start, before.end)
        and _beside(text, i, i - 1)
    )


def _beside(text: Text, i: int, k: int) -> bool:
    first, second = sorted((i, k))
    return text.lower[text.tokens[first].end : text.tokens[second].start] == " "


def _refers(text: Text, i: int, before: str) -> bool:
    """Whether "no" or "like" before a surname means the person, not the start of a title."""
    tables = (text.lexicon.titles, text.lexicon.franchises)
    longer = (_key(text, i, j) for j in range(i + 2, min(i + 8, len(text.tokens) + 1)))
    begins_a_title = any(key in table for key in longer for table in tables)
    return bool(_SURNAME_CUE.search(before)) and not begins_a_title


def _key(text: Text, i: int, j: int) -> str:
    return " ".join(t.folded for t in text.tokens[i:j])


def _role(lower: str, person: PersonEntry, start: int, end: int) -> str:
    before, after = lower[:start], lower[end:].removeprefix("'s")
    if _said_to_direct(lower, start, end) and person.directs:
        return "director"
    if _MADE_AFTER.match(after) and person.directs > person.acts:
        return "director"
    if _PLAYS_AFTER.match(after) and person.acts:
        return "actor" if person.acts >= person.directs * 0.2 else "person"
    if _BY.search(before) and person.directs > person.acts * 0.3:
        return "director"
    if _PLAYS_BEFORE.search(before) and person.acts:
        return "actor" if person.acts >= person.directs * 0.2 else "person"
    film = after.lstrip().startswith(tuple(FILM_NOUNS))
    return "director" if film and person.directs > person.acts else "person"


def _said_to_direct(lower: str, start: int, end: int) -> bool:
    """Whether they are said or asked to direct: "that X directed", "did X ever direct"."""
    before, after = lower[:start], lower[end:].removeprefix("'s")
    if _DIRECTED_BEFORE.search(before) or _DIRECTS_AFTER.match(after):
        return True
    return bool(_ASKS_WHO_DIRECTS.search(before) and _DIRECT_LATER.match(after))
