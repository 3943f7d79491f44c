"""Measuring the enhancer: the blend is chosen on other folds; words and chances are counted."""

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evals.__main__ import main
from evals.recorded.enhancer import FIGURES, Measured, rows_of
from evals.recorded.enhancer_fused import BLENDED, MOVED, PLAIN, Fused, Redirected, drawn
from evals.recorded.enhancer_reading import (
    SMALL,
    expected_error,
    macro_f1,
    read_all,
    share,
)
from evals.recorded.enhancer_vectors import (
    BLEND,
    ENHANCED,
    LAST,
    TURNS,
    Asked,
    Side,
    backing_of,
    compare,
)
from evals.recorded.intents import Labelled
from evals.recorded.rank_input import Case
from retrieval.analysis import Analysis
from retrieval.encoder import TokenStates
from retrieval.enhancer import FOLDER, INTENTS, MODEL
from retrieval.index import Hits, Leg, TextLeg, VectorLeg
from retrieval.movie import Constraints, Query, Seed
from retrieval.neighbours import ListGraph
from test_evals_rank import asks_like, movies, place

IDS = [f"m{n}" for n in range(300)]
VECTORS = np.eye(300, 384, dtype=np.float32) + 0.01


class Encoder:
    """Says of every text that it is near one film: the number in it."""

    identity: Any = None

    def tokens(self, text: str) -> TokenStates:
        number = int("".join(c for c in text if c.isdigit()) or 0)
        return TokenStates(VECTORS[[number]], np.array([True]), [(0, len(text))])

    def encode(self, texts: Sequence[str]) -> Any:
        raise AssertionError("vectors come from tokens")


def asked(number: int) -> Asked:
    """The words are near film 5; right is what stands beside the film named."""
    case = Case(
        f"d{number}-1",
        (("user", "film 5"),),
        frozenset({f"m{100 + number}"}),
        targets=(f"m{200 + number % 40}",),
    )
    return Asked(case, Query("film 5", seeds=(Seed(f"m{100 + number}"),)), number % 5)


def enhancer(hits: bool) -> Any:
    def enhance(states: TokenStates, backing: Any) -> Any:
        named = int(np.argmax(backing.seeds[0])) - 100
        return SimpleNamespace(vector=VECTORS[200 + named % 40 if hits else 0])

    return SimpleNamespace(enhance=enhance)


def test_each_vector_is_ranked_and_folds_are_kept_apart() -> None:
    turns = [asked(n) for n in range(60)]
    side = Side(IDS, VECTORS, ListGraph())
    used = {fold: enhancer(hits=fold != 3) for fold in range(5)}
    found = compare(turns, side, Encoder(), used)
    assert set(found.ranks) == {LAST, TURNS, BLEND, ENHANCED}
    right = np.array([turn.fold != 3 for turn in turns])
    assert (found.ranks[ENHANCED][right] == 1).all()
    assert (found.ranks[ENHANCED][~right] > 1).all()
    assert set(found.weights) == set(range(5))
    assert found.recall(BLEND, 50).value >= found.recall(TURNS, 50).value
    assert found.gain(ENHANCED, LAST, 1).value == pytest.approx(right.mean())
    assert found.blends.shape == (60, 384)
    assert np.allclose(np.linalg.norm(found.blends, axis=1), 1.0, atol=1e-5)
    out = side.rows
    for turn, vector, rank in zip(turns, found.blends, found.ranks[BLEND], strict=True):
        scores = side.vectors @ vector
        scores[[out[m] for m in turn.case.mentioned]] = -np.inf
        assert 1 + int((scores > scores[out[turn.case.new_targets[0]]] + 1e-6).sum()) <= rank
    assert found.recall(LAST, 50, "no seeds").n == 0


def test_films_behind_a_query_are_the_newest_first_and_known() -> None:
    lists = ListGraph.of({"m1": ["m7", "m8"]})
    query = Query("x", seeds=(Seed("gone", 1), Seed("m2", 2), Seed("m1", 0)))
    backing = backing_of(query, Side(IDS, VECTORS, lists))
    assert [int(np.argmax(v)) for v in backing.seeds] == [1, 2]
    assert backing.near is not None
    assert set(np.argsort(-backing.near)[:2].tolist()) == {7, 8}


def labelled(text: str, intents: set[str], marked: set[str]) -> Labelled:
    return Labelled(
        text, (frozenset(intents), frozenset(intents)), (frozenset(marked), frozenset(marked))
    )


def test_words_intents_and_certainty_are_counted() -> None:
    requests = [
        labelled("a slow Western please", {"genre_preference"}, {"Western"}),
        labelled("something sad", {"mood_based"}, {"sad"}),
    ]
    said = [
        Analysis(
            0.9,
            "genre_preference",
            dict.fromkeys(INTENTS, 0.1) | {"genre_preference": 0.9},
            weights={"a": 0.99, "slow": 0.5, "Western": 0.8, "please": 0.9},
        ),
        Analysis(
            0.6,
            "genre_preference",
            dict.fromkeys(INTENTS, 0.2) | {"genre_preference": 0.6},
            weights={"something": 0.9, "sad": 0.1},
        ),
    ]
    read = read_all(requests, said)
    assert read.words_right.tolist() == [True, True]
    assert read.primary_right.tolist() == [True, False]
    assert read.random_right.tolist() == [1.0, 1.0]
    assert read.f1_of_second == macro_f1(read.first, read.first)
    assert share(read.primary_right).value == 0.5
    assert {"a", "please", "something"} <= SMALL


def test_expected_error_is_the_distance_of_chance_and_frequency() -> None:
    chances = np.repeat([0.2, 0.8], 500)
    true = np.concatenate([np.arange(500) % 5 == 0, np.arange(500) % 2 == 0])
    assert expected_error(chances, true) == pytest.approx(0.15)


# --- whole lists ----------------------------------------------------------------------------------


class Recording:
    """An index that keeps what it was asked for."""

    def __init__(self) -> None:
        self.legs: Sequence[Leg] = ()

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        self.legs = legs
        return []


@pytest.mark.asyncio
async def test_only_the_dense_leg_is_redirected() -> None:
    inner: Any = Recording()
    text, dense = TextLeg("film"), VectorLeg(VECTORS[0])
    seeds = VectorLeg(VECTORS[0], "dense_seeds")
    await Redirected(inner, VECTORS[1]).search([text, dense, seeds], Constraints(), 5)
    first, moved, last = inner.legs
    assert first is text and last is seeds
    assert moved.name == "dense" and np.array_equal(moved.vector, VECTORS[1])
    assert np.array_equal(dense.vector, VECTORS[0])


def test_turns_are_drawn_from_all_dialogues_first() -> None:
    turns = [asked(n % 20) for n in range(60)]
    places = drawn(turns, 25)
    assert len(set(places)) == 25
    assert len({turns[place].case.dialogue_id for place in places[:20]}) == 20
    assert sorted(drawn(turns, 60)) == list(range(60))


def test_rows_tell_what_was_not_measured_and_what_was() -> None:
    read = read_all([labelled("a western", {"genre_preference"}, {"western"})], [analysis()])
    found = Measured(read, added_ms=[1.0], size=2**20)
    assert [(row.figure, row.data) for row in rows_of(found)] == list(FIGURES)
    assert all("no fold models" in row.value for row in rows_of(found)[:8])
    side = Side(IDS, VECTORS, ListGraph())
    turns = [asked(n) for n in range(60)]
    found.vectors = compare(turns, side, Encoder(), {n: enhancer(hits=True) for n in range(5)})
    n = len(turns)
    ranks = {PLAIN: [60] * n, BLENDED: [11] * n, MOVED: [1] * n}
    found.fused = Fused([turn.case.dialogue_id for turn in turns], ranks)
    rows = rows_of(found)
    assert [(row.figure, row.data) for row in rows] == list(FIGURES)
    assert rows[6].value == "@10 .000 / .000 / 1.000; @50 .000 / 1.000 / 1.000"
    assert rows[7].value.startswith("@10 +1.000 [") and "@50 +0.000 [" in rows[7].value


def analysis() -> Analysis:
    chances = dict.fromkeys(INTENTS, 0.1) | {"genre_preference": 0.9}
    return Analysis(0.9, "genre_preference", chances, weights={"western": 0.9})


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of our own with twelve turns; an empty folder for the enhancers of their folds."""
    folder = tmp_path / "data" / "dialogue"
    folder.mkdir(parents=True)
    known = movies()
    rows = [
        asks_like(f"talk-{n}-2", known[n], target_movie_ids=[known[n + 2]["movie_id"]])
        for n in range(12)
    ]
    with gzip.open(folder / "redial_rec_turns_dev.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)))
    with gzip.open(folder / "redial_dev_1000.jsonl.gz", "wb") as file:
        file.write((place() / "dialogues.jsonl").read_bytes())
    monkeypatch.setenv("USHER_DATA", str(tmp_path / "data"))
    return tmp_path / "models"


def asked_for(*flags: str) -> list[str]:
    return ["enhancer", "--index", str(place() / "index"), "--json", *flags]


def test_everything_is_measured_with_the_enhancers_of_folds(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for fold in range(5):
        (recorded / f"fold-{fold}").mkdir(parents=True)
        shutil.copy(FOLDER / MODEL, recorded / f"fold-{fold}" / MODEL)
    assert main(asked_for("--models", str(recorded))) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(told) == [figure for figure, _ in FIGURES]
    assert re.fullmatch(
        r"@10 [\d.]+ / [\d.]+ / [\d.]+; @50 (1\.000 / ){2}1\.000", told[FIGURES[6][0]]
    )
    assert main(asked_for("--models", str(recorded), "--fused", "0")) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert FIGURES[6][0] not in told and FIGURES[5][0] in told


def test_a_fold_without_its_enhancer_is_refused(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recorded / "fold-0").mkdir(parents=True)
    shutil.copy(FOLDER / MODEL, recorded / "fold-0" / MODEL)
    with pytest.raises(SystemExit) as ended:
        main(asked_for("--models", str(recorded)))
    assert ended.value.code == 2
    assert "train_enhancer --folds" in capsys.readouterr().err
