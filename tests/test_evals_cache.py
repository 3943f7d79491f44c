"""Served figures: how pairs are made, what counts as a wrong hit, start, weight, and their rows."""

import random
from collections import Counter
from pathlib import Path

import pytest

from evals.service import cache, cache_pairs, plain, served_rows, start
from evals.service.cache import CacheFigures, Compared, measure
from evals.service.cache_pairs import (
    CHANGES,
    WORDINGS,
    Facts,
    Request,
    RequestPair,
    dialogue,
    pairs,
)
from serving import index_dir

FACTS = Facts(["Heat (1995)", "Alien (1979)"], ["Michael Mann", "Jane Campion"])


def test_pairs_follow_from_the_seed_and_cover_every_change() -> None:
    made = list(pairs(FACTS, 60, random.Random(3)))
    assert made == list(pairs(FACTS, 60, random.Random(3)))
    counted = Counter(pair.change for pair in made)
    assert counted.pop(None) == 60
    assert counted == dict.fromkeys(CHANGES, 10)
    assert all(pair.first != pair.second for pair in made)


def test_wordings_say_the_same_in_other_words() -> None:
    request = Request("thriller", "tense", "90s", seed="Heat (1995)", holds=("romance", False))
    said = {request.say(n) for n in range(WORDINGS)}
    assert len(said) == WORDINGS
    for text in said:
        for part in ("tense thriller", "like Heat (1995)", "from the 90s", "without romance"):
            assert part in text
    assert request.say(0) == "a tense thriller like Heat (1995) from the 90s without romance"


def test_dialogues_have_one_to_three_turns() -> None:
    rng = random.Random(0)
    assert {len(dialogue(FACTS, rng)) for _ in range(50)} == {1, 2, 3}


def compared(
    change: cache_pairs.Change | None, *, key: bool, cosine: float, alike: bool = False
) -> Compared:
    return Compared(RequestPair("a", "b", change), key, cosine, alike)


def test_wrong_hit_is_a_change_that_the_agent_heard_and_the_cache_did_not() -> None:
    figures = CacheFigures(
        [
            compared("seed", key=False, cosine=1.0),
            compared("seed", key=True, cosine=0.5),
            compared("detail", key=True, cosine=0.94),
            compared("negation", key=True, cosine=1.0, alike=True),
            compared(None, key=True, cosine=0.99),
            compared(None, key=True, cosine=0.95),
            compared(None, key=False, cosine=1.0),
        ]
    )
    assert figures.wrong_hits(0.95) == []
    assert [one.cosine for one in figures.wrong_hits(0.93)] == [0.94]
    assert figures.nearest_changed() == 0.94
    assert figures.hit_rate(0.97) == pytest.approx(1 / 3)
    found = figures.as_json()
    assert found["changed_pairs"] == 4
    assert found["heard_as_one_by_change"] == {"negation": 1}
    assert found["one_key_by_change"] == {
        "seed": "1 of 2",
        "detail": "1 of 1",
        "negation": "0 of 1",
    }


async def test_measure_over_the_real_services() -> None:
    figures = await measure(index_dir(), 12, 6, seed=1)
    assert len(figures.compared) == 24
    assert figures.wrong_hits() == []
    assert figures.hit_rate() > 0
    assert figures.searches >= 6
    assert len(figures.fresh_ms) + len(figures.hit_ms) == figures.searches


@pytest.mark.slow
def test_endpoints_are_timed_cold_and_cached() -> None:
    latency = plain.measure(index_dir(), requests=5)
    found = latency.as_json()
    for kind in ("recommend", "similar", "search"):
        assert len(latency.cold[kind]) >= 5
        assert latency.cached[kind]
        assert found[kind]["cold_p95_ms"] > 0


@pytest.mark.slow
def test_server_is_weighed_before_and_after_every_kind_of_request() -> None:
    found = start.measure(index_dir(), requests=8)
    assert found.ready_s > 0 and found.requests == 8
    if found.asked_mb is not None:  # there is a /proc
        assert found.started_mb is not None
        assert 50 < found.started_mb <= found.asked_mb


def test_table_names_the_rows_that_a_served_index_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the data are missing, the table says by name what was not measured."""

    async def cached(*_: object) -> CacheFigures:
        return CacheFigures([compared("seed", key=True, cosine=0.99)], searches=4, hits=1)

    times = {kind: [float(n) for n in range(1, 101)] for kind in plain.KINDS}
    monkeypatch.setattr(cache, "measure", cached)
    monkeypatch.setattr(plain, "measure", lambda _: plain.PlainLatency(times, times))
    monkeypatch.setattr(start, "measure", lambda _: start.Start(9.5, 300.0, 350.0, 200))
    monkeypatch.setattr(start, "measure_first", lambda: start.FirstStart(40.0, 38.0))
    rows = served_rows.on(lambda: Path("index"), "a catalogue")()
    assert {(row.figure, row.data) for row in rows} == set(served_rows.figures_on("a catalogue"))
    told = {row.figure: row.value for row in rows}
    assert told[served_rows.WRONG] == "1 of 1 near-duplicate pairs"
    assert told[served_rows.HITS].startswith("25% of 4 ")
    assert told[served_rows.LEARNED] == "2.0 of 40"
    assert told[served_rows.WEIGHT] == "300 MB, 350 MB after 200 requests"
    assert told[served_rows.PLAIN.format(kind="search")].startswith("95 / 95 ms")
