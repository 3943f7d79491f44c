"""Spans as the product reads them, and their F1 with and without what the catalogue lacks."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.recorded.extract import entities_of, extract
from evals.recorded.extract_input import Entity, Marked, read_marked
from evals.recorded.rank_input import InputProblem
from retrieval.understand import understand
from small_index import small_index
from small_lexicon import lexicon


def read(text: str) -> set[tuple[str, str]]:
    found = entities_of(text, understand(text, lexicon()).marks)
    assert all(text.split()[e.start : e.end] == e.text.split() for e in found)
    return {(e.type, e.text) for e in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "list horror movies directed by ridley scott from the 1990 s",
            {("GENRE", "horror"), ("DIRECTOR", "ridley scott"), ("YEAR", "1990 s")},
        ),
        (
            "a pg 13 romantic comedy starring tom hanks",
            {("RATING", "pg 13"), ("GENRE", "romantic comedy"), ("ACTOR", "tom hanks")},
        ),
        (
            "what movies from the past two decades did christopher nolan direct",
            {("YEAR", "past two decades"), ("DIRECTOR", "christopher nolan")},
        ),
        ("a british science fiction comedy", {("GENRE", "british science fiction comedy")}),
        ("is there a scary film for children", {("GENRE", "scary"), ("GENRE", "children")}),
        ("any recent mockumentary", {("GENRE", "mockumentary")}),
        ("who directed the dark knight", {("TITLE", "the dark knight")}),
        ("brad pitt and keanu reeves", {("ACTOR", "brad pitt"), ("ACTOR", "keanu reeves")}),
    ],
)
def test_spans_follow_the_habits_of_the_corpus(text: str, expected: set[tuple[str, str]]) -> None:
    assert read(text) == expected


def marked(text: str, *entities: tuple[str, str]) -> Marked:
    words = text.split()
    found = []
    for kind, span in entities:
        size = len(span.split())
        start = next(i for i in range(len(words)) if words[i : i + size] == span.split())
        found.append(Entity(kind, start, start + size, span))
    return Marked("q", text, tuple(found))


def test_what_the_catalogue_lacks_counts_neither_way() -> None:
    queries = [
        marked("movies with tom hanks", ("ACTOR", "tom hanks")),
        marked("movies with zoltan nobody", ("ACTOR", "zoltan nobody")),
        marked("movies directed by brad pitt", ("DIRECTOR", "brad pitt")),
        marked("a comedy", ("GENRE", "comedy"), ("YEAR", "a")),
    ]
    found = extract(queries, lexicon())
    assert dict(found.dropped) == {"ACTOR": 1}
    assert (found.kept["ACTOR"].gold, found.every["ACTOR"].gold) == (1, 2)
    assert found.kept["ACTOR"].f1 == 1.0
    assert found.every["ACTOR"].f1 == pytest.approx(2 / 3)
    assert found.kept["DIRECTOR"].f1 == found.kept["GENRE"].f1 == 1.0
    assert found.kept["YEAR"].f1 == 0.0


def test_a_wrong_span_counts_against_precision_and_recall() -> None:
    kept = extract([marked("a romantic comedy", ("GENRE", "comedy"))], lexicon()).kept["GENRE"]
    assert (kept.correct, kept.predicted, kept.gold) == (0, 1, 1)
    assert kept.f1 == kept.precision == kept.recall == 0.0


def test_a_prediction_equal_to_a_dropped_span_is_no_error() -> None:
    """A misspelt name is understood, though the catalogue does not have it as written."""
    found = extract([marked("movies starring keanu reevs", ("ACTOR", "keanu reevs"))], lexicon())
    assert (found.every["ACTOR"].correct, found.every["ACTOR"].predicted) == (1, 1)
    assert (found.kept["ACTOR"].predicted, found.kept["ACTOR"].gold) == (0, 0)
    assert dict(found.dropped) == {"ACTOR": 1}


def write(folder: Path, *rows: Any, name: str = "queries.jsonl") -> Path:
    path = folder / name
    content = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return path


ROW: dict[str, Any] = {
    "qid": "1",
    "text": "a comedy with tom hanks",
    "entities": [
        {"type": "GENRE", "text": "comedy", "start_token": 1},
        {"type": "ACTOR", "text": "tom hanks", "start_token": 3},
    ],
}


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ('{"qid": ', "line 2"),
        (ROW | {"text": 3}, 'line 2: "text"'),
        (ROW | {"qid": ""}, 'line 2: "qid"'),
        (ROW | {"entities": None}, 'line 2: "entities"'),
        (ROW | {"entities": ["x"]}, r"line 2, entities\[0\]"),
        (ROW | {"entities": [{"type": "GENRE"}]}, r'line 2, entities\[0\]: "text"'),
        (
            ROW | {"entities": [{"type": "GENRE", "text": "comedy", "start_token": 2}]},
            r'line 2, entities\[0\]: "text" does not stand',
        ),
        (
            ROW | {"entities": [{"type": "GENRE", "text": "comedy", "start_token": "1"}]},
            r'line 2, entities\[0\]: "start_token"',
        ),
    ],
)
def test_a_wrong_line_is_named_with_its_field(tmp_path: Path, row: Any, named: str) -> None:
    with pytest.raises(InputProblem, match=named):
        read_marked(write(tmp_path, ROW, row))


def test_the_command_reads_packed_files_and_ends_with_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, ROW, name="queries.jsonl.gz")
    arguments = ["extract", "--index", str(small_index()), "--input", str(path), "--json"]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["queries"] == 1
    assert figures["f1"] == {"ACTOR": 1.0, "GENRE": 1.0}
    assert figures["f1_without_drop"] == figures["f1"]
    assert figures["dropped"] == {}


@pytest.mark.parametrize("content", ["", "[]\n", "no json\n"])
def test_the_command_refuses_what_it_cannot_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main(["extract", "--index", str(small_index()), "--input", str(path)])
    assert ended.value.code == 2
