"""What rank reads: formats that are understood, and errors that name file, line and place."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.recorded import rank_input
from evals.recorded.rank_input import InputProblem, read_cases


def write(folder: Path, *rows: Any, name: str = "turns.jsonl") -> Path:
    path = folder / name
    content = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content)
    return path


def test_plain_texts_alternate_and_end_with_the_user(tmp_path: Path) -> None:
    rows = [{"qid": "d-1", "context": ["a", "b", "c"]}, {"qid": "d-2", "context": ["a", "b"]}]
    first, second = read_cases(write(tmp_path, *rows, name="turns.jsonl.gz"))
    assert [role for role, _ in first.turns] == ["user", "system", "user"]
    assert [role for role, _ in second.turns] == ["system", "user"]
    assert first.dialogue_id == "d"


def test_roles_may_be_given_and_what_follows_the_user_is_not_read(tmp_path: Path) -> None:
    context = [
        {"role": "assistant", "text": "hello"},
        {"role": "user", "text": "a western"},
        {"role": "system", "text": "Shane?"},
    ]
    [case] = read_cases(write(tmp_path, {"qid": "q", "context": context}))
    assert case.turns == (("system", "hello"), ("user", "a western"))
    assert case.dialogue_id == "q"


def test_new_targets_are_those_not_mentioned(tmp_path: Path) -> None:
    row = {"qid": "q", "context": ["x"], "exclude_ids": ["m1", None]}
    [case] = read_cases(write(tmp_path, row | {"target_movie_ids": ["m1", "m2", "m2", None]}))
    assert case.targets == ("m1", "m2")
    assert case.new_targets == ("m2",)


def test_names_become_ids_only_where_no_ids_are_given(tmp_path: Path) -> None:
    rows = [
        {"qid": "a-1", "context": ["x"], "context_entities": ["Heat (1995)", "Al Pacino"]},
        {"qid": "a-2", "context": ["x"], "context_entities": ["Heat (1995)"], "exclude_ids": []},
    ]
    cases = read_cases(write(tmp_path, *rows))
    assert rank_input.needs_names(cases)
    named = rank_input.with_names(cases, {"Heat (1995)": "m1"})
    assert [case.mentioned for case in named] == [{"m1"}, frozenset()]


def test_proposals_join_by_qid(tmp_path: Path) -> None:
    cases = read_cases(write(tmp_path, {"qid": "a-1", "context": ["x"]}))
    proposals = write(tmp_path, {"qid": "a-1", "titles": ["Heat (1995)"]}, name="p.jsonl")
    assert rank_input.with_proposals(cases, proposals)[0].proposals == ("Heat (1995)",)
    strange = write(tmp_path, {"qid": "b-1", "titles": []}, name="p2.jsonl")
    with pytest.raises(InputProblem, match="no qid of the input"):
        rank_input.with_proposals(cases, strange)


GOOD: dict[str, Any] = {"qid": "q", "context": ["x"]}
BAD: list[tuple[Any, str]] = [
    ("{broken", "line 1 is not JSON"),
    ("[1]", "line 1 is not a JSON object"),
    ({"context": ["x"]}, '"qid" must be a text'),
    (GOOD | {"qid": 7}, '"qid" must be a text'),
    (GOOD | {"context": "x"}, '"context" must be a list'),
    (GOOD | {"context": []}, '"context" must be a list'),
    (GOOD | {"context": ["x", {"role": "user", "text": "y"}]}, "or every turn is a plain text"),
    (GOOD | {"context": [{"role": "narrator", "text": "y"}]}, "role 'narrator'"),
    (GOOD | {"context": [{"role": "system", "text": "y"}]}, "no user turn"),
    (GOOD | {"exclude_ids": "m1"}, '"exclude_ids" must be a list'),
    (GOOD | {"target_movie_ids": [1]}, '"target_movie_ids" must be a list of texts'),
]


@pytest.mark.parametrize(("row", "message"), BAD)
def test_bad_lines_are_named(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(InputProblem, match=message):
        read_cases(write(tmp_path, row))


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="is empty"):
        read_cases(write(tmp_path))
    with pytest.raises(InputProblem, match="does not exist"):
        read_cases(tmp_path / "absent.jsonl")
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(json.dumps(GOOD).encode() + b"\n\xe9\n")
    with pytest.raises(InputProblem, match="UTF-8"):
        read_cases(latin)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"qid": "q"}' * 50)[:-12])
    with pytest.raises(InputProblem, match="broken gzip"):
        read_cases(cut)
    with pytest.raises(InputProblem, match="occurs twice"):
        read_cases(write(tmp_path, GOOD, GOOD))


def test_candidates_are_one_id_a_line(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("m1\n\n m2 \n")
    assert rank_input.read_ids(path) == {"m1", "m2"}
    path.write_text("\n")
    with pytest.raises(InputProblem, match="is empty"):
        rank_input.read_ids(path)
    with pytest.raises(InputProblem, match="cannot be read"):
        rank_input.read_ids(tmp_path / "absent")
