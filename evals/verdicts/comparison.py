"""Two runs on the same data, pair by pair: what differs, how surely, and what could be missed.

Knows that only like may be compared with like, and which test fits which values. Does not know
files (scored_run.py) nor margins (gates.py). Pure. Called by compare_command.py, gates.py and the
report.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from evals.dialogues.scored_run import Key, ScoredRun, Values
from evals.problem import EvalProblem
from evals.statistics import LEVEL, Difference, holm, paired_difference

NAMED = 5
"""How many differences of two configurations are named."""

Verdict = Literal["better", "worse", "no difference shown"]


class NotComparable(EvalProblem):
    """Two runs cannot be compared; names what differs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scorer in both runs."""

    values: Values
    """Of run A, for unit and direction."""
    a: float
    b: float
    """Means over pairs."""
    difference: Difference
    holm: float
    """The p of the difference, as one of all rows that could show one."""
    only_a: int
    only_b: int
    """Dialogues that have a value in one run alone."""

    @property
    def verdict(self) -> Verdict:
        """Of B against A, at 5 % over all rows."""
        if self.holm >= 1 - LEVEL:
            return "no difference shown"
        rose = self.difference.value > 0
        return "better" if rose == (self.values.direction == "higher") else "worse"


@dataclass(frozen=True)
class Comparison:
    """Run B against run A."""

    a: str
    b: str
    rows: Sequence[Row]
    skipped: Mapping[str, str]
    """{scorer: why there is no row}."""
    gone: Sequence[str]
    """Of these, scorers that have values in A and none in B."""
    remarks: Sequence[str] = ()


def compare(a: ScoredRun, b: ScoredRun, seed: int = 0) -> Comparison:
    """Every scorer that both runs have. Raises: NotComparable."""
    remarks = check_same_data(a, b)
    rows, skipped = [], {}
    for name in sorted(a.values.keys() | b.values.keys()):
        try:
            rows.append(_row(name, a, b, seed))
        except _NoRow as reason:
            skipped[name] = str(reason)
    if not rows:
        raise NotComparable(f"{a.name} and {b.name} have no scorer with values in common")
    rows = _adjusted(rows)
    gone = [name for name in skipped if _speaks(name, a) and not _speaks(name, b)]
    return Comparison(a.name, b.name, rows, skipped, gone, remarks)


def _adjusted(rows: Sequence[Row]) -> list[Row]:
    """Holm over the rows that could show a difference at all; the others show none (Tarone)."""
    able = [row for row in rows if row.difference.attainable < 1 - LEVEL]
    adjusted = holm([row.difference.p for row in able])
    holms = dict(zip((row.values.scorer for row in able), adjusted, strict=True))
    return [replace(row, holm=holms.get(row.values.scorer, 1.0)) for row in rows]


def _speaks(name: str, run: ScoredRun) -> bool:
    return name in run.values and bool(run.values[name].applicable)


class _NoRow(Exception):
    """A scorer that cannot be compared, and why."""


def _row(name: str, a: ScoredRun, b: ScoredRun, seed: int) -> Row:
    if name not in a.values or name not in b.values:
        raise _NoRow(f"only {a.name if name in a.values else b.name} has it")
    mine, theirs = a.values[name], b.values[name]
    if mine.version != theirs.version:
        raise NotComparable(
            f"scorer {name} is version {mine.version} in {a.name} and {theirs.version} in "
            f"{b.name}: score both again (python -m evals score RUN)"
        )
    for what in ("unit", "direction"):
        if getattr(mine, what) != getattr(theirs, what):
            raise NotComparable(f"scorer {name}, field {what}: differs in {a.name} and {b.name}")
    left, right = mine.applicable, theirs.applicable
    keys = sorted(left.keys() & right.keys())
    if not keys:
        raise _NoRow("applies to no dialogue of both")
    x, y = (np.array([values[key] for key in keys], dtype=np.float64) for values in (left, right))
    # A new rng for each row: a row does not change when another one comes or goes.
    rng = np.random.default_rng(seed)
    found = paired_difference(x, y, [a.clusters[key] for key in keys], rng)
    lone = [len(values.keys() - set(keys)) for values in (left, right)]
    return Row(mine, float(x.mean()), float(y.mean()), found, found.p, lone[0], lone[1])


# --- what may be compared -------------------------------------------------------------------------


def check_same_data(a: ScoredRun, b: ScoredRun) -> list[str]:
    """Remarks on what is not known. Raises: NotComparable, naming what differs."""
    remarks = []
    if a.data is not None and b.data is not None:
        found = list(differing("data", a.data, b.data))
        if found:
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            told = "; ".join(f"{place}: {x!r} and {y!r}" for place, x, y in found[:NAMED])
            raise NotComparable(
                f"{a.name} and {b.name} were measured on different data: {told}{more}"
            )
        if a.agent is not None and a.agent == b.agent:
            remarks.append("both runs are of the same agent: what differs is noise")
    else:
        lacking = a.name if a.data is None else b.name
        remarks.append(f"{lacking} does not say what it was measured on: joined by id alone")
    _check_same_keys(a, b)
    return remarks


def _check_same_keys(a: ScoredRun, b: ScoredRun) -> None:
    for one, other in ((a, b), (b, a)):
        missing: list[Key] = sorted(one.keys - other.keys)
        if missing:
            scenario, trial = missing[0]
            raise NotComparable(
                f"{other.name} lacks {len(missing)} of {len(one.keys)} dialogues of {one.name} "
                f"(first: {scenario} trial {trial}): compare runs of the same dialogues"
            )


def differing(place: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """(path, old, new) of every leaf where two JSON values differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [
            found
            for key in sorted(old.keys() | new.keys())
            for found in differing(f"{place}.{key}", old.get(key), new.get(key))
        ]
    return [] if old == new else [(place, old, new)]


# --- telling --------------------------------------------------------------------------------------


def as_json(comparison: Comparison) -> dict[str, Any]:
    """One object for --json."""
    return {
        "a": comparison.a,
        "b": comparison.b,
        "remarks": list(comparison.remarks),
        "skipped": dict(comparison.skipped),
        "scorers": {row.values.scorer: _row_json(row) for row in comparison.rows},
    }


def _row_json(row: Row) -> dict[str, Any]:
    found = row.difference
    return {
        "a": round(row.a, 6),
        "b": round(row.b, 6),
        "difference": round(found.value, 6),
        "low": _known(found.low),
        "high": _known(found.high),
        "p": round(found.p, 6),
        "p_holm": round(row.holm, 6),
        "test": found.test,
        "detectable": _known(found.detectable),
        "pairs": found.pairs,
        "only_a": row.only_a,
        "only_b": row.only_b,
        "unit": row.values.unit,
        "direction": row.values.direction,
        "verdict": row.verdict,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
