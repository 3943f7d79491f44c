"""The checker over every list: what is emitted satisfies the ledger, whoever proposed it.

Knows the constraints of the turn. Does not know where candidates come from; rules and models alike
pass through here. Pure. Called by steps.py before cards are sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.movie import Candidate, Constraints, satisfies


@dataclass(frozen=True, slots=True)
class Verified:
    """The candidates that may be shown, in order, and how many were refused."""

    kept: tuple[Candidate, ...]
    refused: int


def verify(
    candidates: Sequence[Candidate], constraints: Constraints, seen: Iterable[str] = ()
) -> Verified:
    """Keep the candidates that satisfy the constraints, none twice, none already seen."""
    gone = set(seen)
    kept: list[Candidate] = []
    for candidate in candidates:
        movie_id = candidate.movie.movie_id
        if movie_id not in gone and satisfies(candidate.movie, constraints):
            kept.append(candidate)
            gone.add(movie_id)
    return Verified(tuple(kept), len(candidates) - len(kept))
