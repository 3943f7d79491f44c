"""The names a catalogue knows (titles, franchises, people, tags) and how to find them in text.

Knows keys and popularity of names, and which names need a cue before they are believed ("it", "up",
"her"). Does not know negation or what the user wants of a name: understand.py decides that. Built
once per index revision from a scan of the movies; pure afterwards. Called by understand.py and
tools/.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from retrieval.movie import Movie, fold, stem, title_key
from retrieval.understanding import SlotKind
from retrieval.wording import COMPOUND_GENRES, GENRE_WORDS, MOOD_WORDS, STOPWORDS

LONGEST_TITLE = 9
"""Words: a longer title is not looked for in a text, but grounded where it stands alone."""
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
FUZZY_VOCABULARY = 82.0
FUZZY_TAG = 87.0
VOCABULARY = tuple(w for w in (*GENRE_WORDS, *COMPOUND_GENRES, *MOOD_WORDS) if len(w) > 4)
PARTICLES = frozenset("de del della di da van von la le st mc".split())
"""What begins a surname of two words: "De Niro"."""
COMMON_TIMES = 12
COMMON_SHARE = 0.004
"""A word in more than this share of overviews is ordinary English, not a telling part of a title.
"""

RARE_TIMES = 2
RARE_SHARE = 0.0006
"""A word in no more than this share of overviews and titles means the film that is called so."""
RARE_PRIOR = 100.0
"""How well known such a film must be (prior) to be believed without a cue."""


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
    common: frozenset[str] = frozenset()
    """Words of ordinary English, as this catalogue's overviews show."""
    known: frozenset[str] = frozenset()
    """Words that are spelt right: seen in at least two overviews, titles or names."""
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
        return self.franchises.get(key) or self.franchises.get(key.removesuffix("s")) or ()

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
        if len(phrase) < 5 or " " in phrase or phrase in self.known or phrase in STOPWORDS:
            return None
        hit = process.extractOne(phrase, self._tag_keys, scorer=fuzz.ratio, score_cutoff=FUZZY_TAG)
        return hit[0] if hit else None

    def fuzzy_person(self, text: str, least: float = FUZZY_PERSON) -> PersonEntry | None:
        """The person nearest to a misspelt full name, or None."""
        near = _near(fold(text), self._people_by_initial)
        hit = process.extractOne(fold(text), near, scorer=fuzz.ratio, score_cutoff=least)
        return self.people[hit[0]] if hit else None

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tag_keys", [k for k in self.tags if len(k) > 4 and " " not in k])
        titles = _by_initial(k for k in self.titles if len(k) > 3)
        object.__setattr__(self, "_titles_by_initial", titles)
        known = sorted(self.people, key=lambda k: -self.people[k].acts - self.people[k].directs)
        full = [k for k in known if " " in k]
        families: dict[str, list[str]] = defaultdict(list)
        for name in full:
            families[name.rpartition(" ")[2]].append(name)
        object.__setattr__(self, "families", dict(families))
        object.__setattr__(self, "_titles_in_order", sorted(self.titles))
        object.__setattr__(self, "_people_by_initial", _by_initial(full))
        heads = Counter(k.split()[0] for k in full)
        often = (name for name, n in heads.items() if n > 1 and len(name) > 2)
        object.__setattr__(self, "first_names", frozenset(often) - STOPWORDS)

    _tag_keys: Sequence[str] = field(init=False, default=(), repr=False)
    first_names: frozenset[str] = field(init=False, default=frozenset(), repr=False)
    """What at least two people of the catalogue are called first."""
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
            return [("genre", g) for g in COMPOUND_GENRES[key]]
        if key in GENRE_WORDS:
            return [("genre", GENRE_WORDS[key])]
    if phrase in MOOD_WORDS:
        return [("mood", MOOD_WORDS[phrase])]
    return []


def build_lexicon(movies: Iterable[Movie]) -> Lexicon:
    """Tables over a whole catalogue; one pass."""
    builder = _Builder()
    for movie in movies:
        builder.add(movie)
    return builder.done()


def prior(movie: Movie) -> float:
    """How well known a movie is: fame where given, popularity otherwise (any positive scale)."""
    return 10.0 ** (movie.fame or 0) + (movie.popularity or 0.0)


class _Builder:
    def __init__(self) -> None:
        self.titles: dict[str, list[TitleEntry]] = defaultdict(list)
        self.directs: defaultdict[str, float] = defaultdict(float)
        self.acts: defaultdict[str, float] = defaultdict(float)
        self.names: dict[str, str] = {}
        self.tags: dict[str, tuple[str, str]] = {}
        self.words: Counter[str] = Counter()
        self.movies = 0
        self.newest: Counter[int] = Counter()
        self.series = False

    def add(self, movie: Movie) -> None:
        self.movies += 1
        self.series = self.series or movie.kind == "series"
        if movie.year:
            self.newest[movie.year] += 1
        weight = prior(movie)
        people = tuple(fold(name) for name in (*movie.directors, *movie.cast))
        entry = TitleEntry(movie.movie_id, movie.title, movie.year, weight, people)
        for key in _title_keys(movie):
            self.titles[key].append(entry)
        share = 1.0 + weight**0.5
        for name in filter(_is_a_name, movie.directors):
            self.directs[self._name(name)] += share
        for name in filter(_is_a_name, movie.cast):
            self.acts[self._name(name)] += share
        for tag in movie.themes:
            self.tags.setdefault(fold(tag), ("theme", tag))
        self.words.update(set(fold(f"{movie.title} {movie.overview}").split()))

    def _name(self, name: str) -> str:
        key = fold(name)
        self.names.setdefault(key, name)
        return key

    def done(self) -> Lexicon:
        titles = {
            k: tuple(sorted(v, key=lambda e: (-e.prior, e.movie_id)))
            for k, v in self.titles.items()
        }
        people = {
            key: PersonEntry(name, self.directs.get(key, 0.0), self.acts.get(key, 0.0))
            for key, name in self.names.items()
            if key
        }
        floor = max(2, int(self.movies * 0.001))
        years = sorted(y for y, n in self.newest.items() if n >= floor)
        limit = max(COMMON_TIMES, COMMON_SHARE * self.movies)
        return Lexicon(
            titles=titles,
            franchises=_franchises(titles),
            people=people,
            surnames=_surnames(people),
            tags=self.tags,
            common=frozenset(w for w, n in self.words.items() if n > limit),
            known=frozenset(w for w, n in self.words.items() if n > 1 and len(w) > 3),
            rare_titles=frozenset(self._rare(titles)),
            newest_year=years[-1] if years else 2025,
            films_only=not self.series,
        )

    def _rare(self, titles: dict[str, tuple[TitleEntry, ...]]) -> Iterator[str]:
        limit = max(RARE_TIMES, RARE_SHARE * self.movies)
        for key, entries in titles.items():
            known = entries[0].prior >= RARE_PRIOR and len(key) > 3
            if known and self.words[key] <= limit and key not in STOPWORDS:
                yield key


def _is_a_name(name: str) -> bool:
    """Whether somebody is named, and no prize that a catalogue has among the cast."""
    return not name.lower().startswith(("best ", "academy award"))


def _title_keys(movie: Movie) -> set[str]:
    keys = set()
    for title in (movie.title, *movie.alt_titles):
        for key in (fold(title), title_key(title)):
            if key:
                keys.add(key)
        head = title.partition(":")[0]
        # "Star Wars: Episode IV" is named by what stands after or before the colon as well.
        if head != title and len(head.split()) > 1:
            keys |= {fold(head), title_key(head)}
    return keys


def _franchises(titles: dict[str, tuple[TitleEntry, ...]]) -> dict[str, tuple[TitleEntry, ...]]:
    """First two words that open at least three titles ("harry potter"), best known movies first."""
    by_head: dict[str, dict[str, TitleEntry]] = defaultdict(dict)
    for key, entries in titles.items():
        parts = key.split()
        if len(parts) > 2 and not any(p in STOPWORDS for p in parts[:2]):
            by_head[" ".join(parts[:2])][entries[0].movie_id] = entries[0]
    return {
        head: tuple(sorted(found.values(), key=lambda e: -e.prior))
        for head, found in by_head.items()
        if len(found) >= 3
    }


def _surnames(people: dict[str, PersonEntry]) -> dict[str, str]:
    """Surnames by which one person is meant: well known, and far better known than any namesake."""
    by_surname: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for key, person in people.items():
        parts = key.split()
        if len(parts) > 1 and len(parts[-1]) > 3:
            by_surname[parts[-1]].append((person.directs * 2 + person.acts, key))
        if len(parts) > 2 and parts[-2] in PARTICLES:
            by_surname[" ".join(parts[-2:])].append((person.directs * 2 + person.acts, key))
    chosen = {}
    for surname, ranked in by_surname.items():
        ranked.sort(reverse=True)
        total = sum(weight for weight, _ in ranked)
        if ranked[0][0] > 0.6 * total and ranked[0][0] > 20:
            chosen[surname] = ranked[0][1]
    return chosen
