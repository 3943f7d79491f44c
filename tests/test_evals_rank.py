"""The measuring door on a small index whose shipped counts come from dialogues made for it."""

import gzip
import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from evals.__main__ import main
from evals.recorded.rank_input import read_dialogues
from evals.recorded.worlds import counts_without, folds_of
from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local
from retrieval.jobs.count_comentions import main as count_comentions

MOVIES = 24
Json = dict[str, Any]


def movies() -> list[Json]:
    with gzip.open(STARTER / "movies.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(MOVIES), strict=False)]


@cache
def place() -> Path:
    """A folder with an index, and the dialogues that its co-mention counts were made from."""
    folder = Path(mkdtemp(prefix="usher-test-rank-"))
    known = movies()
    (folder / "movies.jsonl").write_text("\n".join(map(json.dumps, known)))
    named = [{"name": label(m), "movie_id": m["movie_id"]} for m in known]
    rows = [
        {"dialogue_id": f"talk-{i}", "turns": [{"role": "user", "text": "", "movies": pair}]}
        for i, pair in enumerate(zip(named, named[1:], strict=False))
    ]
    (folder / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "knowledge").mkdir()
    arguments = ["--dialogues", str(folder / "dialogues.jsonl")]
    assert count_comentions([*arguments, "--out", str(folder / "knowledge/comention.json.gz")]) == 0
    catalogue = open_catalogue(folder / "movies.jsonl")
    build_local(catalogue, OnnxEncoder.load(), folder / "index", folder / "knowledge")
    return folder


def label(movie: Json) -> str:
    return f"{movie['title']} ({movie['year']})"


def turns(folder: Path, *rows: Json) -> Path:
    path = folder / "turns.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def rank(folder: Path, *rows: Json, flags: tuple[str, ...] = ()) -> list[Json]:
    """Run the command; the lists it wrote."""
    out = folder / "ranks.jsonl"
    arguments = ["rank", "--index", str(place() / "index"), "--input", str(turns(folder, *rows))]
    assert main([*arguments, "--output", str(out), *flags]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


def refused(folder: Path, *rows: Json, flags: tuple[str, ...] = ()) -> None:
    with pytest.raises(SystemExit) as ended:
        rank(folder, *rows, flags=flags)
    assert ended.value.code == 2


def asks_like(qid: str, movie: Json, **more: Any) -> Json:
    return {"qid": qid, "context": [f"I loved {label(movie)}"], **more}


def test_lists_come_in_the_order_of_the_input(tmp_path: Path) -> None:
    known = movies()
    rows = [asks_like(f"new-{i}", known[i], exclude_ids=[]) for i in (3, 1, 2)]
    lists = rank(tmp_path, *rows, flags=("-k", "5"))
    assert [one["qid"] for one in lists] == ["new-3", "new-1", "new-2"]
    for one in lists:
        assert len(one["movie_ids"]) == len(one["scores"]) == 5
        assert len(set(one["movie_ids"])) == 5


def test_the_first_turns_alone_can_be_asked_for(tmp_path: Path) -> None:
    known = movies()
    rows = [asks_like(f"new-{i}", known[i]) for i in (3, 1, 2)]
    lists = rank(tmp_path, *rows, flags=("-k", "5", "--first", "2"))
    assert [one["qid"] for one in lists] == ["new-3", "new-1"]


def test_mentioned_films_and_other_candidates_stay_out(tmp_path: Path) -> None:
    known = movies()
    allowed = [m["movie_id"] for m in known[:10]]
    (tmp_path / "ids.txt").write_text("\n".join([*allowed, "nowhere"]))
    row = asks_like("new-1", known[0], exclude_ids=allowed[:3])
    [one] = rank(tmp_path, row, flags=("--candidates", str(tmp_path / "ids.txt")))
    assert set(one["movie_ids"]) == set(allowed[3:])


def test_figures_end_as_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = movies()
    targets = [known[1]["movie_id"], known[0]["movie_id"]]
    row = asks_like("new-1", known[0], exclude_ids=[targets[1]], target_movie_ids=targets)
    rank(tmp_path, row, flags=("--json", "-k", "20"))
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (printed["new_targets"], printed["mentioned_targets"]) == (1, 1)
    assert list(printed["rows"]) == ["full", "popularity", "lexical", "dense", "neighbours"]
    assert list(printed["rows"]["full"]) == ["R@1", "R@5", "R@10", "R@20"]
    for named in ("mentioned films removed", "positives = ", "candidates = all", "counts"):
        assert named in printed["protocol"]
    full = printed["metrics@10"]["full"]
    # One target: its reciprocal rank, recall and precision hang together.
    assert full["precision"] == pytest.approx(full["recall"] / 10)
    assert full["hit_rate"] == full["recall"] == printed["rows"]["full"]["R@10"]["value"]
    assert printed["coverage@10"] == pytest.approx(10 / MOVIES, abs=1e-4)


def test_linking_is_a_figure_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = movies()
    labelled = [label(known[0]), label(known[1])]
    row = asks_like("new-1", known[0], context_entities=labelled, target_movie_ids=["us000009"])
    rank(tmp_path, row, flags=("--json", "--names", str(place() / "dialogues.jsonl")))
    linking = json.loads(capsys.readouterr().out.splitlines()[-1])["linking"]
    assert linking == {"precision": 1.0, "recall": 0.5, "named": 2, "heard": 1}


def test_targets_ruled_out_by_the_agent_itself_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = next(m for m in movies() if "comedy" not in m["genres"])
    row = {"qid": "new-1", "context": ["only comedies please"], "exclude_ids": []}
    rank(tmp_path, row | {"target_movie_ids": [wanted["movie_id"]]}, flags=("--json",))
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["barred"] == {"require genre": 1}


def test_counted_dialogues_are_refused_unless_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = asks_like("talk-3-2", movies()[3], exclude_ids=[])
    refused(tmp_path, row)
    error = capsys.readouterr().err
    assert "talk-3" in error and "--counts-from" in error and error.count("\n") == 1
    assert rank(tmp_path, row, flags=("--in-sample",))
    assert "talk-3" not in capsys.readouterr().err


def test_out_of_fold_counts_do_not_know_the_dialogue(tmp_path: Path) -> None:
    """In sample the partner named in the same dialogue is found by co-mention; out of fold not."""
    known = movies()
    partner = known[4]["movie_id"]
    row = asks_like("talk-3-2", known[3], exclude_ids=[])
    alone = ("--legs", "comention")
    [inside] = rank(tmp_path, row, flags=("--in-sample", *alone))
    assert partner in inside["movie_ids"]
    counts = ("--counts-from", str(place() / "dialogues.jsonl"), "--folds", "5")
    [outside] = rank(tmp_path, row, flags=(*counts, *alone))
    assert partner not in outside["movie_ids"]


def test_folds_are_even_seeded_and_leave_their_own_out() -> None:
    dialogues = read_dialogues(place() / "dialogues.jsonl")
    of = folds_of(list(dialogues), 5, seed=0)
    assert of == folds_of(list(reversed(dialogues)), 5, seed=0)
    assert of != folds_of(list(dialogues), 5, seed=1)
    sizes = [sum(fold == f for fold in of.values()) for f in range(5)]
    assert max(sizes) - min(sizes) <= 1
    counts = counts_without({2}, of, dialogues)
    assert len(counts.dialogues) == len(dialogues) - sizes[2]


def test_proposals_are_grounded_and_fused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = movies()
    titles = [label(known[20]), "An Invented Film (1999)"]
    (tmp_path / "p.jsonl").write_text(json.dumps({"qid": "new-1", "titles": titles}))
    target = known[20]["movie_id"]
    row = asks_like("new-1", known[0], exclude_ids=[], target_movie_ids=[target])
    flags = ("--proposals", str(tmp_path / "p.jsonl"), "--json")
    [one] = rank(tmp_path, row, flags=flags)
    assert one["movie_ids"][0] == target
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["grounding"] == {"titles": 2, "resolved": 0.5}
    assert printed["rows"]["proposals"]["R@1"]["value"] == 1.0
    assert "full without proposals" in printed["rows"]


def test_mistakes_end_with_two_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = movies()
    row = asks_like("new-1", known[0])
    absent = str(tmp_path / "absent")
    (tmp_path / "none.txt").write_text("nowhere\n")
    mistakes: list[tuple[Json, tuple[str, ...], str]] = [
        (row, ("-k", "0"), "-k must be"),
        (row, ("--folds", "1"), "--folds"),
        (row, ("--first", "0"), "--first must be"),
        (row, ("--legs", "full,nothing"), "no row 'nothing'"),
        (row, ("--candidates", absent), "cannot be read"),
        (row, ("--candidates", str(tmp_path / "none.txt")), "is it the right one"),
        (row, ("--proposals", absent), "does not exist"),
        (row, ("--counts-from", absent), "does not exist"),
        (row, ("--output", f"{absent}/ranks.jsonl"), "cannot be written"),
        (row, ("--index", absent), "usher index build"),
        (row | {"target_movie_ids": ["mv1"]}, (), "none of the targets"),
    ]
    for one, flags, message in mistakes:
        capsys.readouterr()
        refused(tmp_path, one, flags=flags)
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
