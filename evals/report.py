"""The one results table: rows kept in results.json, shown between two markers of the README.

Knows rows, their key (figure, data) and the markers. Does not know how anything is measured. Called
by suite.py and figures.py. A new measurement replaces the row of the same key and no other, so that
`make eval` on a laptop and `make figures` beside the data fill one table together.
"""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.place import ROOT
from evals.problem import EvalProblem

RESULTS = Path(__file__).parent / "results.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
COLUMNS = ("figure", "measured on", "value", "bound", "date", "commit")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `value` says "not measured: ..." when its data are not here."""

    figure: str
    data: str
    """What it was measured on, with the protocol if there is one."""
    value: str
    bound: str = ""
    """What it should reach, if anything; "ok" or "missed" is decided by whoever measured."""
    date: str = ""
    """ISO day."""
    commit: str = ""
    """Short hash, with + when the checkout had other changes."""

    @property
    def key(self) -> tuple[str, str]:
        """Rows of the same key replace each other."""
        return self.figure, self.data


class ReportProblem(EvalProblem):
    """The table cannot be written; says what to do."""


def commit_of(root: Path = ROOT) -> str:
    """The short hash of the checkout; "+" marks tracked changes, "unknown" no checkout at all."""
    try:
        head = _git(root, "rev-parse", "--short", "HEAD")
        # The table itself changes with every measurement and is no change of what was measured.
        spared = [f":!{p.relative_to(ROOT)}" for p in (RESULTS, README)]
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *spared)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+" if changed else head


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def load_rows(path: Path = RESULTS) -> list[Row]:
    """The rows so far. Raises: ReportProblem."""
    if not path.exists():
        return []
    try:
        return [Row(**row) for row in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise ReportProblem(f"{path} is damaged ({error}): restore it from git") from None


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """New rows take the place of old ones of the same key; further ones follow at the end.

    "not measured" never replaces a measurement: it was made where the data are.
    """
    merged = {row.key: row for row in old}
    for row in new:
        if not (row.value.startswith("not measured") and row.key in merged):
            merged[row.key] = row
    return list(merged.values())


def publish(rows: Sequence[Row], results: Path = RESULTS, readme: Path = README) -> str:
    """Merge rows into the store and the README; returns one line on what was written.

    Raises: ReportProblem.
    """
    merged = merge(load_rows(results), rows)
    try:
        content = [asdict(row) for row in merged]
        _replace(results, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        if not readme.exists():
            return f"{len(rows)} rows -> {results} ({readme.name} is not there)"
        text = readme.read_text("utf-8")
        if BEGIN not in text or END not in text:
            return f"{len(rows)} rows -> {results} ({readme.name} has no {BEGIN} ... {END})"
        _replace(readme, with_table(text, merged))
    except OSError as error:
        raise ReportProblem(f"{error.filename} cannot be written ({error.strerror})") from None
    return f"{len(rows)} rows -> {readme.name} and {results.name}"


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def with_table(text: str, rows: Sequence[Row]) -> str:
    """The text with the table between the markers."""
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for row in rows:
        cells = (row.figure, row.data, row.value, row.bound, row.date, row.commit)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)
