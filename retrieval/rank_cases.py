"""What the ranker is trained on: tables of features with labels, by turn and dialogue.

Knows the file (npz). Does not know where searches come from
(`python -m evals cases` makes the file, since it takes the agent to understand a turn) nor how a
ranker learns (jobs/train_ranker.py). Numbers only: no text, no ids of films.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.film_facts import Floats
from retrieval.rank_features import NAMES

CASES = "fold-{fold}.npz"
"""The file of what the ranker of a fold may learn from: the other folds, seen without it."""
TARGET, LATER = 2, 1
"""Labels: recommended in this very turn; named by either side later in the same dialogue."""


class CasesRefused(Exception):
    """The file cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Cases:
    """Every turn with its candidates, best by the fixed weights first."""

    table: Floats
    """(candidates of all turns, features)."""
    labels: npt.NDArray[np.int8]
    """(candidates of all turns,)."""
    sizes: npt.NDArray[np.int64]
    """(turns,): how many candidates each has."""
    dialogues: Sequence[str]
    """Of each turn."""
    folds: Mapping[str, int]
    """{dialogue_id: its fold}: the counts behind a turn's features know nothing of its fold."""

    def save(self, path: Path) -> None:
        """Write one npz file."""
        head = {
            "features": list(NAMES),
            "dialogues": list(self.dialogues),
            "folds": dict(self.folds),
        }
        packed = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        with path.open("wb") as file:
            np.savez_compressed(
                file, head=packed, table=self.table, labels=self.labels, sizes=self.sizes
            )

    @classmethod
    def load(cls, path: Path) -> "Cases":
        """Raises: CasesRefused."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            head = json.loads(arrays["head"].tobytes())
            if head["features"] != list(NAMES):
                raise CasesRefused(
                    f"{path} has other features: make it anew: python -m evals cases"
                )
            return cls(
                arrays["table"], arrays["labels"], arrays["sizes"], head["dialogues"], head["folds"]
            )
        except (OSError, ValueError, KeyError) as error:
            raise CasesRefused(f"{path} cannot be read ({error}): python -m evals cases") from None
