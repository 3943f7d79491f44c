"""The names a catalogue knows (titles, franchises, people, tags) and how to find them in text.

Knows keys and popularity of names, and which names need a cue before they are believed ("it", "up",
"her"). Does not know negation or what the user wants of a name: understand.py decides that. Built
once per index revision from a scan of the movies; pure afterwards. Called by understand.py and
tools/.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from retrieval.movie import Movie, fold, stem, title_key
from retrieval.nlu.wording import COMPOUND_GENRES, GENRE_WORDS, MOOD_WORDS, STOPWORDS, TONES
from retrieval.understanding import SlotKind

RARE_PRIOR = 100.0
"""How well known a film must be (prior) to be believed without a cue, or with two slips."""
LONGEST_TITLE = 15
"""Words: catalogue_core's longest. Of a title not looked for whole a part would be heard, as
"The Curse" of "Pirates of the Caribbean: The Curse of the Black Pearl"."""
FUZZY_TITLE = 86.0
"""rapidfuzz ratio (0-100) from which a misspelt title is believed after a cue."""
FUZZY_LONG = 80.0
"""From which a long, well-known title is looked at letter by letter."""
SURE_TITLE = 90.0
"""From which it is taken without asking."""
LONG_TITLE = 10
"""Letters of a title in which two slips leave no other word."""
FUZZY_PERSON = 84.0
SURE_PERSON = 90.0
"""From which a first name and a misspelt surname need no cue."""
FAMOUS_OF = 150
"""One of so many people is famous: 200 of the 30,500 in 15,729 films."""
FUZZY_VOCABULARY = 82.0
FUZZY_TAG = 87.0
VOCABULARY = tuple(w for w in (*GENRE_WORDS, *COMPOUND_GENRES, *MOOD_WORDS) if len(w) > 4)


Initials = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class TitleEntry:
    """One movie behind a title key."""

    movie_id: str
    title: str
    year: int | None
    prior: float
    """How well known it is, for choosing among remakes."""
    people: tuple[str, ...] = ()
    """Folded names of whoever made it: "The Revenant with Leonardo DiCaprio" asks for no actor."""


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A name with how often it directs and acts, weighted by how well known the movies are."""

    name: str
    directs: float = 0.0
    acts: float = 0.0


@dataclass(frozen=True)
class Lexicon:
    """Lookup tables; keys are folded words joined by one space."""

    titles: dict[str, tuple[TitleEntry, ...]] = field(default_factory=dict)
    franchises: dict[str, tuple[TitleEntry, ...]] = field(default_factory=dict)
    people: dict[str, PersonEntry] = field(default_factory=dict)
    surnames: dict[str, str] = field(default_factory=dict)
    """Surname -> the full key of the one person who is meant by it."""
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Theme or keyword key -> (field, value)."""
    subjects: frozenset[str] = frozenset()
    """Keywords of one word, of several films, that are nouns: there are words of their plural."""
    common: frozenset[str] = frozenset()
    """Words of ordinary English, as this catalogue's overviews show."""
    known: frozenset[str] = frozenset()
    """Words that are spelt right: seen in at least two overviews, titles or names."""
    small: frozenset[str] = frozenset()
    """Words that overviews write in small letters, and so no names only: "ledger", "rain"."""
    rare_titles: frozenset[str] = frozenset()
    """Titles of one word that hardly occurs elsewhere, of films that are known ("poltergeist")."""
    newest_year: int = 2025
    films_only: bool = True

    def choose(self, key: str, year: int | None = None) -> TitleEntry | None:
        """The movie meant by a title: of that year (+-1) if one is given, else the best known."""
        entries = self.titles.get(key) or ()
        if year is not None:
            near = [e for e in entries if e.year is not None and abs(e.year - year) <= 1]
            return min(near, key=lambda e: (abs((e.year or 0) - year), -e.prior)) if near else None
        return entries[0] if entries else None

    def series_of(self, key: str) -> tuple[TitleEntry, ...]:
        """The films of a series by its name, also in the plural ("harry potters")."""
        one = key.removesuffix("s")
        if found := self.franchises.get(key) or self.franchises.get(one):
            return found
        later = () if key in self.titles or " " not in one else self.sequels_of(one)
        return (*self.titles.get(one, ()), *later) if later else ()  # "the die hards"

    def sequels_of(self, key: str) -> tuple[TitleEntry, ...]:
        """The films whose titles go on from a title: "Back to the Future Part II"."""
        numbered = {"part", "episode", "chapter", "ii", "iii", "iv", "2", "3", "4", "5", "vol"}
        beginning = f"{key} "
        first = bisect_left(self._titles_in_order, beginning)
        later = islice(self._titles_in_order, first, None)
        found = takewhile(lambda title: title.startswith(beginning), later)
        return tuple(
            entry
            for title in found
            if title[len(beginning) :].split()[0] in numbered
            for entry in self.titles[title]
        )

    def beginning_with(self, key: str) -> tuple[TitleEntry, ...]:
        """The films of that title, and those whose titles go on from it: "Toy Story 3"."""
        beginning = f"{key} "
        later = islice(self._titles_in_order, bisect_left(self._titles_in_order, key), None)
        names = takewhile(lambda title: title == key or title.startswith(beginning), later)
        return tuple(entry for title in names for entry in self.titles[title])

    def naming(self, key: str) -> tuple[TitleEntry, ...]:
        """The films whose titles name it anywhere: "Rogue One: A Star Wars Story"."""
        named = f" {key} "
        found = (title for title in self._titles_in_order if named in f" {title} ")
        return tuple(entry for title in found for entry in self.titles[title])

    def resolve(self, title: str) -> TitleEntry | None:
        """Ground "Title (Year)" or "Title" as a model or a list writes it; None when not there."""
        name, year = split_year(title)
        for key in (fold(name), title_key(name)):
            found = self.choose(key, year)
            if found:
                return found
        return None

    def is_telling(self, key: str) -> bool:
        """Whether a title can be believed without a cue: several words, one of them uncommon."""
        parts = key.split()
        if len(parts) < 2 or key in self.tags or is_vocabulary(key):
            return False
        return any(
            p not in STOPWORDS and p not in self.common and not is_vocabulary(p) for p in parts
        )

    def fuzzy_title(self, text: str) -> tuple[TitleEntry, float] | None:
        """The best known title nearest to a misspelt one, with its ratio, or None."""
        if len(text) < 4:
            return None
        key = title_key(text)
        near = _near(key, self._titles_by_initial)
        hits = process.extract(key, near, scorer=fuzz.ratio, score_cutoff=FUZZY_LONG, limit=10)
        scored = [
            (self.titles[hit][0], believed)
            for hit, score, _ in hits
            if (believed := _likeness(key, hit, score, self.titles[hit][0].prior)) >= FUZZY_TITLE
        ]
        return max(scored, key=lambda s: (round(s[1]), s[0].prior)) if scored else None

    def respell(self, phrase: str) -> str | None:
        """The genre or mood phrase that a misspelt one means; None when it is spelt right."""
        parts = phrase.split()
        if len(phrase) < 4 or any(p in STOPWORDS for p in parts):
            return None
        if all(p in self.known or is_vocabulary(p) for p in parts):
            return None
        hit = process.extractOne(
            phrase, VOCABULARY, scorer=fuzz.ratio, score_cutoff=FUZZY_VOCABULARY
        )
        # "Mindbending sci fi" is no misspelt "mindbending": its first word stands there by itself.
        return hit[0] if hit and hit[0] not in parts else None

    def respell_tag(self, phrase: str) -> str | None:
        """The theme that a misspelt word means; None when it is spelt right or means none."""
        parts = phrase.split()
        spelt = all(part in self.known or part in STOPWORDS for part in parts)
        if len(phrase) < 5 or len(parts) > 2 or spelt:
            return None
        keys = self._tag_keys if len(parts) == 1 else self._tag_pairs
        hit = process.extractOne(phrase, keys, scorer=fuzz.ratio, score_cutoff=FUZZY_TAG)
        return hit[0] if hit else None

    def fuzzy_person(self, text: str, least: float = FUZZY_PERSON) -> PersonEntry | None:
        """The person nearest to a misspelt full name, or None."""
        near = _near(fold(text), self._people_by_initial)
        hit = process.extractOne(fold(text), near, scorer=fuzz.ratio, score_cutoff=least)
        return self.people[hit[0]] if hit else None

    def __post_init__(self) -> None:
        # Sorted, so that of equally near ones the same is found whatever came first.
        tags = sorted(self.tags)
        object.__setattr__(self, "_tag_keys", [k for k in tags if len(k) > 4 and " " not in k])
        object.__setattr__(self, "_tag_pairs", [k for k in tags if k.count(" ") == 1])
        in_order = sorted(self.titles)
        object.__setattr__(self, "_titles_in_order", in_order)
        titles = _by_initial(k for k in in_order if len(k) > 3)
        object.__setattr__(self, "_titles_by_initial", titles)
        weight = {key: -p.acts - p.directs for key, p in self.people.items()}
        known = sorted(sorted(weight), key=weight.__getitem__)
        object.__setattr__(self, "famous", frozenset(known[: len(known) // FAMOUS_OF]))
        full = [k for k in known if " " in k]
        families: dict[str, list[str]] = defaultdict(list)
        for name in full:
            families[name.rpartition(" ")[2]].append(name)
        object.__setattr__(self, "families", dict(families))
        object.__setattr__(self, "_people_by_initial", _by_initial(full))
        heads = Counter(k.split()[0] for k in full)
        often = (name for name, n in heads.items() if n > 1 and len(name) > 2)
        object.__setattr__(self, "first_names", frozenset(often) - STOPWORDS)

    _tag_keys: Sequence[str] = field(init=False, default=(), repr=False)
    _tag_pairs: Sequence[str] = field(init=False, default=(), repr=False)
    first_names: frozenset[str] = field(init=False, default=frozenset(), repr=False)
    """What at least two people of the catalogue are called first."""
    famous: frozenset[str] = field(init=False, default=frozenset(), repr=False)
    """The best known people: "no cruise" means one, though the word is an ordinary one too."""
    families: Initials = field(init=False, default_factory=dict, repr=False)
    """Surname -> the full keys of everybody called so."""
    _titles_in_order: Sequence[str] = field(init=False, default=(), repr=False)
    _titles_by_initial: Initials = field(init=False, default_factory=dict, repr=False)
    _people_by_initial: Initials = field(init=False, default_factory=dict, repr=False)


def _by_initial(keys: Iterable[str]) -> Initials:
    """Keys under the first letter of their first word ("^j") and of their last ("j$"), in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        parts = key.split()
        found[f"^{parts[0][0]}"].append(key)
        if len(parts) > 1:
            found[f"{parts[-1][0]}$"].append(key)
    return dict(found)


def _near(key: str, by_initial: Initials) -> list[str]:
    """The keys that begin like this one at either end: a typo seldom hits both initials.

    A key that does at both ends comes twice, which costs less than telling them apart.
    """
    parts = key.split()
    if not parts:
        return []
    ends = [f"^{parts[0][0]}", f"{parts[-1][0]}$"]
    return [*by_initial.get(ends[0], ()), *by_initial.get(ends[1], ())]


def _likeness(said: str, title: str, ratio: float, known: float) -> float:
    """The ratio; two slips in a long title that is well known are as good as one."""
    slips = OSA.distance(said, title, score_cutoff=2)
    long = len(title) >= LONG_TITLE and known >= RARE_PRIOR
    return max(ratio, SURE_TITLE) if long and slips <= 2 else ratio


def split_year(title: str) -> tuple[str, int | None]:
    """("Heat", 1995) from "Heat (1995)"; the year is None when there is none."""
    head, _, tail = title.rstrip().rpartition("(")
    if head and tail.endswith(")") and tail[:-1].isdigit() and len(tail) == 5:
        return head.strip(), int(tail[:-1])
    return title.strip(), None


def is_vocabulary(key: str) -> bool:
    """Whether a phrase is a genre or mood word ("science fiction", "feel good")."""
    singular = " ".join(stem(w) for w in key.split())
    return any(k in GENRE_WORDS or k in MOOD_WORDS for k in (key, singular))


def vocabulary_of(phrase: str) -> list[tuple[SlotKind, str]]:
    """The genre or mood slots that a phrase of the tables means."""
    singular = " ".join(stem(w) for w in phrase.split())
    for key in (phrase, singular):
        if key in COMPOUND_GENRES:
            tone: list[tuple[SlotKind, str]] = [("mood", TONES[key])] if key in TONES else []
            return [*(("genre", g) for g in COMPOUND_GENRES[key]), *tone]
        if key in GENRE_WORDS:
            return [("genre", GENRE_WORDS[key])]
    if phrase in MOOD_WORDS:
        return [("mood", MOOD_WORDS[phrase])]
    return []


def prior(movie: Movie) -> float:
    """How well known a movie is: fame where given, popularity otherwise (any positive scale)."""
    return 10.0 ** (movie.fame or 0) + (movie.popularity or 0.0)
