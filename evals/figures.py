"""`make figures`: everything that needs the large data, kills or a server. Slow and resumable.

Knows the list of measurements, what each needs and which are done at this commit. Does not know how
any of them measures. Called by evals/__main__.py. A finished measurement is published at once and
kept until the commit changes; `--only NAME` measures one again.
"""

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from evals.commands import Commands, new_command
from evals.dialogues import wordings
from evals.judging import calibration
from evals.judging.labels import read_items
from evals.place import find_data, opened
from evals.recorded import describe, enhancer, extract_command, learned, route_command, signal, tags
from evals.recorded.models import HOW, MODELS, Models, read_models
from evals.recorded.rank import ROWS, Protocol
from evals.recorded.rank_command import read, with_progress
from evals.recorded.rank_figures import Figures, figures_of
from evals.recorded.ranking import short
from evals.report import Row, commit_of, publish
from evals.service import (
    index_durability,
    opensearch_command,
    opensearch_node,
    served_rows,
    stores_command,
)
from evals.suite import CACHE, build_starter, play_and_score, rows_of
from evals.users import simulate_rows
from infra.cli_common import Refusal
from infra.cli_index import build_with_progress
from infra.learned import load_build_encoder, load_encoder
from infra.progress import shown
from infra.settings import load

CORE = "catalogue/catalogue_core.parquet"
TURNS = "dialogue/redial_rec_turns_dev.jsonl.gz"
DIALOGUES = "dialogue/redial_dev_1000.jsonl.gz"
IARD_GOLD = "dialogue/iard_intents_gold_30.jsonl.gz"
IARD_PARTIAL = "dialogue/iard_intents_partial_221.jsonl.gz"
MIT_ENG = "queries/mit_movie_eng_valid.jsonl.gz"
MIT_TRIVIA = "queries/mit_movie_trivia_valid.jsonl.gz"
LABELS = "dialogue/uss_redial_satisfaction_700.jsonl.gz"
LISTED = ("ndcg", "map", "map_capped", "mrr", "hit_rate", "precision")
"""Of ranking_metrics.py, in the row of lists."""
CORE_INDEX = CACHE / "core"
DONE = CACHE / "figures.json"
KILLS = 20
ON_CORE = "catalogue_core (15,729 movies)"
ON_LABELS = "satisfaction with 700 ReDial dialogues, against the median of 3 to 7 people"
ON_DEV_TURNS = (
    "ReDial dev turns with a new target, means over turns, all films of catalogue_core, "
    "counts out of 5 folds"
)
ON_DEV = "ReDial dev turns, new targets, all films of catalogue_core, counts out of 5 folds"


@dataclass(frozen=True)
class Measurement:
    """One entry of the list: `figures` are named in the table even when the data are missing."""

    name: str
    needs: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    """(figure, measured on) of each row it makes."""
    measure: Callable[[], list[Row]]


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "figures")
    parser.set_defaults(command=figures)
    parser.add_argument("--list", action="store_true", help="say what is done and what is not")
    parser.add_argument("--only", metavar="NAME", help="measure one, again if need be")


def figures(given: argparse.Namespace) -> int:
    """The command. Raises: Refusal and what measuring raises."""
    chosen = [m for m in MEASUREMENTS if given.only in (None, m.name)]
    if not chosen:
        names = ", ".join(m.name for m in MEASUREMENTS)
        raise Refusal(f"--only {given.only} is no measurement: choose from {names}")
    commit = commit_of()
    done = _done(commit)
    if given.list:
        for m in chosen:
            missing = ", ".join(_missing(m))
            state = "done" if m.name in done else f"needs {missing}" if missing else "to do"
            print(f"{m.name:12} {state}")
        return 0
    for measurement in chosen:
        if measurement.name in done and given.only is None:
            print(f"{measurement.name}: done at {commit}")
            continue
        rows = _measured(measurement, commit)
        print(publish(rows))
        if not _missing(measurement):
            done.append(measurement.name)
            DONE.write_text(json.dumps({"commit": commit, "done": done}))
    return 0


def _measured(measurement: Measurement, commit: str) -> list[Row]:
    day = datetime.now(UTC).date().isoformat()
    missing = _missing(measurement)
    if missing:
        value = f"not measured: USHER_DATA has no {', '.join(missing)}"
        rows = [Row(figure, data, value) for figure, data in measurement.figures]
    else:
        print(f"{measurement.name}: measuring", flush=True)
        rows = measurement.measure()
    for row in rows:
        print(f"  {row.figure}: {row.value}")
    return [replace(row, date=day, commit=commit) for row in rows]


def _missing(measurement: Measurement) -> list[str]:
    return [name for name in measurement.needs if find_data(name) is None]


def _done(commit: str) -> list[str]:
    """Names of what was measured at this very commit; nothing when there are other changes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        state = json.loads(DONE.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return list(state["done"]) if state.get("commit") == commit else []


# --- the measurements -----------------------------------------------------------------------------


def _builds() -> list[Row]:
    """From cold in a fresh folder, then again; the result stays for the other measurements."""
    fresh = CACHE / "core-cold"
    shutil.rmtree(fresh, ignore_errors=True)
    catalogue, encoder = _data(CORE), load_build_encoder(load())
    times, fresh_vectors = [], []
    for _ in range(2):
        started = time.monotonic()
        report = build_with_progress(catalogue, "auto", None, fresh, encoder)
        times.append(time.monotonic() - started)
        fresh_vectors.append(report.new_vectors)
    shutil.rmtree(CORE_INDEX, ignore_errors=True)
    fresh.rename(CORE_INDEX)
    cold = f"{times[0] / 60:.1f} min, {fresh_vectors[0]:,} vectors made"
    warm = f"{times[1]:.0f} s, {fresh_vectors[1]:,} vectors made"
    return [
        Row("index build from cold", ON_CORE, cold, "<= 8 min on 2 cores"),
        Row("index build again", ON_CORE, warm, "<= 20 s"),
    ]


def _durability() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="usher-durability-") as folder:
        found = index_durability.measure(KILLS, Path(folder), random.Random(0))
    value = (
        f"{found.lost} rows lost, {found.mixed} mixed states "
        f"({found.kills_in_build} kills in builds, {found.kills_in_upsert} in upserts, "
        f"{found.changes} changes)"
    )
    return [Row(f"{KILLS} kill -9 during builds and upserts", "local index", value, "0 lost")]


def _scenarios() -> list[Row]:
    async def play() -> list[Row]:
        async with opened(_core_index()) as services:
            return rows_of(await play_and_score(services), SCENARIOS_ON_CORE)

    return asyncio.run(play())


def _wordings() -> list[Row]:
    async def play() -> list[Row]:
        async with opened(_core_index()) as services:
            return await wordings.measure(services, SCENARIOS_ON_CORE)

    return asyncio.run(play())


def _simulated() -> list[Row]:
    async def play() -> list[Row]:
        async with opened(_core_index()) as services:
            return await simulate_rows.measure(services)

    return asyncio.run(play())


def _rank() -> list[Row]:
    cases, names = read(_data(TURNS), None, _data(DIALOGUES))
    protocol = Protocol(counts_from=_data(DIALOGUES))

    async def rank() -> Figures | None:
        async with opened(_core_index()) as services:
            return figures_of(await with_progress(cases, protocol, services), names)

    found = asyncio.run(rank())
    if found is None:
        raise Refusal(f"{TURNS} has no targets: is it the right file?")
    rows = []
    for name, row in found.rows.items():
        value = f"{row[10]} / {short(row[50].value)} / {short(row[200].value)}"
        bound = "above each single leg" if name == "full" else ""
        rows.append(Row(f"recall@10 / 50 / 200, {name}", ON_DEV, value, bound))
    full, k = found.metrics["full"], found.metrics_k
    told = " / ".join(short(full[name]) for name in LISTED)
    rows.append(Row(f"{' / '.join(LISTED)} at {k}, full", ON_DEV_TURNS, told))
    link = found.linking
    value = f"precision {link['precision']:.3f}, recall {link['recall']:.3f}"
    rows.append(Row("linking of named films", "ReDial dev turns, labelled entities", value))
    barred = f"{sum(found.barred.values())} of {found.new_targets}"
    return [*rows, Row("targets that the agent's own constraints rule out", ON_DEV, barred)]


def _calibration() -> list[Row]:
    """What the labels say of themselves; no judge is asked, so no model is needed."""
    return calibration.rows_of(
        calibration.calibrate(read_items(_data(LABELS), "dialogue"), {}), ON_LABELS
    )


def _signal() -> list[Row]:
    return signal.rows_of(_signals(None), ON_DEV)


def _learned() -> list[Row]:
    if not MODELS.exists():
        return [Row(learned.GAIN, ON_DEV, f"not measured: no {MODELS}: make it with {HOW}")]
    return learned.rows_of(_signals(read_models(MODELS)), ON_DEV)


def _signals(models: Models | None) -> signal.Signal:
    cases, names = read(_data(TURNS), None, _data(DIALOGUES))
    protocol = Protocol(counts_from=_data(DIALOGUES), models=models)

    async def measure() -> signal.Signal:
        async with opened(_core_index()) as services:
            with shown() as report:
                tell = partial(report, "answering")
                return await signal.measure(cases, names, protocol, services, tell)

    return asyncio.run(measure())


def _described() -> list[Row]:
    build_starter(CACHE / "starter")
    descriptions = describe.read_descriptions(describe.QUERIES)

    async def measure() -> list[Row]:
        async with opened(CACHE / "starter") as services:
            with shown() as report:
                tell = partial(report, "describing")
                found = await describe.measure(descriptions, services, tell)
        return describe.rows_of(found, DESCRIPTIONS, ">= 0.80")

    return asyncio.run(measure())


def _posts() -> list[Row]:
    async def measure() -> list[Row]:
        rows: list[Row] = []
        async with opened(_core_index()) as services:
            for name in describe.POSTS:
                descriptions = describe.read_descriptions(_data(name))
                with shown() as report:
                    tell = partial(report, "describing")
                    found = await describe.measure(descriptions, services, tell)
                rows += describe.rows_of(found, _posts_of(name), "above lexical (BM25)")
        return rows

    return asyncio.run(measure())


def _posts_of(name: str) -> str:
    return f"posts of {Path(name).name.partition('.')[0]}, catalogue_core"


def _opensearch() -> list[Row]:
    if not opensearch_node.SCRIPT.exists():
        value = "not measured: no ../shared/opensearch/start.sh"
        return [Row("OpenSearch beside the local index", ON_CORE, value)]
    found = asyncio.run(opensearch_command.measure_on_own_node(_core_index()))
    return opensearch_command.rows_of(found)


def _stores() -> list[Row]:
    return stores_command.rows_of(stores_command.measure())


def _routing() -> list[Row]:
    return route_command.rows_of(_core_index(), _data(IARD_GOLD), _data(IARD_PARTIAL))


def _extraction() -> list[Row]:
    return extract_command.rows_of(_core_index(), _data(MIT_ENG), _data(MIT_TRIVIA))


def _tagger() -> list[Row]:
    return tags.rows_of(tags.measure(load_encoder(load()), _data(CORE)))


def _data(name: str) -> Path:
    path = find_data(name)
    if path is None:
        raise Refusal(f"USHER_DATA has no {name}")
    return path


@cache
def _core_index() -> Path:
    """The index of catalogue_core with today's knowledge: seconds when its vectors are kept."""
    build_with_progress(_data(CORE), "auto", None, CORE_INDEX, load_build_encoder(load()))
    return CORE_INDEX


DESCRIPTIONS = "200 own descriptions, starter catalogue"
SCENARIOS_ON_CORE = "own scenarios on catalogue_core"


def _named(on: str, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, on) for name in names)


MEASUREMENTS: Sequence[Measurement] = (
    Measurement(
        "builds", (CORE,), _named(ON_CORE, "index build from cold", "index build again"), _builds
    ),
    Measurement("durability", (), (), _durability),
    Measurement(
        "latency",
        (CORE,),
        _named(ON_CORE, *served_rows.LATENCY),
        served_rows.latency_on(_core_index, ON_CORE),
    ),
    Measurement(
        "scenarios",
        (CORE,),
        _named(SCENARIOS_ON_CORE, "hard-constraint violations"),
        _scenarios,
    ),
    Measurement("wordings", (CORE,), _named(SCENARIOS_ON_CORE, *wordings.FIGURES), _wordings),
    Measurement(
        "simulate", (CORE,), _named(simulate_rows.ON_USERS, *simulate_rows.FIGURES), _simulated
    ),
    Measurement(
        "rank",
        (CORE, TURNS, DIALOGUES),
        _named(ON_DEV, *(f"recall@10 / 50 / 200, {row}" for row in ROWS)),
        _rank,
    ),
    Measurement("calibration", (LABELS,), _named(ON_LABELS, *calibration.FIGURES), _calibration),
    Measurement("signal", (CORE, TURNS, DIALOGUES), _named(ON_DEV, *signal.FIGURES), _signal),
    Measurement("learned", (CORE, TURNS, DIALOGUES), _named(ON_DEV, *learned.FIGURES), _learned),
    Measurement("enhancer", (CORE, TURNS, DIALOGUES), enhancer.FIGURES, enhancer.on(_core_index)),
    Measurement("opensearch", (CORE, TURNS, DIALOGUES), (), _opensearch),
    Measurement("stores", (), (), _stores),
    Measurement(
        "served", (CORE,), served_rows.figures_on(ON_CORE), served_rows.on(_core_index, ON_CORE)
    ),
    Measurement("routing", (CORE, IARD_GOLD, IARD_PARTIAL), route_command.ROUTING, _routing),
    Measurement("extraction", (CORE, MIT_ENG, MIT_TRIVIA), extract_command.EXTRACTION, _extraction),
    Measurement("tagger", (CORE,), _named(tags.OWN, *tags.FIGURES), _tagger),
    Measurement("descriptions", (), _named(DESCRIPTIONS, *describe.FIGURES), _described),
    Measurement(
        "posts",
        (CORE, *describe.POSTS),
        tuple((row, _posts_of(name)) for name in describe.POSTS for row in describe.FIGURES),
        _posts,
    ),
)
