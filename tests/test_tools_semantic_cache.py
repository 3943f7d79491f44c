"""The semantic cache: what is one request, what is kept, and what is taken out of every list."""

import dataclasses
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from infra.settings import load
from infra.wiring import Services, build
from retrieval.movie import Constraints, Match, Query, Range, Seed, Taste, Wish
from retrieval.retriever import Prepared, Retrieved, Retriever
from serving import index_dir
from tools import cached_lists
from tools.cached_lists import MAX_BYTES, MAX_PAIRS, Pair, Ranked
from tools.profile import ProfileTaste
from tools.semantic_cache import NEAR, Recipe, SemanticCache, nearest, place_of, telling
from tools.stores import StoreUnavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRIME = Constraints(require=(Match("genre", frozenset({"crime"})),))
HEIST = Query(text="show me a tense heist film please", constraints=CRIME)
ANN = ProfileTaste(likes={"us000001": 1.0}, principal="ann", version=3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    one = await build(load(home=tmp_path_factory.mktemp("home"), index_dir=index_dir()))
    yield one
    await one.close()


@pytest.fixture
def cache(services: Services, request: pytest.FixtureRequest) -> SemanticCache:
    """A cache with keys of its own, over the real store."""
    prompts = {"test": str(request.node.nodeid)}
    return SemanticCache(services.stores.cache, services.index, time.time, 60.0, prompts)


async def search(
    services: Services,
    cache: SemanticCache,
    query: Query = HEIST,
    taste: Taste | None = None,
    k: int = 20,
) -> Retrieved:
    tables = await services.toolbox.catalogue.tables()
    retriever = services.toolbox.retriever_for(tables)
    return await cache.search(retriever, tables.revision, query, taste or Taste(), k)


def ids(found: Retrieved) -> list[str]:
    return [c.movie.movie_id for c in found.candidates]


# --- serving and keeping --------------------------------------------------------------------------


async def test_same_request_in_near_words_is_served_as_it_was(
    services: Services, cache: SemanticCache
) -> None:
    first = await search(services, cache)
    again = await search(services, cache, replace(HEIST, text="I'd like a tense heist movie"))
    assert (first.cached, again.cached) == (False, True)
    assert ids(again) == ids(first)
    for one, other in zip(first.candidates, again.candidates, strict=True):
        assert other.movie == one.movie
        assert other.score == pytest.approx(one.score, rel=1e-6)
        assert [(e.leg, e.rank, e.source) for e in other.evidence] == [
            (e.leg, e.rank, e.source) for e in one.evidence
        ]
    assert (cache.tally.hits, cache.tally.misses) == (1, 1)


async def test_list_is_the_one_that_a_search_without_cache_gives(
    services: Services, cache: SemanticCache
) -> None:
    tables = await services.toolbox.catalogue.tables()
    plain = await services.toolbox.retriever_for(tables).retrieve(HEIST, Taste(), 200)
    assert ids(await search(services, cache)) == ids(plain)[:20]


@pytest.mark.parametrize(
    "change",
    [
        {"constraints": Constraints(require=(Match("genre", frozenset({"drama"})),))},
        {"constraints": Constraints(exclude=CRIME.require)},
        {"constraints": replace(CRIME, require=(*CRIME.require, Range("year", 1990, None)))},
        {"constraints": replace(CRIME, only_ids=frozenset({"us000016"}))},
        {"seeds": (Seed("us000002"),)},
        {"wishes": (Wish("mood", "tense"),)},
        {"wishes": (Wish("mood", "tense", -1.0),)},
        {"proposals": ("us000003",)},
        {"turned_down": frozenset({"us000003"})},
        {"known_item": True},
        {"text": "a sad musical about nuns"},
        {"text": ""},
    ],
    ids=str,
)
async def test_whatever_differs_is_another_request(
    services: Services, cache: SemanticCache, change: dict[str, Any]
) -> None:
    await search(services, cache)
    assert not (await search(services, cache, replace(HEIST, **change))).cached


async def test_order_of_what_was_said_does_not_matter(
    services: Services, cache: SemanticCache
) -> None:
    clauses = (Match("genre", frozenset({"crime", "drama"})), Range("year", 1970, 2020))
    seeds = (Seed("us000001", 0), Seed("us000002", 1))
    first = Query(seeds=seeds, constraints=Constraints(require=clauses))
    second = Query(seeds=seeds[::-1], constraints=Constraints(require=clauses[::-1]))
    await search(services, cache, first)
    assert (await search(services, cache, second)).cached


async def test_titles_are_never_near(services: Services, cache: SemanticCache) -> None:
    await search(services, cache, Query("the godfather", known_item=True))
    other = await search(services, cache, Query("the godfather movies", known_item=True))
    assert not other.cached
    assert (await search(services, cache, Query("The Godfather!", known_item=True))).cached


# --- seen, shown, disliked ------------------------------------------------------------------------


async def test_what_is_out_is_removed_from_a_shared_list(
    services: Services, cache: SemanticCache
) -> None:
    first = ids(await search(services, cache))
    shown = replace(HEIST, constraints=replace(CRIME, exclude_ids=frozenset({first[0]})))
    taste = Taste(dislikes={first[1]: 1.0}, seen=frozenset({first[2]}))
    again = await search(services, cache, shown, taste, k=5)
    assert again.cached
    assert ids(again) == first[3:8]


async def test_too_many_out_is_searched_anew(services: Services, cache: SemanticCache) -> None:
    everything = Query(text="a film")
    full = await search(services, cache, everything, k=50)
    most = frozenset(ids(full)[:45])
    rest = replace(everything, constraints=Constraints(exclude_ids=most))
    found = await search(services, cache, rest, k=50)
    assert not found.cached
    assert most.isdisjoint(ids(found))


async def test_first_asker_who_saw_much_spoils_no_list(
    services: Services, cache: SemanticCache
) -> None:
    plain = ids(await search(services, cache))
    other = replace(cache, prompts={"another": "cache"})
    seen = Taste(seen=frozenset(plain[:10]))
    assert set(plain[:10]).isdisjoint(ids(await search(services, other, HEIST, seen)))
    again = await search(services, other)
    assert again.cached
    assert ids(again) == plain


# --- scope ----------------------------------------------------------------------------------------


async def test_list_of_a_profile_is_its_owners(services: Services, cache: SemanticCache) -> None:
    assert not (await search(services, cache, taste=ANN)).cached
    assert (await search(services, cache, taste=ANN)).cached
    for other in (replace(ANN, principal="bob"), replace(ANN, version=4), Taste()):
        assert not (await search(services, cache, taste=other)).cached
    await services.stores.cache.delete("ann")
    assert not (await search(services, cache, taste=ANN)).cached


async def test_likes_of_nobody_in_particular_are_not_kept(
    services: Services, cache: SemanticCache
) -> None:
    taste = Taste(likes={"us000001": 1.0})
    for _ in range(2):
        assert not (await search(services, cache, taste=taste)).cached


async def test_every_interaction_moves_the_profile(services: Services) -> None:
    from tools.stores import Interaction

    tool, version = services.toolbox.profile, 0
    for n, kind in enumerate(("shown", "like", "rating")):
        sent = Interaction(f"k{n}", kind, "us000001", 1.0, 4.0)  # type: ignore[arg-type]
        assert await tool.record("carol", [sent]) == 1
        assert await tool.record("carol", [sent]) == 0, "a repeat changes nothing"
        version += 1
        assert (await tool.taste("carol")).version == version


# --- never kept -----------------------------------------------------------------------------------


async def test_degraded_list_is_not_kept(
    services: Services, cache: SemanticCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Retriever.retrieve

    async def partial(self: Retriever, *given: Any) -> Retrieved:
        return replace(await whole(self, *given), degraded=True)

    monkeypatch.setattr(Retriever, "retrieve", partial)
    assert (await search(services, cache)).degraded
    monkeypatch.undo()
    again = await search(services, cache)
    assert (again.cached, again.degraded) == (False, False)
    assert cache.tally.refused == 1


async def test_list_made_while_the_catalogue_changed_is_not_kept(
    services: Services, cache: SemanticCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def moved(self: object) -> str:
        return "another"

    monkeypatch.setattr(type(services.index), "revision", moved)
    tables = services.toolbox.catalogue.current
    assert tables is not None
    retriever = services.toolbox.retriever_for(tables)
    for _ in range(2):
        found = await cache.search(retriever, tables.revision, HEIST, Taste(), 5)
        assert not found.cached


async def test_failing_store_costs_the_cache_not_the_answer(
    services: Services, cache: SemanticCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    for method in ("versioned", "put_if_version"):
        monkeypatch.setattr(type(services.stores.cache), method, broken)
    assert ids(await search(services, cache))


async def test_expired_list_is_made_anew(services: Services, cache: SemanticCache) -> None:
    await search(services, cache)
    later = replace(cache, clock=lambda: time.time() + 61)
    assert not (await search(services, later)).cached


async def test_no_cache_where_it_is_switched_off(tmp_path: Path) -> None:
    off = await build(load(home=tmp_path, index_dir=index_dir(), search_cache_s=0))
    assert off.toolbox.cache is None
    assert not (await off.toolbox.search(HEIST, Taste())).cached
    await off.close()


# --- the key --------------------------------------------------------------------------------------

RECIPE = Recipe("encoder", "ranker")
PLACE = place_of(HEIST, Taste(), "r1", RECIPE, Prepared(None))


@pytest.mark.parametrize(
    ("revision", "recipe"),
    [
        ("r2", RECIPE),
        ("r1", replace(RECIPE, encoder="other")),
        ("r1", replace(RECIPE, ranker="other")),
        ("r1", replace(RECIPE, enhancer="some")),
        ("r1", replace(RECIPE, prompts={"decide": "some"})),
    ],
)
async def test_key_holds_catalogue_and_recipe(revision: str, recipe: Recipe) -> None:
    assert place_of(HEIST, Taste(), revision, recipe, Prepared(None)) != PLACE


async def test_field_that_is_added_to_a_query_is_in_the_key() -> None:
    @dataclasses.dataclass(frozen=True)
    class Wider(Query):
        leaning: str = ""

    places = {
        place_of(Wider(text="x", leaning=said), Taste(), "r1", RECIPE, Prepared(None))
        for said in ("", "recent", "old")
    }
    assert len(places) == 3


async def test_only_telling_words_are_compared() -> None:
    assert telling(HEIST).text == "tense heist"
    assert telling(Query(text="not a musical")).text == "not musical"
    assert telling(Query(text="something good")).text == "something good"


# --- bytes ----------------------------------------------------------------------------------------


def ranked(count: int, legs: int) -> list[Ranked]:
    from retrieval.movie import Evidence

    rng = np.random.default_rng(count)
    return [
        Ranked(
            f"movie-{n}-é",
            float(np.float32(rng.random())),
            tuple(
                Evidence(f"leg{leg}", int(rng.integers(1, 200)), float(np.float32(rng.random())), s)
                for leg, s in zip(range(legs), ("", "genre:crime", f"movie-{n}"), strict=False)
            ),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(("count", "legs"), [(0, 0), (1, 0), (200, 3)])
async def test_list_survives_its_bytes(count: int, legs: int) -> None:
    sent = ranked(count, legs)
    packed = cached_lists.pack(sent)
    assert cached_lists.unpack(packed, 200) == (sent, count)
    gone = {one.movie_id for one in sent[:1]}
    assert cached_lists.unpack(packed, 5, gone) == (sent[1:6], count)


async def test_oldest_pairs_go_first_and_the_limit_holds() -> None:
    noise = np.random.default_rng(0).bytes(20_000)
    made = [Pair(np.full(384, n, dtype=np.float32), noise) for n in range(MAX_PAIRS + 9)]
    value = cached_lists.write(made)
    assert len(value) <= MAX_BYTES
    kept = cached_lists.read(value)
    assert [pair.vector[0] for pair in kept] == list(range(len(kept)))
    small = [replace(pair, packed=b"x") for pair in made]
    assert len(cached_lists.read(cached_lists.write(small))) == MAX_PAIRS


@pytest.mark.parametrize("value", [b"", b"\x63rest", b"\x00"])
async def test_value_of_another_form_is_no_value(value: bytes) -> None:
    assert cached_lists.read(value) == []


async def test_nearest_is_the_nearest_and_near_enough() -> None:
    axis = np.eye(4, dtype=np.float32)
    tilted = np.array([NEAR + 0.01, np.sqrt(1 - (NEAR + 0.01) ** 2), 0, 0], dtype=np.float32)
    pairs = [Pair(axis[2], b"far"), Pair(tilted, b"near"), Pair(axis[1], b"other")]
    assert nearest(pairs, axis[0], NEAR) == b"near"
    assert nearest(pairs, axis[1], NEAR) == b"other"
    assert nearest(pairs, axis[3], NEAR) is None
    assert nearest([], axis[0], NEAR) is None
