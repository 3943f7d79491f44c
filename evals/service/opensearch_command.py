"""`python -m evals opensearch`: the figures that need a real OpenSearch, beside the local index.

Knows the flags, the order and the rows of the table. Does not know how anything is measured
(opensearch_copy.py, opensearch_compare.py, opensearch_load.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evals.commands import Commands, add_json, new_command
from evals.place import find_data
from evals.recorded.rank import FULL, Protocol, run_rank
from evals.recorded.rank_command import read
from evals.recorded.rank_input import Case, InputProblem
from evals.recorded.ranking import overlap
from evals.report import Row
from evals.service import opensearch_compare as compare
from evals.service import opensearch_load as under_load
from evals.service.opensearch_copy import Copied, copy_index
from evals.service.opensearch_node import Node
from evals.service.opensearch_reload import reloads
from infra.cli_common import running
from infra.settings import load
from infra.wiring import Services, open_opensearch
from retrieval.jobs.build_opensearch import Target
from retrieval.opensearch.layout import Generation, generations
from retrieval.opensearch.view import Send
from retrieval.opensearch.writer import drop, indexes

TURNS = "dialogue/redial_rec_turns_dev.jsonl.gz"
DIALOGUES = "dialogue/redial_dev_1000.jsonl.gz"
FIRST = 200
"""Turns that both indexes answer."""
ALIAS = "usher-evals"
PARTS = ("ingest", "overlap", "latency", "hybrid", "rebuild", "reload", "kill")
Figures = dict[str, dict[str, Any]]


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "opensearch")
    parser.set_defaults(command=lambda given: asyncio.run(opensearch(given)))
    parser.add_argument("--index", type=Path, required=True, help="local index that is copied")
    parser.add_argument("--url", help="of OpenSearch (default: a node of its own, started here)")
    parser.add_argument("--only", help=f"parts: {','.join(PARTS)}")
    add_json(parser)


async def opensearch(given: argparse.Namespace) -> int:
    """The command. Raises: InputProblem, IndexFailure, SettingProblem."""
    parts = given.only.split(",") if given.only else list(PARTS)
    if unknown := set(parts) - set(PARTS):
        raise InputProblem(f"--only {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    if given.url:
        found = await measure(given.index, given.url, [part for part in parts if part != "kill"])
    else:
        found = await measure_on_own_node(given.index, parts)
    for row in rows_of(found):
        print(f"{row.figure}: {row.value}" + (f"  ({row.bound})" if row.bound else ""))
    if given.json:
        print(json.dumps(found))
    return 0


async def measure_on_own_node(index: Path, parts: Sequence[str] = PARTS) -> Figures:
    """On a node that is started for it and may be killed. Raises: NodeProblem where none is."""
    node = Node()
    try:
        url = await asyncio.to_thread(node.start)
        found = await measure(index, url, [part for part in parts if part != "kill"])
        if "kill" in parts:
            _keep(found, "kill", await _kill(index, url, node))
        return found
    finally:
        node.wipe()


async def measure(index: Path, url: str, parts: Sequence[str]) -> Figures:
    """Copy the local index into OpenSearch, measure, and leave nothing behind."""
    path, dialogues = find_data(TURNS), find_data(DIALOGUES)
    if path is None or dialogues is None:
        raise InputProblem(f"USHER_DATA has no {TURNS} or no {DIALOGUES}")
    every = read(path, None, dialogues)[0]
    cases, others = every[:FIRST], every[FIRST : FIRST + compare.WARM_UP]
    found: Figures = {"load": {"average": [round(x, 1) for x in os.getloadavg()]}}
    if not parts:
        return found
    async with _target(url) as target:
        copied = await copy_index(index, target)
        if "ingest" in parts:
            _keep(found, "ingest", _copied(copied))
        async with AsyncExitStack() as stack:
            here = await stack.enter_async_context(_services(index, url, "local"))
            there = await stack.enter_async_context(_services(index, url, "opensearch"))
            await _side_by_side(found, parts, (here, there), cases, others)
            if "rebuild" in parts:
                _keep(found, "rebuild", await _rebuild(index, target, there, here, cases))
            if "reload" in parts:
                _keep(found, "reload", asdict(await reloads(there, url, ALIAS)))
    return found


def _keep(found: Figures, name: str, figures: dict[str, Any]) -> None:
    """Keeps what one part found, and tells it at once: all of them take minutes."""
    found[name] = figures
    for row in rows_of({"load": found["load"], name: figures}):
        print(f"{row.figure}: {row.value}", file=sys.stderr, flush=True)


async def _side_by_side(
    found: Figures,
    parts: Sequence[str],
    both: tuple[Services, Services],
    cases: Sequence[Case],
    others: Sequence[Case],
) -> None:
    here, there = both
    if not {"overlap", "latency", "hybrid"} & set(parts):
        return
    queries = await compare.queries_of(cases, here)
    if "overlap" in parts:
        # The same door as `evals rank -k 10 --in-sample --first 200`.
        protocol = Protocol(k=compare.TOP, in_sample=True, rows=(FULL,))
        runs = [await run_rank(cases, protocol, services, lambda *_: None) for services in both]
        lists = [[run.answers[case.qid].movie_ids for case in cases] for run in runs]
        at_10 = round(overlap(*lists), 4)
        _keep(found, "overlap", {"turns": len(cases), "at_10": at_10})
    if "latency" in parts:
        warming = await compare.queries_of(others, here)
        for name, services in (("local", here), ("opensearch", there)):
            times = await compare.latencies(services, queries, warming)
            _keep(found, f"latency {name}", {n: asdict(t) for n, t in times.items()})
    if "hybrid" in parts:
        fused = await compare.fusions(there, queries, cases)
        _keep(found, "hybrid", {name: asdict(one) for name, one in fused.items()})


def _copied(copied: Copied) -> dict[str, Any]:
    return {
        "movies": copied.movies,
        "rejected": copied.rejected,
        "movies_per_s": round(copied.rate),
        "settle_s": round(copied.settle_s, 1),
        "own_cpu_s": round(copied.own_cpu_s, 1),
        "server_cpu_s": copied.server_cpu_s,
    }


async def _rebuild(
    index: Path, target: Target, there: Services, here: Services, cases: Sequence[Case]
) -> dict[str, Any]:
    queries = await compare.queries_of(cases, here)
    retriever = await compare.retriever_of(there)
    copied, load_seen = await under_load.rebuild_under_load(
        index, target, there, retriever, queries
    )
    return {
        "searches": load_seen.searches,
        "failed": len(load_seen.failed),
        "reasons": sorted(set(load_seen.failed))[:3],
        "degraded": load_seen.degraded,
        "generations": len(load_seen.generations),
        "movies_per_s": round(copied.rate),
    }


async def _kill(index: Path, url: str, node: Node) -> dict[str, Any]:
    async with _target(url) as target:
        await copy_index(index, target)
        async with _services(index, url, "opensearch") as services:
            killed = await under_load.kill_between_turns(services, node.kill, node.start)
    return asdict(killed)


@asynccontextmanager
async def _target(url: str) -> AsyncIterator[Target]:
    """Where to copy to; its indexes are deleted at the end."""
    settings = load(index="opensearch", opensearch_url=url, opensearch_index=ALIAS)
    with ThreadPoolExecutor(1) as executor, tempfile.TemporaryDirectory() as workplace:
        opened = open_opensearch(settings, None, executor)
        send = opened.server.send
        try:
            features = await opened.views.features()
            engine = settings.opensearch_engine
            yield Target(send, ALIAS, features, engine, Path(workplace), executor)
        finally:
            await _clean(send)
            await opened.close()


async def _clean(send: Send) -> None:
    for name in generations(ALIAS, await indexes(send, ALIAS)):
        await drop(send, Generation(name))


@asynccontextmanager
async def _services(index: Path, url: str, kind: str) -> AsyncIterator[Services]:
    with tempfile.TemporaryDirectory(prefix="usher-evals-") as home:
        settings = load(
            **{"home": Path(home), "index_dir": index, "model": "offline", "store": "sqlite"},
            **{"index": kind, "opensearch_url": url, "opensearch_index": ALIAS},
        )
        async with running(settings) as services:
            yield services


# --- rows -----------------------------------------------------------------------------------------

ON = (
    "catalogue_core (15,729 movies), OpenSearch 3.6.0 and its clients "
    f"on the same {os.cpu_count()} cores"
)
ON_TURNS = f"first {FIRST} ReDial dev turns, in sample, {ON}"


def rows_of(found: Figures) -> list[Row]:
    """For the results table."""
    load = f"load {found['load']['average'][0]}"
    rows: list[Row] = []
    if one := found.get("ingest"):
        cpu = f"CPU {one['own_cpu_s']} s here, {one['server_cpu_s']} s in the node"
        value = f"{one['movies_per_s']:,} movies/s ({cpu}, {load})"
        rows.append(Row("OpenSearch ingest, without encoding", ON, value, ">= 800 movies/s"))
    if one := found.get("overlap"):
        value = f"{one['at_10']:.3f}"
        rows.append(Row("overlap@10 of OpenSearch with local", ON_TURNS, value, ">= .90"))
    bounds = {("opensearch", "1"): "<= 60 ms", ("opensearch", "16"): "<= 250 ms"}
    for name in ("local", "opensearch"):
        for clients, times in found.get(f"latency {name}", {}).items():
            passes = ", ".join(map(str, times["passes"]))
            told = f"quickest of {passes}; " if passes else ""
            told += f"p50 {times['p50']:.0f}, {times['per_s']:.0f}/s, {load}"
            value = f"{times['p95']:.0f} ms ({told})"
            n, _, when = clients.partition(" ")
            figure = f"retrieval p95, {name}, {n} client{'s' if n != '1' else ''}"
            figure += f", {when}" if when else ""
            rows.append(Row(figure, ON_TURNS, value, bounds.get((name, clients), "")))
    for name, one in found.get("hybrid", {}).items():
        value = (
            f"p95 {one['times']['p95']:.0f} ms, {one['found']} of {one['targets']} targets at ten, "
            f"overlap {one['overlap']:.2f} ({load})"
        )
        rows.append(Row(f"text and meaning: {name}", ON_TURNS, value))
    if one := found.get("rebuild"):
        value = f"{one['failed']} of {one['searches']} searches failed, {one['degraded']} partial"
        rows.append(Row("OpenSearch rebuild under load", ON, value, "0 failed"))
    if one := found.get("reload"):
        value = f"p95 {one['p95']:.1f} s, p50 {one['p50']:.1f} s of {one['times']} ({load})"
        rows.append(Row("OpenSearch: another process works with a change", ON, value, "<= 5 s"))
    if one := found.get("kill"):
        back = "never" if one["recovered_s"] is None else f"after {one['recovered_s']:.1f} s"
        value = f"turn {one['status']} ({one['code']}) in {one['seconds']:.1f} s; recovered {back}"
        rows.append(Row("OpenSearch node killed between turns", ON, value, "within 20 s"))
    return rows
