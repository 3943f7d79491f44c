"""The lexicon of a catalogue: one pass over its movies.

Knows which names a movie brings, when a word is ordinary English, telling, or a noun that films are
about, and which surname means one person. Does not know how names are found in text (lexicon.py).
Pure; called by tools/catalogue.py once per index revision, by jobs and tests.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from retrieval.lexicon import RARE_PRIOR, Lexicon, PersonEntry, TitleEntry, is_vocabulary, prior
from retrieval.movie import Movie, fold, title_key
from retrieval.wording import STOPWORDS

PARTICLES = frozenset("de del della di da van von la le st mc".split())
"""What begins a surname of two words: "De Niro"."""
SUBJECT_FILMS = 5
"""Films with a keyword from which "a train film" is one about it."""
COMMON_TIMES = 12
COMMON_SHARE = 0.004
"""A word in more than this share of overviews is ordinary English, not a telling part of a title.
"""
_SMALL_WORD = re.compile(r"(?<![\w'’])[a-z]{2,}(?![\w'’])")
RARE_TIMES = 2
RARE_SHARE = 0.0006
"""A word in no more than this share of overviews and titles means the film that is called so."""


def build_lexicon(movies: Iterable[Movie]) -> Lexicon:
    """Tables over a whole catalogue; one pass."""
    builder = _Builder()
    for movie in movies:
        builder.add(movie)
    return builder.done()


class _Builder:
    def __init__(self) -> None:
        self.titles: dict[str, list[TitleEntry]] = defaultdict(list)
        self.directs: defaultdict[str, float] = defaultdict(float)
        self.acts: defaultdict[str, float] = defaultdict(float)
        self.names: dict[str, str] = {}
        self.tags: dict[str, tuple[str, str]] = {}
        self.words: Counter[str] = Counter()
        self.keywords: Counter[str] = Counter()
        self.small: set[str] = set()
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
        self.small.update(_SMALL_WORD.findall(movie.overview))
        self.keywords.update({fold(word) for word in movie.keywords})

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
            small=frozenset(self.small),
            tags=self.tags,
            subjects=frozenset(self._subjects()),
            common=frozenset(w for w, n in self.words.items() if n > limit),
            known=frozenset(w for w, n in self.words.items() if n > 1 and len(w) > 3),
            rare_titles=frozenset(self._rare(titles)),
            newest_year=years[-1] if years else 2025,
            films_only=not self.series,
        )

    def _subjects(self) -> Iterator[str]:
        for key, films in self.keywords.items():
            plain = " " in key or len(key) < 3 or key in STOPWORDS or is_vocabulary(key)
            noun = f"{key}s" in self.small or f"{key}es" in self.small
            if films >= SUBJECT_FILMS and noun and not plain:
                yield key

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
