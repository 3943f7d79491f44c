"""Movies and people named in text: which span means which catalogue entry.

Knows cues ("loved X", "X (1995)", "directed by X"), ordinals ("the second one") and when a name is
only an ordinary word. Does not know what the user wants of a movie: understand.py decides the
stance. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.lexicon import LONGEST_TITLE, Lexicon, PersonEntry, TitleEntry, is_vocabulary
from retrieval.movie import Movie, fold
from retrieval.wording import NEGATORS, STOPWORDS

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_YEAR_AFTER = re.compile(
    r"[\"'”]?\s*(?:[(\[]\s*((?:19|20)\d\d)\s*[)\]]|,?\s((?:19|20)\d\d)\b(?!s))"
)
_CUES = frozenset(
    "like liked love loved loves enjoy enjoyed adore adored seen saw watched watch watching rewatched "
    "hate hated disliked than to of was is called titled finished tried about recommend".split()
)
_JOINERS = frozenset({"and", "or", "also", "plus", "both"})
_NOT_A_TITLE_BEFORE = frozenset(
    "movie movies film films stuff story stories ones one genre type kind things vibe vibes actor actors".split()
)
_DIRECTOR_CUE = re.compile(r"(directed by|director|filmmaker|by the)\s*$")
_BY_CUE = re.compile(r"\b(by|from|of)\s*$")
_ACTOR_CUE = re.compile(r"\b(with|starring|stars|featuring|actor|actress|has|have|and)\s*$")
_PERSON_CUE = re.compile(
    r"\b(with|wiht|wih|w|starring|staring|featuring|by|director|actor|actress|from|directed by|stars?|has)\s+(?:the )?$"
)
_SURNAME_CUE = re.compile(
    r"\b(?:no|not|without|except|minus|hate|love|like|more|both|and|or|than|any|(?:show|give|find) (?:me|us)|some)\s+$"
)
_FUZZY_CUE = re.compile(
    r"\b(?:like|loved|(?:i|we|really|also|do|absolutely|just|and) love|liked|enjoyed|seen|saw|watched|similar to|fan of|hated|remake of|than)\s+(?:the movie |the film |watching )?"
)
_FUZZY_END = re.compile(
    r"[.,;!?\n]|\b(?:but|and|or|with|that|which|because|so|except|only|was|is|please|movies?|films?)\b"
)
_ORDINALS = {
    **{"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3},
    **{"fifth": 4, "5th": 4, "sixth": 5, "seventh": 6, "eighth": 7, "last": -1, "top": 0},
}
_ORDINAL = re.compile(
    rf"\b(?:the )?(?:({'|'.join(_ORDINALS)}) (?:one|movie|film|pick|option|choice|suggestion|title)?\b"
    r"|(?:number|no\.|#) ?(\d{1,2})\b)"
    rf"|\bthe ({'|'.join(_ORDINALS)})(?=\W*$|\s*[,.;!?]| (?:and|is|was|looks|sounds)\b)|(?<=and )(?:the )?({'|'.join(_ORDINALS)})(?=\W*$)"
)
_FEW = {"two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4}
_FIRST_FEW = re.compile(r"\b(?:the )?first (two|three|four|2|3|4)\b")


@dataclass(frozen=True, slots=True)
class Token:
    """A word with its folded form and place in the text."""

    folded: str
    start: int
    end: int
    capital: bool


@dataclass(frozen=True, slots=True)
class LinkedTitle:
    """A span that means a movie."""

    entry: TitleEntry
    start: int
    end: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class LinkedPerson:
    """A span that means a person, in a role when the text says one."""

    person: PersonEntry
    role: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """The words of a text with their places."""
    return [
        Token(fold(m.group()), m.start(), m.end(), m.group()[0].isupper())
        for m in _TOKEN.finditer(text)
    ]


class Linker:
    """One utterance being linked; spans once taken are not taken again."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self.lower = text.lower()
        self.lexicon = lexicon
        self.tokens = tokenize(text)
        self.taken: list[tuple[int, int]] = []
        self.title_spans: list[tuple[int, int]] = []
        self.trusted: tuple[int, int] = (0, 0)
        """A stretch where capitals mean titles, whatever else the word means: "Alien and Aliens"."""
        plain = [t for t in self.tokens[1:] if t.folded in STOPWORDS and t.folded != "i"]
        # Where even small words are capitals, capitals say nothing.
        self.cased = not plain or sum(t.capital for t in plain) < 0.7 * len(plain)

    def free(self, start: int, end: int) -> bool:
        """Whether no earlier finding took any part of the span."""
        return all(end <= a or start >= b for a, b in self.taken)

    def take(self, start: int, end: int) -> None:
        """Claim a span."""
        self.taken.append((start, end))

    # --- titles ---

    def titles(self) -> list[LinkedTitle]:
        """Movies named by title: longest first, exact before fuzzy."""
        found: list[LinkedTitle] = []
        for n in range(min(LONGEST_TITLE, len(self.tokens)), 0, -1):
            for i in range(len(self.tokens) - n + 1):
                linked = self._exact(i, i + n, found)
                if linked:
                    self.take(linked.start, linked.end)
                    found.append(linked)
        found += self._fuzzy()
        self.title_spans += [(t.start, t.end) for t in found if t.sure]
        return sorted(found, key=lambda t: t.start)

    def _exact(self, i: int, j: int, found: Sequence[LinkedTitle]) -> LinkedTitle | None:
        first, last = self.tokens[i], self.tokens[j - 1]
        if not self.free(first.start, last.end):
            return None
        key = " ".join(t.folded for t in self.tokens[i:j])
        entries = self.lexicon.titles.get(key)
        franchise = None if entries else self.lexicon.franchises.get(key)
        if not entries and not franchise:
            return None
        if franchise:
            believed = self.lexicon.is_telling(key) or self._has_cue(i, found)
            return LinkedTitle(franchise[0], first.start, last.end) if believed else None
        entry, end, strong = self._with_year(key, last.end)
        if entry and (strong or self._believed(i, j, key, entry, found)):
            return LinkedTitle(entry, first.start, end)
        return None

    def _with_year(self, key: str, end: int) -> tuple[TitleEntry | None, int, bool]:
        after = _YEAR_AFTER.match(self.text, end)
        if after:
            year = int(after.group(1) or after.group(2))
            dated = self.lexicon.choose(key, year)
            if dated:
                return dated, after.end(), True
        return self.lexicon.choose(key), end, False

    def _believed(
        self, i: int, j: int, key: str, entry: TitleEntry, found: Sequence[LinkedTitle]
    ) -> bool:
        if self._quoted(i, j):
            return True
        low, high = self.trusted
        asked = low < self.tokens[i].start < high and not self.tokens[i].folded.startswith("wh")
        if asked and self.cased and self._capitalised(i, j) and key not in ("i", "is"):
            return True
        if is_vocabulary(key) or key in self.lexicon.tags or key.isdigit():
            return False
        if self._cuts_a_tag(i, j) and not (self.cased and self._capitalised(i, j)):
            return False
        after = self.tokens[j].folded if j < len(self.tokens) else ""
        franchise = key in self.lexicon.franchises
        if (
            after in _NOT_A_TITLE_BEFORE
            and not franchise
            and not (self._capitalised(i, j) and self.cased)
        ):
            return False
        stop_only = all(p in STOPWORDS for p in key.split())
        capital = self.cased and self._capitalised(i, j)
        if j - i == len(self.tokens) and not stop_only:
            return True
        if stop_only:
            alone = j - i == len(self.tokens)
            return capital and (alone or self._has_cue(i, found)) and key != "i"
        if key in _CUES or key in NEGATORS:
            return False
        if franchise or self.lexicon.is_telling(key):
            return True
        if capital and (i > 0 or j - i > 1):
            return True
        ordinary = all(p in STOPWORDS or p in self.lexicon.common for p in key.split())
        return self._has_cue(i, found) and (not ordinary or entry.prior >= 100)

    def _cuts_a_tag(self, i: int, j: int) -> bool:
        """Whether the span takes half of a theme: "about time" in "about time travel"."""
        edges = [(i - 1, i + 1), (j - 1, j + 1)]
        phrases = [
            " ".join(t.folded for t in self.tokens[a:b])
            for a, b in edges
            if 0 <= a < b <= len(self.tokens)
        ]
        return any(p in self.lexicon.tags or is_vocabulary(p) for p in phrases if " " in p)

    def _quoted(self, i: int, j: int) -> bool:
        before = self.text[: self.tokens[i].start].rstrip()[-1:]
        after = self.text[self.tokens[j - 1].end :].lstrip()[:1]
        return before in "\"“'‘" and after in "\"”'’.,!?" and before != "" and after != ""

    def _capitalised(self, i: int, j: int) -> bool:
        return all(t.capital or t.folded in STOPWORDS for t in self.tokens[i:j]) and (
            self.tokens[i].capital or self.tokens[j - 1].capital
        )

    def _has_cue(self, i: int, found: Sequence[LinkedTitle]) -> bool:
        k = i - 1
        while k >= 0 and self.tokens[k].folded in ("the", "a", "an", "movie", "film", "watching"):
            k -= 1
        if k < 0:
            return False
        if self.tokens[k].folded in _CUES:
            return True
        previous = self.tokens[k - 1].end if self.tokens[k].folded in _JOINERS and k else None
        ends = [t.end for t in found]
        comma = self.text[self.tokens[i - 1].end : self.tokens[i].start].strip() == ","
        return previous in ends or (comma and self.tokens[i - 1].end in ends)

    def _fuzzy(self) -> list[LinkedTitle]:
        """Misspelt titles right after a cue, where nothing exact was found."""
        found = []
        for cue in _FUZZY_CUE.finditer(self.lower):
            stop = _FUZZY_END.search(self.lower, cue.end() + 1)
            end = stop.start() if stop else len(self.text)
            words = [t for t in self.tokens if cue.end() <= t.start and t.end <= end][:6]
            linked = self._fuzzy_span(words)
            if linked:
                self.take(linked.start, linked.end)
                found.append(linked)
        return found

    def _fuzzy_span(self, words: list[Token]) -> LinkedTitle | None:
        if not words or not self.free(words[0].start, words[-1].end):
            return None
        for n in range(len(words), 0, -1):
            span = words[:n]
            rest = [t.folded for t in words[n:]]
            if any(r not in STOPWORDS and not is_vocabulary(r) for r in rest):
                continue  # "Breaking Bad" is not a misspelt "Breakin'"
            content = [t.folded for t in span if t.folded not in STOPWORDS]
            plain = all(c in self.lexicon.common or is_vocabulary(c) for c in content)
            if not content or plain:
                continue
            hit = self.lexicon.fuzzy_title(" ".join(t.folded for t in span))
            if hit:
                return LinkedTitle(hit[0], span[0].start, span[-1].end, sure=hit[1] >= 90)
        return None

    # --- positions in the shown list ---

    def ordinals(self, shown: Sequence[Movie]) -> list[LinkedTitle]:
        """Movies of the list shown last: "the second one", "number 3", "that Nolan one"."""
        found = []
        for match in _FIRST_FEW.finditer(self.lower):
            many = _FEW[match.group(1)] if self.free(*match.span()) else 0
            found += [_linked(movie, *match.span()) for movie in shown[:many]]
        for linked in found:
            self.take(linked.start, linked.end)
        for match in _ORDINAL.finditer(self.lower):
            word = match.group(1) or match.group(3) or match.group(4)
            index = _ORDINALS[word] if word else int(match.group(2)) - 1
            alone = bool(match.group(1)) and match.group().strip().split()[-1] in _ORDINALS
            if -1 <= index < len(shown) and shown and not alone and self.free(*match.span()):
                found.append(_linked(shown[index], *match.span()))
        for match in re.finditer(r"\bthat (\w+(?: \w+)?) (?:one|movie|film)\b", self.lower):
            name = fold(match.group(1))
            hits = [m for m in shown if any(name in fold(p) for p in (*m.directors, *m.cast))]
            if len(hits) == 1 and self.free(*match.span()):
                found.append(_linked(hits[0], *match.span()))
        for linked in found:
            self.take(linked.start, linked.end)
        self.title_spans += [(t.start, t.end) for t in found]
        return found

    # --- people ---

    def people(self) -> list[LinkedPerson]:
        """People named in full, by a surname that means one person, or misspelt after a cue."""
        found: list[LinkedPerson] = []
        for n in (4, 3, 2, 1):
            for i in range(len(self.tokens) - n + 1):
                person = self._person(i, i + n)
                start, end = self.tokens[i].start, self.tokens[i + n - 1].end
                if person and self.free(start, end):
                    self.take(start, end)
                    found.append(LinkedPerson(person, self._role(person, start, end), start, end))
        return sorted(found, key=lambda p: p.start)

    def _person(self, i: int, j: int) -> PersonEntry | None:
        key = " ".join(t.folded for t in self.tokens[i:j])
        before = self.lower[: self.tokens[i].start]
        if j - i == 2 and key in self.lexicon.surnames:
            return self.lexicon.people[self.lexicon.surnames[key]]
        if j - i > 1:
            person = self.lexicon.people.get(key)
            if person and key not in self.lexicon.titles:
                return person
            if person or j - i > 3 or not _PERSON_CUE.search(before):
                return person if person and self._capitalised(i, j) else None
            parts = key.split()
            plain = any(p in STOPWORDS for p in parts)
            ordinary = plain or all(p in self.lexicon.common for p in parts)
            return None if ordinary or is_vocabulary(key) else self.lexicon.fuzzy_person(key)
        raw = self.lower[self.tokens[i].start : self.tokens[i].end]
        full = self.lexicon.surnames.get(fold(raw.removesuffix("'s")))
        after = self.tokens[j].folded if j < len(self.tokens) else ""
        cue = (
            _PERSON_CUE.search(before)
            or self._refers(i, before)
            or before.endswith("that ")
            or after in _NOT_A_TITLE_BEFORE
        )
        known = key in self.lexicon.titles or key in self.lexicon.common or is_vocabulary(key)
        return self.lexicon.people[full] if full and cue and not known else None

    def _refers(self, i: int, before: str) -> bool:
        """Whether "no" or "like" before a surname means the person, not the start of a title."""
        tables = (self.lexicon.titles, self.lexicon.franchises)
        longer = (" ".join(t.folded for t in self.tokens[i:j]) for j in range(i + 2, i + 8))
        begins_a_title = any(key in table for key in longer for table in tables)
        return bool(_SURNAME_CUE.search(before)) and not begins_a_title

    def _role(self, person: PersonEntry, start: int, end: int) -> str:
        before = self.lower[:start]
        after = self.lower[end : end + 12].lstrip(" '’s")
        if _DIRECTOR_CUE.search(before) and person.directs:
            return "director"
        if _BY_CUE.search(before) and person.directs > person.acts * 0.3:
            return "director"
        if _ACTOR_CUE.search(before) and person.acts:
            return "actor" if person.acts >= person.directs * 0.2 else "person"
        if after.startswith(("movie", "film", "one", "flick")) and person.directs > person.acts:
            return "director"
        return "person"


def _linked(movie: Movie, start: int, end: int) -> LinkedTitle:
    return LinkedTitle(TitleEntry(movie.movie_id, movie.title, movie.year, 0.0), start, end)
