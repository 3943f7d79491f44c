"""`python -m retrieval.starter.check`: is the starter catalogue what it says it is?

Knows the order of the checks, the table and the exit code: 1 when a bound is missed. Does not know
what any check looks at (the check_*.py files beside it). Called by CI, without the large data, and
by whoever changes the starter, with them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from retrieval.catalogs.sources import CatalogError
from retrieval.starter.check_counts import check_counts, check_grades, check_rows
from retrieval.starter.check_facts import absent_from, check_against
from retrieval.starter.check_files import (
    FOLDER,
    Findings,
    Line,
    Starter,
    read_starter,
    refused_by_loader,
)
from retrieval.starter.check_lists import check_archetypes, check_comention, check_neighbours
from retrieval.starter.check_overlap import check_overlap
from retrieval.starter.check_words import check_overviews, check_tags

DATA = FOLDER.parents[2] / "shared" / "data"
"""Beside the checkout, where this project keeps the large data sets."""
SHOWN = 12
"""Rows told of each missed bound; --json tells all."""
ALSO_TOLD = (
    *("moods in the vocabulary, unused", "themes in the vocabulary, unused"),
    *("most incoming links", "not in English", "countries of these", "bytes of all files"),
)
"""Figures whose rows are told even when nothing is missed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, tell, and return the exit code."""
    given = _parser().parse_args(arguments)
    data = None if given.no_data else given.data
    if data is None and not given.no_data and DATA.is_dir():
        data = DATA
    try:
        findings = check(given.folder, data)
    except CatalogError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    _tell(findings, Console(width=max(Console().width, 110), highlight=False))
    if given.json:
        print(json.dumps({**asdict(findings), "ok": not findings.missed}, ensure_ascii=False))
    return 1 if findings.missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.starter.check", description="Check the starter catalogue."
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="another starter to check")
    parser.add_argument("--data", type=Path, help=f"the large data sets (default: {DATA})")
    parser.add_argument("--no-data", action="store_true", help="leave those comparisons out")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    return parser


def check(folder: Path, data: Path | None) -> Findings:
    """Everything; the comparisons with `data` only where they can be made. Raises: CatalogError."""
    starter = read_starter(folder)
    findings = check_alone(starter, refused_by_loader(folder))
    absent = absent_from(data) if data is not None else []
    if data is None:
        findings.skipped.append("no data folder: facts, copied words and coverage not compared")
    elif absent:
        findings.skipped.append(f"{data} lacks {', '.join(absent)}: not compared")
    else:
        check_against(starter, data, findings)
        check_overlap(starter, data, findings)
    return findings


def check_alone(starter: Starter, refused: list[str]) -> Findings:
    """What needs nothing but the starter itself."""
    findings = Findings()
    check_rows(starter, refused, findings)
    check_counts(starter, findings)
    check_overviews(starter, findings)
    check_tags(starter, findings)
    check_grades(starter, findings)
    check_neighbours(starter, starter.join(), findings)
    check_archetypes(starter, findings)
    check_comention(starter, findings)
    return findings


def _tell(findings: Findings, console: Console) -> None:
    table = Table("", "figure", "value", "bound", "")
    section = ""
    for line in findings.lines:
        if line.section != section:
            table.add_section()
        word = "" if line.ok else "MISSED"
        shown = line.section if line.section != section else ""
        table.add_row(shown, line.name, line.value, line.bound, word)
        section = line.section
    console.print(table)
    for line in findings.lines:
        _details(line, console)
    for skipped in findings.skipped:
        console.print(f"skipped: {skipped}")
    for line in findings.missed:
        console.print(f"MISSED: {line.section}: {line.name}: {line.value}, bound {line.bound}")


def _details(line: Line, console: Console) -> None:
    if not line.details or (line.ok and line.name not in ALSO_TOLD):
        return
    console.print(f"{line.section}: {line.name}: {line.value}")
    for row in line.details[:SHOWN]:
        console.print(f"    {row}", markup=False)
    if len(line.details) > SHOWN:
        console.print(f"    ... and {len(line.details) - SHOWN} more (--json tells all)")


if __name__ == "__main__":
    sys.exit(main())
