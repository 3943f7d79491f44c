"""A gate's verdict for people and machines: terminal, Markdown for a pull request, JUnit XML, JSON.

Knows forms only. Does not know how anything was checked (gates.py). Pure. Called by
gate_command.py and compare_command.py.
"""

import math
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from evals.verdicts.comparison import Comparison, Row
from evals.verdicts.gates import Check, Gate

MARKS = {
    **{"passed": "✅", "failed": "❌", "inconclusive": "❔", "advisory": "💬"},
    "not measured": "⚠️",
}
UNDECIDED = ("advisory", "not measured")
VERDICTS = {"better": "▲ better", "worse": "▼ worse", "no difference shown": "·"}
HEAD = ("scorer", "unit", "A", "B", "B - A [95 %]", "p (Holm)", "test", "detectable", "pairs", "")
_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r"}
"""Characters that XML cannot hold, not even escaped."""
_MARKUP = frozenset("\\`|<>@#")
"""What would end a table cell, open a tag or call a person in a pull request."""


def junit(gate: Gate) -> str:
    """One test case a check, for CI systems."""
    failing = sum(check.fails for check in gate.checks)
    skipped = sum(c.outcome in UNDECIDED and not c.fails for c in gate.checks)
    counts = {"tests": len(gate.checks), "failures": failing, "errors": 0, "skipped": skipped}
    suite = ElementTree.Element(
        "testsuite", {"name": _clean(f"usher evals: {gate.run}")} | _texts(counts)
    )
    for check in gate.checks:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": f"evals.{check.group}", "name": _clean(check.scorer)}
        )
        if check.fails:
            failure = ElementTree.SubElement(
                case, "failure", {"message": _clean(check.told), "type": check.outcome}
            )
            failure.text = _clean("\n".join(check.evidence))
        elif check.outcome in UNDECIDED:
            ElementTree.SubElement(case, "skipped", {"message": _clean(check.told)})
    root = ElementTree.Element("testsuites", _texts(counts))
    root.append(suite)
    ElementTree.indent(root)
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def markdown(gate: Gate, comparison: Comparison | None) -> str:
    """A summary to put under a pull request: the verdict, what fails, and a table to unfold."""
    state = "✅ **passes**" if gate.opens else "❌ **does not pass**"
    against = f" against {_cell(gate.baseline)}" if gate.baseline else ""
    lines = [f"### Evals: {_cell(gate.run)} {state}{against}", ""]
    lines += [f"> {_cell(remark)}" for remark in gate.remarks]
    for check in gate.checks:
        if check.fails or check.outcome in UNDECIDED:
            told = f"{check.outcome}: {check.told}" if check.outcome in UNDECIDED else check.told
            lines.append(f"- {MARKS[check.outcome]} **{_cell(check.scorer)}**: {_cell(told)}")
            lines += [f"  - {_cell(spot)}" for spot in check.evidence]
    passed = [check for check in gate.checks if check.outcome == "passed"]
    lines += ["", f"<details><summary>{len(passed)} checks passed</summary>", ""]
    lines += [f"- **{_cell(check.scorer)}**: {_cell(check.told)}" for check in passed]
    lines += ["", "</details>"]
    if comparison is not None:
        lines += ["", "<details><summary>every scorer</summary>", "", table(comparison)]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def table(comparison: Comparison) -> str:
    """The comparison as a Markdown table."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for row in comparison.rows:
        cells = [_cell(cell) for cell in cells_of(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def cells_of(row: Row) -> list[str]:
    """One row of a table of comparisons, for any table."""
    found = row.difference
    arrow = "↑" if row.values.direction == "higher" else "↓"
    lone = f" +{row.only_a} in A +{row.only_b} in B" if row.only_a or row.only_b else ""
    return [
        row.values.scorer,
        f"{row.values.unit} {arrow}",
        number(row.a),
        number(row.b),
        difference_of(row),
        f"{row.holm:.3f}" if row.holm >= 0.001 else "<0.001",
        found.test,
        "unknown" if math.isnan(found.detectable) else f"±{found.detectable:.2g}",
        f"{found.pairs}{lone}",
        VERDICTS[row.verdict],
    ]


def difference_of(row: Row) -> str:
    """The difference with its interval, if there is one."""
    found = row.difference
    if math.isnan(found.low):
        return f"{found.value:+.3g}"
    return f"{found.value:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"


def verdict_of(gate: Gate) -> str:
    """One line: how many checks, and whether the gate opens."""
    failing = sum(check.fails for check in gate.checks)
    verdict = "passes" if gate.opens else f"does not pass: {failing} checks fail"
    silent = [check.scorer for check in gate.checks if check.outcome == "not measured"]
    told = f" (not measured: {', '.join(silent)})" if silent else ""
    return f"{gate.run}: {len(gate.checks)} checks, {verdict}{told}"


def lines_of(checks: Sequence[Check]) -> list[str]:
    """For the terminal, failures first, then what was not measured."""
    lines = []
    ordered = sorted(checks, key=lambda check: (not check.fails, check.outcome != "not measured"))
    for check in ordered:
        lines.append(f"{check.outcome:12} {check.group:8} {check.scorer}: {check.told}")
        lines += [f"{'':22}{spot}" for spot in check.evidence]
    return lines


def as_json(gate: Gate) -> dict[str, Any]:
    """One object for --json."""
    return {
        "run": gate.run,
        "baseline": gate.baseline,
        "passes": gate.opens,
        "remarks": list(gate.remarks),
        "checks": [
            {
                "group": check.group,
                "scorer": check.scorer,
                "outcome": check.outcome,
                "told": check.told,
                "evidence": list(check.evidence),
            }
            for check in gate.checks
        ],
    }


def number(value: float) -> str:
    """A mean, short: 0.043, 12.5, 1,204."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}


def _clean(text: str) -> str:
    return text.translate(_CONTROL)


def _cell(text: str | None) -> str:
    """One line that breaks neither a table nor a list, nor turns into markup."""
    flat = " ".join((text or "").split())
    return "".join(f"\\{c}" if c in _MARKUP else c for c in flat)
