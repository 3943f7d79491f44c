"""`make figures`: our scenarios in many wordings, and how long scoring all of them takes.

Knows the rows. Does not know how messages are reworded (reword.py), played or scored. Called by
figures.py.
"""

import time
from collections.abc import Sequence

from evals.dialogues.scored import Scored, scored
from evals.report import Row
from evals.scorers.all import SCORERS
from evals.scorers.success import CONSISTENT, STABLE, WORDINGS
from evals.suite import played
from infra.wiring import Services

TRIALS = 37
"""Wordings of each of 22 scenarios: more than the 800 dialogues of the bound below."""
CONSISTENCY = f"consistency^{WORDINGS}: clean in {WORDINGS} of {WORDINGS} wordings"
STABILITY = "list stability over wordings (Jaccard of the last lists)"
SPEED = "scoring all wordings with every deterministic scorer"
FIGURES = (CONSISTENCY, STABILITY, SPEED)
MS_PER_DIALOGUE = 75
"""60 s for 800 dialogues."""


async def measure(services: Services, data: str) -> list[Row]:
    """Play every scenario in so many wordings and score them."""
    transcripts, reference = await played(services, trials=TRIALS)
    began = time.perf_counter()
    found = scored(transcripts, reference)
    seconds = time.perf_counter() - began
    ms = 1000 * seconds / len(transcripts)
    speed = f"{seconds:.0f} s for {len(transcripts)} dialogues, {len(SCORERS)} scorers"
    return [
        *(Row(name, data, _mean(found, scorer), "") for name, scorer in _SCORED),
        Row(SPEED, data, f"{speed} ({ms:.0f} ms each)", f"<= {MS_PER_DIALOGUE} ms each"),
    ]


_SCORED: Sequence[tuple[str, str]] = ((CONSISTENCY, CONSISTENT.name), (STABILITY, STABLE.name))


def _mean(found: Scored, scorer: str) -> str:
    row = found.means()[scorer]
    return f"{row['mean']:.3f} over {row['applicable']} scenarios"
