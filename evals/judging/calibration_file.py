"""What is kept of a judge: whom it asked (judge.json of a run), and whether people agree with it.

Knows both forms and when a judge may decide a gate: when it was calibrated with the same model,
prompt and rubric, and reached the floor. Does not know how agreement is measured (agreement.py).
Called by the judge, calibrate and gate commands.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from evals.dialogues.scored_run import ScoredRun
from evals.dialogues.transcript_files import EvalInputProblem, fault_of, lines_of, write_lines
from evals.form import Form

JUDGE_LOG = "judge.json"
_Kept = TypeVar("_Kept", bound=Form)
PREFIX = "judge."
"""Of the names of a judge's scorers."""


class JudgeId(Form):
    """Everything that a verdict depends on beside the dialogue."""

    model_id: str
    prompt_sha: str
    rubric_sha: str


class JudgeLog(Form):
    """What a judge was asked and how often it could not be used."""

    judge: JudgeId
    rubric: str
    dialogues: int = Field(ge=0)
    verdicts: int = Field(default=0, ge=0)
    """Asked for: dialogues times criteria."""
    unparsed: int = Field(default=0, ge=0)
    """Answers that did not fit: unscored, never 0."""
    unfounded: int = Field(default=0, ge=0)
    """The quote is not in the dialogue: unscored."""
    no_evidence: int = Field(default=0, ge=0)
    """The judge says that nothing speaks for either side: unscored."""
    failed: int = Field(default=0, ge=0)
    """The model could not be reached: unscored."""
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)


class Calibrated(Form):
    """One criterion of a judge against people."""

    judge: JudgeId
    criterion: str
    labels: str
    labels_sha: str
    items: int = Field(ge=1)
    weighted_kappa: float
    low: float
    high: float
    floor: float
    """What `low` must reach."""

    @property
    def decides(self) -> bool:
        """Whether the judge may shut a gate; otherwise it is advisory."""
        return self.low >= self.floor


def read_calibration(path: Path) -> Calibrated:
    """What `calibrate --output` wrote. Raises: EvalInputProblem."""
    return _read(path, Calibrated)


def write_calibration(found: Calibrated, path: Path) -> None:
    """Keep it. Raises: EvalInputProblem."""
    write_lines(path, found.model_dump_json(indent=1).splitlines())


def read_log(folder: Path) -> JudgeLog | None:
    """What the judge of a run was; None where it has none. Raises: EvalInputProblem."""
    path = folder / JUDGE_LOG
    return _read(path, JudgeLog) if path.exists() else None


def advisory_scorers(run: ScoredRun, folder: Path, calibration: Path | None) -> frozenset[str]:
    """The judge's scorers that may not decide. Raises: EvalInputProblem."""
    judged = frozenset(name for name in run.values if name.startswith(PREFIX))
    if calibration is None or not judged:
        return judged
    found, log = read_calibration(calibration), read_log(folder)
    if log is None or log.judge != found.judge:
        raise EvalInputProblem(
            f"{calibration} is of another judge than {folder / JUDGE_LOG}: calibrate this one"
        )
    return judged - ({PREFIX + found.criterion} if found.decides else set())


def _read(path: Path, model: type[_Kept]) -> _Kept:
    try:
        return model.model_validate_json("".join(line for _, line in lines_of(path)))
    except ValidationError as error:
        raise EvalInputProblem(f"{path}, {fault_of(error)}") from None
