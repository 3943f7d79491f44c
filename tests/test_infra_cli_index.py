"""`usher index`: built, looked at and changed from the command line; every mistake is one line."""

import json
import shutil
from pathlib import Path

import serving
from usher_command import Run, few_movies, one_line, run

__all__ = ["run"]  # the fixture


def test_build_info_upsert_delete(run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "index")
    bad = ['{"title": "No id"}', "{broken", '{"movie_id": "x", "title": "Y", "year": "soon"}']
    catalogue = few_movies(tmp_path, *bad)
    code, printed, _ = run("index", "build", "--catalog", str(catalogue), "--out", out)
    assert code == 0
    assert "12 movies" in printed and "3 rows were skipped" in printed and "row 14" in printed
    lines = (tmp_path / "index/rejected.jsonl").read_text().splitlines()
    rejected = [json.loads(line) for line in lines]
    assert [one["row"] for one in rejected] == [13, 14, 15]
    mended = str(few_movies(tmp_path))
    assert run("index", "build", "--catalog", mended, "--out", out)[0] == 0
    assert not (tmp_path / "index/rejected.jsonl").exists()

    new = tmp_path / "new.jsonl"
    new.write_text('{"movie_id": "n1", "title": "A New Film", "year": 2025}\n')
    assert run("index", "upsert", str(new), "--index", out)[0] == 0
    stats = json.loads(run("index", "info", "--index", out, "--json")[1])
    assert stats["movies"] == 13
    assert stats["encoder_name"] == "all-MiniLM-L6-v2"

    code, _, err = run("index", "delete", "n1", "nobody", "--index", out)
    assert code == 2
    one_line(err, "nobody", "nothing was deleted")
    assert run("index", "delete", "n1", "--index", out)[0] == 0
    assert "12" in run("index", "info", "--index", out)[1]


def test_a_bad_upsert_changes_nothing(run: Run, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(serving.index_dir(), index)
    new = tmp_path / "new.jsonl"
    new.write_text('{"movie_id": "n1", "title": "A New Film"}\n{"title": "no id"}\n')
    code, _, err = run("index", "upsert", str(new), "--index", str(index))
    assert code == 2
    one_line(err, "row 2", "nothing was changed")
    stats = json.loads(run("index", "info", "--index", str(index), "--json")[1])
    assert stats["movies"] == serving.MOVIES


def test_a_catalogue_that_is_none_is_told_and_the_index_stays(run: Run, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(serving.index_dir(), index)
    (tmp_path / "broken.jsonl").write_text("{broken\n")
    (tmp_path / "broken.jsonl.gz").write_bytes(b"\x1f\x8bno gzip")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no parquet PAR1")
    (tmp_path / "mapping.json").write_text("[]")
    few = str(few_movies(tmp_path))
    for arguments, word in (
        (("--catalog", str(tmp_path / "absent.csv")), "does not exist"),
        (("--catalog", str(tmp_path / "broken.jsonl")), "no usable movie"),
        (("--catalog", str(tmp_path / "broken.jsonl.gz")), "gzip"),
        (("--catalog", str(tmp_path / "broken.parquet")), "broken.parquet"),
        (("--catalog", few, "--format", "xml"), "--format"),
        (("--catalog", few, "--mapping", str(tmp_path / "mapping.json")), "mapping.json"),
    ):
        code, _, err = run("index", "build", *arguments, "--out", str(index))
        assert code == 2, arguments
        one_line(err, word)
    stats = json.loads(run("index", "info", "--index", str(index), "--json")[1])
    assert stats["movies"] == serving.MOVIES


def test_build_needs_a_folder(run: Run, tmp_path: Path) -> None:
    catalogue = str(few_movies(tmp_path))
    code, _, err = run("index", "build", "--catalog", catalogue)
    assert code == 2
    one_line(err, "--out")
    for out in (catalogue, f"{catalogue}/below"):
        code, _, err = run("index", "build", "--catalog", catalogue, "--out", out)
        assert code == 2
        one_line(err, catalogue)


def test_a_missing_or_damaged_index_is_told(run: Run, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(serving.index_dir(), damaged)
    manifest = next(damaged.glob("*/manifest*"))
    manifest.write_bytes(b"{}")
    for index in (tmp_path / "absent", damaged):
        for command in (("chat", "--once", "x"), ("index", "info"), ("index", "delete", "m1")):
            code, out, err = run(*command, "--index", str(index))
            assert (code, out) == (2, "")
            one_line(err, str(index), "usher index build")
