"""What the ranker looks at: one row of numbers for each candidate of one search.

Knows how legs, seeds, neighbour lists and facts become features, and their names. Does not know
what they are worth (ranker.py) nor where hits come from. Pure. Called by ranker.py and the jobs
that train it, so that both always see the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.film_facts import Floats, Ragged
from retrieval.index import Hits
from retrieval.movie import Query
from retrieval.neighbours import BACKLINK, LIST_OFFSET, Knowledge

Rows = npt.NDArray[np.int64]
Wide = npt.NDArray[np.float64]

LEGS = (
    *("neighbours", "comention", "mentions", "popular", "archetypes", "tags"),
    *("dense_seeds", "dense", "text"),
)
RANK_OFFSET = 20
"""A leg's rank r is told as 20 / (20 + r): 0 where the leg did not find the film."""
TOP = 20
"""Legs that have a film among their first 20 count as agreeing on it."""
LIKE = 0.03
"""Cosine over baskets from which a film is like a seed."""
SECOND_HAND = 60
"""Films nearest to the seeds whose own lists are read as well."""
WHAT = ("rank", "score", "share")
OF_LEGS = tuple(f"{what} {leg}" for leg in LEGS for what in WHAT)
"""`score` is the leg's own, `share` is it over the leg's best in this search."""
OF_SEEDS = (
    *("list seeds", "list best", "list last", "back seeds", "back best", "second hand", "cocited"),
    *("together seeds", "together best", "together last", "genres", "genres last", "year gap"),
    *("year gap last", "tags alike", "people alike", "franchise", "known gap"),
    *("basket sum", "basket best", "basket seeds", "basket share"),
)
OF_FILM = ("known", "rating", "year", "named", "legs", "legs top", "fused")
OF_QUERY = (
    *("seeds", "wishes", "required", "words", "best archetype", "best vote", "best together"),
    *("seeds known", "seeds year", "seeds named"),
)
NAMES = (*OF_LEGS, *OF_SEEDS, *OF_FILM, *(f"query {name}" for name in OF_QUERY))
_PARTS: Mapping[str, tuple[str, ...]] = {
    "lists that name it": ("neighbours", "list ", "back ", "second", "cocited", "named", "basket"),
    "films named with it": ("comention", "together"),
    "fame": ("mentions", "popular", "known", "rating"),
    "requests like it": ("archetypes",),
    "tags": ("tags", "tags alike", "genres"),
    "text": ("dense", "text"),
    "year": ("year",),
    "people": ("people", "franchise"),
    "agreement": ("legs", "fused"),
}
GROUPS: Mapping[str, list[int]] = {
    part: [
        i
        for i, name in enumerate(NAMES)
        if name.removeprefix("rank ").removeprefix("score ").removeprefix("share ").startswith(of)
    ]
    for part, of in _PARTS.items()
}
"""{what a reason is called: its columns}; those of the query are the same for all candidates."""


@dataclass(frozen=True)
class Search:
    """One search as the ranker sees it."""

    query: Query
    weights: Mapping[str, float]
    """Of everything liked, the last named first (neighbours.seed_weights)."""
    hits: Sequence[Hits]
    fused: Mapping[str, float]
    """{movie_id: score by the fixed weights} of the candidates."""


def features(search: Search, knowledge: Knowledge) -> Floats:
    """Shape (candidates, len(NAMES)), in the order of `search.fused`."""
    ids = list(search.fused)
    place = {movie_id: i for i, movie_id in enumerate(ids)}
    table = np.zeros((len(ids), len(NAMES)), dtype=np.float32)
    if not ids:
        return table
    best = _of_legs(search.hits, place, table)
    rows = np.array([knowledge.facts.row_of.get(i, -1) for i in ids], dtype=np.int64)
    seeds = _Seeds.of(search.weights, knowledge)
    at = len(OF_LEGS)
    if len(seeds.rows):
        table[:, at : at + len(OF_SEEDS)] = _of_seeds(seeds, rows, knowledge)
    at += len(OF_SEEDS)
    ranks = table[:, 0 : len(OF_LEGS) : 3]
    table[:, at : at + len(OF_FILM)] = np.column_stack(
        [
            knowledge.facts.known[rows],
            knowledge.facts.rating[rows],
            knowledge.facts.year[rows],
            np.log1p(knowledge.graph.backward.sizes(rows)),
            np.count_nonzero(ranks > 0, axis=1),
            np.count_nonzero(ranks >= RANK_OFFSET / (RANK_OFFSET + TOP), axis=1),
            np.fromiter(search.fused.values(), np.float32, len(ids)),
        ]
    )
    table[:, at + len(OF_FILM) :] = _of_query(search, seeds, best, knowledge)
    return table


def _of_legs(hits: Sequence[Hits], place: Mapping[str, int], table: Floats) -> dict[str, float]:
    """Fill in rank, score and share of each leg; the best score of each."""
    best: dict[str, float] = {}
    for found in hits:
        if found.leg not in LEGS or not found.movie_ids:
            continue
        column = 3 * LEGS.index(found.leg)
        best[found.leg] = top = max(found.scores[0], 1e-9)
        at = np.array([place.get(m, -1) for m in found.movie_ids], dtype=np.int64)
        ranks = np.flatnonzero(at >= 0)
        into = at[ranks]
        scores = np.array(found.scores, dtype=np.float32)[ranks]
        table[into, column] = RANK_OFFSET / (RANK_OFFSET + 1 + ranks)
        table[into, column + 1] = scores
        table[into, column + 2] = scores / top
    return best


@dataclass(frozen=True)
class _Seeds:
    """The seeds that this catalogue has, the last named first."""

    ids: tuple[str, ...]
    rows: Rows
    weights: Wide

    @classmethod
    def of(cls, weights: Mapping[str, float], knowledge: Knowledge) -> "_Seeds":
        row_of = knowledge.facts.row_of
        here = [(i, row_of[i], w) for i, w in weights.items() if i in row_of]
        here.sort(key=lambda seed: -seed[2])
        return cls(
            tuple(i for i, _, _ in here),
            np.array([row for _, row, _ in here], dtype=np.int64),
            np.array([w for _, _, w in here]),
        )


def _of_seeds(seeds: _Seeds, rows: Rows, known: Knowledge) -> Floats:
    """Shape (candidates, len(OF_SEEDS))."""
    facts = known.facts
    share = seeds.weights / seeds.weights.sum()
    years = np.where(facts.year[seeds.rows] > 0, facts.year[seeds.rows], 1995.0)
    year = facts.year[rows]
    genres = _jaccard(facts.genres[rows], facts.genres[seeds.rows])
    columns = [
        *_listed(seeds, rows, known),
        *_together(seeds, rows, known),
        genres @ share,
        genres[:, 0],
        year - share @ years,
        year - years[0],
        _alike(facts.tags, seeds, rows),
        _alike(facts.people, seeds, rows),
        _same_head(facts.head, seeds.rows, rows),
        facts.known[rows] - share @ facts.known[seeds.rows],
        *_in_baskets(seeds, rows, known),
    ]
    return np.column_stack(columns).astype(np.float32)


def _listed(seeds: _Seeds, rows: Rows, known: Knowledge) -> list[Wide]:
    """How the neighbour lists tie the candidates to the seeds, near and far."""
    graph, size = known.graph, len(known.facts.row_of)
    which, place, films = graph.forward.gather(seeds.rows)
    near = 1.0 / (LIST_OFFSET + place)
    best = np.zeros(size)
    np.maximum.at(best, films, near)
    last = np.zeros(size)
    last[films[which == 0]] = near[which == 0]
    votes = _sum(films, seeds.weights[which] * near, size)
    seen = np.bincount(films, minlength=size)

    which, _, back = graph.backward.gather(seeds.rows)
    _, _, there = graph.places.gather(seeds.rows)
    near_back = 1.0 / (LIST_OFFSET + there)
    back_best = np.zeros(size)
    np.maximum.at(back_best, back, near_back)
    votes += BACKLINK * _sum(back, seeds.weights[which] * near_back, size)
    back_seen = np.bincount(back, minlength=size)
    # Films that stand beside a seed on somebody's list.
    _, _, beside = graph.forward.gather(back.astype(np.int64))
    cocited = np.log1p(np.bincount(beside, minlength=size))
    # One film in thirty has votes: sorting all of them took longer than the rest.
    voted = np.flatnonzero(votes)
    nearest = voted[np.argsort(-votes[voted], kind="stable")[:SECOND_HAND]]
    which, place, films = graph.forward.gather(nearest)
    second = _sum(films, votes[nearest][which] / (LIST_OFFSET + place), size)
    found = (seen, best, last, back_seen, back_best, second, cocited)
    return [column[rows].astype(np.float64) for column in found]


def _sum(rows: npt.NDArray[np.integer], weights: Wide, size: int) -> Wide:
    """The weights by row; of type float where there are none, too."""
    found: Wide = np.bincount(rows, weights, size).astype(np.float64, copy=False)
    return found


def _in_baskets(seeds: _Seeds, rows: Rows, known: Knowledge) -> list[Wide]:
    """How alike candidates and seeds are by whom they are named with, on lists and for requests."""
    alike = np.stack([known.baskets.like(int(seed), rows) for seed in seeds.rows])
    total: Wide = seeds.weights @ alike
    near: Wide = np.mean(alike > LIKE, axis=0)
    return [total, alike.max(axis=0), near, total / max(float(total.max()), 1e-6)]


def _together(seeds: _Seeds, rows: Rows, known: Knowledge) -> list[Wide]:
    """Co-mention, seed by seed."""
    size = len(known.facts.row_of)
    count, best, last = np.zeros(size), np.zeros(size), np.zeros(size)
    row_of = known.facts.row_of
    for number, seed in enumerate(seeds.ids):
        named = [(row_of[i], score) for i, score in known.related.get(seed, ()) if i in row_of]
        if not named:
            continue
        at = np.array([row for row, _ in named], dtype=np.int64)
        scores = np.array([score for _, score in named])
        count[at] += 1  # no film is named twice beside another
        best[at] = np.maximum(best[at], scores)
        if number == 0:
            last[at] = scores
    return [count[rows], best[rows], last[rows]]


def _jaccard(one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]) -> Wide:
    """Shared over all genres of each pair, shape (n, m)."""
    both = np.bitwise_count(one[:, None] & other[None, :]).astype(np.float64)
    either = np.bitwise_count(one[:, None] | other[None, :])
    shared: Wide = both / np.maximum(either, 1)
    return shared


def _alike(tags: Ragged, seeds: _Seeds, rows: Rows) -> Wide:
    """Weight of the seeds' values that a candidate has, over the root of how many it has."""
    which, _, values = tags.gather(seeds.rows)
    of, _, theirs = tags.gather(rows)
    size = int(max(values.max(initial=-1), theirs.max(initial=-1))) + 1
    wanted = _sum(values, seeds.weights[which], size)
    total = _sum(of, wanted[theirs], len(rows))
    found: Wide = total / np.sqrt(np.maximum(tags.sizes(rows), 1))
    return found


def _same_head(head: npt.NDArray[np.int32], seeds: Rows, rows: Rows) -> Wide:
    heads = head[seeds]
    same: Wide = (head[rows][:, None] == heads[heads >= 0]).any(axis=1).astype(np.float64)
    return same


def _of_query(
    search: Search, seeds: _Seeds, best: Mapping[str, float], knowledge: Knowledge
) -> list[float]:
    facts, query = knowledge.facts, search.query
    named = knowledge.graph.backward.sizes(seeds.rows)
    return [
        len(seeds.rows),
        len(query.wishes),
        len(query.constraints.require),
        len(query.text.split()),
        best.get("archetypes", 0.0),
        best.get("neighbours", 0.0),
        best.get("comention", 0.0),
        float(np.mean(facts.known[seeds.rows])) if len(seeds.rows) else 0.0,
        float(np.mean(facts.year[seeds.rows])) if len(seeds.rows) else 0.0,
        float(np.mean(np.log1p(named))) if len(seeds.rows) else 0.0,
    ]
