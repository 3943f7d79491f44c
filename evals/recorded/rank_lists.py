"""Two `rank --output` files as runs that can be compared: one value a turn and metric.

Knows the form of a rank file and which targets count. Does not know metrics (ranking_metrics.py)
nor how runs are compared (comparison.py). Called by compare_command.py.
"""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evals.dialogues.scored_run import ScoredRun, Values
from evals.dialogues.transcript_files import EvalInputProblem, objects_of, validated
from evals.recorded.rank_command import read
from evals.recorded.ranking import overlap
from evals.recorded.ranking_metrics import METRICS, judged


class RankLine(BaseModel):
    """One list, best first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    qid: str
    movie_ids: tuple[str, ...]


def is_rank_file(path: Path) -> bool:
    """Whether the first line is a ranked list rather than a score."""
    if path.suffix == ".json":
        return False
    first = next((row for _, row in objects_of(path)), {})
    return "movie_ids" in first


def overlap_of(a: Path, b: Path, k: int) -> float:
    """Mean share of films that the first k of both have, turn by turn. Raises: EvalInputProblem."""
    one, other = _lists_in(a), _lists_in(b)
    if one.keys() != other.keys():
        raise EvalInputProblem(f"{a} and {b} are not lists of the same turns")
    return overlap([one[qid][:k] for qid in one], [other[qid][:k] for qid in one])


def _lists_in(path: Path) -> dict[str, tuple[str, ...]]:
    lists: dict[str, tuple[str, ...]] = {}
    for number, row in objects_of(path):
        line = validated(RankLine, row, f"{path} line {number}")
        if line.qid in lists:
            raise EvalInputProblem(f"{path} line {number}, field qid: {line.qid} is there twice")
        lists[line.qid] = line.movie_ids
    return lists


def load_lists(
    path: Path, turns: Path, names: Path | None, k: int, first: int | None = None
) -> ScoredRun:
    """Metrics of each turn that has a new target, of the `first` turns if that is given.

    Raises: EvalInputProblem, InputProblem.
    """
    if k < 1:
        raise EvalInputProblem("-k must be 1 or more")
    lists = _lists_in(path)
    cases, _ = read(turns, names, None)
    asked = [case for case in cases[:first] if case.new_targets]
    lacking = [case.qid for case in asked if case.qid not in lists]
    if lacking or not asked:
        told = f"lacks {len(lacking)} turns of {turns} (first: {lacking[0]})" if lacking else ""
        raise EvalInputProblem(f"{path} {told or f'has nothing to find: {turns} has no targets'}")
    found = {c.qid: judged(lists[c.qid], frozenset(c.new_targets)) for c in asked}
    values = {
        f"{metric.name}@{k}": Values(
            scorer=f"{metric.name}@{k}",
            version=1,
            unit="pass" if metric.name == "hit_rate" else "share",
            direction="higher",
            floor=False,
            by_key={(qid, 0): metric.of(one, k) for qid, one in found.items()},
        )
        for metric in METRICS
    }
    data = {
        "turns": hashlib.sha256(turns.read_bytes()).hexdigest()[:16],
        "positives": "targets of the turn, those mentioned before left out",
        "k": k,
    }
    clusters = {(case.qid, 0): case.dialogue_id for case in asked}
    return ScoredRun(path.name, data, {"ranks": path.name}, values, clusters)
