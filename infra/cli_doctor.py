"""`usher doctor`: every setting explained, and a look at everything that Usher needs.

Knows what may be wrong and the next step for each. Does not change anything: what it opens, it
opens for reading. Called by cli.py.
"""

import asyncio
import json
import os
import shutil
import urllib.error
import urllib.request
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from agent.model import ModelFailure
from infra.cli_common import Refusal, settings_for
from infra.cli_serve import listen
from infra.cli_stores import table_states
from infra.learned import load_encoder, load_enhancer
from infra.settings import ENV_FILE, SettingProblem, SettingRow, Settings, rows, unknown_names
from infra.wiring import open_index, open_opensearch
from retrieval.encoder import Encoder, EncoderError
from retrieval.enhancer import EnhancerRefused
from retrieval.index import IndexFailure, IndexMissing, IndexStats
from retrieval.ranker import Ranker, RankerRefused
from retrieval.tagger import TaggerUnusable
from retrieval.tagger import load as load_tagger
from tools.stores import StoreUnavailable

if TYPE_CHECKING:
    from retrieval.opensearch.view import Inspection

ROOM_MB = 500
"""An index of 60,000 movies, its vectors and a store take about this much."""
PROBE_S = 1.0
SQLITE_HEAD = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Check:
    """One look at one thing; `next_step` says what to do when it is not well."""

    name: str
    state: str
    """ok, note (works, but look at it) or broken."""
    found: str
    next_step: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def doctor(index: Path | None, *, as_json: bool) -> int:
    """The command: 0 when nothing is broken, else 1. Raises: Refusal, SettingProblem."""
    settings = settings_for(index)
    checks = _checks(settings)
    broken = [check for check in checks if check.state == "broken"]
    if as_json:
        report = {
            "ok": not broken,
            "settings": [
                {**asdict(row), "source": _source(row, settings, index)} for row in rows(settings)
            ],
            "checks": [asdict(check) for check in checks],
        }
        print(json.dumps(report))
    else:
        _print(settings, checks, index)
    return 1 if broken else 0


def _checks(settings: Settings) -> list[Check]:
    encoder, encoder_check = _encoder(settings)
    return [
        _names(),
        encoder_check,
        _tagger(encoder),
        _learned(),
        _enhancer(encoder),
        _models(settings),
        _index(settings, encoder),
        _store(settings),
        _port(settings),
        _disk(settings),
    ]


# --- settings -------------------------------------------------------------------------------------


def _source(row: SettingRow, settings: Settings, index: Path | None) -> str:
    """Where a value comes from, in words."""
    if row.is_default:
        by_backend = row.variable in ("USHER_MODEL", "USHER_INDEX", "USHER_STORE")
        return "from USHER_BACKEND" if by_backend and settings.backend != "embedded" else "default"
    if row.variable == "USHER_INDEX_DIR" and index is not None:
        return "from --index"
    return f"from {ENV_FILE}" if _in_env_file(row.variable) else "from the environment"


def _in_env_file(variable: str) -> bool:
    try:
        lines = ENV_FILE.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.strip().removeprefix("export ").startswith(f"{variable}=") for line in lines)


def _names() -> Check:
    unknown = unknown_names()
    if not unknown:
        return Check("names", "ok", "every USHER_* name is known")
    guesses = [f"{u.name} ({u.suggestion}?)" if u.suggestion else u.name for u in unknown]
    return Check(
        "names",
        "note",
        f"not a setting: {', '.join(guesses)}",
        "correct or remove these names; they have no effect",
    )


# --- what must be there ---------------------------------------------------------------------------


def _encoder(settings: Settings) -> tuple[Encoder | None, Check]:
    try:
        encoder = load_encoder(settings)
    except EncoderError as error:
        step = "install Usher again, or name another encoder with USHER_ENCODER_DIR"
        return None, Check("encoder", "broken", str(error), step)
    made = encoder.identity
    found = f"{made.name} ({made.sha}, {made.dimension} numbers)"
    return encoder, Check("encoder", "ok", found)


def _tagger(encoder: Encoder | None) -> Check:
    """Without it an index build guesses no moods, themes or grades; all else works."""
    if encoder is None:
        return Check("tagger", "note", "cannot be checked without the encoder", "see encoder")
    try:
        tagger = load_tagger(encoder.identity)
    except TaggerUnusable as error:
        step = "until then films without curated moods, themes and grades have none"
        return Check("tagger", "note", str(error), step)
    said = int((tagger.thresholds <= 1).sum())
    found = f"guesses {said} moods and themes at index build ({tagger.sha[:12]})"
    return Check("tagger", "ok", found)


def _learned() -> Check:
    try:
        ranker = Ranker.load()
    except RankerRefused as refused:
        found = f"{refused}; the fixed weights rank alone"
        return Check("ranker", "note", found, "install Usher again, or train it: see README")
    return Check("ranker", "ok", f"{len(ranker.leaves)} trees ({ranker.sha[:12]})")


def _enhancer(encoder: Encoder | None) -> Check:
    if encoder is None:
        return Check("enhancer", "note", "cannot be checked without the encoder", "see encoder")
    try:
        enhancer = load_enhancer(encoder.identity)
    except EnhancerRefused as refused:
        step = "search works without it, less well"
        return Check("enhancer", "note", f"degraded: {refused}", step, {"degraded": True})
    return Check("enhancer", "ok", f"query enhancer {enhancer.sha}", facts={"degraded": False})


def _models(settings: Settings) -> Check:
    """Ask each model for a word: a few tokens, and nothing else shows that access works."""
    if settings.model == "offline":
        return Check("models", "ok", "none is asked: answers are made from rules and templates")
    from infra.models_wiring import probe

    try:
        answered = asyncio.run(probe(settings))
    except SettingProblem as problem:
        return Check("models", "broken", str(problem), "nothing starts before this is mended")
    except ModelFailure as failure:
        step = "until this is mended, every answer is made without models"
        return Check("models", "broken", str(failure), step)
    return Check("models", "ok", f"{', '.join(answered)} answered")


def _index(settings: Settings, encoder: Encoder | None) -> Check:
    if encoder is None:
        return Check("index", "broken", "cannot be checked without the encoder", "see encoder")
    if settings.index == "opensearch":
        return _served_index(settings, encoder)
    with ThreadPoolExecutor(1) as executor:
        try:
            stats = asyncio.run(open_index(settings, encoder, executor).stats())
        except IndexMissing:
            return Check(
                "index",
                "note",
                f"none in {settings.index_dir}",
                "usher chat and usher serve build the starter index; or: usher index build",
            )
        except IndexFailure as error:
            step = f"build it again: usher index build --catalog ... --out {settings.index_dir}"
            return Check("index", "broken", str(error), step)
    return _good_index(stats, str(settings.index_dir))


def _good_index(stats: IndexStats, place: str) -> Check:
    known = {name: round(n / max(1, stats.movies), 3) for name, n in stats.known.items()}
    found = f"{stats.movies:,} movies in {place}"
    return Check("index", "ok", found, facts={**asdict(stats), "known_share": known})


def _served_index(settings: Settings, encoder: Encoder) -> Check:
    """Version, mapping, dimension and counts of an index in OpenSearch."""

    async def look(executor: Executor) -> "tuple[Inspection, IndexStats | None]":
        index = open_opensearch(settings, encoder.identity, executor)
        try:
            seen = await index.inspect()
            # Nothing can be counted by a field of another type.
            return seen, None if seen.differences else await index.stats()
        finally:
            await index.close()

    with ThreadPoolExecutor(1) as executor:
        try:
            seen, stats = asyncio.run(look(executor))
        except (IndexFailure, SettingProblem) as error:
            step = "see the README, section OpenSearch; or set USHER_INDEX=local"
            return Check("index", "broken", str(error), step)
    at = f"{settings.opensearch_index} ({seen.generation}) in OpenSearch {seen.version}"
    if stats is None:
        wrong = f"the mapping of {at} is not ours: {', '.join(seen.differences)}"
        return Check("index", "broken", wrong, "build it again: usher index build --catalog FILE")
    if not stats.movies:
        step = "usher index build --catalog FILE (or --catalog starter)"
        return Check("index", "note", f"no movie in {at}", step)
    return _good_index(stats, f"{at}, engine {seen.engine}, {stats.dimension} numbers a movie")


def _store(settings: Settings) -> Check:
    if settings.store == "dynamodb":
        return _tables(settings)
    file = settings.store_file
    place = file if file.exists() else _nearest(settings.home)
    if not os.access(place, os.W_OK):
        step = "name a folder of yours with USHER_HOME, or change its rights"
        return Check("store", "broken", f"{place} cannot be written", step)
    if file.exists() and file.stat().st_size and not _is_sqlite(file):
        step = f"move {file} away; a new one is made (conversations in it are lost)"
        return Check("store", "broken", f"{file} is no SQLite file", step)
    return Check("store", "ok", str(file) if file.exists() else f"{file} (made on first use)")


def _tables(settings: Settings) -> Check:
    try:
        states = asyncio.run(table_states(settings))
    except (SettingProblem, StoreUnavailable) as error:
        return Check("store", "broken", str(error), "or set USHER_STORE=sqlite")
    wrong = [f"{s.table}: {'; '.join(s.differences)}" for s in states if s.differences]
    notes = [f"{s.table}: {'; '.join(s.notes)}" for s in states if s.notes]
    if any(not state.exists for state in states):
        return Check("store", "broken", ", ".join(wrong), "run: usher tables create")
    if wrong:
        return Check("store", "note", ", ".join(wrong), "run: usher tables create, then check")
    found = f"{len(states)} DynamoDB tables {settings.dynamodb_table_prefix}-*"
    return Check("store", "ok", found, facts={"notes": notes})


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(SQLITE_HEAD)) == SQLITE_HEAD


def _port(settings: Settings) -> Check:
    try:
        listen(settings.host, settings.port).close()
    except Refusal as error:
        if _is_usher(settings):
            return Check("port", "ok", f"{settings.port}: Usher is running there")
        return Check("port", "broken", str(error), "usher serve --port 0 takes a free one")
    return Check("port", "ok", f"{settings.host}:{settings.port} is free")


def _is_usher(settings: Settings) -> bool:
    """Whether the port is in use by ourselves."""
    url = f"http://{settings.host}:{settings.port}/openapi.json"
    try:
        with urllib.request.urlopen(url, timeout=PROBE_S) as answer:
            return bool(json.load(answer).get("info", {}).get("title") == "Usher")
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _disk(settings: Settings) -> Check:
    place = _nearest(settings.home)
    free = shutil.disk_usage(place).free // 2**20
    found = f"{free:,} MB free at {place}"
    if free >= ROOM_MB:
        return Check("disk", "ok", found)
    return Check("disk", "broken", found, f"free {ROOM_MB} MB, or set USHER_HOME to another disk")


def _nearest(path: Path) -> Path:
    """The path or the first folder above it that is there."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


# --- for people -----------------------------------------------------------------------------------


def _print(settings: Settings, checks: list[Check], index: Path | None) -> None:
    console = Console(highlight=False)
    for row in rows(settings):
        source = _source(row, settings, index)
        head = Text.assemble(
            (row.variable, "bold"), f" = {row.value or '(not set)'}  ", (source, "dim")
        )
        console.print(head, soft_wrap=True)
        console.print(Text(f"    {row.doc}"), soft_wrap=True)
    console.print()
    styles = {"ok": "green", "note": "yellow", "broken": "bold red"}
    for check in checks:
        head = Text.assemble((f"{check.state:7}", styles[check.state]), f"{check.name}: ")
        console.print(head + Text(check.found), soft_wrap=True)
        if check.next_step:
            console.print(Text(f"       -> {check.next_step}"), soft_wrap=True)
        if check.name == "index" and check.facts:
            _print_index(console, check.facts)


def _print_index(console: Console, facts: dict[str, Any]) -> None:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in facts["known_share"].items())
    shas = ", ".join(f"{name} {sha[:12]}" for name, sha in facts["knowledge"].items())
    console.print(Text(f"       fields known: {shares}"), soft_wrap=True)
    console.print(Text(f"       knowledge: {shas or 'none'}"), soft_wrap=True)
