"""A language model as judge: graded criteria with quotes, and everything unusable counted.

Knows how the judge is asked and which of its verdicts count. Does not know which model it is
(language_model.py), where verdicts are kept (judge_command.py), nor whether people agree with it
(calibration.py). Called by judge_command.py and calibrate_command.py.

An answer that does not fit, a quote that is not in the dialogue or a model that cannot be reached
leaves a criterion unscored, never 0: a judge that fails must not look like a bad agent.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from agent.model import PASSING, ChatModel, Meter, ModelFailure, asked
from evals.dialogues.scores import Score, Scorer, Spot
from evals.dialogues.transcript import Transcript
from evals.judging.calibration_file import PREFIX, JudgeId, JudgeLog
from evals.judging.judge_view import Conversation, turn_of_quote, view_of, view_of_texts
from evals.judging.rubric import Criterion, Rubric
from evals.language_model import AT_ONCE, all_of
from evals.problem import EvalProblem
from prompts.loader import load_prompt

UNPARSED, UNFOUNDED, NO_EVIDENCE, FAILED = "unparsed", "unfounded", "no evidence", "failed"

Report = Callable[[int, int], None]


class JudgeProblem(EvalProblem):
    """The judge cannot go on; the message says what to do."""


class Verdict(BaseModel):
    """One criterion, as the judge answered it."""

    criterion: str
    score: int | None = Field(default=None, ge=0, le=5)
    quote: str = ""
    reason: str = ""


class Verdicts(BaseModel):
    """The answer of a judge: one verdict per criterion."""

    verdicts: list[Verdict]


@dataclass(frozen=True, slots=True)
class Graded:
    """What became of one criterion: a score with its place, or why there is none."""

    criterion: Criterion
    score: int | None
    turn: int
    told: str
    """The judge's reason, or one of unparsed, unfounded, no evidence, failed."""


class Judge:
    """One model with one rubric."""

    def __init__(self, model: ChatModel, rubric: Rubric) -> None:
        self._model = model
        self._rubric = rubric
        self._prompt = load_prompt("judge")
        self._lost: Counter[str] = Counter()
        self._verdicts = self._dialogues = 0
        self._meter = Meter()

    @property
    def judge_id(self) -> JudgeId:
        """What every verdict depends on."""
        return JudgeId(
            model_id=self._model.model_id,
            prompt_sha=self._prompt.sha,
            rubric_sha=self._rubric.sha,
        )

    @property
    def criteria(self) -> int:
        """How many verdicts a dialogue gets."""
        return len(self._rubric.criteria)

    @property
    def log(self) -> JudgeLog:
        """What was asked so far and how much of it could not be used."""
        return JudgeLog(
            judge=self.judge_id,
            rubric=self._rubric.name,
            dialogues=self._dialogues,
            verdicts=self._verdicts,
            unparsed=self._lost[UNPARSED],
            unfounded=self._lost[UNFOUNDED],
            no_evidence=self._lost[NO_EVIDENCE],
            failed=self._lost[FAILED],
            input_tokens=self._meter.total.total - self._meter.total.output,
            output_tokens=self._meter.total.output,
        )

    async def grade(self, view: Conversation) -> list[Graded]:
        """Every criterion of one dialogue. Raises: JudgeProblem when asking on is useless."""
        criteria = [criterion.asked() for criterion in self._rubric.criteria]
        messages = asked(self._prompt, conversation=view, criteria=criteria)
        try:
            answer = await self._model.structured(messages, Verdicts, self._meter)
            found = [_graded(c, answer, view) for c in self._rubric.criteria]
        except ModelFailure as failure:
            why = why_unscored(failure)
            found = [Graded(c, None, 0, why) for c in self._rubric.criteria]
        self._dialogues += 1
        self._verdicts += len(found)
        self._lost.update(one.told for one in found if one.score is None)
        return found

    async def scores(self, transcript: Transcript) -> list[Score]:
        """The same as scores; what could not be used is a score that does not apply."""
        found = await self.grade(view_of(transcript))
        return [
            self._scorer(one.criterion).score(
                transcript,
                None if one.score is None else float(one.score),
                (Spot(turn=one.turn, detail=one.told),),
            )
            for one in found
        ]

    def _scorer(self, criterion: Criterion) -> Scorer:
        return Scorer(
            name=PREFIX + criterion.name,
            version=self._rubric.version,
            unit="pass" if criterion.kind == "binary" else "grade",
            direction="higher",
        )


def why_unscored(failure: ModelFailure) -> str:
    """What a failure leaves behind. Raises: JudgeProblem where every call would fail."""
    if failure.kind == "malformed":
        return UNPARSED
    if failure.kind in PASSING:
        return FAILED
    raise JudgeProblem(f"the judge's model cannot be used ({failure.kind}): {failure}")


def _graded(criterion: Criterion, answer: Verdicts, view: Conversation) -> Graded:
    mine = [verdict for verdict in answer.verdicts if verdict.criterion == criterion.name]
    if len(mine) != 1:
        return Graded(criterion, None, 0, UNPARSED)
    verdict = mine[0]
    if verdict.score is None:
        return Graded(criterion, None, 0, NO_EVIDENCE)
    if verdict.score not in criterion.scores:
        return Graded(criterion, None, 0, UNPARSED)
    turn = turn_of_quote(view, verdict.quote)
    if turn is None:
        return Graded(criterion, None, 0, UNFOUNDED)
    return Graded(criterion, verdict.score, turn, f"“{verdict.quote}” {verdict.reason}".strip())


async def judged_texts(
    judge: Judge, items: Sequence[tuple[str, Sequence[tuple[str, str]]]], report: Report
) -> dict[str, int]:
    """{item id: grade} by the first criterion, without what could not be used."""
    grades: dict[str, int] = {}
    gate, done = asyncio.Semaphore(AT_ONCE), 0

    async def one(item_id: str, said: Sequence[tuple[str, str]]) -> None:
        nonlocal done
        async with gate:
            found = await judge.grade(view_of_texts(said))
        if found[0].score is not None:
            grades[item_id] = found[0].score
        done += 1
        report(done, len(items))

    await all_of([one(item_id, said) for item_id, said in items])
    return grades
