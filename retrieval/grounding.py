"""Titles that a model wrote, as movies of this catalogue: what is not in it is dropped.

Knows "Title (Year)" and the catalogue's names. Does not know models or what happens to the movies.
Pure. Called by every turn in which a model proposes titles, and by `python -m evals rank
--proposals`, so that both treat a proposal alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.nlu.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class Grounded:
    """The movies found, in the order proposed and each once, and the titles that were not."""

    movie_ids: tuple[str, ...]
    unknown: tuple[str, ...]


def ground(titles: Sequence[str], lexicon: Lexicon) -> Grounded:
    """Resolve each title by name and year (one year apart is the same film)."""
    found: dict[str, None] = {}
    unknown = []
    for title in titles:
        entry = lexicon.resolve(title)
        if entry is None:
            unknown.append(title)
        else:
            found.setdefault(entry.movie_id)
    return Grounded(tuple(found), tuple(unknown))
