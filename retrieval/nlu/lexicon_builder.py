"""The lexicon of a catalogue, and how it follows a change of some films.

Knows which names a movie brings to which table, so that a change costs what these films brought and
not a reading of all; when a word is ordinary English, telling, or a noun that films are about, and
which surname means one person. Does not know how names are found in text (lexicon.py). Pure. Called
by tools/catalogue.py; whoever needs one lexicon and no more calls `build_lexicon`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import TypeVar

from retrieval.movie import Movie, fold, title_key, words
from retrieval.nlu.lexicon import RARE_PRIOR, Lexicon, PersonEntry, TitleEntry, is_vocabulary, prior
from retrieval.nlu.wording import STOPWORDS

T = TypeVar("T")

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
    """Tables over a whole catalogue."""
    return Names().changed(movies).lexicon()


@dataclass(frozen=True, slots=True)
class _FilmNames:
    """What one film gives."""

    entry: TitleEntry
    keys: frozenset[str]
    """What it is called, folded."""
    directors: tuple[tuple[str, str], ...]
    cast: tuple[tuple[str, str], ...]
    """(key, name as written) pairs."""
    themes: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    """Of title and overview, each once; interned, since films share most of them."""
    small: tuple[str, ...]
    """Of the overview, those in small letters."""
    keywords: frozenset[str]
    series: bool

    @classmethod
    def of(cls, movie: Movie) -> "_FilmNames":
        people = tuple(intern(fold(name)) for name in (*movie.directors, *movie.cast))
        named = list(zip(people, (*movie.directors, *movie.cast), strict=True))
        at = len(movie.directors)
        # Past the memory of `fold`: nobody folds an overview twice.
        said = {w.replace("'", "") for w in words(f"{movie.title} {movie.overview}")}
        return cls(
            TitleEntry(movie.movie_id, movie.title, movie.year, prior(movie), people),
            frozenset(map(intern, _title_keys(movie))),
            tuple(pair for pair in named[:at] if _is_a_name(*pair)),
            tuple(pair for pair in named[at:] if _is_a_name(*pair)),
            tuple((intern(fold(tag)), tag) for tag in movie.themes),
            tuple(map(intern, said)),
            tuple(map(intern, set(_SMALL_WORD.findall(movie.overview)))),
            frozenset(intern(fold(word)) for word in movie.keywords),
            movie.kind == "series",
        )


@dataclass(frozen=True)
class Names:
    """Everything that films give to the tables; a change makes new ones and leaves these alone."""

    _films: Mapping[str, _FilmNames] = field(default_factory=dict)
    """In the order of their ids: the first film that spells a name is the one that counts."""
    _titles: Mapping[str, tuple[TitleEntry, ...]] = field(default_factory=dict)
    _people: Mapping[str, PersonEntry] = field(default_factory=dict)
    _tags: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    _words: Counter[str] = field(default_factory=Counter)
    _small: Counter[str] = field(default_factory=Counter)
    _keywords: Counter[str] = field(default_factory=Counter)
    """In how many films each stands."""

    def changed(self, put: Iterable[Movie], gone: Collection[str] = ()) -> "Names":
        """The names after films were added or replaced and others went."""
        new = {movie.movie_id: _FilmNames.of(movie) for movie in put}
        old = {i: self._films[i] for i in (*new, *gone) if i in self._films}
        films = {i: film for i, film in self._films.items() if i not in gone} | new
        if not new.keys() <= self._films.keys():
            films = dict(sorted(films.items()))
        moved = [(old.get(i), new.get(i)) for i in old.keys() | new.keys()]
        return Names(
            films,
            self._titles_after(moved),
            self._people_after(moved, films),
            self._tags_after(moved, films),
            _counts_after(self._words, [(_of(a).words, _of(b).words) for a, b in moved]),
            _counts_after(self._small, [(_of(a).small, _of(b).small) for a, b in moved]),
            _counts_after(self._keywords, [(_of(a).keywords, _of(b).keywords) for a, b in moved]),
        )

    def _titles_after(self, moved: "_Moved") -> dict[str, tuple[TitleEntry, ...]]:
        titles = dict(self._titles)
        ids = {film.entry.movie_id for pair in moved for film in pair if film}
        named: defaultdict[str, list[TitleEntry]] = defaultdict(list)
        for _, film in moved:
            for key in _of(film).keys:
                named[key].append(_of(film).entry)
        left = {key for film, _ in moved for key in _of(film).keys}
        for key in left | named.keys():
            stay = [entry for entry in titles.get(key, ()) if entry.movie_id not in ids]
            entries = sorted((*stay, *named[key]), key=lambda e: (-e.prior, e.movie_id))
            _set(titles, key, tuple(entries) or None)
        return titles

    def _people_after(
        self, moved: "_Moved", films: Mapping[str, _FilmNames]
    ) -> dict[str, PersonEntry]:
        """Whoever gains or loses a film is counted anew: sums of floats do not subtract."""
        people = dict(self._people)
        keys = {key for pair in moved if _crew(pair[0]) != _crew(pair[1]) for key in _keys(*pair)}
        directs: defaultdict[str, float] = defaultdict(float)
        acts: defaultdict[str, float] = defaultdict(float)
        names: dict[str, str] = {}
        for film in films.values() if keys else ():
            if keys.isdisjoint(film.entry.people):
                continue
            share = 1.0 + film.entry.prior**0.5
            for credits, role in ((film.directors, directs), (film.cast, acts)):
                for key, name in credits:
                    if key in keys:
                        role[key] += share
                        names.setdefault(key, name)
        for key in keys:
            left = key in names
            found = PersonEntry(names[key], directs[key], acts[key]) if left else None
            _set(people, key, found)
        return people

    def _tags_after(
        self, moved: "_Moved", films: Mapping[str, _FilmNames]
    ) -> dict[str, tuple[str, str]]:
        tags = dict(self._tags)
        themes = [(_of(a).themes, _of(b).themes) for a, b in moved]
        keys = {key for a, b in themes if a != b for key, _ in (*a, *b)}
        spelled: dict[str, tuple[str, str]] = {}
        for film in films.values() if keys else ():
            for key, tag in film.themes:
                if key in keys:
                    spelled.setdefault(key, ("theme", tag))
        for key in keys:
            _set(tags, key, spelled.get(key))
        return tags

    def lexicon(self) -> Lexicon:
        """The tables as they are looked things up in."""
        count = len(self._films)
        years = Counter(film.entry.year for film in self._films.values() if film.entry.year)
        floor = max(2, int(count * 0.001))
        limit = max(COMMON_TIMES, COMMON_SHARE * count)
        return Lexicon(
            titles=dict(self._titles),
            franchises=_franchises(self._titles),
            people=dict(self._people),
            surnames=_surnames(self._people),
            small=frozenset(self._small),
            tags=dict(self._tags),
            subjects=frozenset(self._subjects()),
            common=frozenset(w for w, n in self._words.items() if n > limit),
            known=frozenset(w for w, n in self._words.items() if n > 1 and len(w) > 3),
            rare_titles=frozenset(self._rare(max(RARE_TIMES, RARE_SHARE * count))),
            newest_year=max((y for y, n in years.items() if y and n >= floor), default=2025),
            films_only=not any(film.series for film in self._films.values()),
        )

    def _subjects(self) -> Iterator[str]:
        for key, films in self._keywords.items():
            plain = " " in key or len(key) < 3 or key in STOPWORDS or is_vocabulary(key)
            noun = f"{key}s" in self._small or f"{key}es" in self._small
            if films >= SUBJECT_FILMS and noun and not plain:
                yield key

    def _rare(self, limit: float) -> Iterator[str]:
        for key, entries in self._titles.items():
            known = entries[0].prior >= RARE_PRIOR and len(key) > 3
            if known and self._words.get(key, 0) <= limit and key not in STOPWORDS:
                yield key


_Moved = list[tuple[_FilmNames | None, _FilmNames | None]]
"""(before, after) of each film that a change touches."""


_NOTHING = _FilmNames(
    TitleEntry("", "", None, 0.0), frozenset(), (), (), (), (), (), frozenset(), False
)


def _of(film: _FilmNames | None) -> _FilmNames:
    return film or _NOTHING


def _counts_after(
    counts: Counter[str], moved: Sequence[tuple[Collection[str], Collection[str]]]
) -> Counter[str]:
    """The counts after films with some words became films with others."""
    after = counts.copy()
    for old, new in moved:
        after.update(new)
        after.subtract(old)
        for word in old:
            if not after[word]:
                del after[word]
    return after


def _set(table: dict[str, T], key: str, value: T | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _crew(film: _FilmNames | None) -> object:
    """All that people get from a film."""
    return film and (film.directors, film.cast, film.entry.prior)


def _keys(*films: _FilmNames | None) -> Iterator[str]:
    return (key for film in films if film for key, _ in (*film.directors, *film.cast))


def _is_a_name(key: str, name: str) -> bool:
    """Whether somebody is named, and no prize that a catalogue has among the cast."""
    return bool(key) and not name.lower().startswith(("best ", "academy award"))


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


def _franchises(
    titles: Mapping[str, tuple[TitleEntry, ...]],
) -> dict[str, tuple[TitleEntry, ...]]:
    """First two words that open at least three titles ("harry potter"), best known movies first."""
    by_head: dict[str, dict[str, TitleEntry]] = defaultdict(dict)
    for key, entries in titles.items():
        parts = key.split(" ", 2)
        if len(parts) > 2 and not any(p in STOPWORDS for p in parts[:2]):
            by_head[" ".join(parts[:2])][entries[0].movie_id] = entries[0]
    return {
        head: tuple(sorted(found.values(), key=lambda e: (-e.prior, e.movie_id)))
        for head, found in by_head.items()
        if len(found) >= 3
    }


def _surnames(people: Mapping[str, PersonEntry]) -> dict[str, str]:
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
