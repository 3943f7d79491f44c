"""A score: one scorer's verdict on one dialogue, with its evidence.

Knows the form of a score, which every scorer returns and `compare` and `report` read. Does not know
how anything is scored or where scores are kept (run_folder.py). Pure.
"""

from typing import Literal

from pydantic import Field, model_validator

from evals.dialogues.transcript import Transcript
from evals.form import Form

Direction = Literal["higher", "lower"]
"""Which way is better."""


class Spot(Form):
    """A place in the dialogue and what is to be seen there."""

    turn: int = Field(ge=0)
    """1 = first; 0 = the dialogue as a whole."""
    detail: str


class Score(Form):
    """One value. `value` is None exactly when the scorer is not applicable (or unscored)."""

    dialogue_id: str
    scenario_id: str | None = None
    trial: int = 0
    scorer: str
    scorer_version: int = Field(ge=1)
    """Raised whenever the same transcript may get another value."""
    value: float | None
    unit: str
    """share, count, turns, ms, USD, pass (1 or 0) ..."""
    direction: Direction
    floor: bool = False
    """Whether any other value than the best (0 for "lower", 1 for "higher") is a failure."""
    applicable: bool = True
    of: int | None = Field(default=None, ge=0)
    """How many things were looked at (cards, turns, titles), where there is such a number."""
    evidence: tuple[Spot, ...] = ()

    @model_validator(mode="after")
    def _value_iff_applicable(self) -> "Score":
        if self.applicable != (self.value is not None):
            raise ValueError("a score has a value exactly when it is applicable")
        return self

    @property
    def falls(self) -> bool:
        """Whether a floor is broken: something happened that must never happen."""
        best = 1.0 if self.direction == "higher" else 0.0
        return self.floor and self.value is not None and self.value != best

    @property
    def key(self) -> tuple[str, int, str]:
        """What two runs are joined by."""
        return self.scenario_id or self.dialogue_id, self.trial, self.scorer


class Scorer(Form):
    """What is the same for every score of one scorer."""

    name: str
    version: int = Field(ge=1)
    unit: str
    direction: Direction
    floor: bool = False
    """Whether any other value than the best (0 for "lower", 1 for "higher") is a failure."""

    def score(
        self,
        transcript: Transcript,
        value: float | None,
        evidence: tuple[Spot, ...] = (),
        of: int | None = None,
    ) -> Score:
        """A score of this scorer; None = not applicable."""
        return Score(
            dialogue_id=transcript.dialogue_id,
            scenario_id=transcript.scenario_id,
            trial=transcript.trial,
            scorer=self.name,
            scorer_version=self.version,
            value=value,
            unit=self.unit,
            direction=self.direction,
            floor=self.floor,
            applicable=value is not None,
            of=of,
            evidence=evidence,
        )
