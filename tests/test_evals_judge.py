"""The judge: what it is shown, which of its verdicts count, both orders, and a real adapter."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from agent.model import Message, Meter, ModelFailure, ToolCall, ToolSpec
from evals.__main__ import main
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scored_run import JUDGED, load_folder
from evals.dialogues.transcript import Build, Transcript
from evals.dialogues.transcript_files import EvalInputProblem
from evals.judging.calibration_file import Calibrated, read_calibration, read_log, write_calibration
from evals.judging.judge import Judge, JudgeProblem, judged_texts
from evals.judging.judge_command import PARTIAL, grade_run
from evals.judging.judge_pairs import PairJudge, Pairs, Preference
from evals.judging.judge_view import BLIND, turn_of_quote, view_of
from evals.judging.rubric import load_rubric
from faking import LARGE, SMALL, FakeBedrock
from scored_folders import SUCCESS, VIOLATIONS, run_folder, transcript
from test_evals_calibrate import labels
from test_evals_compare import refused

T = TypeVar("T", bound=BaseModel)
RUBRIC = load_rubric()
QUOTE = "I'll take it"


class Scripted:
    """A ChatModel whose answers are computed from the document that it was given."""

    def __init__(self, answer: Callable[[Any], Any], model_id: str = "scripted-1") -> None:
        self.model_id = model_id
        self.documents: list[Any] = []
        self._answer = answer

    async def structured(
        self, messages: Sequence[Message], schema: type[T], meter: Meter | None = None
    ) -> T:
        assert [message.role for message in messages] == ["system", "user"]
        document = json.loads(messages[1].text)
        self.documents.append(document)
        await asyncio.sleep(0)
        return schema.model_validate(self._answer(document))

    def stream(self, messages: Sequence[Message], meter: Meter | None = None) -> AsyncIterator[str]:
        raise NotImplementedError

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], meter: Meter | None = None
    ) -> list[ToolCall]:
        raise NotImplementedError


def verdicts(document: Any, **changed: Any) -> dict[str, Any]:
    """The best of everything, with a true quote."""
    best = {"score": 1, "quote": QUOTE, "reason": "clear"}
    return {
        "verdicts": [
            best
            | {"criterion": criterion["name"], "score": max(map(int, criterion["scale"]))}
            | changed.get(criterion["name"], {})
            for criterion in document["criteria"]
        ]
    }


def failing(kind: Any) -> Callable[[Any], Any]:
    def answer(document: Any) -> Any:
        raise ModelFailure(kind, "no answer")

    return answer


async def test_grades_are_scores_with_their_place() -> None:
    judge = Judge(Scripted(verdicts), RUBRIC)
    found = {score.scorer: score for score in await judge.scores(transcript(1))}
    assert found["judge.satisfaction"].value == 5 and found["judge.kept_wishes"].value == 1
    assert found["judge.kept_wishes"].unit == "pass"
    assert found["judge.satisfaction"].evidence[0].turn == 2
    assert judge.log.verdicts == len(RUBRIC.criteria) and judge.log.unparsed == 0
    assert judge.log.judge.model_id == "scripted-1"
    assert len(judge.log.judge.prompt_sha) == len(judge.log.judge.rubric_sha) == 16


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"score": None}, "no_evidence"),
        ({"score": 0}, "unparsed"),
        ({"criterion": "something_else"}, "unparsed"),
        ({"quote": "words that nobody said"}, "unfounded"),
        ({"quote": ""}, "unfounded"),
    ],
)
async def test_what_cannot_be_used_is_unscored_and_counted(changed: Any, lost: str) -> None:
    judge = Judge(Scripted(lambda d: verdicts(d, satisfaction=changed)), RUBRIC)
    scores = await judge.scores(transcript(1))
    [satisfaction] = [score for score in scores if score.scorer == "judge.satisfaction"]
    assert satisfaction.value is None and not satisfaction.applicable
    assert getattr(judge.log, lost) == 1
    assert sum(score.applicable for score in scores) == len(scores) - 1


async def test_a_model_that_fails_makes_no_bad_agent() -> None:
    for kind, lost in (("malformed", "unparsed"), ("throttled", "failed")):
        judge = Judge(Scripted(failing(kind)), RUBRIC)
        assert all(score.value is None for score in await judge.scores(transcript(1)))
        assert getattr(judge.log, lost) == len(RUBRIC.criteria)
    with pytest.raises(JudgeProblem, match="denied"):
        await Judge(Scripted(failing("denied")), RUBRIC).scores(transcript(1))


async def test_the_judge_is_not_told_who_speaks() -> None:
    told = transcript(1, build=Build(name="moviebot 3000", model_ids=("fake.large",)))
    turn = told.turns[0]
    card = turn.cards[0].model_copy(update={"title": "The Fall of the House of Usher"})
    prose = "Usher here, powered by Fake.Large. The Fall of the House of Usher? says Moviebot 3000"
    turn = turn.model_copy(update={"prose": prose, "shown": (card,)})
    told = told.model_copy(update={"turns": (turn,)})
    model = Scripted(verdicts)
    await Judge(model, RUBRIC).scores(told)
    [document] = model.documents
    assert set(document) == {"conversation", "criteria"}
    assert document["conversation"][1]["text"] == (
        f"{BLIND} here, powered by {BLIND}. The Fall of the House of Usher? says {BLIND}"
    )
    assert "moviebot" not in json.dumps(document).lower()
    assert "d001" not in json.dumps(document)


def test_quotes_are_found_by_their_words() -> None:
    view = view_of(transcript(1))
    assert turn_of_quote(view, '"thanks, I’ll take it"') == 2
    assert turn_of_quote(view, "Film 1 (1990)") == 1
    assert turn_of_quote(view, "Another one") == 2
    assert turn_of_quote(view, "never said") is None


# --- pairs ----------------------------------------------------------------------------------------


def longer_answers(one: Transcript) -> Transcript:
    turns = tuple(t.model_copy(update={"prose": t.prose + " really" * 20}) for t in one.turns)
    return one.model_copy(update={"turns": turns})


async def pairs_by(answer: Callable[[Any], Any]) -> tuple[Pairs, Scripted]:
    model = Scripted(answer)
    a = {one.key: one for one in map(transcript, range(10))}
    b = {key: longer_answers(one) for key, one in a.items()}
    judge = PairJudge(model, RUBRIC.pair, RUBRIC.sha)
    return await judge.compare(a, b, lambda done, total: None), model


async def test_both_orders_are_asked_and_only_what_wins_in_both_wins() -> None:
    def likes_length(document: Any) -> Any:
        first, second = (len(json.dumps(document[name])) for name in ("first", "second"))
        return Preference(winner="first" if first > second else "second").model_dump()

    pairs, model = await pairs_by(likes_length)
    found = pairs.as_json()
    assert len(model.documents) == 20
    assert (found["b_wins"], found["a_wins"], found["ties"]) == (10, 0, 0)
    assert found["position_consistency"] == 1.0 and found["first_preferred"] == 0.5
    assert found["longer_wins"] == 1.0 and found["p"] < 0.01


async def test_a_judge_that_takes_the_first_decides_nothing() -> None:
    pairs, _ = await pairs_by(lambda document: {"winner": "first"})
    found = pairs.as_json()
    assert (found["ties"], found["a_wins"], found["b_wins"]) == (10, 0, 0)
    assert found["position_consistency"] == 0.0 and found["first_preferred"] == 1.0


async def test_pairs_without_both_answers_are_unscored() -> None:
    asked = iter(range(20))

    def every_other(document: Any) -> Any:
        if next(asked) % 2:
            raise ModelFailure("malformed", "no answer")
        return {"winner": "tie"}

    found = (await pairs_by(every_other))[0].as_json()
    assert found["unscored"] + found["ties"] == 10 and found["unscored"] >= 5
    assert found["b_share_of_decided"] is None


# --- runs -----------------------------------------------------------------------------------------


def a_run(folder: Path, n: int = 5) -> Path:
    return run_folder(folder / "run", {VIOLATIONS: [0.0] * n, SUCCESS: [1.0] * n})


async def grade(run: Path, model: Scripted) -> Any:
    talks = RunFolder.open(run).transcripts()
    return await grade_run(run, talks, Judge(model, RUBRIC), lambda done, total: None)


async def test_an_interrupted_judge_goes_on_where_it_was(tmp_path: Path) -> None:
    run, calls = a_run(tmp_path), iter(range(100))

    def dies(document: Any) -> Any:
        if next(calls) == 3:
            raise ModelFailure("denied", "key is gone")
        return verdicts(document, explanation={"score": None})

    with pytest.raises(JudgeProblem):
        await grade(run, Scripted(dies))
    assert not (run / JUDGED).exists()
    kept = (run / PARTIAL).read_text()
    (run / PARTIAL).write_text(kept[:-20])  # killed while writing
    whole = len(kept.splitlines()) // len(RUBRIC.criteria)
    again = Scripted(lambda d: verdicts(d, explanation={"score": None}))
    log = await grade(run, again)
    assert len(again.documents) == 5 - whole + 1
    assert (log.dialogues, log.no_evidence) == (5, 5)
    assert log.verdicts == 5 * len(RUBRIC.criteria)
    assert load_folder(run).values["judge.satisfaction"].applicable.keys() == {
        (f"s{i:03}", 0) for i in range(5)
    }
    asked_again = Scripted(verdicts)
    assert await grade(run, asked_again) == log and not asked_again.documents


async def test_dialogues_that_met_a_failing_model_are_asked_again(tmp_path: Path) -> None:
    run, calls = a_run(tmp_path), iter(range(100))

    def throttles(document: Any) -> Any:
        if next(calls) == 2:
            raise ModelFailure("throttled", "later")
        return verdicts(document)

    assert (await grade(run, Scripted(throttles))).failed == len(RUBRIC.criteria)
    again = Scripted(verdicts)
    log = await grade(run, again)
    assert len(again.documents) == 1 and log.failed == 0
    assert len(load_folder(run).values["judge.satisfaction"].applicable) == 5


async def test_two_judges_are_never_mixed(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    await grade(run, Scripted(verdicts))
    with pytest.raises(EvalInputProblem, match="another judge \\(scripted-1\\)"):
        await grade(run, Scripted(verdicts, "scripted-2"))


async def test_only_a_calibrated_judge_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, 40)
    await grade(run, Scripted(verdicts))
    base = tmp_path / "base.json"
    assert main(["baseline", str(run), "--output", str(base)]) == 0
    worse = run_folder(tmp_path / "worse", {VIOLATIONS: [0.0] * 40, SUCCESS: [1.0] * 40})
    await grade(worse, Scripted(lambda d: verdicts(d, satisfaction={"score": 2})))
    gate = ["gate", str(worse), "--baseline", str(base)]
    assert main(gate) == 0
    log = read_log(worse)
    assert log is not None
    strong = Calibrated(
        judge=log.judge,
        criterion="satisfaction",
        labels="labels",
        labels_sha="0",
        items=100,
        weighted_kappa=0.6,
        low=0.5,
        high=0.7,
        floor=0.4,
    )
    kept = tmp_path / "calibration.json"
    write_calibration(strong, kept)
    assert main([*gate, "--calibration", str(kept)]) == 1
    write_calibration(strong.model_copy(update={"low": 0.3}), kept)
    assert main([*gate, "--calibration", str(kept)]) == 0
    other = log.judge.model_copy(update={"model_id": "another"})
    write_calibration(strong.model_copy(update={"judge": other}), kept)
    assert "of another judge" in refused(capsys, *gate, "--calibration", kept)


async def test_labels_are_judged_like_dialogues() -> None:
    said = (("user", "a comedy"), ("assistant", "Usher says Big (1988)"))
    model = Scripted(lambda d: verdicts(d, satisfaction={"quote": "a comedy", "score": 4}))
    judge = Judge(model, RUBRIC.only("satisfaction"))
    assert await judged_texts(judge, [("d1", said)], lambda done, total: None) == {"d1": 4}
    assert model.documents[0]["conversation"][1]["text"] == f"{BLIND} says Big (1988)"


# --- over the real adapter ------------------------------------------------------------------------


@pytest.fixture
def online(bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch) -> FakeBedrock:
    monkeypatch.setenv("USHER_MODEL", "bedrock")
    monkeypatch.setenv("USHER_BEDROCK_ENDPOINT_URL", bedrock.url)
    monkeypatch.setenv("USHER_BEDROCK_REGION", "eu-west-1")
    monkeypatch.setenv("USHER_DECIDE_MODEL", SMALL)
    monkeypatch.setenv("USHER_RESPOND_MODEL", LARGE)
    return bedrock


def answer(value: Any) -> dict[str, Any]:
    return {"tools": [{"name": "answer", "input": value}]}


def test_a_run_is_judged_and_compared_over_the_wire(
    tmp_path: Path, online: FakeBedrock, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, 3)
    criteria = [criterion.asked() for criterion in RUBRIC.criteria]
    online.always(answer(verdicts({"criteria": criteria})))
    assert main(["judge", str(run), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["judge"]["model_id"] == LARGE and printed["verdicts"] == 18
    assert printed["input_tokens"] > 0
    online.always(answer({"winner": "first", "reason": "turn 1"}))
    assert main(["judge", str(run), "--against", str(run), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (printed["ties"], printed["position_consistency"]) == (3, 0.0)
    assert main(["report", str(run)]) == 0
    assert LARGE in (run / "report.html").read_text()


def test_a_judge_is_calibrated_over_the_wire(
    tmp_path: Path, online: FakeBedrock, capsys: pytest.CaptureFixture[str]
) -> None:
    graded = {"criterion": "satisfaction", "score": 3, "quote": "a comedy please", "reason": "so"}
    online.always(answer({"verdicts": [graded]}))
    output = tmp_path / "calibration.json"
    path = labels(tmp_path, 20)
    arguments = ["calibrate", "--labels", str(path), "--judge", "--output", str(output)]
    assert main(arguments) == 0
    assert f"judge {LARGE}: ADVISORY" in capsys.readouterr().out
    found = read_calibration(output)
    assert found.items == 20 and not found.decides and found.judge.model_id == LARGE
    yes_no = ("--criterion", "kept_wishes")
    assert "grades needed" in refused(capsys, *arguments, *yes_no)


def test_a_rubric_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "rubric.yaml"
    path.write_text("version: 1\npair: x\ncriteria:\n- {name: a, kind: scale, question: q}\n")
    with pytest.raises(EvalInputProblem, match="explains 1 to 5"):
        load_rubric(path)
    path.write_text("version: [")
    with pytest.raises(EvalInputProblem, match="line 1: no YAML"):
        load_rubric(path)
    with pytest.raises(EvalInputProblem, match="choose from satisfaction"):
        RUBRIC.criterion("beauty")
