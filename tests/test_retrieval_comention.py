"""Counting films named together, the artifact made from it, and the job that writes it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.catalog import open_catalogue
from retrieval.comention import artifact, count, films_named, prefix
from retrieval.jobs.count_comentions import main
from retrieval.knowledge import COMENTION, CoMention, join_files
from retrieval.movie import Movie
from retrieval.title_join import TitleJoin

DIALOGUES = [("d1", ["a", "b", "a"]), ("d2", ["b", "a", "c"]), ("d3", ["c"])]


def pairs_of(counts: CoMention) -> dict[tuple[str, str], int]:
    rows = zip(counts.pairs.tolist(), counts.counts.tolist(), strict=True)
    return {(counts.ids[i], counts.ids[j]): n for (i, j), n in rows}


def test_a_film_counts_once_per_conversation() -> None:
    counts = count(DIALOGUES)
    assert dict(zip(counts.ids, counts.mentions.tolist(), strict=True)) == {"a": 2, "b": 2, "c": 2}
    assert pairs_of(counts) == {("a", "b"): 2, ("a", "c"): 1, ("b", "c"): 1}


def test_same_conversations_give_same_counts_in_any_order() -> None:
    first, second = count(DIALOGUES), count(list(reversed(DIALOGUES)))
    assert first.ids == second.ids
    assert pairs_of(first) == pairs_of(second)


def test_no_conversation_is_no_count() -> None:
    counts = count([])
    assert counts.ids == ()
    assert counts.pairs.shape == (0, 2)


def test_conversations_leave_only_a_prefix() -> None:
    counts = count(DIALOGUES)
    assert counts.dialogues == {prefix("d1"), prefix("d2"), prefix("d3")}
    assert len(prefix("d1")) == 16
    made = json.dumps(artifact(counts, {i: {"title": i} for i in "abc"}, "ours"))
    assert '"d1"' not in made


def test_films_without_an_id_are_left_out() -> None:
    turns: list[Any] = [
        {"role": "user", "text": "x", "movies": [{"name": "Heat (1995)", "movie_id": "m1"}]},
        {"role": "user", "text": "y", "movies": [{"name": "Nothing", "movie_id": None}]},
        {"role": "user", "text": "z"},
    ]
    assert films_named({"turns": turns}) == {"m1": "Heat (1995)"}


def write_dialogues(path: Path) -> None:
    heat = {"name": "Heat (1995)", "movie_id": "x1"}
    alien = {"name": "Alien (1979)", "movie_id": "x2"}
    rows = [
        {"dialogue_id": "d-1", "turns": [{"movies": [heat, alien]}]},
        {"dialogue_id": "d-2", "turns": [{"movies": [heat]}, {"movies": []}]},
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_the_job_writes_what_an_index_joins(tmp_path: Path) -> None:
    dialogues, out = tmp_path / "d.jsonl.gz", tmp_path / "comention.json.gz"
    write_dialogues(dialogues)
    assert main(["--dialogues", str(dialogues), "--out", str(out)]) == 0
    join = TitleJoin()
    join.add(Movie("m1", "Heat", year=1995))
    join.add(Movie("m2", "Alien", year=1979))
    [joined] = join_files(tmp_path, join, lambda texts: pytest.fail("nothing to encode"))
    assert joined.name == COMENTION
    counts = CoMention.load(joined.content)
    assert dict(zip(counts.ids, counts.mentions.tolist(), strict=True)) == {"m1": 2, "m2": 1}
    assert counts.dialogues == {prefix("d-1"), prefix("d-2")}


def test_the_job_takes_ids_from_a_catalogue(tmp_path: Path) -> None:
    dialogues, out = tmp_path / "d.jsonl.gz", tmp_path / "comention.json.gz"
    write_dialogues(dialogues)
    catalogue = tmp_path / "movies.jsonl"
    catalogue.write_text('{"movie_id": "x1", "title": "Heat", "year": 1995, "imdb": "tt0113277"}\n')
    assert open_catalogue(catalogue).total() == 1
    arguments = ["--dialogues", str(dialogues), "--catalogue", str(catalogue), "--out", str(out)]
    assert main(arguments) == 0
    films = json.loads(gzip.decompress(out.read_bytes()))["films"]
    assert {"title": "Heat", "year": 1995, "imdb": "tt0113277", "n": 2} in films
    assert {"title": "Alien", "year": 1979, "n": 1} in films


@pytest.mark.parametrize("content", ["not json\n", '{"turns": []}\n'])
def test_the_job_names_the_bad_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogues = tmp_path / "d.jsonl"
    dialogues.write_text(content)
    assert main(["--dialogues", str(dialogues), "--out", str(tmp_path / "o.gz")]) == 2
    assert "line 1" in capsys.readouterr().err
