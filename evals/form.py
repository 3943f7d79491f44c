"""The form of everything that evals writes and reads: nothing unknown, nothing changed afterwards.

Knows pydantic's settings only. Called by transcript.py, expected.py, scores.py and run_folder.py.
"""

from pydantic import BaseModel, ConfigDict


class Form(BaseModel):
    """Unknown fields are refused; instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
