"""The rows of the results table that a served index fills: turns, start, weight, endpoints, cache.

Knows names and bounds of those figures. Does not know how they are measured (latency.py, start.py,
plain.py, cache.py). Called by figures.py.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from evals.dialogues.scenario import load_scenarios
from evals.report import Row
from evals.service import cache, latency, plain, start

STARTER = "starter catalogue, first start"
PAIRS = 1200
"""Changed, and as many reworded."""
DIALOGUES = 2000
LATENCY = ("offline turn.started, p95", "offline cards, p95", "resident memory of the server")
READY = "seconds until ready, with an index"
LEARNED = "seconds that tagger, enhancer and ranker add"
WEIGHT = "resident memory with everything loaded, in use"
PLAIN = "{kind}, p95 cold / cached"
WRONG = "semantic cache, lists made for another wish"
HITS = "semantic cache, searches of simulated dialogues answered from it"


def figures_on(data: str) -> tuple[tuple[str, str], ...]:
    """(figure, measured on) of every row."""
    kinds = [PLAIN.format(kind=kind) for kind in plain.KINDS]
    return (*((name, data) for name in (READY, WEIGHT, *kinds, WRONG, HITS)), (LEARNED, STARTER))


def latency_on(index: Callable[[], Path], data: str) -> Callable[[], list[Row]]:
    """Turns of our scenarios over HTTP, for figures.py."""

    def measure() -> list[Row]:
        spoken = [[step.user for step in scenario.turns] for scenario in load_scenarios()]
        found = latency.measure(index(), spoken)
        started, cards = found.p95(found.started), found.p95(found.cards)
        peak = (
            "unknown: no /proc" if found.peak_mb is None else f"{found.peak_mb:.0f} MB at its peak"
        )
        turns = f"({len(found.started)} turns over HTTP, one at a time)"
        values = (
            (f"{started:.0f} ms {turns}", "<= 50 ms"),
            (f"{cards:.0f} ms {turns}", "<= 150 ms"),
            (f"{peak}, {found.processes} process", "<= 400 MB, 1 process"),
        )
        return [Row(name, data, *value) for name, value in zip(LATENCY, values, strict=True)]

    return measure


def on(index: Callable[[], Path], data: str) -> Callable[[], list[Row]]:
    """For figures.py."""
    return lambda: [
        *_start(index(), data),
        *_plain(index(), data),
        *_cache(index(), data),
        _first(),
    ]


def _start(index: Path, data: str) -> Iterator[Row]:
    found = start.measure(index)
    yield Row(READY, data, f"{found.ready_s:.1f}")
    value = "unknown: no /proc"
    if found.asked_mb is not None:
        value = (
            f"{found.started_mb:.0f} MB, {found.asked_mb:.0f} MB after {found.requests} requests"
        )
    yield Row(WEIGHT, data, value, "<= 480 MB")


def _plain(index: Path, data: str) -> Iterator[Row]:
    found = plain.measure(index)
    bound = f"<= {plain.COLD_P95_MS:.0f} / {plain.CACHED_P95_MS:.0f} ms, 1 process"
    for kind in plain.KINDS:
        cold, cached = found.p95(kind)
        value = f"{cold:.0f} / {cached:.0f} ms ({len(found.cold[kind])} requests)"
        yield Row(PLAIN.format(kind=kind), data, value, bound)


def _cache(index: Path, data: str) -> Iterator[Row]:
    found = asyncio.run(cache.measure(index, PAIRS, DIALOGUES, 0)).as_json()
    wrong = f"{found['wrong_hits']} of {found['changed_pairs']} near-duplicate pairs"
    yield Row(WRONG, data, wrong, "0")
    hits = (
        f"{found['dialogue_hit_rate']:.0%} of {found['dialogue_searches']} "
        f"({DIALOGUES} dialogues); each saves {found['saved_ms_per_hit']:.0f} ms of "
        f"{found['search_ms']:.0f}"
    )
    yield Row(HITS, data, hits)


def _first() -> Row:
    found = start.measure_first()
    value = f"{found.learned_s:.1f} of {found.whole_s:.0f}"
    return Row(LEARNED, STARTER, value, "<= 15")
