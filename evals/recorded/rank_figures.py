"""From answered turns to figures: recall by row and stratum, linking, grounding; as table and JSON.

Knows which targets count and how an interval is drawn. Does not know retrieval or files. Called by
`python -m evals rank` and figures.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from evals.recorded.rank import AS_WRITTEN, FULL, PROPOSALS, Run
from evals.recorded.rank_input import Case, named_in
from evals.recorded.ranking import ABSENT, Estimate, paired_gain, recall_estimate
from evals.recorded.ranking_metrics import METRICS, coverage, judged_ranks, mean, per_query

KS = (1, 5, 10, 20, 50, 200)
METRICS_K = 10
"""Where the metrics beside recall are cut."""


@dataclass(frozen=True)
class Figures:
    """Everything that a run says about ranking."""

    protocol: str
    turns: int
    new_targets: int
    mentioned_targets: int
    """Targets named earlier in their context: counted here and nowhere else."""
    rows: Mapping[str, Mapping[int, Estimate]]
    """{row: {k: recall@k}} over new targets."""
    metrics_k: int
    """Where the metrics beside recall are cut: `METRICS_K`, or k if lists are shorter."""
    metrics: Mapping[str, Mapping[str, float]]
    """{row: {metric: mean over turns that have a new target}}."""
    coverage: float
    """Share of the candidates that the first row puts into the first `metrics_k` of any turn."""
    linking: Mapping[str, float]
    """Precision and recall of the agent's own linking against the labelled entities, if there are
    any."""
    barred: Mapping[str, int]
    """New targets that the agent's own constraints rule out, by the first clause that does."""
    grounding: Mapping[str, float]
    paired: Mapping[int, Estimate]
    """{k: recall@k of everything less that of the proposals alone}, where there are proposals."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """One flat object for --json."""
        rows = {
            name: {f"R@{k}": _estimate(estimate) for k, estimate in row.items()}
            for name, row in self.rows.items()
        }
        return {
            "protocol": self.protocol,
            "turns": self.turns,
            "new_targets": self.new_targets,
            "mentioned_targets": self.mentioned_targets,
            "rows": rows,
            f"metrics@{self.metrics_k}": {
                name: {metric: round(value, 4) for metric, value in row.items()}
                for name, row in self.metrics.items()
            },
            f"coverage@{self.metrics_k}": round(self.coverage, 4),
            "linking": dict(self.linking),
            "barred": dict(self.barred),
            "grounding": dict(self.grounding),
            "paired": {f"R@{k}": _estimate(gain) for k, gain in self.paired.items()},
            "seconds": round(self.seconds, 1),
        }


def figures_of(run: Run, names: Mapping[str, str], seed: int = 0) -> Figures | None:
    """The figures; None when no turn of the input says what was right."""
    if not any(case.targets for case in run.cases):
        return None
    proposed = [case for case in run.cases if case.proposals]
    strata: dict[str, Sequence[Case]] = {"": run.cases}
    if proposed and len(proposed) < len(run.cases):
        strata[f" ({len(proposed)} turns with proposals)"] = proposed
    named_rows = {
        f"{row}{label}": (cases, row)
        for label, cases in strata.items()
        for row in dict.fromkeys(r for c in cases for r in run.answers[c.qid].ranks)
        # Proposals alone say nothing about turns that have none.
        if row not in (PROPOSALS, AS_WRITTEN) or len(cases) == len(proposed)
    }
    new = sum(len(case.new_targets) for case in run.cases)
    k = min(METRICS_K, run.protocol.k)
    return Figures(
        protocol=run.protocol.describe(),
        turns=len(run.cases),
        new_targets=new,
        mentioned_targets=sum(len(case.targets) for case in run.cases) - new,
        rows={name: _row(run, cases, row, seed) for name, (cases, row) in named_rows.items()},
        metrics_k=k,
        metrics={name: _metrics(run, cases, row, k) for name, (cases, row) in named_rows.items()},
        coverage=coverage([a.movie_ids for a in run.answers.values()], run.candidates, k),
        linking=_linking(run, names),
        barred=dict(Counter(b for a in run.answers.values() for b in a.barred).most_common()),
        grounding=_grounding(run),
        paired=_paired(run, proposed, seed),
        seconds=run.seconds,
    )


def _row(run: Run, cases: Sequence[Case], row: str, seed: int) -> dict[int, Estimate]:
    pairs = [(r, c.dialogue_id) for c in cases for r in run.answers[c.qid].ranks[row]]
    ranks = np.array([rank for rank, _ in pairs], dtype=np.int32)
    clusters = [dialogue_id for _, dialogue_id in pairs]
    # A new rng for each row and k: rows are compared on the same draws.
    return {
        k: recall_estimate(ranks, clusters, k, np.random.default_rng(seed))
        for k in KS
        if k <= run.protocol.k
    }


def _paired(run: Run, cases: Sequence[Case], seed: int) -> dict[int, Estimate]:
    """What everything else adds to the proposals alone, on the same turns."""
    answers = [(case, run.answers[case.qid].ranks) for case in cases]
    if not all(FULL in ranks and PROPOSALS in ranks for _, ranks in answers):
        return {}
    full, base = (
        np.array([r for _, ranks in answers for r in ranks[row]], dtype=np.int32)
        for row in (FULL, PROPOSALS)
    )
    clusters = [case.dialogue_id for case in cases for _ in case.new_targets]
    return {
        k: paired_gain(full, base, clusters, k, np.random.default_rng(seed))
        for k in KS
        if len(clusters) and 5 <= k <= 50
    }


def _metrics(run: Run, cases: Sequence[Case], row: str, k: int) -> dict[str, float]:
    lists = [judged_ranks(run.answers[case.qid].ranks[row], ABSENT) for case in cases]
    return {metric.name: mean(per_query(lists, metric, k)) for metric in METRICS}


def _linking(run: Run, names: Mapping[str, str]) -> dict[str, float]:
    """Micro precision and recall of the films heard, over turns that carry labelled entities."""
    right = heard = named = 0
    for case in run.cases:
        labelled = named_in(case, names) if names else None
        if labelled is None:
            continue
        mine = run.answers[case.qid].heard
        right += len(mine & labelled)
        heard += len(mine)
        named += len(labelled)
    if not named:
        return {}
    return {
        "precision": round(right / heard, 4) if heard else 0.0,
        "recall": round(right / named, 4),
        "named": named,
        "heard": heard,
    }


def _grounding(run: Run) -> dict[str, float]:
    titles = sum(len(case.proposals) for case in run.cases)
    found = sum(run.answers[case.qid].grounded for case in run.cases)
    return {"titles": titles, "resolved": round(found / titles, 4)} if titles else {}


def table_of(figures: Figures) -> Table:
    """The figures for the terminal."""
    ks = list(next(iter(figures.rows.values())))
    title = f"{figures.new_targets:,} new targets of {figures.turns:,} turns; 95 % intervals"
    table = Table(title=title, caption=figures.protocol)
    table.add_column("row")
    for k in ks:
        table.add_column(f"R@{k}", justify="right")
    for name, row in figures.rows.items():
        table.add_row(name, *[str(row[k]) for k in ks])
    return table


def metrics_table_of(figures: Figures) -> Table:
    """The other metrics, with the definition of each below the table."""
    says = "; ".join(f"{metric.name}: {metric.says}" for metric in METRICS)
    first = next(iter(figures.metrics))
    covered = f"{first} covers {figures.coverage:.1%} of the candidates"
    title = f"at {figures.metrics_k}, means over turns with a new target; {covered}"
    table = Table(title=title, caption=f"{figures.protocol}. {says}")
    table.add_column("row")
    for metric in METRICS:
        table.add_column(metric.name, justify="right")
    for name, row in figures.metrics.items():
        table.add_row(name, *(f"{row[m.name]:.3f}".removeprefix("0") for m in METRICS))
    return table


def remarks_of(figures: Figures) -> list[str]:
    """What else the run showed, in lines."""
    lines = [f"{figures.mentioned_targets} targets were mentioned already: counted apart"]
    if figures.linking:
        link = figures.linking
        lines.append(
            f"linking of {link['named']:.0f} labelled mentions: precision {link['precision']:.3f}, "
            f"recall {link['recall']:.3f}"
        )
    if figures.barred:
        reasons = ", ".join(f"{why} {n}" for why, n in list(figures.barred.items())[:5])
        total = sum(figures.barred.values())
        lines.append(f"{total} targets are ruled out by what the agent took for a must: {reasons}")
    if figures.paired:
        gains = ", ".join(
            f"R@{k} {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
            for k, gain in figures.paired.items()
        )
        lines.append(f"full less proposals, paired over dialogues: {gains}")
    if figures.grounding:
        found = figures.grounding
        lines.append(f"{found['resolved']:.1%} of {found['titles']:.0f} proposed titles grounded")
    return lines


def _estimate(estimate: Estimate) -> dict[str, float]:
    return {
        "value": round(estimate.value, 4),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
        "n": estimate.n,
    }
