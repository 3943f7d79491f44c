"""Usher over OpenSearch: both indexes alike, turns while the node is away, the command line.

Needs a node (tests/opensearch_node.py); what can be tested without one is in
test_infra_opensearch_client.py.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import talking
from agent.events import ErrorEvent, TurnFinished
from agent.replay import replay
from evals.dialogues.scenario import load_scenarios
from evals.service.opensearch_copy import copy_index
from infra.settings import SettingProblem, load
from infra.wiring import Services, build
from opensearch_node import URL, gone, made, needs_opensearch, new_alias, server, settings_at
from retrieval.encoder import OnnxEncoder
from retrieval.index import ListLeg, Row
from retrieval.jobs.build_opensearch import Target
from retrieval.movie import (
    Constraints,
    Match,
    MatchField,
    Movie,
    Range,
    RangeField,
    satisfies,
    values_of,
)
from retrieval.opensearch import writer
from retrieval.opensearch.layout import Features, Json, Meta, movies_body
from retrieval.search_terms import STORED
from usher_command import Run, few_movies, one_line, run
from wire import wire

__all__ = ["run"]  # the fixture
pytestmark = needs_opensearch


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The alias of the starter index, copied from the local one."""
    alias, place = new_alias(), tmp_path_factory.mktemp("opensearch")

    async def copy() -> None:
        to = server()
        with ThreadPoolExecutor(1) as executor:
            target = Target(to.send, alias, Features((3, 0)), "lucene", place, executor)
            copied = await copy_index(talking.starter_index(), target)
        assert copied.rejected == 0
        await to.close()

    asyncio.run(copy())
    yield alias
    asyncio.run(gone(alias))


@asynccontextmanager
async def served(home: Path, alias: str, url: str = URL, **more: Any) -> AsyncIterator[Services]:
    services = await build(settings_at(url, opensearch_index=alias, home=home, **more))
    try:
        yield services
    finally:
        await services.close()


# --- both indexes give the same -------------------------------------------------------------------

FIELDS: list[MatchField] = [*STORED, "person", "topic"]
RANGES: list[RangeField] = ["year", "runtime", "violence", "humour", "family_friendly"]
FILTERS, REQUESTS, OVERLAP = 50, 50, 0.90


def some_filters(movies: list[Movie], rng: random.Random) -> Iterator[Constraints]:
    """Constraints on values that the catalogue has, so that most select some movies."""

    def clause() -> Match | Range:
        movie = rng.choice(movies)
        name = rng.choice(FIELDS)
        values = values_of(movie, name)
        if not values or rng.random() < 0.25:
            low = rng.randint(1950, 2010)
            return Range("year", low, low + rng.randint(0, 30))
        return Match(name, frozenset(rng.sample(sorted(values), min(2, len(values)))))

    while True:
        grade = Range(rng.choice(RANGES[1:]), None, rng.randint(1, 2))
        yield Constraints(
            require=tuple(clause() for _ in range(rng.randint(0, 2))),
            exclude=(*(clause() for _ in range(rng.randint(0, 2))), *([grade] * rng.randint(0, 1))),
            exclude_ids=frozenset(m.movie_id for m in rng.sample(movies, rng.randint(0, 5))),
        )


async def test_every_filter_selects_the_same_movies(starter: str, tmp_path: Path) -> None:
    async with talking.services(tmp_path / "a") as local, served(tmp_path / "b", starter) as there:
        movies = [movie async for movie in there.index.scan()]
        assert movies == [movie async for movie in local.index.scan()]
        everyone = ListLeg({movie.movie_id: 1.0 for movie in movies})
        sizes = []
        for _, constraints in zip(
            range(FILTERS), some_filters(movies, random.Random(3)), strict=False
        ):
            [here] = await local.index.search([everyone], constraints, len(movies))
            [served_hits] = await there.index.search([everyone], constraints, len(movies))
            expected = {m.movie_id for m in movies if satisfies(m, constraints)}
            assert set(here.movie_ids) == set(served_hits.movie_ids) == expected, constraints
            sizes.append(len(expected))
        assert sum(1 for size in sizes if 0 < size < len(movies)) > FILTERS / 2


async def test_requests_bring_almost_the_same_lists(starter: str, tmp_path: Path) -> None:
    said = [step.user for scenario in load_scenarios() for step in scenario.turns]
    requests = list(dict.fromkeys(said))[:REQUESTS]
    assert len(requests) == REQUESTS
    overlaps = []
    async with talking.services(tmp_path / "a") as local, served(tmp_path / "b", starter) as there:
        here_from = local.toolbox.retriever_for(await local.toolbox.catalogue.tables())
        there_from = there.toolbox.retriever_for(await there.toolbox.catalogue.tables())
        for request in requests:
            query = (await replay([("user", request)], local.toolbox)).query
            lists = [
                {c.movie.movie_id for c in (await retriever.retrieve(query, k=50)).candidates[:10]}
                for retriever in (here_from, there_from)
            ]
            longest = max(map(len, lists))
            overlaps.append(len(lists[0] & lists[1]) / longest if longest else 1.0)
    assert np.mean(overlaps) >= OVERLAP, sorted(overlaps)[:10]


# --- turns ----------------------------------------------------------------------------------------


async def test_a_conversation_outlives_its_node(starter: str, tmp_path: Path) -> None:
    async with wire(URL) as between, served(tmp_path, starter, between.url) as services:
        talk = talking.Talk(services.assistant)
        assert (await talk.say("a funny heist film")).cards
        # Each loss has a wish of its own: one that was answered before would come from the cache.
        wishes = ("something with dinosaurs instead", "no, a western set in winter")
        for lose, wish in zip((between.cut, between.hang), wishes, strict=True):
            started = time.monotonic()
            if lose == between.cut:
                await between.cut()
            else:
                between.hang()
            reply = await talk.say(wish)
            assert time.monotonic() - started < 12, "well inside the deadline of 20 s"
            assert reply.one(TurnFinished).status == "failed"
            error = reply.one(ErrorEvent)
            assert (error.code, error.retryable) == ("index", True)
            await between.mend()
            again = await talk.say(wish)
            assert again.one(TurnFinished).status == "completed"


async def test_a_partial_answer_makes_a_degraded_turn(starter: str, tmp_path: Path) -> None:
    async with served(tmp_path, starter) as services:
        index: Any = services.index
        good = index.server.send

        async def partial(*arguments: Any, **more: Any) -> Any:
            answer = await good(*arguments, **more)
            if "responses" in answer and "hits" in answer["responses"][0]:
                answer["responses"][0]["timed_out"] = "total" not in answer["responses"][0]["hits"]
            return answer

        talk = talking.Talk(services.assistant)
        assert not (await talk.say("a scary film about robots")).one(TurnFinished).degraded
        index.server.send = partial
        reply = await talk.say("a sad film about trains")
        assert reply.cards and reply.one(TurnFinished).degraded


async def test_a_process_reads_names_anew_though_nobody_talks(tmp_path: Path, starter: str) -> None:
    async with served(tmp_path / "a", starter) as reading, served(tmp_path / "b", starter) as other:
        tables = await reading.toolbox.catalogue.tables()
        movie = next(iter((await other.index.get([await some_id(other)])).values()))
        vector = (await other.index.vectors([movie.movie_id]))[movie.movie_id]
        await other.index.upsert([Row(movie, vector)])
        # 5 s is what the README promises on a machine that is not busy; tests may share theirs.
        async with asyncio.timeout(30):
            while reading.toolbox.catalogue.current is tables:
                await asyncio.sleep(0.1)


async def some_id(services: Services) -> str:
    async for movie in services.index.scan():
        return movie.movie_id
    raise AssertionError("no movie")


# --- start-up and the command line ----------------------------------------------------------------


async def test_an_index_that_is_absent_or_unreachable_ends_the_start_in_one_line(
    tmp_path: Path,
) -> None:
    at_nowhere = load(index="opensearch", opensearch_url="http://127.0.0.1:1", home=tmp_path)
    with pytest.raises(SettingProblem, match=r"^USHER_OPENSEARCH_URL: .*127\.0\.0\.1:1"):
        await build(at_nowhere)


def test_build_info_upsert_delete_and_doctor(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alias = new_alias()
    monkeypatch.setenv("USHER_INDEX", "opensearch")
    monkeypatch.setenv("USHER_OPENSEARCH_URL", URL)
    monkeypatch.setenv("USHER_OPENSEARCH_INDEX", alias)
    long = json.dumps({"movie_id": "€" * 190, "title": "Refused"})
    catalogue = few_movies(tmp_path, '{"title": "No id"}', long)
    try:
        code, _, err = run("index", "info")
        assert code == 2
        one_line(err, alias, "usher index build")
        code, out, err = run("index", "build", "--catalog", str(catalogue))
        assert code == 0, err
        assert "12 movies" in out and alias in out and "2 rows were skipped" in out
        rejected = [json.loads(line) for line in Path("rejected.jsonl").read_text().splitlines()]
        assert rejected[0]["row"] == 13 and rejected[1]["movie_id"].startswith("€")
        assert run("index", "build", "--catalog", str(few_movies(tmp_path)))[0] == 0
        new = tmp_path / "new.jsonl"
        new.write_text('{"movie_id": "n1", "title": "A New Film", "year": 2025}\n')
        assert run("index", "upsert", str(new))[0] == 0
        stats = json.loads(run("index", "info", "--json")[1])
        assert (stats["movies"], stats["encoder_name"]) == (13, "all-MiniLM-L6-v2")
        assert set(stats["knowledge"]) == {"neighbours", "archetypes", "comention"}
        code, out, _ = run("doctor", "--json")
        [check] = [c for c in json.loads(out)["checks"] if c["name"] == "index"]
        assert check["state"] == "ok" and "13 movies" in check["found"], check
        assert "OpenSearch 3" in check["found"] or "OpenSearch 2" in check["found"]
        assert run("index", "delete", "n1")[0] == 0
        code, out, err = run("chat", "--once", "something funny", "--json")
        assert code == 0 and '"turn.finished"' in out, err
    finally:
        asyncio.run(gone(alias))


def test_doctor_names_what_has_another_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(meta: Meta, features: Features) -> Json:
        body = movies_body(meta, features)
        body["mappings"]["properties"]["known"] = {"type": "text"}  # nothing is counted by it
        return body

    alias = new_alias()
    monkeypatch.setattr(writer, "movies_body", changed)
    monkeypatch.setenv("USHER_INDEX", "opensearch")
    monkeypatch.setenv("USHER_OPENSEARCH_URL", URL)
    monkeypatch.setenv("USHER_OPENSEARCH_INDEX", alias)
    try:
        asyncio.run(made(alias, OnnxEncoder.load().identity))
        code, out, _ = run("doctor", "--json")
        [check] = [c for c in json.loads(out)["checks"] if c["name"] == "index"]
        assert (code, check["state"]) == (1, "broken")
        assert check["found"].endswith("is not ours: known")
        assert "usher index build" in check["next_step"]
    finally:
        asyncio.run(gone(alias))
