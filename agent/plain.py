"""A list without a conversation: a request read, searched and verified, for sites without chat.

Knows how words, filters and a taste become one query, by the agent's own understanding. Does not
know HTTP, sessions or ledgers that last. Called by infra/api/recommend.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.ledger import Ledger
from agent.query import SERIES, SHORTS, constraints_of
from agent.replay import Replayed, replay
from agent.verify import verify
from prompts.loader import Phrases
from retrieval.movie import Candidate, Clause, Constraints, Match, Movie, Query, Range, Seed, Taste
from retrieval.retriever import Retrieved
from tools.explain import Case, Reason, reasons
from tools.toolbox import WINDOW, Toolbox


@dataclass(frozen=True, slots=True)
class Listed:
    """A verified list, best first, with what explains it."""

    query: Query
    candidates: tuple[Candidate, ...]
    retrieved: Retrieved
    named: Mapping[str, Movie]
    """The examples that reasons may speak of."""

    def why(self, candidate: Candidate, phrases: Phrases) -> list[Reason]:
        """The reasons for one candidate, each tied to a field or to what was asked."""
        return reasons(Case(candidate, self.query, self.named, phrases))


async def recommended(
    toolbox: Toolbox, text: str, filters: Constraints, taste: Taste, k: int
) -> Listed:
    """What fits words, filters and taste; each may be empty."""
    gone = taste.seen | set(taste.dislikes)
    anything = Replayed(Query(constraints=constraints_of(Ledger())), frozenset())
    heard = await replay([("user", text)], toolbox) if text else anything
    filtered = (*filters.require, *filters.exclude)
    loose = [clause for clause in heard.loose if clause not in filtered]
    bound = await _relaxed(toolbox, _bound(heard.query.constraints, filters, gone), loose)
    query = replace(heard.query, constraints=bound)
    named = await toolbox.movies([*(seed.movie_id for seed in query.seeds), *taste.likes])
    retrieved = await toolbox.search(query, taste, window_of(k))
    return _listed(query, retrieved, named, k)


async def similar(toolbox: Toolbox, movie: Movie, taste: Taste, k: int) -> Listed:
    """What is like one movie, whoever asks; without what they saw or dislike."""
    gone = taste.seen | set(taste.dislikes)
    other = Match("kind", frozenset({"movie"})) if movie.kind == "series" else SERIES
    constraints = Constraints(exclude=(other,), exclude_ids=frozenset(gone))
    query = Query(seeds=(Seed(movie.movie_id),), constraints=constraints)
    retrieved = await toolbox.search(query, Taste(), window_of(k))
    return _listed(query, retrieved, {movie.movie_id: movie}, k)


async def found(toolbox: Toolbox, text: str, filters: Constraints, k: int) -> Listed:
    """What is called or described so, exact titles first."""
    query = Query(text=text, constraints=filters, known_item=True)
    return _listed(query, await toolbox.find(query, window_of(k)), {}, k)


async def _relaxed(toolbox: Toolbox, bound: Constraints, loose: Sequence[Clause]) -> Constraints:
    """Without what gives way in a conversation, too, once nothing fits; a filter never does."""
    for clause in loose:
        if await toolbox.count(bound):
            break
        bound = bound.without(clause)
    return bound


def window_of(k: int) -> int:
    """How many candidates are handed to verification for a list of `k`."""
    return max(WINDOW, 2 * k)


def _bound(
    understood: Constraints, filters: Constraints, gone: set[str] | frozenset[str]
) -> Constraints:
    """Both bind. Series are left out unless they were asked for, as in a conversation."""
    require = (*understood.require, *filters.require)
    exclude = dict.fromkeys((*understood.exclude, SERIES, *filters.exclude))
    if any(isinstance(c, Match) and c.field == "kind" and "series" in c.values for c in require):
        exclude.pop(SERIES)
    if any(isinstance(c, Range) and c.field == "runtime" for c in filters.require):
        exclude.pop(SHORTS, None)
    return Constraints(require, tuple(exclude), understood.only_ids, understood.exclude_ids | gone)


def _listed(query: Query, retrieved: Retrieved, named: Mapping[str, Movie], k: int) -> Listed:
    kept = verify(retrieved.candidates, query.constraints).kept
    return Listed(query, kept[:k], retrieved, named)
