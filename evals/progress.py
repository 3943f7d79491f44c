"""How far a long measurement is: a bar in a terminal, a line now and then in a log.

Knows rate and time left. Does not know what is counted. Called by rank_command.py and suite.py.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY_S = 15.0
"""Between two lines of a log."""

Report = Callable[[int, int], None]
"""Called with (done, total)."""


@contextmanager
def counted(what: str) -> Iterator[Report]:
    """A report function that shows progress on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(what)
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    started = time.monotonic()
    with Progress(*columns, TimeRemainingColumn(), console=console) as bars:
        task = bars.add_task(what, total=None, rate="")

        def report(done: int, total: int) -> None:
            rate = f"{done / max(time.monotonic() - started, 1e-6):.1f}/s"
            bars.update(task, completed=done, total=total, rate=rate)

        yield report


def _lines(what: str) -> Report:
    started = said = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < EVERY_S and done < total:
            return
        said = now
        rate = done / max(now - started, 1e-6)
        left = (total - done) / max(rate, 1e-6)
        line = f"{what}: {done} of {total}, {rate:.1f}/s, {left:.0f} s left"
        print(line, file=sys.stderr, flush=True)

    return report
