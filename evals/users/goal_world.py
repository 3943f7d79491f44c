"""A goal in one catalogue: which films its titles are, which clauses bind, which films would do.

Knows how titles are looked up and comparisons become bounds, and judges a film against a goal as
the person would. Does not know what was said, nor any agent. A goal whose films this catalogue
lacks is `Unplayable`: it is left out and counted, never played half. Called by simulate.py, the
simulated users, audit.py and the scorers of simulated dialogues.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.users.goal import Goal, Slot, Than, binding
from retrieval.movie import (
    Clause,
    Constraints,
    Movie,
    Range,
    holds,
    is_excluded_by,
    number_of,
    satisfies,
    title_key,
)
from retrieval.nlu.lexicon import split_year

MAX_FAME = 5


class Unplayable(Exception):
    """This catalogue lacks a film that the goal names, or any film that would do."""


class Films:
    """A whole catalogue in memory: by id, and by the title people write."""

    def __init__(self, movies: Iterable[Movie]) -> None:
        self.by_id: dict[str, Movie] = {movie.movie_id: movie for movie in movies}

    @cached_property
    def _by_title(self) -> Mapping[str, list[Movie]]:
        found: dict[str, list[Movie]] = {}
        for movie in self.by_id.values():
            for title in (movie.title, *movie.alt_titles):
                found.setdefault(title_key(title), []).append(movie)
        return found

    def named(self, text: str) -> Movie | None:
        """The film called "Title (Year)"."""
        title, year = split_year(text)
        for movie in self._by_title.get(title_key(title), []):
            if year is None or movie.year == year:
                return movie
        return None

    @cached_property
    def by_imdb(self) -> Mapping[str, Movie]:
        """{IMDb id: film}."""
        return {movie.imdb: movie for movie in self.by_id.values() if movie.imdb}


@dataclass(frozen=True)
class World:
    """A goal with everything of it looked up."""

    goal: Goal
    films: Films
    clauses: Mapping[str, Clause]
    """By wish; none for the wishes that only name a film."""
    named: Mapping[str, Movie]
    """By wish: the film that saying it names."""
    target_ids: frozenset[str] | None = None
    """Only these are taken; None = whatever satisfies the wishes."""

    def constraints(self, wishes: Iterable[str]) -> Constraints:
        """What the hard ones among some wishes demand of a film."""
        require: list[Clause] = []
        exclude: list[Clause] = []
        for name in wishes:
            slot = self.goal.wants[name]
            if slot.hard:
                (exclude if slot.none else require).append(self.clauses[name])
        return Constraints(tuple(require), tuple(exclude))

    def gone(self, wishes: Iterable[str]) -> frozenset[str]:
        """The films that some wishes rule out: named as seen, disliked or as an example."""
        return frozenset(self.named[name].movie_id for name in wishes if name in self.named)

    def broken(self, movie: Movie, wishes: Iterable[str]) -> tuple[str, ...]:
        """The hard wishes among some that a film breaks."""
        return tuple(name for name in wishes if self._breaks(movie, name))

    def _obeys(self, movie: Movie, wishes: Sequence[str]) -> bool:
        """As `not broken`, the cheap clauses first: exclusions read the whole overview."""
        required = (name for name in wishes if not self.goal.wants[name].none)
        barred = (name for name in wishes if self.goal.wants[name].none)
        return not any(self._breaks(movie, name) for name in (*required, *barred))

    def _breaks(self, movie: Movie, name: str) -> bool:
        slot = self.goal.wants[name]
        if not slot.hard:
            return False
        clause = self.clauses[name]
        return is_excluded_by(movie, clause) if slot.none else not holds(movie, clause)

    def lacking(self, movie: Movie, wishes: Iterable[str]) -> tuple[str, ...]:
        """The soft wishes among some that a film does not meet."""
        soft = (name for name in wishes if self.goal.wants[name].prefer)
        return tuple(name for name in soft if not holds(movie, self.clauses[name]))

    def fits(self, movie: Movie, moves_done: int, dropped: Collection[str] = ()) -> bool:
        """Whether they would take it: every hard wish, and half of the soft ones or more.

        Whoever has dropped a wish, because nothing fitted, takes what meets the others.
        """
        wishes = tuple(n for n in binding(self.goal, moves_done) if n not in dropped)
        if not dropped and self.target_ids is not None and movie.movie_id not in self.target_ids:
            return False
        soft = [name for name in wishes if self.goal.wants[name].prefer]
        if 2 * len(self.lacking(movie, wishes)) > len(soft):
            return False
        return movie.movie_id not in self._gone and self._obeys(movie, wishes)

    def would_do(self, dropped: Collection[str] = ()) -> frozenset[str]:
        """Every film that they would take at the end, told or not; whims do not count."""
        key = frozenset(dropped)
        if key not in self._would_do:
            moves, movies = len(self.goal.moves), self.films.by_id.values()
            found = (m.movie_id for m in movies if self.fits(m, moves, key))
            self._would_do[key] = frozenset(found)
        return self._would_do[key]

    @cached_property
    def _would_do(self) -> dict[frozenset[str], frozenset[str]]:
        return {}

    @cached_property
    def _gone(self) -> frozenset[str]:
        return self.gone(self.goal.wants)

    def fancies(self, movie: Movie, seed: int) -> bool:
        """A whim: the same film gets the same answer in a dialogue, whoever shows it."""
        return _chance(self.goal.id, seed, movie.movie_id, "whim") >= self.goal.picky

    def has_seen(self, movie: Movie, seed: int) -> bool:
        """Famous films are more likely to have been seen."""
        share = self.goal.seen * (movie.fame or 1) / MAX_FAME
        return _chance(self.goal.id, seed, movie.movie_id, "seen") < share


def _chance(*parts: object) -> float:
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def world_of(goal: Goal, films: Films) -> World:
    """Look a goal up. Raises: Unplayable."""
    named = {name: _film(slot.title, films) for name, slot in goal.wants.items() if slot.title}
    for move in goal.moves:
        _film(move.film or "", films) if move.film else None
    clauses: dict[str, Clause] = {}
    for name, slot in goal.wants.items():
        clause = _clause(slot, named.get(name))
        if clause is not None:
            clauses[name] = clause
    world = World(goal, films, clauses, named, _targets(goal, films))
    if "accepted" in goal.ends and "gave_up" not in goal.ends and not _any_would_do(world):
        raise Unplayable(f"{goal.id}: no film of this catalogue would do")
    return world


def _any_would_do(world: World) -> bool:
    moves = len(world.goal.moves)
    ids = world.target_ids if world.target_ids is not None else world.films.by_id
    movies = (world.films.by_id[i] for i in ids)
    return any(m.kind != "series" and world.fits(m, moves) for m in movies)


def _film(title: str, films: Films) -> Movie:
    movie = films.named(title)
    if movie is None:
        raise Unplayable(f"{title} is not in this catalogue")
    return movie


def _clause(slot: Slot, film: Movie | None) -> Clause | None:
    if slot.than is not None and film is not None:
        return _bound(slot.than, film)
    return slot.clauses[0] if slot.clauses else None


def _bound(than: Than, film: Movie) -> Range:
    value = number_of(film, than.what)
    if value is None:
        raise Unplayable(f"the {than.what} of {film.label()} is not known here")
    return (
        Range(than.what, None, value - 1)
        if than.side == "less"
        else Range(than.what, value + 1, None)
    )


def _targets(goal: Goal, films: Films) -> frozenset[str] | None:
    target = goal.target
    if target is None:
        return None
    if target.imdb:
        return frozenset(m.movie_id for i in target.imdb if (m := films.by_imdb.get(i)))
    wanted = Constraints(target.every, target.none)
    return frozenset(i for i, movie in films.by_id.items() if satisfies(movie, wanted))


def worlds_of(goals: Sequence[Goal], films: Films) -> tuple[list[World], list[str]]:
    """The playable goals, and why the others are not."""
    playable: list[World] = []
    reasons: list[str] = []
    for goal in goals:
        try:
            playable.append(world_of(goal, films))
        except Unplayable as problem:
            reasons.append(str(problem) if goal.id in str(problem) else f"{goal.id}: {problem}")
    return playable, reasons
