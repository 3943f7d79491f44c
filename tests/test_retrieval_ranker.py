"""The learned ranker: artifact, trees in numpy, features, and what it does to a search."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.recorded.models import read_models
from infra.wiring import Services
from retrieval.film_facts import Baskets, FilmFacts, FilmRow, Ragged, RowGraph
from retrieval.fusion import Fused
from retrieval.index import Hits
from retrieval.jobs.train_folds import LEFT_OUT
from retrieval.jobs.train_folds import main as train_folds
from retrieval.jobs.train_ranker import as_json, train
from retrieval.jobs.train_ranker import main as train_ranker
from retrieval.movie import Evidence, Movie, Query, Seed
from retrieval.neighbours import Knowledge, ListGraph
from retrieval.rank_cases import CASES, LATER, TARGET, Cases, CasesRefused
from retrieval.rank_features import GROUPS, NAMES, Search, features
from retrieval.ranker import LEG, MAX_LEAVES, Ranker, RankerRefused, ranks, reranked
from retrieval.retriever import Retriever, RetrieverSettings

COLUMN = {name: i for i, name in enumerate(NAMES)}
FILMS = [
    Movie("a", "Alpha One", year=1990, genres=("crime",), cast=("Ann",), keywords=("heist",)),
    Movie("b", "Alpha One Again", year=1995, genres=("crime",), cast=("Ann",), keywords=("heist",)),
    Movie("c", "Gamma", year=2010, genres=("comedy",)),
    Movie("d", "Delta", year=2000, genres=("crime", "comedy")),
]
ROWS = {movie.movie_id: FilmRow.of(movie) for movie in FILMS}
LISTS = {"a": ("b", "d"), "c": ("d", "a")}


def knowledge() -> Knowledge:
    known = Knowledge(lists=ListGraph.of(LISTS), related={"a": (("c", 0.5),)})
    return known.with_films(ROWS)


def search(*seeds: str) -> Search:
    hits = [Hits("neighbours", ("b", "d"), (2.0, 1.0)), Hits("popular", ("c",), (0.9,))]
    query = Query(seeds=tuple(Seed(s, i) for i, s in enumerate(seeds)))
    weights = {s: 1 / (1 + 0.3 * i) for i, s in enumerate(seeds)}
    return Search(query, weights, hits, {"b": 0.5, "c": 0.3, "d": 0.2})


def tree(rng: np.random.Generator, columns: int, leaves: int) -> Any:
    """A random binary tree: a float, or (column, threshold, left, right)."""
    if leaves == 1:
        return float(rng.normal())
    left = int(rng.integers(1, leaves))
    column, threshold = int(rng.integers(columns)), float(np.float32(rng.normal()))
    return (column, threshold, tree(rng, columns, left), tree(rng, columns, leaves - left))


def flat(root: Any) -> dict[str, Any]:
    leaves: list[float] = []
    splits: list[list[float]] = []

    def walk(node: Any) -> None:
        if isinstance(node, float):
            leaves.append(node)
            return
        first = len(leaves)
        walk(node[2])
        splits.append([node[0], node[1], first, len(leaves) - first])
        walk(node[3])

    walk(root)
    return {"splits": splits, "leaves": leaves}


def walked(root: Any, row: np.ndarray) -> float:
    while not isinstance(root, float):
        root = root[2] if row[root[0]] <= root[1] else root[3]
    return root


def artifact(*roots: Any) -> dict[str, Any]:
    return {"features": list(NAMES), "trees": [flat(root) for root in roots]}


def test_trees_are_scored_as_if_they_were_walked() -> None:
    rng = np.random.default_rng(7)
    roots = [tree(rng, len(NAMES), leaves) for leaves in (2, 3, 8, MAX_LEAVES, 16, 5)]
    table = rng.normal(size=(50, len(NAMES))).astype(np.float32)
    expected = [sum(walked(root, row) for root in roots) for row in table]
    assert Ranker.read(artifact(*roots), "sha").scores(table) == pytest.approx(expected, abs=1e-5)
    assert len(Ranker.read(artifact(*roots), "sha").scores(table[:0])) == 0


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RankerRefused, match="other features"):
        Ranker.read({"features": ["x"], "trees": []}, "sha")
    with pytest.raises(RankerRefused, match="16 leaves"):
        Ranker.read(artifact(tree(np.random.default_rng(0), 3, 17)), "sha")
    with pytest.raises(RankerRefused, match="not there"):
        Ranker.load(tmp_path / "none.json")
    for broken in ("{", "[]", '{"features": []}'):
        (tmp_path / "ranker.json").write_text(broken)
        with pytest.raises(RankerRefused):
            Ranker.load(tmp_path / "ranker.json")


def test_the_ranker_that_ships_is_whole() -> None:
    assert len(Ranker.load().leaves) > 50


def test_it_has_a_say_only_where_films_were_named() -> None:
    assert ranks(Query(text="like Heat", seeds=(Seed("a"),)))
    assert not ranks(Query(text="a good western"))
    assert not ranks(Query(text="the one with the shark", seeds=(Seed("a"),), known_item=True))
    assert not ranks(Query(seeds=(Seed("a"),), proposals=("b",)))


def test_features_say_what_stands_behind_a_candidate() -> None:
    table = features(search("a"), knowledge())
    assert table.shape == (3, len(NAMES))

    def of(name: str) -> list[float]:
        return [float(v) for v in table[:, COLUMN[name]]]

    assert of("rank neighbours") == pytest.approx([20 / 21, 0, 20 / 22])
    assert of("share neighbours") == [1.0, 0.0, 0.5]
    assert of("list seeds") == [1, 0, 1]
    assert of("back seeds") == [0, 1, 0]  # c's own list names a
    assert of("together best") == [0, 0.5, 0]
    assert of("genres") == [1.0, 0.0, 0.5]
    assert of("year gap") == [5, 20, 10]
    assert of("people alike")[0] > 0 == of("people alike")[1]
    assert of("franchise") == [1, 0, 0]
    assert of("basket best")[0] > 0 and of("basket best")[2] > of("basket best")[1]
    assert set(of("query seeds")) == {1.0}


def test_features_without_seeds_or_candidates() -> None:
    table = features(search(), knowledge())
    assert not table[:, [COLUMN[n] for n in ("list seeds", "genres", "query seeds")]].any()
    nothing = Search(Query(), {}, [], {})
    assert features(nothing, knowledge()).shape == (0, len(NAMES))
    unknown = search("not here")
    assert np.isfinite(features(unknown, knowledge())).all()


def test_every_feature_of_a_candidate_belongs_to_one_reason_at_least() -> None:
    told = {i for columns in GROUPS.values() for i in columns}
    assert {n for i, n in enumerate(NAMES) if i not in told} == {
        n for n in NAMES if n.startswith("query ")
    }


def test_reranking_keeps_the_films_and_the_scores_of_their_places() -> None:
    newest_first = (COLUMN["year gap"], 15.0, -1.0, 1.0)
    ranker = Ranker.read(artifact(newest_first), "sha")
    evidence = (Evidence("neighbours", 1, 2.0),)
    fused = [Fused("b", 0.5, evidence), Fused("c", 0.3, ()), Fused("d", 0.2, ())]
    again = reranked(fused, search("a"), knowledge(), ranker)
    assert [f.movie_id for f in again] == ["c", "b", "d"]
    assert [f.score for f in again] == [0.5, 0.3, 0.2]
    assert again[1].evidence[0] == evidence[0]
    said = again[0].evidence[-1]
    assert (said.leg, said.rank, said.source) == (LEG, 1, "year")


def test_arrays_of_films() -> None:
    facts = FilmFacts.of(ROWS)
    graph = RowGraph.of({**LISTS, "gone": ("a",)}, facts.row_of)
    assert graph.forward.row(0).tolist() == [1, 3]
    assert (graph.backward.row(3).tolist(), graph.places.row(3).tolist()) == ([0, 2], [1, 0])
    which, place, values = Ragged.of([[5], [], [6, 7]]).gather(np.array([2, 0]))
    assert (which.tolist(), place.tolist(), values.tolist()) == ([0, 0, 1], [0, 1, 0], [6, 7, 5])
    like = Baskets.of(LISTS, [("b", "c")], facts.row_of).like(0, np.arange(4))
    assert like[0] == 0 and like[3] > 0


def cases(turns: int = 60) -> Cases:
    """Right is whoever stands high in `rank text`; every fifth dialogue is one fold."""
    rng = np.random.default_rng(1)
    table = rng.random((turns * 10, len(NAMES)), dtype=np.float32)
    text = table[:, COLUMN["rank text"]].reshape(turns, 10)
    labels = np.where(text == text.max(axis=1, keepdims=True), TARGET, 0)
    labels[0, 0] = max(labels[0, 0], LATER)
    dialogues = [f"d{i}" for i in range(turns)]
    folds = {d: i % 5 for i, d in enumerate(dialogues)}
    sizes = np.full(turns, 10, dtype=np.int64)
    return Cases(table, labels.reshape(-1).astype(np.int8), sizes, dialogues, folds)


def nested(folder: Path, turns: int) -> Path:
    """A folder with what the ranker of each fold may learn from."""
    every = cases(turns)
    folder.mkdir()
    for fold in range(5):
        keep = np.array([every.folds[d] != fold for d in every.dialogues])
        rows = np.repeat(keep, every.sizes)
        others = [d for d in every.dialogues if every.folds[d] != fold]
        made = Cases(every.table[rows], every.labels[rows], every.sizes[keep], others, every.folds)
        made.save(folder / CASES.format(fold=fold))
    return folder


def test_cases_are_kept_whole(tmp_path: Path) -> None:
    made = cases()
    made.save(tmp_path / "cases.npz")
    again = Cases.load(tmp_path / "cases.npz")
    assert np.array_equal(again.table, made.table) and again.folds == made.folds
    (tmp_path / "cases.npz").write_bytes(b"no")
    with pytest.raises(CasesRefused, match="evals cases"):
        Cases.load(tmp_path / "cases.npz")


def test_training_finds_what_is_there_and_serves_what_it_trained(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="needs the extra train")
    assert lightgbm.__version__
    made = cases(400)
    first = train(made)
    assert as_json(first) == as_json(train(made))
    ranker = Ranker.read(json.loads(as_json(first)), "sha")
    best = ranker.scores(made.table).reshape(400, 10).argmax(axis=1)
    right = (made.labels.reshape(400, 10) == TARGET).argmax(axis=1)
    assert np.mean(best == right) > 0.5  # by chance .1
    blind, hidden = train(made, LEFT_OUT["leg ranks"]), set(LEFT_OUT["leg ranks"])
    splits = [split for one in blind["trees"] for split in one["splits"]]
    assert splits and not hidden & {split[0] for split in splits}


def test_each_fold_has_its_ranker_and_the_blind_ones_where_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lightgbm", reason="needs the extra train")
    monkeypatch.setattr("retrieval.jobs.train_ranker.TREES", 2)
    given = ["--cases", str(nested(tmp_path / "cases", 200)), "--out", str(tmp_path / "models")]
    assert train_folds(given) == 0
    assert not read_models(tmp_path / "models").blind[4]
    assert train_folds([*given, "--without-each"]) == 0
    found = read_models(tmp_path / "models")
    assert set(found.rankers) == set(range(5)) and set(found.blind[4]) == set(LEFT_OUT)
    assert found.blind[4]["seeds"].sha != found.rankers[4].sha
    every = {i for columns in LEFT_OUT.values() for i in columns}
    assert all(LEFT_OUT.values()) and len(every) > len(NAMES) / 2
    (tmp_path / "models" / "fold-2" / "without" / "fame.json").unlink()
    assert set(read_models(tmp_path / "models").blind[4]) == set(LEFT_OUT) - {"fame"}
    assert train_folds(given) == 0
    assert not read_models(tmp_path / "models").blind[4]


def test_cases_of_its_own_fold_are_not_for_a_ranker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases").mkdir()
    for fold in range(5):
        cases().save(tmp_path / "cases" / CASES.format(fold=fold))
    with pytest.raises(SystemExit):
        train_folds(["--cases", str(tmp_path / "cases"), "--out", str(tmp_path / "models")])
    assert "evals cases --nested" in capsys.readouterr().err


@pytest.mark.parametrize("job", [train_folds, train_ranker])
def test_cases_that_cannot_be_used_end_a_job_in_one_line(
    job: Callable[[list[str]], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        job(["--cases", str(tmp_path / "none"), "--out", str(tmp_path)])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1 and "evals cases" in said


async def test_a_search_with_an_example_is_ranked_anew_and_says_so(wired: Services) -> None:
    tables = await wired.toolbox.catalogue.tables()
    entry = (await wired.toolbox.lexicon()).resolve("Heat")
    assert entry is not None
    heat = entry.movie_id
    query = Query(text="something like Heat", seeds=(Seed(heat),))

    async def found(settings: RetrieverSettings) -> list[tuple[str, set[str]]]:
        parts = (wired.index, wired.encoder, tables.knowledge, wired.executor)
        retrieved = await Retriever(*parts, settings).retrieve(query, k=200)
        return [(c.movie.movie_id, {e.leg for e in c.evidence}) for c in retrieved.candidates]

    fixed = await found(RetrieverSettings())
    learned = await found(RetrieverSettings(ranker=Ranker.load()))
    assert {i for i, _ in fixed} == {i for i, _ in learned}
    assert [i for i, _ in fixed] != [i for i, _ in learned]
    assert heat not in {i for i, _ in learned}
    assert all(LEG in legs for _, legs in learned[:5])
    assert not any(LEG in legs for _, legs in fixed)
