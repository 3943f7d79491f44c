"""Gates: what a change must not do. Floors that may never break, and no loss against a baseline.

Knows the margins and what each check means. Does not know files, commands or forms of output
(gate_command.py, gate_output.py). Pure.

Not worse is shown, not assumed: the lower end of the interval of the paired difference (in the
better direction) must stay above minus the margin. Too few dialogues to show that is told apart
from a loss, and fails as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Literal

from evals.dialogues.scored_run import ScoredRun, Values
from evals.problem import EvalProblem
from evals.statistics import at_most
from evals.verdicts.comparison import Comparison, Row

SHARE_MARGIN = 0.05
"""Of shares, passes and probabilities: what 200 dialogues can tell apart at best
(research/evals-recsys.md 1.5)."""
RELATIVE_MARGIN = 0.10
"""Of counts, turns and calls, times the baseline's mean."""
SHARES = frozenset({"share", "pass", "probability"})
UNGATED = frozenset({"ms", "USD", "tokens"})
"""Units that depend on the machine or on prices: compared, never gated unless a margin is given."""
MAX_LOST = 0.10
"""Share of the baseline's values that may stop to apply: a scorer must not pass by falling silent.
"""
EVIDENCE_SHOWN = 5

MUST_BE_MEASURED = frozenset({"constraint_violations", "off_catalogue_films", "repeated_films"})
"""Floors without which a gate means nothing: a run on which they say nothing does not pass."""

Outcome = Literal["passed", "failed", "inconclusive", "advisory", "not measured"]
"""not measured: a floor that applied to no dialogue; told apart, and no pass."""


class NothingGated(EvalProblem):
    """A gate that checks nothing must not pass."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    group: Literal["floor", "baseline"]
    scorer: str
    outcome: Outcome
    told: str
    """What was found, in one line."""
    evidence: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the gate stays shut."""
        if self.outcome == "not measured":
            return self.scorer in MUST_BE_MEASURED
        return self.outcome in ("failed", "inconclusive")


@dataclass(frozen=True)
class Gate:
    """All checks of one run."""

    run: str
    baseline: str | None
    checks: Sequence[Check]
    remarks: Sequence[str] = field(default=())

    @property
    def opens(self) -> bool:
        """Whether the run may pass."""
        return not any(check.fails for check in self.checks)


# --- floors ---------------------------------------------------------------------------------------


def floors(run: ScoredRun) -> list[Check]:
    """Every scorer that must be without fault on every dialogue. Raises: NothingGated."""
    checks = [_floor(values, run) for values in run.values.values() if values.floor]
    if all(check.outcome == "not measured" for check in checks):
        raise NothingGated(
            f"{run.name} has no scorer with a floor that applies, so nothing would be checked: "
            "score it anew (python -m evals score RUN)"
        )
    return checks


def _floor(values: Values, run: ScoredRun) -> Check:
    broken = sorted(key for key, value in values.applicable.items() if value != values.best)
    looked = sum(s.of or 0 for s in run.scores if s.scorer == values.scorer)
    n = len(values.applicable)
    if not n:
        told = f"applies to none of {len(values.by_key)} dialogues, so nothing is known of it"
        return Check("floor", values.scorer, "not measured", told)
    if broken:
        evidence = tuple(
            f"{s.dialogue_id} turn {spot.turn}: {spot.detail}"
            for s in run.scores
            if s.scorer == values.scorer and s.falls
            for spot in s.evidence
        )
        told = f"broken in {len(broken)} of {n} dialogues"
        names = tuple(f"{scenario} trial {trial}" for scenario, trial in broken)
        return Check("floor", values.scorer, "failed", told, (evidence or names)[:EVIDENCE_SHOWN])
    looks = f" ({looked:,} looked at)" if looked else ""
    told = f"none in {n} dialogues{looks}: {bound_of(values, run)}"
    return Check("floor", values.scorer, "passed", told)


def bound_of(values: Values, run: ScoredRun) -> str:
    """What "never seen" leaves open (rule of three), by scenario: cards of one are no own tries."""
    scenarios = len({run.clusters[key] for key in values.applicable})
    return f"in at most {at_most(scenarios):.1%} of such scenarios"


# --- against the baseline -------------------------------------------------------------------------


def against(
    comparison: Comparison, margins: Mapping[str, float], advisory: frozenset[str] = frozenset()
) -> list[Check]:
    """Run B of the comparison must not be worse than A, the baseline. Raises: NothingGated."""
    known = {row.values.scorer for row in comparison.rows} | comparison.skipped.keys()
    unknown = sorted(margins.keys() - known)
    if unknown:
        raise NothingGated(f"a margin is given for {unknown[0]}, which neither run has")
    checks = []
    for row in comparison.rows:
        if row.values.floor:
            # Held absolutely, by `floors`; but it must still look where it looked.
            checks += [check for check in (_silenced(row, ""),) if check]
            continue
        margin = margins.get(row.values.scorer, default_margin(row))
        if margin is not None:
            checks.append(_advised(_not_worse(row, margin), advisory))
    for scorer in comparison.gone:
        lost = Check("baseline", scorer, "failed", "the baseline has values, this run has none")
        checks.append(_advised(lost, advisory))
    if not checks and not any(row.values.floor for row in comparison.rows):
        raise NothingGated(f"no scorer of {comparison.b} can be held against {comparison.a}")
    return checks


def default_margin(row: Row) -> float | None:
    """What may be lost, in the scorer's unit; None = not gated."""
    unit = row.values.unit
    if unit in UNGATED:
        return None
    return SHARE_MARGIN if unit in SHARES else max(SHARE_MARGIN, RELATIVE_MARGIN * abs(row.a))


def _not_worse(row: Row, margin: float) -> Check:
    values, found = row.values, row.difference
    up = values.direction == "higher"
    sign = 1.0 if up else -1.0
    gain = sign * found.value + 0.0  # no "-0"
    worst, best = sorted((sign * found.low + 0.0, sign * found.high + 0.0))
    told = (
        f"{row.a:.3g} -> {row.b:.3g} {values.unit}, {gain:+.3g} in the better direction "
        f"[{worst:+.3g}, {best:+.3g}], margin {margin:.3g}, {found.pairs} pairs"
    )
    silenced = _silenced(row, f"; {told}")
    if silenced:
        return silenced
    if isnan(found.low):
        told = f"too few scenarios to say: {row.a:.3g} -> {row.b:.3g}, {found.pairs} pairs"
        return Check("baseline", values.scorer, "advisory", told)
    if worst > -margin:
        return Check("baseline", values.scorer, "passed", told)
    if best < 0 or gain <= -margin:
        return Check("baseline", values.scorer, "failed", f"worse: {told}")
    told = f"not shown to be within the margin, play more dialogues: {told}"
    return Check("baseline", values.scorer, "inconclusive", told)


def _silenced(row: Row, more: str) -> Check | None:
    had = row.difference.pairs + row.only_a
    if row.only_a <= MAX_LOST * had:
        return None
    told = f"no longer applies to {row.only_a} of {had} dialogues{more}"
    return Check("baseline", row.values.scorer, "failed", told)


def _advised(check: Check, advisory: frozenset[str]) -> Check:
    """A judge that was not calibrated may be heard, but does not decide."""
    if check.scorer not in advisory or not check.fails:
        return check
    told = f"{check.told} (advisory: {check.outcome}, does not count)"
    return Check(check.group, check.scorer, "advisory", told)
