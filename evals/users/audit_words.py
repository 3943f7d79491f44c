"""The words that may stand in a simulated user's message, and the words that give something away.

Knows how authored words, templates and titles become tokens, and which tokens of a catalogue are
marks: of a film, a person, a time, a length, a wish. Does not know what is allowed when (audit.py).
Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from string import Template
from typing import Any

from rapidfuzz.distance import OSA

from evals.users.goal import Goal
from evals.users.goal_world import Films, World
from evals.users.user_words import MIN_TYPO_LETTERS, TABLES, wordings
from retrieval.movie import Match, Movie, Range, fold, stem, words
from retrieval.nlu.wording import (
    COMPANIONS,
    GENRE_WORDS,
    GRADE_WORDS,
    MOOD_WORDS,
    NATIONS,
    STOPWORDS,
)

_ERAS = "thirties forties fifties sixties seventies eighties nineties noughties silent".split()
_TIMES = "minute hour".split()
UTTERANCES = Path(__file__).parents[1] / "recorded" / "utterances.txt"
MIN_CONTENT = 3
"""Letters of a word that says something by itself."""


def tokens(text: str) -> frozenset[str]:
    """The words of a text: folded, without 's, as written and in the singular."""
    found = {word.removesuffix("'s").replace("'", "") for word in words(text)}
    return frozenset(found | {stem(word) for word in found})


def heard_in(text: str) -> frozenset[str]:
    """The words of a text in the singular."""
    return frozenset(stem(word.removesuffix("'s").replace("'", "")) for word in words(text))


def content(text: str) -> frozenset[str]:
    """Its words that say something."""
    return frozenset(t for t in heard_in(text) if says_something(t))


def says_something(token: str) -> bool:
    """Whether a word means something outside its sentence."""
    return token not in STOPWORDS and (len(token) >= MIN_CONTENT or token.isdigit())


def is_word(token: str) -> bool:
    """Whether a token is more than glue; a name may have two letters."""
    return token not in STOPWORDS and (len(token) > 1 or token.isdigit())


def slips_of(known: Iterable[str]) -> frozenset[str]:
    """What noise makes of known words: two letters swapped, one left out, one twice."""
    found: set[str] = set()
    for word in known:
        if len(word) >= MIN_TYPO_LETTERS:
            for at in range(1, len(word) - 1):
                found.add(stem(word[:at] + word[at + 1] + word[at] + word[at + 2 :]))
                found.add(stem(word[:at] + word[at + 1 :]))
                found.add(stem(word[:at] + word[at] + word[at:]))
    return frozenset(found)


# --- what may be said -----------------------------------------------------------------------------


@cache
def template_words(speech: str, name: str) -> frozenset[str]:
    """The words of one kind of template, in one language."""
    return _words_of(TABLES[speech].get(name) or TABLES["en"].get(name) or [])


def _words_of(table: Any) -> frozenset[str]:
    if isinstance(table, str):
        blank: dict[str, str] = {}
        return tokens(Template(table).safe_substitute(blank).replace("$", " "))
    parts = table.values() if isinstance(table, Mapping) else table
    return frozenset(t for part in parts for t in _words_of(part))


@cache
def everyday_words(speech: str, mixes: str | None) -> frozenset[str]:
    """Fillers, joints and the words of the language somebody mixes in."""
    names = ("fillers_before", "fillers_after", "join")
    found = [template_words(speech, name) for name in names]
    mixed = TABLES["mixes"].get(mixes, {}) if mixes else {}
    return frozenset().union(*found, *(tokens(word) for word in mixed.values()))


@cache
def everyday_vocabulary() -> frozenset[str]:
    """Common words of people who talk to a recommender: none of them is a title by itself."""
    said = content(UTTERANCES.read_text("utf-8"))
    return said | frozenset().union(*(template_words("en", name) for name in TABLES["en"]))


def wish_words(world: World, name: str) -> frozenset[str]:
    """Every word in which this user may say a wish."""
    said = wordings(world.goal.wants[name], world.clauses.get(name))
    named = world.named.get(name)
    return frozenset().union(*map(tokens, said), tokens(named.label()) if named else frozenset())


def opening_words(goal: Goal) -> frozenset[str]:
    """The words of the ways to begin."""
    return frozenset().union(*map(tokens, goal.opening))


# --- what gives something away --------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """The tokens of a catalogue that point at something."""

    films: Films

    @cached_property
    def titles(self) -> Mapping[str, tuple[tuple[frozenset[str], Movie], ...]]:
        """{a word of a title: (the words of the title, film)}, under its longest word."""
        found: dict[str, list[tuple[frozenset[str], Movie]]] = {}
        for movie in self.films.by_id.values():
            for title in {movie.title, *movie.alt_titles}:
                telling = content(title)
                if telling:
                    found.setdefault(max(telling, key=len), []).append((telling, movie))
        return {word: tuple(entries) for word, entries in found.items()}

    @cached_property
    def title_words(self) -> Mapping[int, tuple[str, ...]]:
        """The words that titles stand under, by length, for misspelt ones."""
        found: dict[int, list[str]] = {}
        for word in self.titles:
            found.setdefault(len(word), []).append(word)
        return {length: tuple(known) for length, known in found.items()}

    @cached_property
    def people(self) -> Mapping[str, frozenset[str]]:
        """{surname: film ids} of everybody who directs or stars."""
        found: dict[str, set[str]] = {}
        for movie in self.films.by_id.values():
            for name in (*movie.directors, *movie.cast):
                last = fold(name).split()[-1:]
                if last and is_word(last[0]):
                    found.setdefault(stem(last[0]), set()).add(movie.movie_id)
        return {name: frozenset(ids) for name, ids in found.items()}

    def title_in(
        self, said: frozenset[str], unexplained: frozenset[str], shortest: int
    ) -> Movie | None:
        """A film whose telling words were all said, one of them without an explanation."""
        spelt = {w: self._meant(w, shortest) for w in unexplained}
        heard = said | frozenset(w for meant in spelt.values() for w in meant)
        for word in heard:
            for telling, movie in self.titles.get(word, ()):
                if telling <= heard and any(
                    u in telling or spelt[u] & telling for u in unexplained
                ):
                    return movie
        return None

    def _meant(self, token: str, shortest: int) -> frozenset[str]:
        """The title words that a misspelt word may mean."""
        if len(token) < shortest or token.isdigit() or token in self.titles:
            return frozenset()
        slips = 1 if len(token) < 7 else 2
        lengths = range(len(token) - slips, len(token) + slips + 1)
        known = (word for length in lengths for word in self.title_words.get(length, ()))
        return frozenset(w for w in known if OSA.distance(token, w, score_cutoff=slips) <= slips)


@cache
def slot_words() -> frozenset[str]:
    """Every word by which a wish can be recognised: genres, moods, nations, companions, times."""
    tables: tuple[Iterable[str], ...] = (
        *(GENRE_WORDS, MOOD_WORDS, GRADE_WORDS, NATIONS, COMPANIONS, _ERAS, _TIMES),
    )
    return frozenset(t for table in tables for wording in table for t in content(wording))


def is_number(token: str) -> bool:
    """A year, a decade, a length: digits with at most a letter behind."""
    return token.rstrip("s").isdigit()


def telling_words(world: World, name: str) -> frozenset[str]:
    """The words that give a wish away: what it is about, in any wording."""
    clause = world.clauses.get(name)
    own = frozenset().union(*map(content, wordings(world.goal.wants[name], clause)))
    if isinstance(clause, Match):
        tables = (GENRE_WORDS, MOOD_WORDS)
        named = {w for t in tables for w, value in t.items() if value in clause.values}
        nations = {w for w, (_, code) in NATIONS.items() if code in clause.values}
        own |= frozenset().union(*map(content, (*clause.values, *named, *nations)))
    if isinstance(clause, Range):
        own |= {str(n + d) for n in (clause.min, clause.max) if n for d in (-1, 0, 1)}
    return own
