"""A run: a folder with everything that defines it, its transcripts and its scores.

    config.json         what defines the run, its sha, and how many dialogues make it whole
    transcripts.jsonl   one dialogue a line, appended as each ends: what is there is done
    scores.jsonl        one score a line, written whole

Knows how a run is resumed, that a folder never mixes two configurations, and that a run is whole or
says how much is missing. Does not know how dialogues are played or scored. Called by run, simulate,
score, compare and report.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from evals.dialogues.scores import Score
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import (
    EvalInputProblem,
    lines_of,
    read_models,
    validated,
    write_lines,
    write_models,
)
from evals.form import Form

CONFIG, TRANSCRIPTS, SCORES = "config.json", "transcripts.jsonl", "scores.jsonl"


class RunConfig(Form):
    """Everything that defines a run; two runs may be joined only if their `data` agree."""

    command: str
    """run, simulate or score."""
    data: dict[str, Any]
    """What it was measured on: scenario set and its sha, split, catalogue sha, trials, seeds."""
    agent: dict[str, Any]
    """What was measured: commit, models, prompt shas, index revision, settings."""
    dialogues: int = Field(ge=1)
    """How many make the run whole."""

    @property
    def sha(self) -> str:
        """Of everything above."""
        return sha_of(self.model_dump(mode="json"))


def sha_of(content: Any) -> str:
    """A short hash of any JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class RunFolder:
    """A run on disk."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path
        self.config = config

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> "RunFolder":
        """A new run, or the same one again to resume it. Raises: EvalInputProblem."""
        if (path / CONFIG).exists():
            found = cls.open(path)
            found._must_be(config)
            found._drop_half_line()
            return found
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvalInputProblem(f"{path} cannot be made: {error.strerror}") from None
        if any(path.iterdir()):
            raise EvalInputProblem(f"{path} is not empty and no run: name a new folder")
        content = {"sha": config.sha, **config.model_dump(mode="json")}
        write_lines(path / CONFIG, [json.dumps(content, indent=1, ensure_ascii=False)])
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """A run that is there. Raises: EvalInputProblem."""
        file = path / CONFIG
        if not file.exists():
            raise EvalInputProblem(
                f"{path} is no run: it has no {CONFIG}; name a folder that `python -m evals run` "
                "or `simulate` made with --output"
            )
        try:
            content = json.loads("".join(line for _, line in lines_of(file)))
        except ValueError as error:
            raise EvalInputProblem(f"{file} is no JSON ({error}): play the run anew") from None
        if not isinstance(content, Mapping):
            raise EvalInputProblem(f"{file} needs a JSON object: play the run anew")
        sha = content.get("sha")
        config = validated(RunConfig, {k: v for k, v in content.items() if k != "sha"}, str(file))
        if sha != config.sha:
            raise EvalInputProblem(f"{file}, field sha: {sha} is not of this content: edited?")
        return cls(path, config)

    def _must_be(self, config: RunConfig) -> None:
        mine, theirs = (c.model_dump(mode="json") for c in (self.config, config))
        for part in ("command", "data", "agent", "dialogues"):
            if mine[part] != theirs[part]:
                raise EvalInputProblem(
                    f"{self.path / CONFIG}, field {_difference(part, mine[part], theirs[part])}: "
                    "a run never mixes configurations, so name a new folder"
                )

    def _drop_half_line(self) -> None:
        """A run that was killed while writing has half a last line: that dialogue is not done."""
        file = self.path / TRANSCRIPTS
        if not file.exists():
            return
        content = file.read_bytes()
        if content and not content.endswith(b"\n"):
            with file.open("r+b") as handle:
                handle.truncate(content.rfind(b"\n") + 1)

    # --- transcripts ------------------------------------------------------------------------------

    def append(self, transcript: Transcript) -> None:
        """Keep a dialogue that has ended; it is on disk when this returns."""
        with (self.path / TRANSCRIPTS).open("a", encoding="utf-8") as handle:
            handle.write(transcript.model_dump_json() + "\n")
            handle.flush()
            os.fsync(handle.fileno())

    def transcripts(self) -> list[Transcript]:
        """What there is so far. Raises: EvalInputProblem (a malformed line, or one twice)."""
        file = self.path / TRANSCRIPTS
        if not file.exists() or file.stat().st_size == 0:
            return []
        found = read_models(file, Transcript)
        seen: set[tuple[str, int]] = set()
        for number, transcript in enumerate(found, 1):
            if transcript.key in seen:
                what = f"scenario {transcript.key[0]} trial {transcript.key[1]}"
                raise EvalInputProblem(f"{file} dialogue {number}: {what} is there twice")
            seen.add(transcript.key)
        return found

    def done(self) -> set[tuple[str, int]]:
        """(scenario, trial) of what need not be played again."""
        return {transcript.key for transcript in self.transcripts()}

    # --- scores -----------------------------------------------------------------------------------

    def write_scores(self, scores: Iterable[Score]) -> None:
        """Replace the scores."""
        write_models(self.path / SCORES, scores)

    def scores(self) -> list[Score]:
        """Every score. Raises: EvalInputProblem."""
        return read_models(self.path / SCORES, Score)

    def whole(self) -> None:
        """Raises: EvalInputProblem unless every dialogue of the run is there and scored."""
        done = len(self.done())
        if done != self.config.dialogues:
            raise EvalInputProblem(
                f"{self.path} is partial: {done} of {self.config.dialogues} dialogues; "
                f"give the `{self.config.command}` command that made it again to go on"
            )
        if not (self.path / SCORES).exists():
            raise EvalInputProblem(f"{self.path} has no scores: python -m evals score {self.path}")
        scored = {(s.scenario_id or s.dialogue_id, s.trial) for s in self.scores()}
        if len(scored) != done:
            raise EvalInputProblem(
                f"{self.path / SCORES} has scores of {len(scored)} of {done} dialogues: "
                f"python -m evals score {self.path}"
            )


def _difference(place: str, old: Any, new: Any) -> str:
    """The first place where two JSON values differ, with both."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                return _difference(f"{place}.{key}", old.get(key), new.get(key))
    return f"{place}: the folder has {old!r}, this run {new!r}"
