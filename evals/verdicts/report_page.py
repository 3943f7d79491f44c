"""One run as one HTML page: readable alone, beside another run, in the dark, on paper.

Knows what stands on the page and in which order. Does not know how figures come about (summary.py,
comparison.py), plots (report_plots.py) or dialogues (report_talk.py). Pure: the same run gives the
same page. No script, nothing loaded, every text escaped. Called by report_command.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isnan
from pathlib import Path
from typing import Any

from evals.dialogues.scored_run import ScoredRun, Values
from evals.dialogues.summary import (
    MIN_SLICE,
    Slice,
    estimate,
    grades,
    latencies,
    sliced_scorers,
    slices_of,
    success_by_turn,
    worst,
)
from evals.dialogues.transcript import Transcript
from evals.judging.calibration_file import PREFIX, JudgeLog
from evals.statistics import Interval
from evals.verdicts import report_plots as plots
from evals.verdicts.comparison import Comparison, Row
from evals.verdicts.gate_output import difference_of, number
from evals.verdicts.gates import SHARES, bound_of
from evals.verdicts.report_talk import talk

STYLE = Path(__file__).with_name("report.css")
WORST = 20
UNFOLDED = 12
"""Slices of one kind that are shown without a click."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SECTIONS = {
    "floors": "Must never happen",
    "scores": "Scores",
    "compare": "Against the other run",
    "plots": "Curves",
    "slices": "Slices",
    "worst": "Worst dialogues",
    "about": "What was run",
}


@dataclass(frozen=True)
class Material:
    """Everything a page is made of."""

    run: ScoredRun
    transcripts: Sequence[Transcript]
    comparison: Comparison | None = None
    other: Sequence[Transcript] = field(default=())
    """The dialogues of the run it is compared with."""
    log: JudgeLog | None = None
    """Of the judge, if one graded the run."""


def page(given: Material) -> str:
    """The whole page."""
    sections = {
        "floors": _floors(given.run),
        "scores": _scores(given),
        "compare": _comparison(given.comparison),
        "plots": _plots(given),
        "slices": _slices(given),
        "worst": _worst(given),
        "about": _about(given),
    }
    kept = {name: body for name, body in sections.items() if body}
    links = "".join(f'<a href="#{name}">{_SECTIONS[name]}</a>' for name in kept)
    bodies = "".join(
        f'<section id="{name}"><h2>{_SECTIONS[name]}</h2>{body}</section>'
        for name, body in kept.items()
    )
    title = escape(f"Usher evals: {given.run.name}")
    turns = sum(len(one.turns) for one in given.transcripts)
    told = f"{len(given.transcripts):,} dialogues · {turns:,} turns · whole"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<style>{STYLE.read_text('utf-8')}</style></head><body><main><header>"
        f"<h1>{escape(given.run.name)}</h1>"
        f'<div class="note">{escape(told)}</div><nav>{links}</nav></header>'
        f"{bodies}</main></body></html>\n"
    )


# --- sections -------------------------------------------------------------------------------------


def _floors(run: ScoredRun) -> str:
    tiles = [_tile(values, run) for values in run.values.values() if values.floor]
    return f'<div class="tiles">{"".join(tiles)}</div>' if tiles else ""


def _tile(values: Values, run: ScoredRun) -> str:
    found = values.applicable
    broken = sum(value != values.best for value in found.values())
    looked = sum(s.of or 0 for s in run.scores if s.scorer == values.scorer)
    if not found:
        kind, head, note = "silent", "–", "applies to no dialogue"
    elif broken:
        kind, head, note = "broken", str(broken), f"of {len(found):,} dialogues break it"
    else:
        seen = f"{looked:,} looked at, " if looked else ""
        kind, head, note = "kept", "0", f"{seen}{bound_of(values, run)}"
    name = escape(values.scorer.replace("_", " "))
    return f'<div class="tile {kind}"><b>{head}</b><span>{name}</span><small>{note}</small></div>'


def _scores(given: Material) -> str:
    run = given.run
    rows = [_score_row(v, estimate(v, run), len(v.by_key)) for v in run.values.values()]
    head = "<th>scorer</th><th>unit</th><th class=n>mean</th><th>95 % interval</th><th></th>"
    log = given.log
    judged = any(name.startswith(PREFIX) for name in run.values)
    note = (
        "Means over dialogues to which a scorer applies, with 95 % intervals: Wilson for passes of "
        "single dialogues, else a bootstrap over scenarios. ↑ higher is better, ↓ lower is."
    )
    if judged and log is not None:
        lost = log.unparsed + log.unfounded + log.no_evidence + log.failed
        note += (
            f" {PREFIX}* are verdicts of {log.judge.model_id} (prompt {log.judge.prompt_sha}), "
            f"advisory unless calibrated; {lost} of {log.verdicts} verdicts are unscored "
            f"({log.unparsed} unparsed, {log.unfounded} without a true quote, "
            f"{log.no_evidence} without evidence, {log.failed} failed)."
        )
    return (
        f'<p class="note">{escape(note)}</p><div class="card scroll"><table><tr>{head}'
        f"<th class=n>dialogues</th></tr>{''.join(rows)}</table></div>"
    )


def _score_row(values: Values, found: Interval, of: int) -> str:
    arrow = "↑" if values.direction == "higher" else "↓"
    reach = max(found.value, 0.0 if isnan(found.high) else found.high, 1e-9) * 1.15
    top = 1.0 if values.unit in SHARES else reach
    name = f"<td>{escape(values.scorer)}</td><td class=unit>{escape(values.unit)} {arrow}</td>"
    if not found.n:
        cells = "<td class=n>–</td><td></td><td class=unit>not applicable</td>"
        return f"<tr>{name}{cells}<td class=n>0 of {of:,}</td></tr>"
    told = f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"
    bar = plots.interval(found.value, found.low, found.high, top, told)
    return (
        f"<tr>{name}<td class=n><b>{number(found.value)}</b></td><td>{bar}</td>"
        f"<td class='unit n'>{number(found.low)} – {number(found.high)}</td>"
        f"<td class=n>{found.n:,} of {of:,}</td></tr>"
    )


def _comparison(found: Comparison | None) -> str:
    if found is None:
        return ""
    note = (
        f"B − A, paired by scenario and trial. A is {found.a}, B is {found.b}. p after Holm's "
        "correction over all rows that could show a difference; “detectable” is the smallest true "
        "difference that these pairs show in 4 of 5 tries. " + ". ".join(found.remarks)
    )
    skipped = "; ".join(f"{name}: {why}" for name, why in found.skipped.items())
    heads = ("scorer", "unit", "A", "B", "B − A", "", "p", "detectable", "pairs", "")
    right = ("A", "B", "B − A", "p", "detectable", "pairs")
    head = "".join(f"<th{' class=n' if h in right else ''}>{h}</th>" for h in heads)
    body = "".join(_comparison_row(row) for row in found.rows)
    left_out = f'<p class="note">Not compared: {escape(skipped)}</p>' if skipped else ""
    return (
        f'<p class="note">{escape(note)}</p><div class="card scroll"><table><tr>{head}</tr>{body}'
        f"</table></div>{left_out}"
    )


def _comparison_row(row: Row) -> str:
    found, arrow = row.difference, "↑" if row.values.direction == "higher" else "↓"
    kind = "same" if row.verdict == "no difference shown" else row.verdict
    told = f"{difference_of(row)}, {found.test}"
    bar = plots.gap(found.value, found.low, found.high, kind, told)
    p = f"{row.holm:.3f}" if row.holm >= 0.001 else "&lt;0.001"
    seen = "unknown" if isnan(found.detectable) else f"±{found.detectable:.2g}"
    return (
        f"<tr><td>{escape(row.values.scorer)}</td><td class=unit>{escape(row.values.unit)} {arrow}"
        f"</td><td class=n>{number(row.a)}</td><td class=n>{number(row.b)}</td>"
        f"<td class=n><b>{found.value:+.3g}</b></td><td>{bar}</td><td class=n>{p}</td>"
        f"<td class=n>{seen}</td><td class=n>{found.pairs:,}</td>"
        f"<td class={kind}>{row.verdict if kind != 'same' else ''}</td></tr>"
    )


def _plots(given: Material) -> str:
    name = given.run.name
    before = given.comparison.a if given.comparison else ""
    runs = [(name, given.transcripts), (before, given.other)]
    drawn = [(n, success_by_turn(t)) for n, t in runs if t]
    curves = [
        plots.Series(f"{n} ({c.n})", list(enumerate(c.shares, 1)), c.low, c.high)
        for n, c in drawn
        if c is not None
    ]
    parts = []
    if curves:
        plot = plots.lines(curves, "turn", "accepted a film so far")
        parts.append(_plot("Success by turn", plot))
    waits = [
        plots.Series(f"{what}, {n}", [(ms, (i + 1) / len(all_ms)) for i, ms in enumerate(all_ms)])
        for n, talks in runs
        for what, all_ms in latencies(talks).items()
    ]
    if waits:
        parts.append(_plot("Latency", plots.cumulative(waits, "ms (log)", "of turns, at most")))
    points = grades(given.run, given.transcripts)
    if points:
        plot = plots.scatter(points, "people's rating", "judge's grade")
        parts.append(_plot(f"Judge against people ({len(points)} dialogues)", plot))
    return f'<div class="plots">{"".join(parts)}</div>' if parts else ""


def _plot(title: str, svg: str) -> str:
    return f'<div class="card"><h3>{escape(title)}</h3>{svg}</div>'


def _slices(given: Material) -> str:
    scorers, found = sliced_scorers(given.run), slices_of(given.transcripts)
    if not scorers or not found:
        return ""
    note = (
        "The shares that vary most between dialogues, by what dialogues have in common; ± is half "
        f"the 95 % interval, none in fewer than six scenarios. Slices of fewer than {MIN_SLICE} "
        "dialogues show no mean. Slices were not chosen beforehand: among many, some differ by "
        "chance."
    )
    everything = Slice("", "all", frozenset(given.run.keys))
    groups: dict[str, list[Slice]] = {}
    for one in found:
        groups.setdefault(one.by, []).append(one)
    tables = [
        _folded(
            f"by {by} ({len(group)})", len(group) <= UNFOLDED, _sliced(rows, scorers, given.run)
        )
        for by, group in groups.items()
        for rows in ([everything, *group],)
    ]
    return f'<p class="note">{note}</p>{"".join(tables)}'


def _folded(title: str, is_open: bool, body: str) -> str:
    return (
        f'<details class="talk"{" open" if is_open else ""}><summary>{escape(title)}</summary>'
        f'<div class="scroll">{body}</div></details>'
    )


def _sliced(rows: Sequence[Slice], scorers: Sequence[Values], run: ScoredRun) -> str:
    head = "".join(f"<th class=n>{escape(v.scorer)}</th>" for v in scorers)
    body = "".join(_slice_row(one, scorers, run) for one in rows)
    return f"<table><tr><th>slice</th><th class=n>dialogues</th>{head}</tr>{body}</table>"


def _slice_row(one: Slice, scorers: Sequence[Values], run: ScoredRun) -> str:
    cells = []
    for values in scorers:
        found = estimate(values, run, one.keys)
        if found.n < MIN_SLICE:
            cells.append("<td class=heat><small>–</small></td>")
            continue
        good = found.value if values.direction == "higher" else 1 - found.value
        tint = f"color-mix(in srgb, var(--bad) {max(0.0, 1 - good) * 45:.0f}%, transparent)"
        half = (found.high - found.low) / 2
        doubt = "" if isnan(half) else f" <small>±{half:.2f}</small>"
        cells.append(f'<td class=heat style="background:{tint}">{found.value:.2f}{doubt}</td>')
    name, n = escape(one.name), len(one.keys)
    return f"<tr><td>{name}</td><td class=n>{n:,}</td>{''.join(cells)}</tr>"


def _worst(given: Material) -> str:
    found = worst(given.run, given.transcripts, WORST)
    if not found:
        return '<p class="note">No scorer found anything wrong with any dialogue.</p>'
    note = (
        f"The {len(found)} furthest from what is best: broken floors first, then the mean distance "
        "over all scorers. What was found stands beside the turn; what it quotes is marked."
    )
    talks = [talk(bad, place, place == 1) for place, bad in enumerate(found, 1)]
    return f'<p class="note">{note}</p>{"".join(talks)}'


def _about(given: Material) -> str:
    rows = [*_flat("data", given.run.data or {}), *_flat("agent", given.run.agent or {})]
    cells = "".join(
        f"<tr><td><code>{escape(place)}</code></td><td><code>{escape(value)}</code></td></tr>"
        for place, value in rows
    )
    return f'<div class="card scroll"><table>{cells}</table></div>'


def _flat(place: str, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            found += _flat(f"{place}.{key}", value)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            found.append((f"{place}.{key}", text))
    return found
