"""Our descriptions are what they say they are, and a film that is described is found."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.recorded.describe import QUERIES, read_descriptions
from retrieval.catalog import open_catalogue
from retrieval.encoder import OnnxEncoder
from retrieval.jobs.build_index import STARTER, build_local
from retrieval.movie import stems

SMALL_WORDS = set(
    "the a an of to in on at and or is me my i it for with from all one no up out his we do be by "
    "are s".split()
)


def starter(name: str) -> list[dict[str, Any]]:
    with gzip.open(STARTER / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_descriptions_are_of_known_films_in_other_words_than_the_title() -> None:
    descriptions = read_descriptions(QUERIES)
    fame = {(row["title"], row["year"]): row["fame"] for row in starter("tags.jsonl.gz")}
    assert len({d.qid for d in descriptions}) == len({d.text for d in descriptions}) == 200
    for d in descriptions:
        assert fame[d.title, d.year] >= 3, d
        assert 6 <= len(d.text.split()) <= 20, d
        assert not set(stems(d.text)) & set(stems(d.title)) - SMALL_WORDS, d


def test_a_described_film_is_found_one_that_lacks_is_a_miss_and_ranks_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    movies = starter("movies.jsonl.gz")[:40]
    (tmp_path / "movies.jsonl").write_text("\n".join(map(json.dumps, movies)))
    build_local(
        open_catalogue(tmp_path / "movies.jsonl"), OnnxEncoder.load(), tmp_path / "ix", tmp_path
    )
    known = {"text": movies[7]["overview"], "title": movies[7]["title"], "year": movies[7]["year"]}
    unknown = {"text": "nobody has ever filmed this", "title": "Never Filmed", "year": 1999}
    rows = [{"qid": "1", **known}, {"qid": "2", **unknown}]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = ["--index", str(tmp_path / "ix"), "--input", str(tmp_path / "queries.jsonl")]
    assert main(["describe", *arguments, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(lines[-1])
    assert figures["lacking"] == 1
    assert figures["rows"]["fused"] == {"hit@1": 0.5, "hit@10": 0.5, "hit@50": 0.5}
    assert any("Never Filmed (1999), not found" in line for line in lines)
    # A known item keeps its plain vector, whatever the enhancer would make of it.
    assert figures["enhancer"]["fused"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 2}

    kept = tmp_path / "ranks.jsonl"
    assert main(["describe", *arguments, "--output", str(kept), "--first", "1"]) == 0
    head, first = kept.read_text().splitlines()
    answer = json.loads(first)
    answer["ranks"]["fused"] = 7
    killed = '{"qid": "2", "tar'  # half a line
    kept.write_text("\n".join((head, json.dumps(answer), killed)))
    assert main(["describe", *arguments, "--output", str(kept), "--json"]) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    # The first was not searched for again, the second was.
    assert again["rows"]["fused"] == {"hit@1": 0.0, "hit@10": 0.5, "hit@50": 0.5}
    assert again["rows"]["lexical"] == figures["rows"]["lexical"]
    assert len(kept.read_text().splitlines()) == 3
    kept.write_text("{}\n")
    with pytest.raises(SystemExit):
        main(["describe", *arguments, "--output", str(kept)])
    assert "ranks.jsonl line 1: these ranks are of another index" in capsys.readouterr().err


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"qid": "1", "text": "no title"}\n')
    with pytest.raises(SystemExit) as ended:
        main(["describe", "--input", str(tmp_path / "queries.jsonl")])
    assert ended.value.code == 2
