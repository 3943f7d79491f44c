"""Every deterministic scorer, and how a set of dialogues is scored.

Knows the list. Does not know any fault: those are in the files by theme. Pure. Called by the
commands that score. A new scorer is a function and a line in `RULES` of its file.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from evals.dialogues.reference import Reference
from evals.dialogues.scores import Score, Scorer
from evals.dialogues.transcript import Transcript
from evals.scorers import (
    constraints,
    grounding,
    lists,
    moves,
    operation,
    reasons,
    success,
    wording,
)
from evals.scorers.case import Case, Rule

Report = Callable[[int, int], None]

RULES: tuple[Rule, ...] = (
    *constraints.RULES,
    *grounding.RULES,
    *reasons.RULES,
    *moves.RULES,
    *success.RULES,
    *lists.RULES,
    *wording.RULES,
    *operation.RULES,
)
SCORERS: dict[str, Scorer] = {
    scorer.name: scorer
    for scorer in (*(rule.scorer for rule in RULES), success.CONSISTENT, success.STABLE)
}


def score_all(
    transcripts: Sequence[Transcript],
    reference: Reference | None,
    report: Report = lambda done, total: None,
) -> list[Score]:
    """All scores of all dialogues, and of each scenario played in several wordings."""
    cases = []
    scores: list[Score] = []
    for number, transcript in enumerate(transcripts, 1):
        case = Case(transcript, reference)
        scores += [rule.score(case) for rule in RULES]
        cases.append(case)
        report(number, len(transcripts))
    return scores + [score for group in _trials(cases) for score in success.wordings(group)]


def _trials(cases: Iterable[Case]) -> list[list[Case]]:
    """The cases of every scenario that was played more than once."""
    named = [case for case in cases if case.transcript.scenario_id]
    ordered = sorted(named, key=lambda case: case.transcript.key)
    groups = (list(g) for _, g in groupby(ordered, key=lambda case: case.transcript.scenario_id))
    return [group for group in groups if len(group) > 1]
