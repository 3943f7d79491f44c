"""The rubric: what a judge is asked of a dialogue, in versions.

Knows the form of rubric.yaml. Does not know models or scores. Called by judge.py and the commands
that ask a judge.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from evals.dialogues.transcript_files import EvalInputProblem, fault_of, read_yaml
from evals.form import Form

RUBRIC = Path(__file__).with_name("rubric.yaml")
GRADES = range(1, 6)
YES_OR_NO = {0: "no", 1: "yes"}


class Criterion(Form):
    """One question, answered by a grade from 1 to 5 or by yes and no."""

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    kind: Literal["scale", "binary"]
    question: str
    scale: dict[int, str] = {}
    """What each grade means; a yes/no question needs none."""

    @model_validator(mode="after")
    def _five_levels_or_none(self) -> "Criterion":
        wanted = set(GRADES) if self.kind == "scale" else set()
        if set(self.scale) != wanted:
            raise ValueError(f"{self.name}: a scale explains 1 to 5, a yes/no question nothing")
        return self

    @property
    def scores(self) -> dict[int, str]:
        """Every score there is, and what it means."""
        return self.scale or YES_OR_NO

    def asked(self) -> dict[str, object]:
        """As the judge's prompt wants it."""
        scale = {str(score): meaning for score, meaning in self.scores.items()}
        return {"name": self.name, "question": self.question, "scale": scale}


class _File(Form):
    version: int = Field(ge=1)
    pair: str
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "_File":
        names = [criterion.name for criterion in self.criteria]
        if len(set(names)) != len(names):
            raise ValueError("two criteria have the same name")
        return self


@dataclass(frozen=True)
class Rubric:
    """Criteria and the question of pairwise comparison."""

    name: str
    version: int
    pair: str
    criteria: tuple[Criterion, ...]
    sha: str

    def criterion(self, name: str) -> Criterion:
        """By name. Raises: EvalInputProblem."""
        for one in self.criteria:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.criteria)
        raise EvalInputProblem(f"rubric {self.name} has no criterion {name}: choose from {names}")

    def only(self, name: str) -> "Rubric":
        """The same rubric with one criterion."""
        return replace(self, criteria=(self.criterion(name),))


def load_rubric(path: Path = RUBRIC) -> Rubric:
    """A rubric file. Raises: EvalInputProblem."""
    try:
        loaded = _File.model_validate(read_yaml(path))
    except ValidationError as error:
        raise EvalInputProblem(f"{path}, {fault_of(error)}") from None
    sha = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Rubric(path.name, loaded.version, loaded.pair, loaded.criteria, sha)
