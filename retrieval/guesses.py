"""What the tagger guessed of a movie, kept apart from what is known of it.

Knows how a guess meets a wish or an exclusion; no filter asks here. Does not know how guesses are
made (tagger.py) nor how much they count (leaning.py, search_terms.py). Pure; called by
retriever.py, leaning.py, tools/explain.py and a scorer.
"""

from collections.abc import Iterable

from retrieval.movie import Clause, Match, MatchField, Movie, Wish, fold, values_of

GUESS_MARK = "~"
"""Before a field in `Evidence.source`: the tagger guessed it."""


def met_wishes(movie: Movie, wishes: Iterable[Wish]) -> list[str]:
    """The wishes that a movie fulfils, as `field:value`, or `~field:value` where it is a guess."""
    known, guesses = list[str](), list[str]()
    for wish in wishes:
        value = fold(wish.value)
        if wish.weight <= 0:
            continue
        if value in values_of(movie, wish.field):
            known.append(f"{wish.field}:{wish.value}")
        elif value in guessed(movie, wish.field):
            guesses.append(f"{GUESS_MARK}{wish.field}:{wish.value}")
    return known + guesses


def guessed(movie: Movie, name: MatchField) -> frozenset[str]:
    """The folded values that a model guessed for a field; no filter reads them."""
    kinds = ("mood", "theme") if name == "topic" else (name,)
    return frozenset(fold(tag.name) for tag in movie.predicted_tags if tag.kind in kinds)


def looks(movie: Movie, clause: Clause) -> bool:
    """Whether a clause holds of what a model guessed."""
    if isinstance(clause, Match):
        return not clause.values.isdisjoint(guessed(movie, clause.field))
    low = 0 if clause.min is None else clause.min
    high = 3 if clause.max is None else clause.max
    grades = [t.grade for t in movie.predicted_tags if t.name == clause.field]
    return any(grade is not None and low <= grade <= high for grade in grades)
