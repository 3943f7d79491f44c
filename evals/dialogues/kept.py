"""Dialogues kept by content: one scenario, build and seed is played once.

Knows the folder and that a damaged file is no hit. Does not know how dialogues are played. Called
by play.py.
"""

from pathlib import Path

from pydantic import ValidationError

from evals.dialogues.run_folder import sha_of
from evals.dialogues.transcript import Build, Transcript
from evals.dialogues.transcript_files import write_lines


class Kept:
    """A folder of transcripts; without a folder, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @staticmethod
    def key(scenario_sha: str, build: Build, trial: int, seed: int) -> str:
        """What makes two dialogues the same; of the commit the content matters, not the name."""
        content = build.model_dump(mode="json", exclude={"commit"})
        return sha_of([scenario_sha, content, trial, seed])

    def get(self, key: str) -> Transcript | None:
        """The transcript of a key, if there is a whole one."""
        if self._folder is None:
            return None
        try:
            return Transcript.model_validate_json((self._folder / f"{key}.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def put(self, key: str, transcript: Transcript) -> None:
        """Keep a transcript. Raises: EvalInputProblem."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_lines(self._folder / f"{key}.json", [transcript.model_dump_json()])
