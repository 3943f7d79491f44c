"""`python -m evals judge RUN`: a language model grades a run, or compares it with another.

Knows the flags, where verdicts are kept and how judging is resumed. Does not know how the judge is
asked (judge.py, judge_pairs.py). Called by evals/__main__.py.

In the run folder: judge.partial.jsonl while judging, then judge.jsonl (the form of scores.jsonl)
and judge.json (which model, prompt and rubric, and how much could not be used).
"""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scored_run import JUDGED, load_folder
from evals.dialogues.scores import Score
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import (
    EvalInputProblem,
    read_models,
    write_lines,
    write_models,
)
from evals.judging.calibration_file import JUDGE_LOG, JudgeId, JudgeLog, read_log
from evals.judging.judge import (
    FAILED,
    NO_EVIDENCE,
    UNFOUNDED,
    UNPARSED,
    Judge,
    Report,
)
from evals.judging.judge_pairs import PairJudge
from evals.judging.rubric import RUBRIC, Rubric, load_rubric
from evals.language_model import AT_ONCE, all_of, the_model
from evals.verdicts.comparison import check_same_data
from infra.progress import shown

DETAILS = """\
Needs USHER_MODEL=bedrock or anthropic. Names of products and models are taken out of what the
judge reads. Verdicts that do not parse, quote nothing that was said, or find no evidence are
unscored and counted. --against RUN asks which of two dialogues is better, in both orders: only
what wins in both wins. Until `calibrate` says otherwise a judge is advisory.
"""
PARTIAL = "judge.partial.jsonl"
PAIRS = "judge.pairs.json"


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "judge", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(run(given)))
    parser.add_argument("run", type=Path, help="a run folder, whole and scored")
    parser.add_argument("--against", type=Path, metavar="RUN", help="compare with this run instead")
    parser.add_argument("--rubric", type=Path, default=RUBRIC, help="another rubric")
    parser.add_argument("--model", help="another model id of the same provider")
    add_json(parser)


async def run(given: argparse.Namespace) -> int:
    """The command. Raises: EvalProblem, Refusal without a model."""
    rubric = load_rubric(given.rubric)
    mine = load_folder(given.run)
    if given.against is None:
        log = await _grade(given, rubric)
        _tell_log(log)
        if given.json:
            print(log.model_dump_json())
        return 0
    check_same_data(load_folder(given.against), mine)
    figures = await _compare(given, rubric)
    write_lines(given.run / PAIRS, json.dumps(figures, indent=1, ensure_ascii=False).splitlines())
    told = {name: value for name, value in figures.items() if name != "verdicts"}
    for name, value in told.items():
        print(f"{name:22} {value}")
    print(f"A = {given.against}, B = {given.run}; every pair: {given.run / PAIRS}")
    if given.json:
        print(json.dumps(told))
    return 0


async def _grade(given: argparse.Namespace, rubric: Rubric) -> JudgeLog:
    transcripts = RunFolder.open(given.run).transcripts()
    async with the_model("a judge", given.model) as model:
        with shown() as report:
            tell = partial(report, "judging")
            return await grade_run(given.run, transcripts, Judge(model, rubric), tell)


async def grade_run(
    folder: Path, transcripts: Sequence[Transcript], judge: Judge, report: Report
) -> JudgeLog:
    """Grade what is not graded yet; nothing is asked twice. Raises: EvalProblem."""
    _must_be(folder, judge.judge_id)
    found = read_log(folder)
    if found is not None and (folder / JUDGED).exists():
        if not found.failed:
            return found
        (folder / JUDGED).replace(folder / PARTIAL)  # the model may be reached by now
    kept = _kept(folder / PARTIAL, judge.criteria)
    done = {(score.key[0], score.trial) for score in kept}
    # Whoever resumes is held to the same judge.
    write_lines(folder / JUDGE_LOG, judge.log.model_dump_json(indent=1).splitlines())
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(transcript: Transcript) -> None:
        async with gate:
            scores = await judge.scores(transcript)
        with (folder / PARTIAL).open("a", encoding="utf-8") as file:
            file.write("".join(f"{score.model_dump_json()}\n" for score in scores))
        kept.extend(scores)
        report(len({(s.key[0], s.trial) for s in kept}), len(transcripts))

    waiting = [transcript for transcript in transcripts if transcript.key not in done]
    await all_of([one(transcript) for transcript in waiting])
    log = _log_of(judge.log, kept, len(transcripts))
    kept.sort(key=lambda score: score.key)
    write_models(folder / JUDGED, kept)
    write_lines(folder / JUDGE_LOG, log.model_dump_json(indent=1).splitlines())
    (folder / PARTIAL).unlink(missing_ok=True)
    return log


def _must_be(folder: Path, judge_id: JudgeId) -> None:
    log = read_log(folder)
    if log is not None and log.judge != judge_id:
        raise EvalInputProblem(
            f"{folder / JUDGE_LOG} is of another judge ({log.judge.model_id}): verdicts of two are "
            f"never mixed, so remove {JUDGE_LOG}, {JUDGED} and {PARTIAL} there, or copy the run"
        )


def _kept(path: Path, criteria: int) -> list[Score]:
    """What an earlier call left, without dialogues that are half or met a model that failed."""
    if not path.exists():
        return []
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"\n") + 1])
    found = read_models(path, Score) if path.stat().st_size else []
    failed = FAILED, False
    graded = Counter(
        (score.key[0], score.trial)
        for score in found
        if (score.evidence[0].detail, score.applicable) != failed
    )
    return [score for score in found if graded[score.key[0], score.trial] == criteria]


def _log_of(log: JudgeLog, scores: Sequence[Score], dialogues: int) -> JudgeLog:
    """The counts over all calls, resumed ones included."""
    lost = Counter(s.evidence[0].detail for s in scores if not s.applicable and s.evidence)
    return log.model_copy(
        update={
            "dialogues": dialogues,
            "verdicts": len(scores),
            "unparsed": lost[UNPARSED],
            "unfounded": lost[UNFOUNDED],
            "no_evidence": lost[NO_EVIDENCE],
            "failed": lost[FAILED],
        }
    )


def _tell_log(log: JudgeLog) -> None:
    print(f"{log.dialogues} dialogues, {log.verdicts} verdicts of {log.judge.model_id}")
    print(
        f"unscored: {log.unparsed} unparsed, {log.unfounded} without a true quote, "
        f"{log.no_evidence} without evidence, {log.failed} failed"
    )
    print(
        f"prompt {log.judge.prompt_sha}, rubric {log.judge.rubric_sha}: advisory until calibrated"
    )


async def _compare(given: argparse.Namespace, rubric: Rubric) -> dict[str, object]:
    a, b = (
        {one.key: one for one in RunFolder.open(path).transcripts()}
        for path in (given.against, given.run)
    )
    async with the_model("a judge", given.model) as model:
        judge = PairJudge(model, rubric.pair, rubric.sha)
        with shown() as report:
            return (await judge.compare(a, b, partial(report, "comparing"))).as_json()
