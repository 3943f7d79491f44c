"""The starter that ships is valid, and each kind of defect is found where it is planted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from retrieval.movie import Movie
from retrieval.starter.check import check, check_alone, main
from retrieval.starter.check_facts import Source, absent_from, check_facts
from retrieval.starter.check_files import FOLDER, Findings, Row, Starter, read_starter
from retrieval.starter.check_overlap import check_overlap

VALID = ("rows", "overviews", "tags", "neighbours", "archetypes", "co-mention")
"""Sections in which nothing may be missed at any time; quotas are the command's to hold."""


@cache
def shipped() -> Starter:
    return read_starter()


@cache
def few() -> Starter:
    """A part of what ships: quick to check over and over."""
    whole = shipped()
    return replace(
        whole,
        movies=whole.movies[:60],
        tags=whole.tags[:60],
        lists=whole.lists[:60],
        archetypes=whole.archetypes[:20],
    )


@cache
def missed_anyway() -> frozenset[str]:
    return frozenset(line.name for line in check_alone(few(), []).missed)


def newly_missed(starter: Starter) -> dict[str, tuple[str, ...]]:
    """{bound: details} that a change of `few` breaks."""
    found = check_alone(starter, []).missed
    return {line.name: line.details for line in found if line.name not in missed_anyway()}


def planted(rows: Sequence[Row], changes: Mapping[str, Any], at: int = 5) -> list[Row]:
    return [*rows[:at], {**rows[at], **changes}, *rows[at + 1 :]]


def test_what_ships_is_valid() -> None:
    findings = check(FOLDER, None)
    assert not [line for line in findings.missed if line.section in VALID]
    assert findings.skipped, "says that the comparisons were not made"
    lines = {line.name: line for line in findings.lines}
    assert lines["parts of the graph of links"].ok
    assert lines["lists that name the film itself"].ok
    assert lines["titles"].ok and lines["requests"].ok and lines["bytes of all files"].ok


MOVIE_DEFECTS: list[tuple[str, dict[str, Any]]] = [
    ("not 30-60 words", {"overview": "Too short to say anything."}),
    ("rows with a fact missing or misshapen", {"certificate": "18"}),
    ("rows with a fact missing or misshapen", {"country": ["UK "]}),
    ("rows with a fact missing or misshapen", {"genres": ["sci-fi"]}),
    ("titles without tags", {"title": "Nobody Tagged This"}),
    ("with filler", {"overview": "A masterpiece " + "of plain words " * 12}),
]


@pytest.mark.parametrize(("bound", "changes"), MOVIE_DEFECTS)
def test_a_defect_of_a_title_is_found(bound: str, changes: dict[str, Any]) -> None:
    found = newly_missed(replace(few(), movies=planted(few().movies, changes)))
    assert len(found[bound]) == 1


def test_a_title_or_an_overview_twice_is_found() -> None:
    movies = few().movies
    found = newly_missed(replace(few(), movies=planted(movies, movies[6])))
    assert found["ids or titles that occur twice"]
    assert found["that share their first 5 words"] and found["that share 8 words in a row"]


def test_an_overview_that_begins_with_its_title_is_found() -> None:
    title, overview = (few().movies[5][name] for name in ("title", "overview"))
    changes = {"overview": f"{title} is {overview}"}
    found = newly_missed(replace(few(), movies=planted(few().movies, changes)))
    assert found["that begin with their title"]


TAG_DEFECTS: list[tuple[str, dict[str, Any]]] = [
    ("moods that are not in the vocabulary", {"moods": ["cosy", "bubbly"]}),
    ("titles without 2-4 moods", {"moods": ["cosy"]}),
    ("themes that are not in the vocabulary", {"themes": ["heist", "revenge", "cheese"]}),
    ("titles without 3-7 themes", {"themes": ["heist", "heist", "heist"]}),
    ("titles without eight grades 0-3 and a fame 1-5", {"fame": 6}),
    ("titles without eight grades 0-3 and a fame 1-5", {"attributes": {"violence": 1}}),
]


@pytest.mark.parametrize(("bound", "changes"), TAG_DEFECTS)
def test_a_defect_of_tags_is_found(bound: str, changes: dict[str, Any]) -> None:
    found = newly_missed(replace(few(), tags=planted(few().tags, changes)))
    assert len(found[bound]) == 1


def test_defects_of_a_list_are_found() -> None:
    row = few().lists[3]
    near = list(row["neighbours"])
    itself = {"title": row["title"], "year": row["year"] + 1}
    sequels = [{"title": f"Some Saga {n}", "year": 1990} for n in range(6)]
    own = [{"title": f"{row['title']}: Part {n}", "year": row["year"] + n} for n in range(2, 6)]
    cases = {
        "lists that name the film itself": [itself, *near[1:]],
        "films named twice in a list": [near[1], *near[1:]],
        "lists not of 15-20 films": near[:14],
        "neighbours without title and year": [{"title": "", "year": 1990}, *near[1:]],
        "more than 5 films of one franchise in a list": [*sequels, *near[6:]],
        "lists with more than 3 sequels of their film": [*own, *near[4:]],
    }
    for bound, films in cases.items():
        lists = planted(few().lists, {"neighbours": films}, at=3)
        found = {line.name: line for line in check_alone(replace(few(), lists=lists), []).lines}
        before = {line.name: line for line in check_alone(few(), []).lines}
        assert len(found[bound].details) == len(before[bound].details) + 1, bound


def test_a_part_of_the_graph_on_its_own_is_found() -> None:
    movies = [few().movies[i] for i in range(4)]
    refs = [{key: m.get(key) for key in ("title", "year", "imdb")} for m in movies]
    lists: list[Row] = [
        {**refs[0], "neighbours": [refs[1]]},
        {**refs[1], "neighbours": []},
        {**refs[2], "neighbours": []},
        {**refs[3], "neighbours": [refs[0], refs[1]]},
    ]
    findings = check_alone(replace(few(), movies=movies, lists=lists), [])
    [parts] = [line for line in findings.lines if line.name == "parts of the graph of links"]
    assert (parts.value, parts.ok) == ("2", False)
    assert parts.details == (f"{movies[2]['title']} ({movies[2]['year']})",)


def test_defects_of_a_request_are_found() -> None:
    tags = {"genres": ["comedy"], "moods": [], "era": None, "audience": None, "other": None}
    asked = [
        {**row, "tags": tags, "request": f"request {i}"} for i, row in enumerate(few().archetypes)
    ]
    right = newly_missed(replace(few(), archetypes=asked))
    assert not right
    cases: dict[str, dict[str, Any]] = {
        "requests without 25 films": {"films": asked[5]["films"][:24]},
        "requests that occur twice": {"request": "request 6"},
        "films named twice for a request": {
            "films": [*asked[5]["films"][:24], asked[5]["films"][0]]
        },
    }
    for bound, changes in cases.items():
        assert newly_missed(replace(few(), archetypes=planted(asked, changes)))[bound], bound
    strange = planted(asked, {"tags": {**tags, "moods": ["bubbly"], "era": "lately"}})
    findings = check_alone(replace(few(), archetypes=strange), [])
    [line] = [line for line in findings.lines if line.name.startswith("tags that are not")]
    assert line.details == ("request 5: moods: bubbly", "request 5: era: lately")


def test_text_among_the_counts_is_found() -> None:
    counts = few().comention
    cases: dict[str, Mapping[str, Any]] = {
        "names missing from the attribution": {**counts, "source": "counted"},
        "entries that are no counts": {**counts, "turns": ["I loved it"]},
        "dialogues that are no prefix of a hash": {**counts, "dialogues": ["redial-1"]},
        "pairs that count nothing": {**counts, "pairs": [[0, 10**6, 1]]},
    }
    for bound, changed in cases.items():
        assert newly_missed(replace(few(), comention=changed))[bound], bound


# --- against other data ---------------------------------------------------------------------------

OVERVIEW = "While the storm blows, Ada Quill hides a letter under the old stone bridge with Otto."


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("while the storm blows ada quill hides a letter from them all", True),
        ("while the storm blows otto hides a letter from them all", True),  # another name
        ("they stood under the old stone bridge with him", False),
        ("Ada Quill. Ada Quill. Ada Quill. Ada Quill. Ada Quill. Ada Quill. Ada Quill.", False),
    ],
)
def test_a_copied_run_is_found_under_any_name(tmp_path: Path, text: str, copied: bool) -> None:
    row = {"title": "The Long Letter", "year": 1990, "overview": OVERVIEW}
    starter = replace(few(), movies=[row])
    (tmp_path / "pilot").mkdir()
    (tmp_path / "pilot" / "ours.jsonl").write_text(json.dumps({"text": OVERVIEW}))
    (tmp_path / "texts.jsonl").write_text(json.dumps({"turns": [{"text": text}]}))
    findings = Findings()
    check_overlap(starter, tmp_path, findings)
    assert bool(findings.missed) == copied


def test_differences_of_facts_are_found_unless_accepted() -> None:
    ours = [
        {
            **{"movie_id": str(i), "title": f"Film {i}", "year": 1990, "kind": "movie"},
            **{"directors": ["Ana Bell"], "runtime_min": 100, "imdb": f"tt000000{i}"},
        }
        for i in range(3)
    ]
    theirs = [
        Movie("a", "Film 0", year=1991, directors=("Bell Ana",), runtime_min=108, imdb="tt0000000"),
        Movie("b", "Else", year=1990, directors=("Cy Dorn",), runtime_min=109, imdb="tt0000001"),
        Movie("c", "Film 2", year=1990, directors=("Ana Bell",), runtime_min=130, imdb="tt0000002"),
    ]
    accepted = [{"title": "Film 2", "year": "1990", "field": "runtime", "source": "core"}]
    starter = replace(few(), movies=ours, accepted=accepted)
    findings = Findings()
    used = check_facts(starter, Source.of("core", theirs), findings)
    assert used == {("Film 2 (1990)", "runtime", "core")}
    assert [line.details for line in findings.lines] == [
        ("Film 1 (1990): title: Film 1 (1990), not Else (1990)",),
        ("Film 1 (1990): director: ['Ana Bell'], not Cy Dorn",),
        ("Film 1 (1990): runtime: 100, not 109",),
    ]


def test_a_folder_without_the_data_is_said_to_lack_them(tmp_path: Path) -> None:
    assert absent_from(tmp_path)
    findings = check(FOLDER, tmp_path)
    assert "catalogue_core" in findings.skipped[0]


def test_the_command_ends_with_one_when_a_bound_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--no-data", "--json"])
    out = capsys.readouterr().out
    told = json.loads(out.splitlines()[-1])
    assert code == (0 if told["ok"] else 1)
    assert all((f"MISSED: {line['section']}" in out) for line in told["lines"] if not line["ok"])
    assert main(["--folder", str(tmp_path), "--no-data"]) == 2
