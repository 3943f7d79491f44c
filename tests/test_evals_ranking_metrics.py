"""Ranking metrics: against ir-measures on random and edge cases, and by hand where it has none."""

import math
import warnings

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, Success, nDCG

from evals.recorded.ranking_metrics import (
    METRICS,
    Judged,
    average_precision,
    average_precision_capped,
    coverage,
    intra_list_diversity,
    judged,
    judged_ranks,
    mean,
    micro_recall,
    novelty,
    ordered,
    per_query,
    recall,
)

ORACLE = {
    "recall": R,
    "precision": P,
    "ndcg": nDCG,
    "map": AP,
    "mrr": RR,
    "hit_rate": Success,
}
KS = (1, 3, 10, 50)

Lists = dict[str, list[str]]
Relevant = dict[str, set[str]]


def theirs(lists: Lists, relevant: Relevant, name: str, k: int) -> dict[str, float]:
    """ir-measures, query by query. A repeated movie becomes another id: its place is used up."""
    run = []
    for qid, ranked in lists.items():
        seen: set[str] = set()
        for place, movie_id in enumerate(ranked):
            doc = movie_id if movie_id not in seen else f"again-{place}"
            seen.add(movie_id)
            run.append(ir_measures.ScoredDoc(qid, doc, float(-place)))
    qrels = [ir_measures.Qrel(q, doc, 1) for q, docs in relevant.items() for doc in sorted(docs)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ir_measures.iter_calc([ORACLE[name] @ k], qrels, run)
        return {metric.query_id: metric.value for metric in found}


def ours(lists: Lists, relevant: Relevant, name: str, k: int) -> dict[str, float]:
    metric = next(m for m in METRICS if m.name == name)
    reduced = [judged(lists.get(qid, []), docs) for qid, docs in relevant.items()]
    return dict(zip(relevant, per_query(reduced, metric, k), strict=True))


def random_queries(rng: np.random.Generator, queries: int) -> tuple[Lists, Relevant]:
    """Lists of 0 to 40 with repeats, 1 to 60 relevant of 100 movies."""
    movies = [f"m{i}" for i in range(100)]
    lists, relevant = {}, {}
    for number in range(queries):
        length, right = int(rng.integers(0, 41)), int(rng.integers(1, 61))
        lists[f"q{number}"] = [str(m) for m in rng.choice(movies, length, replace=True)]
        relevant[f"q{number}"] = {str(m) for m in rng.choice(movies, right, replace=False)}
    return lists, relevant


@pytest.mark.parametrize("k", KS)
@pytest.mark.parametrize("name", ORACLE)
def test_agrees_with_ir_measures_on_random_lists(name: str, k: int) -> None:
    lists, relevant = random_queries(np.random.default_rng(k), 200)
    expected, found = theirs(lists, relevant, name, k), ours(lists, relevant, name, k)
    # pytrec_eval leaves out queries whose run is empty; a list with nothing in it is worth 0.
    for qid, value in found.items():
        assert value == pytest.approx(expected.get(qid, 0.0), abs=1e-4), qid


EDGES: dict[str, tuple[list[str], set[str]]] = {
    "empty list": ([], {"a"}),
    "nothing found": (["x", "y"], {"a", "b"}),
    "everything found": (["a", "b"], {"a", "b"}),
    "k beyond the list": (["x", "a"], {"a", "b", "c"}),
    "one relevant, last": (["x", "y", "z", "a"], {"a"}),
    "more relevant than k": (["a", "b", "c"], {f"{c}" for c in "abcdefghijklmnop"}),
    "a hit repeated": (["a", "a", "b", "a"], {"a", "b"}),
    "a miss repeated": (["x", "x", "a"], {"a"}),
}


@pytest.mark.parametrize("k", KS)
@pytest.mark.parametrize("name", ORACLE)
@pytest.mark.parametrize("edge", EDGES)
def test_agrees_with_ir_measures_at_the_edges(edge: str, name: str, k: int) -> None:
    ranked, docs = EDGES[edge]
    expected = theirs({"q": ranked}, {"q": docs}, name, k).get("q", 0.0)
    assert ours({"q": ranked}, {"q": docs}, name, k)["q"] == pytest.approx(expected, abs=1e-4)


def test_ties_are_broken_as_trec_eval_breaks_them() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        scores = {f"m{i}": float(rng.integers(0, 4)) for i in range(30)}
        docs = {str(m) for m in rng.choice(list(scores), 5, replace=False)}
        qrels = [ir_measures.Qrel("q", doc, 1) for doc in docs]
        run = [ir_measures.ScoredDoc("q", doc, score) for doc, score in scores.items()]
        expected = next(iter(ir_measures.iter_calc([nDCG @ 10], qrels, run))).value
        found = ours({"q": ordered(scores)}, {"q": docs}, "ndcg", 10)["q"]
        assert found == pytest.approx(expected, abs=1e-4)


def test_the_two_definitions_of_map_are_told_apart() -> None:
    # Ten hits in ten places of 30 relevant: perfect by the one, a third by the other.
    one = judged([f"m{i}" for i in range(10)], {f"m{i}" for i in range(30)})
    assert average_precision_capped(one, 10) == 1.0
    assert average_precision(one, 10) == pytest.approx(1 / 3)
    lists, relevant = random_queries(np.random.default_rng(1), 100)
    trec = theirs(lists, relevant, "map", 10)
    for qid, value in ours(lists, relevant, "map_capped", 10).items():
        right = len(relevant[qid])
        assert value == pytest.approx(trec.get(qid, 0.0) * right / min(right, 10), abs=1e-4)


def test_nothing_relevant_has_no_value_and_leaves_the_mean_alone() -> None:
    lists = [judged(["a"], set()), judged(["a"], {"a"})]
    for metric in METRICS:
        values = per_query(lists, metric, 1)
        assert math.isnan(values[0]) and mean(values) == 1.0
    assert math.isnan(mean(per_query(lists[:1], METRICS[0], 1)))
    assert math.isnan(micro_recall(lists[:1], 1))


def test_micro_weighs_targets_and_macro_queries() -> None:
    lists = [judged(["a"], {"a", "b", "c"}), judged(["a"], {"a"})]
    assert micro_recall(lists, 1) == 0.5
    assert mean(per_query(lists, METRICS[0], 1)) == pytest.approx((1 / 3 + 1) / 2)


def test_ranks_say_the_same_as_lists() -> None:
    assert judged_ranks([7, 999, 2], absent=999) == Judged((2, 7), 3)
    assert recall(judged_ranks([7, 999, 2], absent=999), 5) == pytest.approx(1 / 3)


def test_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        per_query([], METRICS[0], 0)


def test_coverage_counts_only_the_catalogue_and_the_first_k() -> None:
    lists = [["a", "b", "c"], ["a", "z"], []]
    assert coverage(lists, {"a", "b", "c", "d"}, 2) == 0.5
    assert math.isnan(coverage(lists, set(), 2))


def test_novelty_is_the_surprise_in_bits() -> None:
    counts = {"known": 7, "rare": 0}
    assert novelty([["known"], []], counts, 7, 10) == 0.0
    assert novelty([["rare"], ["known"]], counts, 7, 10) == pytest.approx(1.5)
    assert math.isnan(novelty([[]], counts, 7, 10))


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    vectors = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 2.0]), "c": np.array([3.0, 0.0])}
    assert intra_list_diversity([["a", "b"]], vectors, 10) == pytest.approx(1.0)
    assert intra_list_diversity([["a", "c"]], vectors, 10) == pytest.approx(0.0)
    assert intra_list_diversity([["a", "b", "c"], ["a"]], vectors, 10) == pytest.approx(2 / 3)
    assert intra_list_diversity([["a", "b", "c"]], vectors, 2) == pytest.approx(1.0)
    assert math.isnan(intra_list_diversity([["a", "unknown"]], vectors, 10))
