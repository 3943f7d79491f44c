"""The pipeline of retrieval: fusion, votes, diversity, and the retriever over the starter index."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.assistant import Assistant
from agent.decide import RulesDecider
from agent.decision import Decision, DecisionContext
from infra.wiring import Services
from prompts.loader import load_phrases
from retrieval import fusion
from retrieval.diversity import reorder
from retrieval.fusion import Fused, reciprocal_rank_fusion
from retrieval.index import Hits
from retrieval.movie import (
    Candidate,
    Constraints,
    Evidence,
    Match,
    Movie,
    Query,
    Range,
    Seed,
    Taste,
    Wish,
    satisfies,
)
from retrieval.neighbours import (
    ListGraph,
    archetype_votes,
    comention_votes,
    list_votes,
    seed_weights,
)
from retrieval.retriever import Retriever, RetrieverSettings
from talking import Talk


def test_fusion_sums_weighted_reciprocal_ranks() -> None:
    legs = [
        Hits("a", ("x", "y"), (2.0, 1.0)),
        Hits("b", ("y", "z"), (9.0, 8.0)),
        Hits("c", ("q",), (1,)),
    ]
    fused = reciprocal_rank_fusion(legs, {"a": 1.0, "b": 0.5}, k=20)
    assert [f.movie_id for f in fused] == ["y", "x", "z"]
    assert fused[0].score == pytest.approx(1 / 22 + 0.5 / 21)
    assert [(e.leg, e.rank) for e in fused[0].evidence] == [("a", 2), ("b", 1)]


def test_fusion_breaks_ties_by_id_and_takes_nothing() -> None:
    legs = [Hits("a", ("n",), (1.0,)), Hits("b", ("m",), (1.0,))]
    assert [f.movie_id for f in reciprocal_rank_fusion(legs, {"a": 1, "b": 1})] == ["m", "n"]
    assert reciprocal_rank_fusion([], {}) == []


def _fused_whole(legs: Sequence[Hits], weights: Mapping[str, float], k: int) -> list[Fused]:
    """The definition, word for word: evidence for everything, sorted, nothing cut."""
    found = {
        movie_id for hits in legs if weights.get(hits.leg, 0.0) > 0.0 for movie_id in hits.movie_ids
    }
    fused = []
    for movie_id in found:
        pieces = [
            Evidence(
                hits.leg,
                hits.movie_ids.index(movie_id) + 1,
                hits.scores[hits.movie_ids.index(movie_id)],
            )
            for hits in legs
            if weights.get(hits.leg, 0.0) > 0.0 and movie_id in hits.movie_ids
        ]
        score = 0.0
        for piece in pieces:
            score += weights[piece.leg] / (k + piece.rank)
        fused.append(Fused(movie_id, score, tuple(pieces)))
    return sorted(fused, key=lambda one: (-one.score, one.movie_id))


@pytest.mark.parametrize("seed", range(5))
def test_fusion_that_keeps_a_few_gives_the_beginning_of_the_whole(seed: int) -> None:
    rng = random.Random(seed)
    films = [f"m{number:03}" for number in range(120)]
    legs = []
    for leg in ("a", "b", "c", "unweighted", "a"):
        ids = tuple(rng.sample(films, rng.randint(0, 60)))
        legs.append(Hits(leg, ids, tuple(rng.choice((1.0, 2.0)) for _ in ids)))
    weights = {"a": 1.0, "b": 1.0, "c": 0.3, "unweighted": 0.0}
    whole = _fused_whole(legs, weights, 20)
    assert reciprocal_rank_fusion(legs, weights, 20) == whole
    for keep in (0, 1, 10, 50, len(whole), 1000):
        assert reciprocal_rank_fusion(legs, weights, 20, keep) == whole[:keep]


def test_fusion_makes_evidence_only_of_what_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Evidence] = []

    def counted(leg: str, rank: int, score: float) -> Evidence:
        made.append(Evidence(leg, rank, score))
        return made[-1]

    monkeypatch.setattr(fusion, "Evidence", counted)
    ids = tuple(f"m{number:03}" for number in range(200))
    legs = [Hits("a", ids, (1.0,) * 200), Hits("b", ids[::-1], (1.0,) * 200)]
    [best] = reciprocal_rank_fusion(legs, {"a": 1.0, "b": 0.1}, keep=1)
    assert best.movie_id == "m000"
    assert [(one.leg, one.rank) for one in made] == [("a", 1), ("b", 200)]


def test_votes_weigh_rank_and_recency_and_leave_seeds_out() -> None:
    weights = seed_weights([Seed("new", 0), Seed("old", 1)], Taste(likes={"liked": 1.0}))
    assert weights == {"new": 1.0, "old": pytest.approx(1 / 1.3), "liked": pytest.approx(0.3)}
    graph = ListGraph.of({"new": ["a", "old", "b"], "old": ["b"], "c": ["x", "new"]})
    votes = list_votes(weights, graph)
    assert set(votes.scores) == {"a", "b", "c"}
    assert votes.scores["a"] == pytest.approx(2**0.15 / 6)
    assert votes.scores["b"] == pytest.approx(3**0.15 * (1 / 8 + 1 / 1.3 / 6))
    assert votes.scores["c"] == pytest.approx(0.35 / 7)
    assert votes.sources == {"a": "new", "b": "old", "c": "new"}
    assert comention_votes({"new": 2.0}, {"new": [("a", 0.5)]}).scores == {"a": 1.0}


def test_archetypes_far_from_the_request_do_not_vote() -> None:
    vectors = np.eye(3, dtype=np.float32)[:2]
    near = archetype_votes(vectors[0], ["r0", "r1"], vectors, [["a", "b"], ["c"]])
    assert near.scores == {"a": pytest.approx(1 / 5), "b": pytest.approx(1 / 6)}
    assert near.sources["a"] == "r0"
    assert archetype_votes(vectors[0], [], np.zeros((0, 3)), []).scores == {}


def test_diversity_moves_twins_apart_and_loses_nothing() -> None:
    candidates = [Candidate(Movie(f"m{n}", f"Film {n}"), 1.0 - n / 10) for n in range(4)]
    same, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    vectors = {"m0": same, "m1": same, "m2": same, "m3": other}
    order = [c.movie.movie_id for c in reorder(candidates, vectors, trade_off=0.5)]
    assert order[0] == "m0"
    assert order[1] == "m3"
    assert sorted(order) == ["m0", "m1", "m2", "m3"]
    assert reorder(candidates, vectors, trade_off=1.0) == candidates


def test_a_franchise_fills_no_list() -> None:
    titles = ["Star Wars One", "Star Wars Two", "Star Wars Three", "Dune Again", "Alien Again"]
    candidates = [Candidate(Movie(f"m{n}", t), 1.0 - n / 10) for n, t in enumerate(titles)]
    order = [c.movie.title for c in reorder(candidates, {})]
    assert order[-1] == "Star Wars Three"


async def retriever(wired: Services, settings: RetrieverSettings | None = None) -> Retriever:
    tables = await wired.toolbox.catalogue.tables()
    return Retriever(wired.index, wired.encoder, tables.knowledge, wired.executor, settings)


async def id_of(wired: Services, title: str) -> str:
    entry = (await wired.toolbox.lexicon()).resolve(title)
    assert entry is not None
    return entry.movie_id


async def test_results_satisfy_constraints_and_never_hold_seeds(wired: Services) -> None:
    seed = await id_of(wired, "Inception (2010)")
    constraints = Constraints(
        require=(Range("runtime", None, 120),), exclude=(Match("genre", frozenset({"horror"})),)
    )
    query = Query(text="clever dreams", seeds=(Seed(seed),), constraints=constraints)
    found = await (await retriever(wired)).retrieve(query, k=100)
    assert len(found.candidates) == 100
    assert all(satisfies(c.movie, constraints) for c in found.candidates)
    assert seed not in {c.movie.movie_id for c in found.candidates}
    scores = [c.score for c in found.candidates[30:]]
    assert scores == sorted(scores, reverse=True)


async def test_every_candidate_carries_its_evidence(wired: Services) -> None:
    seed = await id_of(wired, "Inception (2010)")
    query = Query(seeds=(Seed(seed),), wishes=(Wish("mood", "mind-bending"),))
    found = (await (await retriever(wired)).retrieve(query, k=20)).candidates
    assert all(c.evidence for c in found)
    sources = {e.leg: e.source for c in found[:5] for e in c.evidence}
    assert sources["neighbours"] == seed
    assert any(
        e.source == "mood:mind-bending" for c in found for e in c.evidence if e.leg == "tags"
    )


async def test_taste_leaves_out_what_is_seen_and_disliked(wired: Services) -> None:
    plain = await (await retriever(wired)).retrieve(Query(text="a space film"), k=10)
    ids = [c.movie.movie_id for c in plain.candidates]
    taste = Taste(dislikes={ids[0]: 1.0}, seen=frozenset({ids[1]}))
    left = await (await retriever(wired)).retrieve(Query(text="a space film"), taste, k=10)
    assert not set(ids[:2]) & {c.movie.movie_id for c in left.candidates}


async def test_single_legs_and_whole_lists_are_stable(wired: Services) -> None:
    query = Query(text="a heist that goes wrong")
    for settings in (RetrieverSettings.only("text"), replace(RetrieverSettings(), diversify=False)):
        one = await (await retriever(wired, settings)).retrieve(query, k=50)
        two = await (await retriever(wired, settings)).retrieve(query, k=50)
        assert one == two
    only_text = await (await retriever(wired, RetrieverSettings.only("text"))).retrieve(query, k=5)
    assert {e.leg for c in only_text.candidates for e in c.evidence} == {"text"}


async def test_a_forgotten_film_is_found_by_description(wired: Services) -> None:
    query = Query(text="thieves enter dreams to plant an idea, spinning top", known_item=True)
    found = await (await retriever(wired)).retrieve(query, k=5)
    assert "Inception" in [c.movie.title for c in found.candidates]


async def test_a_models_proposals_are_grounded_verified_and_fused(wired: Services) -> None:
    """A scripted decider proposes: what is real, fits and was not named comes first."""

    class Proposing:
        async def decide(self, context: DecisionContext) -> Decision:
            decision = await RulesDecider().decide(context)
            assert decision.search is not None
            titles = ("Paddington 2 (2017)", "No Such Film (1999)", "Saw (2004)", "Up (2009)")
            return replace(decision, search=replace(decision.search, proposals=titles))

    assistant = Assistant(wired.toolbox, Proposing(), wired.stores.conversations, load_phrases())
    reply = await Talk(assistant).say("a family film, no horror")
    assert set(reply.titles[:3]) >= {"Paddington 2", "Up"}
    assert "Saw" not in reply.titles
    assert "No Such Film" not in reply.titles
