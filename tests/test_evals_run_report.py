"""`python -m evals report`: one page that needs nothing else, shows the worst, and hides no gap."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scored_run import load_folder
from evals.dialogues.scores import Scorer
from evals.dialogues.summary import estimate, slices_of, success_by_turn, worst
from evals.dialogues.transcript import Outcome, Transcript
from evals.verdicts.report_talk import marked
from scored_folders import (
    ACTS,
    LATENCY,
    SUCCESS,
    VIOLATIONS,
    Column,
    run_folder,
    transcript,
)
from test_evals_compare import passes, refused

N = 30
VOID = {"meta", "br", "line", "circle", "path"}


class Balanced(HTMLParser):
    """Fails on a page whose tags do not close, and keeps what it saw."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
            self.open.pop()


def page_of(run: Path, *more: str) -> str:
    assert main(["report", str(run), *more]) == 0
    text = (run / "report.html").read_text()
    Balanced(text)
    return text


def a_run(folder: Path, name: str, violations: Column | None = None) -> Path:
    columns: dict[Scorer, Column] = {
        VIOLATIONS: violations or [0.0] * N,
        SUCCESS: passes(20, N),
        ACTS: [0.5 + (i % 5) / 10 for i in range(N)],
        LATENCY: [20.0 + i for i in range(N)],
    }
    tags = ({"persona": ("terse",)}, {"persona": ("chatty",)})
    return run_folder(
        folder / name, columns, transcripts=[transcript(i, tags=tags[i % 2]) for i in range(N)]
    )


def test_the_page_stands_alone(tmp_path: Path) -> None:
    text = page_of(a_run(tmp_path, "run"))
    tags = Balanced(text).seen
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in tags}
    assert not any("src" in attrs for _, attrs in tags)
    assert not re.search(r"@import|url\(|https?:", text)
    assert "default-src 'none'" in text
    for heading in ("Must never happen", "Scores", "Curves", "Slices", "Worst dialogues"):
        assert f"<h2>{heading}</h2>" in text
    assert text.count('class="plot"') == 2  # success by turn, latency; no judge, no scatter


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = a_run(tmp_path, "run")
    assert page_of(run) == page_of(run)


def test_what_users_and_catalogues_wrote_is_shown_not_run(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=y>"
    first = transcript(0)
    turn = first.turns[0].model_copy(update={"user": evil, "prose": evil})
    card = turn.cards[0].model_copy(update={"title": evil, "why": (evil,)})
    bad = first.model_copy(
        update={
            "scenario_id": evil,
            "tags": {evil: (evil,)},
            "turns": (turn.model_copy(update={"shown": (card,)}),),
        }
    )
    columns: dict[Scorer, Column] = {VIOLATIONS: [1.0, 0.0], ACTS: [0.2, 0.9]}
    run = run_folder(tmp_path / "run", columns, {evil: evil}, None, [bad, transcript(1)])
    text = page_of(run)
    assert "<script" not in text and "<img" not in text
    assert "&lt;script&gt;" in text


def test_evidence_stands_beside_its_turn_and_is_marked(tmp_path: Path) -> None:
    violations: Column = [0.0] * N
    run = a_run(tmp_path, "run", [*violations[:7], 1.0, *violations[8:]])
    text = page_of(run)
    first = text.split('class="talk" open><summary><span class="rank">1<')[1]
    first = first.split("</details>")[0]
    assert "s007" in first and "violations at Film 7" in first
    assert '<li class="found">Film 7 (1990)' in first
    assert text.count('<span class="rank">') == 20
    assert marked("Heat & HEAT", ["heat"]) == "<mark>Heat</mark> &amp; <mark>HEAT</mark>"
    assert marked("a<b", []) == "a&lt;b"


def test_the_worst_break_floors_or_miss_most(tmp_path: Path) -> None:
    columns: dict[Scorer, Column] = {
        VIOLATIONS: [0.0, 0.0, 1.0, 0.0],
        ACTS: [1.0, 0.1, 0.9, 0.5],
        SUCCESS: [1.0, 0.0, 1.0, None],
    }
    path = run_folder(tmp_path / "run", columns)
    run, played = load_folder(path), RunFolder.open(path).transcripts()
    found = worst(run, played, 20)
    # s000 is without fault and therefore not among them.
    assert [bad.transcript.scenario_id for bad in found] == ["s002", "s001", "s003"]
    assert found[0].scores[0].scorer == "violations"


def test_two_runs_stand_side_by_side(tmp_path: Path) -> None:
    a, b = a_run(tmp_path, "before"), a_run(tmp_path, "after")
    text = page_of(b, "--compare", str(a))
    assert "A is before, B is after" in text and "Against the other run" in text
    assert "first token, before" in text and "first token, after" in text


def test_a_partial_run_gets_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path, "run")
    file = run / "transcripts.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    assert "partial: 29 of 30" in refused(capsys, "report", run)
    assert not (run / "report.html").exists()


def test_success_counts_those_who_never_took_a_film() -> None:
    def ended(turn: int | None) -> Transcript:
        return transcript(0, outcome=Outcome(accepted_turn=turn))

    curve = success_by_turn([ended(1), ended(2), ended(None), ended(None)])
    assert curve is not None and curve.shares == (0.25, 0.5) and curve.n == 4
    assert success_by_turn([transcript(0, outcome=None)]) is None


def test_slices_are_tags_and_what_can_be_seen(tmp_path: Path) -> None:
    talks = [transcript(i, tags={"persona": ("terse" if i % 2 else "chatty",)}) for i in range(4)]
    talks[0] = talks[0].model_copy(update={"turns": talks[0].turns * 4})
    found = {(one.by, one.name): len(one.keys) for one in slices_of(talks)}
    # Every dialogue searches and chats: acts that all share make no slice.
    assert found == {
        ("persona", "chatty"): 2,
        ("persona", "terse"): 2,
        ("turns", "1-3"): 3,
        ("turns", "8-11"): 1,
    }
    assert [one.name for one in slices_of(talks)] == ["chatty", "terse", "1-3", "8-11"]


def test_means_can_be_of_some_dialogues(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run", {ACTS: [0.0, 1.0, 0.5, None]})
    run = load_folder(path)
    assert estimate(run.values["act_accuracy"], run).value == 0.5
    some = estimate(run.values["act_accuracy"], run, frozenset({("s001", 0), ("s003", 0)}))
    assert (some.value, some.n) == (1.0, 1)
