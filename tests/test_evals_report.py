"""The results table: rows replace rows of their key, in the store and between the markers."""

from pathlib import Path

import pytest

from evals.report import BEGIN, END, ReportProblem, Row, load_rows, merge, publish, table

OLD = Row("recall", "dev", ".100", "", "2026-01-01", "aaa")
NEW = Row("recall", "dev", ".200", "> .1", "2026-02-01", "bbb")
OTHER = Row("latency", "core", "12 ms")


def test_a_row_replaces_the_one_of_its_key() -> None:
    assert merge([OLD, OTHER], [NEW]) == [NEW, OTHER]


def test_missing_data_are_named_but_replace_no_measurement() -> None:
    missing = Row("recall", "dev", "not measured: no data")
    assert merge([], [missing]) == [missing]
    assert merge([OLD], [missing]) == [OLD]
    assert merge([missing], [NEW]) == [NEW]


def test_table_goes_between_the_markers(tmp_path: Path) -> None:
    results, readme = tmp_path / "results.json", tmp_path / "README.md"
    readme.write_text(f"# Usher\n\n{BEGIN}\nold\n{END}\n\nmore\n")
    publish([OLD, OTHER], results, readme)
    publish([NEW], results, readme)
    text = readme.read_text()
    assert text.startswith("# Usher\n") and text.endswith(f"{END}\n\nmore\n")
    assert "old" not in text and ".100" not in text
    assert "| recall | dev | .200 | > .1 | 2026-02-01 | bbb |" in text
    assert load_rows(results) == [NEW, OTHER]


def test_without_markers_the_store_is_written_and_the_reader_told(tmp_path: Path) -> None:
    results, readme = tmp_path / "results.json", tmp_path / "README.md"
    assert "not there" in publish([OLD], results, readme)
    readme.write_text("# Usher\n")
    assert BEGIN in publish([OLD], results, readme)
    assert readme.read_text() == "# Usher\n"
    assert load_rows(results) == [OLD]


def test_a_damaged_store_is_told_not_overwritten(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text('[{"figure": "x"}]')
    with pytest.raises(ReportProblem, match="restore it from git"):
        publish([OLD], results, tmp_path / "README.md")
    assert results.read_text() == '[{"figure": "x"}]'


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert table([Row("a|b", "c", "d")]).splitlines()[-1].count("|") == 7
