"""How good is a list as a list? Diversity within it, novelty, crowding by one franchise.

Knows the tags and fame of the films shown. Does not know whether they fit (constraints.py). Pure;
listed in all.py.
"""

from collections import Counter
from itertools import combinations

from evals.scorers.case import Case, Rule, Verdict, at, counted, faults, shared
from retrieval.movie import Movie, fold, title_key

MOST_OF_A_FRANCHISE = 2
"""In one list; as retrieval/diversity.py has it."""


def diversity(case: Case) -> Verdict | None:
    """1 minus the mean overlap (Jaccard) of genres, themes and moods between films of a list."""
    values = [value for _, movies in case.lists if (value := _spread(movies)) is not None]
    return Verdict(sum(values) / len(values), (), len(values)) if values else None


def _spread(movies: list[Movie]) -> float | None:
    tags = [frozenset(map(fold, (*m.genres, *m.themes, *m.moods))) for m in movies]
    pairs = [(a, b) for a, b in combinations([t for t in tags if t], 2)]
    return 1 - sum(len(a & b) / len(a | b) for a, b in pairs) / len(pairs) if pairs else None


def novelty(case: Case) -> Verdict | None:
    """Mean share of the catalogue that is better known than a film shown."""
    if case.reference is None:
        return None
    values = [case.reference.obscurity(movie) for _, movies in case.lists for movie in movies]
    return Verdict(sum(values) / len(values), (), len(values)) if values else None


def crowding(case: Case) -> Verdict | None:
    """Lists with more than two films that open with the same two words."""
    spots = []
    for number, movies in case.lists:
        heads = Counter(" ".join(title_key(movie.title).split()[:2]) for movie in movies)
        crowded = [h for h, n in heads.items() if n > MOST_OF_A_FRANCHISE and " " in h]
        spots += [at(number, f"{heads[head]} films of {head!r}") for head in crowded]
    return faults(spots, len(case.lists)) if case.lists else None


RULES = (
    Rule(shared("diversity"), diversity, needs_catalogue=True),
    Rule(shared("novelty"), novelty, needs_catalogue=True),
    Rule(counted("franchise_crowding"), crowding, needs_catalogue=True),
)
