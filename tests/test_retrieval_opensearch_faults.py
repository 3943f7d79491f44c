"""OpenSearch that is busy, broken, partial, rebuilt or not ours: what the index makes of it."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from contracts_index import DIMENSION, MOVIES, ROWS, ids, vector
from opensearch_node import (
    ENCODER,
    URL,
    make_generation,
    needs_opensearch,
    opened,
    server,
)
from random_movies import match
from retrieval import opensearch_index
from retrieval.index import (
    EncoderMismatch,
    Hits,
    IndexFailure,
    IndexMissing,
    IndexUnavailable,
    Leg,
    ListLeg,
    PopularLeg,
    Row,
    TextLeg,
    VectorLeg,
)
from retrieval.movie import Constraints, Movie, Range
from retrieval.opensearch import writer
from retrieval.opensearch.document import PACKED
from retrieval.opensearch.layout import (
    SERVERLESS,
    Features,
    Meta,
    features_of,
    generations,
    movies_body,
)
from retrieval.opensearch_index import OpenSearchIndex
from wire import wire

FEATURES = Features((3, 0))
LEGS: list[Leg] = [
    *(TextLeg("alien"), VectorLeg(vector(1.0)), PopularLeg()),
    ListLeg({movie.movie_id: 1.0 for movie in MOVIES}),
]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


# --- bulks ----------------------------------------------------------------------------------------


class Script:
    """A server that answers bulks as told: {movie_id: statuses, one per try}."""

    def __init__(self, statuses: dict[str, list[int]], down: int = 0) -> None:
        self.statuses = statuses
        self.down = down
        self.sent: list[list[str]] = []

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Any = None,
        timeout_s: float = 1.0,
        tries: int = 1,
    ) -> Any:
        lines = [json.loads(line) for line in body.splitlines()]
        heads = [line["index"]["_id"] for line in lines if "index" in line]
        self.sent.append(heads)
        if self.down:
            self.down -= 1
            raise IndexUnavailable("down")
        return {"items": [{"index": self._result(movie_id)} for movie_id in heads]}

    def _result(self, movie_id: str) -> dict[str, Any]:
        left = self.statuses.get(movie_id, [])
        status = left.pop(0) if left else 201
        error = {"type": "x", "reason": f"because {status}", "caused_by": {"reason": "deeper"}}
        return {"status": status} | ({"error": error} if status >= 400 else {})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_WAIT_S", 0.0)


ACTIONS = [writer.put_action(row, FEATURES) for row in ROWS[:4]]


async def test_only_items_that_may_still_succeed_are_sent_again(at_once: None) -> None:
    script = Script({"m1": [429, 503], "m2": [400], "m3": [429]}, down=1)
    written = await writer.bulk(script.send, "x", ACTIONS)
    every = ["m1", "m2", "m3", "m4"]
    assert script.sent == [every, every, ["m1", "m3"], ["m1"]]
    assert written.done == 3
    assert written.rejected == {"m2": "because 400 (deeper)"}


async def test_a_server_that_stays_busy_is_an_error_that_says_how_many(at_once: None) -> None:
    script = Script({"m2": [429] * 99})
    with pytest.raises(IndexUnavailable, match="too busy for 1 of 4 movies"):
        await writer.bulk(script.send, "x", ACTIONS)
    assert len(script.sent) == writer.TRIES
    with pytest.raises(IndexUnavailable, match="down"):
        await writer.bulk(Script({}, down=99).send, "x", ACTIONS)


async def test_an_id_that_is_too_long_costs_only_its_own_movie(at_once: None) -> None:
    long = writer.put_action(Row(Movie("x" * 600, "Long"), vector(1.0)), FEATURES)
    written = await writer.bulk(Script({}).send, "x", [*ACTIONS, long])
    assert (written.done, list(written.rejected)) == (4, ["x" * 600])


async def test_rows_are_drawn_no_faster_than_they_are_written(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH_ROWS", 2)
    drawn = 0
    gate = asyncio.Event()
    script = Script({})

    def rows() -> Iterator[Row]:
        nonlocal drawn
        for number in range(40):
            drawn += 1
            yield Row(Movie(f"m{number}", "Title"), vector(1.0))

    async def held(*arguments: Any, **more: Any) -> Any:
        await gate.wait()
        return await script.send(*arguments, **more)

    ingesting = asyncio.create_task(writer.ingest(held, "x", rows(), FEATURES, executor))
    await asyncio.sleep(0.2)
    assert drawn <= 2 * (writer.IN_FLIGHT + 1)
    gate.set()
    assert (await ingesting).done == 40


# --- the server at hand ---------------------------------------------------------------------------


def test_servers_that_are_not_ours_are_told() -> None:
    def root(number: str, **more: str) -> dict[str, Any]:
        return {"version": {"number": number, **more}}

    assert features_of(root("2.19.5", distribution="opensearch")).bm25_scale == 1.0
    assert features_of(root("3.6.0", distribution="opensearch")).version == (3, 6)
    for answer, words in (
        (root("2.11.1", distribution="opensearch"), "2.19 or newer"),
        (root("8.15.0"), "no OpenSearch"),
        ({}, "no OpenSearch"),
    ):
        with pytest.raises(IndexFailure, match=words):
            features_of(answer)


def test_serverless_gets_no_setting_that_it_refuses() -> None:
    meta = Meta("test", "sha", 4, "now", "tests", 1, "faiss")
    served = movies_body(meta, SERVERLESS)
    assert served["settings"]["index"] == {"knn": True}
    assert served["mappings"]["properties"]["vector"]["method"]["engine"] == "faiss"
    put = writer.put_action(ROWS[0], SERVERLESS).lines.splitlines()[0]
    assert json.loads(put) == {"index": {}}


def test_generations_are_told_from_other_indexes() -> None:
    names = ["u-000002-0123abcd", "u-000001-0123abcd", "u-000001-0123abcd-knowledge", "u-x", "v"]
    assert generations("u", names) == ["u-000001-0123abcd", "u-000002-0123abcd"]


async def test_no_server_is_a_typed_error(executor: Executor) -> None:
    to = server("http://127.0.0.1:1")
    index = OpenSearchIndex(to, "usher", None, executor)
    with pytest.raises(IndexUnavailable, match=r"127\.0\.0\.1:1 does not answer"):
        await index.revision()
    await to.close()


# --- a real node ----------------------------------------------------------------------------------


@needs_opensearch
async def test_an_index_that_is_not_there_says_how_to_make_one(executor: Executor) -> None:
    to = server()
    index = OpenSearchIndex(to, "usher-test-nowhere", None, executor)
    for call in (index.revision, index.stats, lambda: index.get(["m1"])):
        with pytest.raises(IndexMissing, match="usher index build"):
            await call()
    await to.close()


@needs_opensearch
async def test_another_encoder_is_refused(executor: Executor) -> None:
    async with opened(ENCODER, executor) as index:
        other = replace(ENCODER, sha="fedcba")
        with pytest.raises(EncoderMismatch, match="built with the encoder test"):
            await OpenSearchIndex(index.server, index.alias, other, executor).revision()


@needs_opensearch
async def test_partial_answers_are_degraded_and_never_kept(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as index:
        good = index.server.send
        damages: list[dict[str, Any]] = [{"timed_out": True}, {"_shards": {"failed": 1}}]
        damage = damages[0]

        async def partial(*arguments: Any, **more: Any) -> Any:
            answer = await good(*arguments, **more)
            if arguments[1].endswith("_msearch"):
                answer["responses"][-1] |= damage
            elif arguments[1].endswith("_search"):
                answer |= damage
            return answer

        await index.revision()
        index.server.send = partial  # type: ignore[method-assign]  # the wire's last inch
        for each in damages:
            damage = each
            hits = await index.search(LEGS, Constraints(), 5)
            assert [h.degraded for h in hits] == [False, False, False, True]
        with pytest.raises(IndexUnavailable, match="only in part"):
            await index.count(Constraints())
        with pytest.raises(IndexUnavailable, match="only in part"):
            await index.get(["m1"])
        index.server.send = good  # type: ignore[method-assign]
        assert not any(h.degraded for h in await index.search(LEGS, Constraints(), 5))
        assert await index.count(Constraints()) == len(MOVIES)
        assert list(await index.get(["m1"])) == ["m1"]


@needs_opensearch
async def test_a_leg_that_the_server_refuses_leaves_the_others(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as index:
        wrong = VectorLeg(vector(1.0)[: DIMENSION - 1])
        hits = await index.search([TextLeg("alien"), wrong], Constraints(), 5)
        assert hits[0].movie_ids and not hits[0].degraded
        assert hits[1] == Hits("dense", (), (), degraded=True)
        with pytest.raises(IndexFailure, match="refused a search"):
            await index.search([wrong], Constraints(), 5)


@needs_opensearch
async def test_a_refusal_is_told_in_the_words_of_the_server(executor: Executor) -> None:
    async with opened(ENCODER, executor) as index:
        with pytest.raises(IndexFailure, match=r"^OpenSearch at [^{]*unknown query \[no\][^{]*$"):
            await index.server.send("POST", f"/{index.alias}/_search", {"query": {"no": {}}})
        with pytest.raises(IndexMissing, match=r"^OpenSearch at [^{]*no such index \[not-here\]$"):
            await index.server.send("GET", "/not-here/_count")


@needs_opensearch
async def test_a_cut_wire_is_told_and_recovered_from(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as direct, wire(URL) as between:
        to = server(between.url)
        index = OpenSearchIndex(to, direct.alias, ENCODER, executor)
        assert (await ids(index, TextLeg("alien")))[0] == "m1"
        await between.cut()
        with pytest.raises(IndexUnavailable, match="does not answer"):
            await ids(index, TextLeg("aliens"))
        await between.mend()
        assert (await ids(index, TextLeg("aliens")))[0] == "m2"
        between.hang()
        async with asyncio.timeout(10):
            with pytest.raises(IndexUnavailable, match="does not answer"):
                await ids(index, TextLeg("creature"))
        await between.mend()
        assert await ids(index, TextLeg("creature"))
        await to.close()


@needs_opensearch
async def test_another_process_sees_changes_and_rebuilds_within_seconds(
    executor: Executor,
) -> None:
    async with opened(ENCODER, executor, ROWS) as writing:
        to = server()
        reading = OpenSearchIndex(to, writing.alias, ENCODER, executor)
        first = await reading.revision()
        assert (await reading.get(["m1"]))["m1"] == MOVIES[0]
        changed = Row(replace(MOVIES[0], title="Changed"), vector(1.0))
        await writing.upsert([changed])
        async with asyncio.timeout(5):
            while (await reading.revision()) == first:
                await asyncio.sleep(0.1)
        assert (await reading.get(["m1"]))["m1"].title == "Changed"
        for number in range(3):  # the generation that is read is gone after the second
            new = Row(Movie("m1", f"New {number}"), vector(1.0))
            made = await make_generation(to, writing.alias, ENCODER, [new])
            await writer.drop_old(to.send, writing.alias, made, None)
            assert (await ids(reading, PopularLeg())) != ()
        async with asyncio.timeout(5):
            while (await reading.get(["m1"]))["m1"].title != "New 2":
                await asyncio.sleep(0.1)
        await to.close()


@needs_opensearch
async def test_after_a_change_only_what_changed_is_read_again(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as writing:
        to = server()
        reading = OpenSearchIndex(to, writing.alias, ENCODER, executor)
        every = [movie.movie_id for movie in MOVIES]
        listed = ListLeg({movie_id: 1.0 for movie_id in every})
        await reading.get(every)
        await reading.vectors(every)
        before = await ids(reading, listed)
        await writing.upsert([Row(replace(MOVIES[0], title="Changed"), vector(1.0))])
        await writing.delete([every[1]])
        await reading.views.look(0)
        asked: list[str] = []
        good = to.send

        async def told(*arguments: Any, **more: Any) -> Any:
            asked.append(str(arguments[2:]))
            return await good(*arguments, **more)

        to.send = told  # type: ignore[method-assign]  # the wire's last inch
        there = await reading.get(every)
        assert (there[every[0]].title, every[1] in there) == ("Changed", False)
        assert (await reading.vectors(every)).keys() == there.keys()
        assert await ids(reading, listed) == tuple(i for i in before if i != every[1])
        assert len(asked) == 3
        for question in asked:
            assert [i for i in every if f"'{i}'" in question or f'"{i}"' in question] == every[:2]
        await to.close()


@needs_opensearch
async def test_what_was_read_once_is_not_fetched_again(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(ENCODER, executor, ROWS) as index:
        every = {movie.movie_id: movie async for movie in index.scan()}
        assert every == {movie.movie_id: movie for movie in MOVIES}
        asked: list[str] = []
        good = index.server.send

        async def told(*arguments: Any, **more: Any) -> Any:
            asked.append(str(arguments[2:]))
            return await good(*arguments, **more)

        index.server.send = told  # type: ignore[method-assign]  # the wire's last inch
        assert await index.get(list(every)) == every
        vectors = await index.vectors(list(every))
        assert all(np.array_equal(vectors[row.movie.movie_id], row.vector) for row in ROWS)
        assert not asked
        # A catalogue that does not fit brings its films without their vectors, and none is kept.
        monkeypatch.setattr(opensearch_index, "KEPT", len(ROWS))
        view = await index.views.look(60)
        view.movies.clear()
        assert {movie.movie_id async for movie in index.scan()} == every.keys()
        assert not view.movies and not any(PACKED in question for question in asked)


@needs_opensearch
async def test_two_writers_at_once_both_move_the_revision(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as index:
        before = int((await index.revision()).rpartition(".")[2])
        rows = [[Row(Movie(f"n{i}", "New"), vector(1.0))] for i in range(6)]
        await asyncio.gather(*(index.upsert(row) for row in rows))
        assert int((await index.revision()).rpartition(".")[2]) == before + 6
        assert await index.count(Constraints()) == len(MOVIES) + 6


@needs_opensearch
async def test_barred_movies_beyond_the_usual_number_are_left_out_too(executor: Executor) -> None:
    async with opened(ENCODER, executor, ROWS) as index:
        for extra in (0, 400):
            barred = frozenset({"m1", *(f"x{i}" for i in range(extra))})
            for hits in await index.search(LEGS, Constraints(exclude_ids=barred), 3):
                assert hits.movie_ids and "m1" not in hits.movie_ids, (extra, hits.leg)


@needs_opensearch
async def test_a_long_list_that_is_filtered_hard_still_brings_its_best(executor: Executor) -> None:
    rows = [Row(Movie(f"p{i:04}", "Title", year=1900 + i // 50), vector(1.0)) for i in range(1000)]
    async with opened(ENCODER, executor, rows) as index:
        leg = ListLeg({row.movie.movie_id: 1000.0 - i for i, row in enumerate(rows)})
        late = Constraints(require=(Range("year", 1915),), exclude=(match("genre", "war"),))
        [hits] = await index.search([leg], late, 10)
        assert hits.movie_ids == tuple(f"p{i:04}" for i in range(750, 760))
