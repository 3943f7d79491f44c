"""How far a long job is: bars in a terminal, a line now and then in a log.

Knows rate and time left. Does not know what is counted. Called by cli_index.py and by evals.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

EVERY_S = 15.0
"""Between two lines of a log."""

Report = Callable[[str, int, int | None], None]
"""Called with (phase, done, total); a phase begins with its first call."""


@contextmanager
def shown() -> Iterator[Report]:
    """A function to report to; it writes to standard error, and nothing before it is called."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines().report
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars).report


@dataclass
class _Pace:
    """Since when a phase runs; both ways of showing share its arithmetic."""

    started: float = field(default_factory=time.monotonic)

    def rate(self, done: int) -> float:
        return done / max(time.monotonic() - self.started, 1e-6)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._phases: dict[str, tuple[TaskID, _Pace]] = {}

    def report(self, phase: str, done: int, total: int | None) -> None:
        if phase not in self._phases:
            self._phases[phase] = self._bars.add_task(phase, total=total, rate=""), _Pace()
        task, pace = self._phases[phase]
        self._bars.update(task, completed=done, total=total, rate=f"{pace.rate(done):,.0f}/s")


class _Lines:
    def __init__(self) -> None:
        self._phases: dict[str, _Pace] = {}
        self._said = time.monotonic()

    def report(self, phase: str, done: int, total: int | None) -> None:
        pace = self._phases.setdefault(phase, _Pace())
        now = time.monotonic()
        if now - self._said < EVERY_S:
            return
        self._said = now
        rate = pace.rate(done)
        of = f" of {total:,}" if total is not None else ""
        left = f", {(total - done) / max(rate, 1e-6):.0f} s left" if total is not None else ""
        print(f"{phase}: {done:,}{of}, {rate:,.0f}/s{left}", file=sys.stderr, flush=True)
