"""The table of what each part of the knowledge adds, on a small index with lists made for it."""

import gzip
import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from evals.__main__ import main
from evals.recorded.signal import ALONE, LEFT_OUT, PLAIN, PRODUCT
from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local

Json = dict[str, Any]


def movies() -> list[Json]:
    with gzip.open(STARTER / "movies.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(30), strict=False)]


@cache
def place() -> Path:
    """A folder with an index in which the first film's list holds the last film only."""
    folder = Path(mkdtemp(prefix="usher-test-signal-"))
    known = movies()
    (folder / "movies.jsonl").write_text("\n".join(map(json.dumps, known)))
    (folder / "knowledge").mkdir()
    row = {**reference(known[0]), "neighbours": [reference(known[-1])]}
    with gzip.open(folder / "knowledge/neighbours.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(row))
    catalogue = open_catalogue(folder / "movies.jsonl")
    build_local(catalogue, OnnxEncoder.load(), folder / "index", folder / "knowledge")
    return folder


def reference(movie: Json) -> Json:
    return {"title": movie["title"], "year": movie["year"]}


def signal(folder: Path, capsys: pytest.CaptureFixture[str], *rows: Json) -> Json:
    """Run the command; its JSON."""
    (folder / "turns.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = ["--index", str(place() / "index"), "--input", str(folder / "turns.jsonl")]
    assert main(["signal", *arguments, "--json"]) == 0
    found: Json = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def turn(qid: str, text: str, named: list[Json], target: Json) -> Json:
    ids = [movie["movie_id"] for movie in named]
    return {
        "qid": qid,
        "context": [text],
        "exclude_ids": ids,
        "target_movie_ids": [target["movie_id"]],
    }


def test_rows_and_strata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, last = movies()[0], movies()[1], movies()[-1]
    loved = f"I loved {first['title']} ({first['year']})"
    found = signal(
        tmp_path,
        capsys,
        turn("a-1", loved, [first], last),
        turn("b-1", f"{loved} and {second['title']} ({second['year']})", [first, second], last),
        turn("c-1", f"I loved {second['title']} ({second['year']})", [second], last),
        turn("d-1", "something funny", [], last),
        turn("e-1", loved, [first], first),
    )
    assert found["turns"] == 4, "a turn whose target was mentioned has no new target"
    assert {PRODUCT, PLAIN, *ALONE, *LEFT_OUT} < set(found["rows"])
    lists = found["rows"]["neighbours"]
    counts = {stratum: cells["n"] for stratum, cells in lists.items()}
    assert counts["every turn"] == 4 and counts["naming a listed film"] == 2
    assert [counts[f"{s} listed"] for s in ("all", "some", "none")] == [1, 1, 1]
    assert lists["all listed"]["R@10"] == lists["some listed"]["R@10"] == 1
    assert lists["none listed"]["R@10"] == lists["naming none"]["R@10"] == 0


def test_a_tip_of_the_tongue_still_asks_each_leg_on_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = movies()[0], movies()[-1]
    text = f"What was that film like {first['title']} ({first['year']})?"
    found = signal(tmp_path, capsys, turn("a-1", text, [first], last))
    assert found["rows"]["catalogue popularity"]["every turn"]["n"] == 1


def test_turns_without_new_targets_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = movies()[0]
    with pytest.raises(SystemExit) as ended:
        signal(tmp_path, capsys, turn("a-1", "more", [first], first))
    assert ended.value.code == 2
