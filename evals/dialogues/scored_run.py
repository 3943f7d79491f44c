"""A run as `compare`, `gate` and `report` read it: its values by scorer, and what they stand on.

Knows the three places where values come from: a run folder (whole or refused), a file of scores, a
stored baseline. Does not know how scores come about nor how values are compared (comparison.py).

A baseline is one JSON file with what a comparison needs and nothing more, one scorer a line, so
that a review of its change shows what moved.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scores import Direction, Score
from evals.dialogues.transcript_files import (
    EvalInputProblem,
    fault_of,
    lines_of,
    objects_of,
    read_models,
    write_lines,
)
from evals.form import Form

JUDGED = "judge.jsonl"
"""In a run folder: what a language model made of it (judge.py), in the form of scores.jsonl."""

Key = tuple[str, int]
"""(scenario or dialogue, trial): what two runs are joined by."""


@dataclass(frozen=True)
class Values:
    """All values of one scorer."""

    scorer: str
    version: int
    unit: str
    direction: Direction
    floor: bool
    by_key: Mapping[Key, float | None]
    """None = not applicable."""

    @property
    def best(self) -> float:
        """Of a share, a pass or a count of faults."""
        return 1.0 if self.direction == "higher" else 0.0

    @property
    def applicable(self) -> dict[Key, float]:
        """Where there is a value."""
        return {key: value for key, value in self.by_key.items() if value is not None}


@dataclass(frozen=True)
class ScoredRun:
    """A run's values."""

    name: str
    data: Mapping[str, Any] | None
    """What it was measured on; None where a bare file of scores does not tell."""
    agent: Mapping[str, Any] | None
    values: Mapping[str, Values]
    clusters: Mapping[Key, str]
    """What stands or falls together: the scenario, of rank files the dialogue."""
    scores: tuple[Score, ...] = field(default=(), repr=False)
    """With their evidence, where the run has it."""

    @property
    def keys(self) -> set[Key]:
        """Every dialogue."""
        return {key for values in self.values.values() for key in values.by_key}


def load_run(path: Path) -> ScoredRun:
    """A run folder, a file of scores (.jsonl, .jsonl.gz) or a baseline (.json).

    Raises: EvalInputProblem; a partial run is refused.
    """
    if path.is_dir():
        return load_folder(path)
    if path.suffix == ".json":
        return load_baseline(path)
    for number, row in objects_of(path):
        if "scorer" not in row:
            raise EvalInputProblem(
                f"{path} line {number}, field scorer: there is none, so this is no file of scores; "
                f"python -m evals score {path} --output FILE makes one of transcripts"
            )
        break
    return run_of(path.name, read_models(path, Score), str(path))


def load_folder(path: Path) -> ScoredRun:
    """A run folder. Raises: EvalInputProblem when it is none or partial."""
    folder = RunFolder.open(path)
    folder.whole()
    judged = read_models(path / JUDGED, Score) if (path / JUDGED).exists() else []
    config = folder.config
    name = path.resolve().name
    return run_of(name, [*folder.scores(), *judged], str(path), config.data, config.agent)


def run_of(
    name: str,
    scores: Iterable[Score],
    where: str,
    data: Mapping[str, Any] | None = None,
    agent: Mapping[str, Any] | None = None,
) -> ScoredRun:
    """Scores by scorer. Raises: EvalInputProblem where two contradict each other."""
    kept = tuple(scores)
    by_scorer: dict[str, list[Score]] = {}
    for score in kept:
        by_scorer.setdefault(score.scorer, []).append(score)
    values = {name: _values(found, where) for name, found in by_scorer.items()}
    clusters = {(s.key[0], s.trial): s.key[0] for s in kept}
    return ScoredRun(name, data, agent, values, clusters, kept)


def _values(scores: list[Score], where: str) -> Values:
    first = scores[0]
    by_key: dict[Key, float | None] = {}
    for score in scores:
        key, trial, scorer = score.key
        for what in ("scorer_version", "unit", "direction", "floor"):
            mine, theirs = getattr(first, what), getattr(score, what)
            if mine != theirs:
                raise EvalInputProblem(
                    f"{where}, scorer {scorer}, field {what}: both {mine!r} and {theirs!r}: "
                    "score the run again, whole"
                )
        if (key, trial) in by_key:
            raise EvalInputProblem(f"{where}: {key} trial {trial} has two scores of {scorer}")
        by_key[key, trial] = score.value
    return Values(
        first.scorer, first.scorer_version, first.unit, first.direction, first.floor, by_key
    )


# --- baselines ------------------------------------------------------------------------------------


class BaselineScorer(Form):
    """The values of one scorer, in the order of the baseline's dialogues."""

    version: int = Field(ge=1)
    unit: str
    direction: Direction
    floor: bool
    values: tuple[float | None, ...]


class Baseline(Form):
    """A run to hold later ones against."""

    data: dict[str, Any]
    agent: dict[str, Any]
    dialogues: tuple[tuple[str, int], ...] = Field(min_length=1)
    scorers: dict[str, BaselineScorer] = Field(min_length=1)


def load_baseline(path: Path) -> ScoredRun:
    """A stored baseline. Raises: EvalInputProblem."""
    text = "".join(line for _, line in lines_of(path))
    try:
        found = Baseline.model_validate_json(text)
    except ValidationError as error:
        raise EvalInputProblem(f"{path}, {fault_of(error)}: is it a baseline?") from None
    values = {}
    for name, scorer in found.scorers.items():
        if len(scorer.values) != len(found.dialogues):
            raise EvalInputProblem(
                f"{path}, field scorers.{name}.values: {len(scorer.values)} values "
                f"for {len(found.dialogues)} dialogues"
            )
        by_key = dict(zip(found.dialogues, scorer.values, strict=True))
        values[name] = Values(
            name, scorer.version, scorer.unit, scorer.direction, scorer.floor, by_key
        )
    clusters = {key: key[0] for key in found.dialogues}
    return ScoredRun(path.name, found.data, found.agent, values, clusters)


def write_baseline(run: ScoredRun, path: Path) -> None:
    """Store a run as a baseline, one scorer a line. Raises: EvalInputProblem."""
    if run.data is None or run.agent is None:
        raise EvalInputProblem(
            f"{run.name} does not say what it was measured on: a baseline needs a run folder"
        )
    keys = sorted(run.keys)
    head = [f' "{name}": {_json(getattr(run, name))},' for name in ("data", "agent")]
    rows = [
        f"  {_json(name)}: " + _json(_stored(values, keys).model_dump(mode="json"))
        for name, values in sorted(run.values.items())
    ]
    lines = ["{", *head, f' "dialogues": {_json(keys)},', ' "scorers": {', ",\n".join(rows)]
    write_lines(path, [*lines, " }", "}"])


def _stored(values: Values, keys: list[Key]) -> BaselineScorer:
    rounded = (values.by_key.get(key) for key in keys)
    return BaselineScorer(
        version=values.version,
        unit=values.unit,
        direction=values.direction,
        floor=values.floor,
        values=tuple(None if v is None else round(v, 6) for v in rounded),
    )


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
