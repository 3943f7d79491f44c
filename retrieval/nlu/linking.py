"""Movies and people named in text: which span means which catalogue entry.

Knows cues ("loved X", "X (1995)", "directed by X") and when a name is only an ordinary word. Does
not know lists that were shown (pointing.py) nor what the user wants of a movie: understand.py
decides the stance. Pure.
"""

import re
from collections.abc import Sequence

from retrieval.nlu import title_cues
from retrieval.nlu.lexicon import LONGEST_TITLE, Lexicon, TitleEntry, is_vocabulary
from retrieval.nlu.misspelt import WELL_KNOWN, misspelt
from retrieval.nlu.people import FILM_NOUNS, LinkedPerson, read_people
from retrieval.nlu.quantities import find_quantities
from retrieval.nlu.spans import NUMBER_WORDS
from retrieval.nlu.tokens import LinkedTitle, tokenize
from retrieval.nlu.vocabulary import UNMISTAKABLE, names_a_topic
from retrieval.nlu.wording import COMPANIONS, GRADE_WORDS, NATIONS, NEGATORS, STOPWORDS

_YEAR_AFTER = re.compile(
    r"[\"'”]?\s*(?:[(\[]\s*((?:19|20)\d\d)\s*[)\]]|,?\s((?:19|20)\d\d)\b(?!s))"
)
_CUES = frozenset(
    "like liked love loved loves enjoy enjoyed adore adored seen saw watched watch watching rewatched "
    "hate hated disliked than to of was is called titled finished tried about recommend".split()
)
_BEFORE_A_VERB = frozenset("want wants need needs going like have trying not used how able".split())
"""Before "to": "I don't want to blow two hours"."""
_DAYS = frozenset(
    "yesterday tomorrow today tonight weekend monday tuesday wednesday thursday friday saturday sunday oscar oscars".split()
)
_WHEN = frozenset({"after", "before", "since", "until", "from", "by", "around", "in"})
"""Before a year, in small letters: a time."""
_JOINERS = frozenset({"and", "or", "also", "plus", "both"})
_REFUSING = frozenset("not no without except besides".split())
_REFUSAL_ENDS = re.compile(
    r"\W*$|\s*[.,;!?]|\s+(?:please|though|tho|obviously|again|this time|but|or|and)\b"
)
_POINTING = frozenset("it this that these those one ones her him them us me you there".split())
"""Words that point at a film rather than name one: "who directed it?"."""


class Linker:
    """One utterance being linked; spans once taken are not taken again."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self.lower = text.lower()
        self.lexicon = lexicon
        self.tokens = tokenize(text)
        self.taken: list[tuple[int, int]] = []
        self.quantities = find_quantities(self.lower, lexicon.newest_year)
        self.title_spans: list[tuple[int, int]] = []
        self.trusted: list[tuple[int, int]] = []
        """Stretches where capitals mean titles, whatever else the word means: "Alien and Aliens"."""
        self.asking: list[tuple[int, int]] = []
        """Stretches that only ask: nothing there is a wish."""
        self.films_asked: list[tuple[int, int]] = []
        """Where a question has its film: "is The Thing rated R?"."""
        small = [t for n, t in enumerate(self.tokens) if n or not t.capital]
        plain = [t for t in small if t.folded in STOPWORDS and t.folded != "i"]
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
        for _ in range(2):  # "seen Heat and the italian job": the longer is looked for first
            for n in range(min(LONGEST_TITLE, len(self.tokens)), 0, -1):
                for i in range(len(self.tokens) - n + 1):
                    linked = self._exact(i, i + n, found)
                    if linked and not self._better_known(linked, i + 1, n, found):
                        self.take(linked.start, linked.end)
                        found.append(linked)
            if not found:
                break
        for linked in misspelt(self):
            self.take(linked.start, linked.end)
            found.append(linked)
        self.title_spans += [(t.start, t.end) for t in found if t.sure]
        return sorted(found, key=lambda t: t.start)

    def _better_known(
        self, linked: LinkedTitle, i: int, n: int, found: Sequence[LinkedTitle]
    ) -> bool:
        """Whether as many words from the next one on are the better name: no "The Toy" Story."""
        if n < 2 or i + n > len(self.tokens):
            return False
        following = self._exact(i, i + n, found)
        return following is not None and following.entry.prior > linked.entry.prior

    def _exact(self, i: int, j: int, found: Sequence[LinkedTitle]) -> LinkedTitle | None:
        first, last = self.tokens[i], self.tokens[j - 1]
        if not self.free(first.start, last.end):
            return None
        key = " ".join(t.folded for t in self.tokens[i:j])
        raw = self.lower[last.start : last.end]
        if raw.endswith(("'s", "’s")) and key not in self.lexicon.titles:
            key = key.removesuffix("s")  # "Gravity's runtime"
        entries = self.lexicon.titles.get(key)
        franchise = None if entries else self.lexicon.series_of(key)
        if not entries and not franchise:
            return None
        if franchise:
            believed = self.lexicon.is_telling(key) or self._has_cue(i, found)
            return LinkedTitle(franchise[0], first.start, last.end) if believed else None
        entry, end, strong = self._with_year(key, first.start, last.end)
        if entry and (strong or self._believed(i, j, key, entry, found)):
            return LinkedTitle(entry, first.start, end)
        return None

    def _with_year(self, key: str, start: int, end: int) -> tuple[TitleEntry | None, int, bool]:
        after = _YEAR_AFTER.match(self.text, end)
        when = key in _WHEN and self.lower[start:end] == self.text[start:end]
        if after and when:
            return None, end, False  # "newer, like after 2012": no film called After
        if after:
            year = int(after.group(1) or after.group(2))
            dated = self.lexicon.choose(key, year)
            if dated:
                return dated, after.end(), True
        said = title_cues.year_said(self.lower, start, end)
        dated = self.lexicon.choose(key, said[0]) if said else None
        several = len(key) > 2 and len(self.lexicon.titles.get(key, ())) > 1
        if said and dated and several:
            self.take(*said[1])  # the year of the film is no wish
            return dated, end, True
        which = title_cues.which_version(self.lower, start, end)
        entries = [e for e in self.lexicon.titles.get(key, ()) if e.year]
        if which and len(entries) > 1:
            by_year = sorted(entries, key=lambda e: e.year or 0)
            return by_year[0 if which == "original" else -1], end, False
        return self.lexicon.choose(key), end, False

    def _believed(
        self, i: int, j: int, key: str, entry: TitleEntry, found: Sequence[LinkedTitle]
    ) -> bool:
        start, end = self.tokens[i].start, self.tokens[j - 1].end
        capital = self.cased and self.capitalised(i, j)
        if self._quoted(i, j) or ((start, end) in self.films_asked and key not in _POINTING):
            return True
        elsewhere = title_cues.is_place_or_company(self.lower, start, end, key)
        if elsewhere or self._cuts_a_name(i, j):
            return False
        if capital and self._asked_about(i) and key not in ("i", "is"):
            return True
        stop_only = all(p in STOPWORDS for p in key.split())
        named = title_cues.asked_for(self.lower, start, end)
        named = named and (not stop_only or j == len(self.tokens))
        # "Who directed It?" names a film, "who directed it?" points at one.
        pointing = key in _POINTING and not (capital and i > 0)
        if named and not key.isdigit() and len(key) > 1 and not pointing:
            return True
        nation = key.removeprefix("the ") in NATIONS
        number = key.isdigit() or key in NUMBER_WORDS
        if number and self._called_so(i, key, entry.prior):
            return True
        plain = number or len(key) < 2 or nation
        evening = title_cues.is_evening(self.lower, start, end)
        day = key in _DAYS and (evening or not (capital and self._has_cue(i, found)))
        plain = plain or day or title_cues.is_award(self.lower, start, end)
        listed = capital and i > 0 and self._has_neighbour(i, found)  # "Alien, Aliens"
        if plain or is_vocabulary(key) or (key in self.lexicon.tags and not listed):
            return False
        if not capital and not self._may_be(i, j, key, entry):
            return False
        if j - i == len(self.tokens) and not stop_only:
            return True
        if stop_only:
            alone = j - i == len(self.tokens)
            cued = alone or self._has_cue(i, found)
            return capital and cued and key.split()[0] != "i"
        if key in _CUES or key in NEGATORS:
            return capital and i > 0 and self.tokens[i - 1].folded in ("like", "than", "loved")
        first = i == 0 and j - i == 1  # a capital there says nothing
        if capital and (not first or title_cues.praised(self.lower, end) or self._or_another(j)):
            return True
        return self._names_one(i, j, key, entry, found)

    def _names_one(
        self, i: int, j: int, key: str, entry: TitleEntry, found: Sequence[LinkedTitle]
    ) -> bool:
        """Whether words without capitals are a name by themselves, or by what stands around."""
        somebody = i > 0 and self.tokens[i - 1].folded in ("a", "an")  # "with a taxi driver in it"
        if key in self.lexicon.franchises or (self.lexicon.is_telling(key) and not somebody):
            return True
        start, end = self.tokens[i], self.tokens[j - 1].end
        if start.capital and self.cased and title_cues.held_against(self.lower, end):
            return self._stands_out(key, entry.prior, True)
        if self._is_refused(i, j, key, entry.prior):
            return True
        ends = title_cues.ends(self.lower, self.tokens[j - 1].end)
        if j - i == 1 and key in self.lexicon.rare_titles and ends:
            return True
        return self._has_cue(i, found) and self._stands_out(key, entry.prior, ends)

    def _stands_out(self, key: str, prior: float, ends: bool) -> bool:
        """Whether a name has a word of its own, or is known well enough to be one after a cue."""
        own = any(p not in STOPWORDS and p not in self.lexicon.common for p in key.split())
        return own or (prior >= WELL_KNOWN and ends)

    def _called_so(self, i: int, key: str, prior: float) -> bool:
        """Whether a number is a film that is called so: "as good as Seven", "seen 1917"."""
        token = self.tokens[i]
        written = token.capital or (key.isdigit() and len(key) > 2)
        return (
            written
            and prior >= WELL_KNOWN
            and title_cues.numbered(self.lower, token.start, token.end)
        )

    def _asked_about(self, i: int) -> bool:
        """Whether a question stands around the word, which is no word of asking itself."""
        start = self.tokens[i].start
        asked = any(low < start < high for low, high in self.trusted)
        return asked and not self.tokens[i].folded.startswith("wh")

    def _may_be(self, i: int, j: int, key: str, entry: TitleEntry) -> bool:
        """Whether nothing around a title in small letters says that it is none."""
        start, end = self.tokens[i].start, self.tokens[j - 1].end
        told = title_cues.tells(self.lower, start) or title_cues.is_quality(self.lower, start)
        told = told or key in COMPANIONS or title_cues.is_feared(self.lower, start)
        if told or key in UNMISTAKABLE or self._cuts_a_tag(i, j):
            return False  # "I'm wide awake", "black and white"
        telling = self.lexicon.is_telling(key)  # "Star Wars: Episode IV - A New Hope"
        for span in self.quantities:
            within = start <= span.start and span.end <= end and end - start > span.end - span.start
            if start < span.end and end > span.start and not (telling and within):
                return False  # "the last five years"
        kind, _, noun = key.removeprefix("a ").removeprefix("the ").rpartition(" ")
        if noun in FILM_NOUNS and (is_vocabulary(kind) or names_a_topic(kind, self.lexicon)):
            return False  # "a scary movie", "silent movies", "a pirate movie"
        after = self.tokens[j].folded if j < len(self.tokens) else ""
        if after.isdigit() and len(after) < 3:
            return False  # a sequel that the catalogue lacks is not the first film
        films = after in FILM_NOUNS
        alone = j - i == len(self.tokens)
        if j - i == 1 and (films or alone) and names_a_topic(key, self.lexicon):
            return False  # "a submarine film" is about one
        if not films or key in self.lexicon.franchises:
            return True
        known = entry.prior >= WELL_KNOWN and key not in self.lexicon.common
        return known and title_cues.names_a_series(self.lower, start, end)

    def _cuts_a_tag(self, i: int, j: int) -> bool:
        """Whether the span takes half of a theme: "about time" in "about time travel"."""
        edges = [(i - 1, i + 1), (j - 1, j + 1)]
        phrases = [
            " ".join(t.folded for t in self.tokens[a:b])
            for a, b in edges
            if 0 <= a < b <= len(self.tokens)
        ]
        return any(p in self.lexicon.tags or is_vocabulary(p) for p in phrases if " " in p)

    def _cuts_a_name(self, i: int, j: int) -> bool:
        """Whether one word is taken out of a longer name that is not known: "Toni" of "Toni Erdmann"."""
        one = j - i == 1 and self.cased and self.tokens[i].capital
        return one and any(self._names_on(k) and self._beside(i, k) for k in (i - 1, i + 1))

    def _names_on(self, k: int) -> bool:
        """Whether the word there is the part of a name: a capital that nothing else explains."""
        if not 0 <= k < len(self.tokens):
            return False
        token = self.tokens[k]
        opens = k == 0 or self.text[self.tokens[k - 1].end : token.start].strip(" \"'(,") != ""
        known = token.folded in STOPWORDS or token.folded in FILM_NOUNS or token.folded in NATIONS
        known = known or is_vocabulary(token.folded) or token.folded in _CUES
        return token.capital and not (opens or known) and self.free(token.start, token.end)

    def _beside(self, i: int, k: int) -> bool:
        first, second = sorted((i, k))
        return self.text[self.tokens[first].end : self.tokens[second].start] == " "

    def _quoted(self, i: int, j: int) -> bool:
        before = self.text[: self.tokens[i].start].rstrip()[-1:]
        after = self.text[self.tokens[j - 1].end :].lstrip()[:1]
        return before in "\"“'‘" and after in "\"”'’.,!?" and before != "" and after != ""

    def capitalised(self, i: int, j: int) -> bool:
        """Whether the words are written as a name is."""
        named = (t.capital or t.folded.isdigit() or t.folded in STOPWORDS for t in self.tokens[i:j])
        return all(named) and (self.tokens[i].capital or self.tokens[j - 1].capital)

    def _has_cue(self, i: int, found: Sequence[LinkedTitle]) -> bool:
        k = i - 1
        while k >= 0 and self.tokens[k].folded in ("the", "a", "an", "movie", "film", "watching"):
            k -= 1
        if k < 0:
            return False
        verb = self.tokens[k].folded == "to" and k and self.tokens[k - 1].folded in _BEFORE_A_VERB
        cue = self.tokens[k].folded in _CUES and not verb
        return cue or self._has_neighbour(i, found)

    def _is_refused(self, i: int, j: int, key: str, prior: float) -> bool:
        """Whether "not" stands right before a well-known film, and nothing else it could mean."""
        before = self.tokens[i - 1].folded if i else ""
        before = self.tokens[i - 2].folded if before == "the" and i > 1 else before
        ends = _REFUSAL_ENDS.match(self.lower, self.tokens[j - 1].end)
        other = names_a_topic(key, self.lexicon) or key in COMPANIONS or key in GRADE_WORDS
        return before in _REFUSING and bool(ends) and prior >= WELL_KNOWN and not other

    def _or_another(self, j: int) -> bool:
        """Whether "or" and another name follow: "Rocky or Raging Bull"."""
        if j + 1 >= len(self.tokens) or self.tokens[j].folded not in ("or", "vs", "versus"):
            return False
        return self.tokens[j + 1].capital and self.tokens[j + 1].folded not in STOPWORDS

    def _has_neighbour(self, i: int, found: Sequence[LinkedTitle]) -> bool:
        """Whether a title stands right before, with "and" or a comma between."""
        k = i - 1
        while k >= 0 and self.tokens[k].folded in ("the", "a", "an"):
            k -= 1
        if k < 0:
            return False
        previous = self.tokens[k - 1].end if self.tokens[k].folded in _JOINERS and k else None
        ends = [t.end for t in found]
        comma = self.text[self.tokens[i - 1].end : self.tokens[i].start].strip() == ","
        return previous in ends or (comma and self.tokens[i - 1].end in ends)

    def opens_a_title(self, place: int) -> bool:
        """Whether a title in capitals begins there: "not Scary Movie" grades nothing."""
        i = next((k for k, t in enumerate(self.tokens) if t.start == place), None)
        if i is None or not (self.cased and self.tokens[i].capital):
            return False
        keys = (" ".join(t.folded for t in self.tokens[i:j]) for j in range(i + 2, i + 6))
        return any(key in self.lexicon.titles for key in keys)

    # --- people ---

    def people(self) -> list[LinkedPerson]:
        """People named in full, by a surname that means one person, or misspelt after a cue."""
        return read_people(self)
