"""The plain endpoints: recommend, similar, search and feedback over the real app."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio

from infra.api.callers import site_of
from infra.api.filters import MATCHED, RANGED, Filters
from retrieval.movie import Constraints, Match, MatchField, Movie, Range, RangeField, satisfies
from serving import Json, Running, usher
from tools.stores import Interaction, StoreUnavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    home = tmp_path_factory.mktemp("home")
    async with usher(home) as one:
        yield one


async def recommend(client: httpx.AsyncClient, **body: object) -> Json:
    answer = await client.post("/v1/recommend", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def ids(answer: Json) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


async def movies(running: Running, answer: Json) -> list[Movie]:
    found = await running.services.index.get(ids(answer))
    return [found[one] for one in ids(answer)]


async def kept(running: Running, client: httpx.AsyncClient) -> list[Interaction]:
    return await running.services.stores.interactions.recent(running.principal(client))


# --- recommend ------------------------------------------------------------------------------------


async def test_answer_has_exactly_the_documented_form(running: Running) -> None:
    async with running.client() as client:
        answer = await recommend(client, query_text="a tense crime thriller", k=3)
    assert set(answer) == {"items", "model_version", "cached", "semantic_analysis"}
    assert len(answer["items"]) == 3
    for item in answer["items"]:
        assert set(item) == {"item_id", "title", "score", "reason"}
        assert item["reason"] and all(isinstance(reason, str) for reason in item["reason"])
    scores = [item["score"] for item in answer["items"]]
    assert all(score > 0 for score in scores)
    fields = {"confidence", "primary_intent", "all_intents", "enhanced_score", "heard"}
    assert set(answer["semantic_analysis"]) == fields


async def test_words_are_understood_as_in_the_chat(running: Running) -> None:
    async with running.client() as client:
        answer = await recommend(client, query_text="a crime film under 130 minutes, no horror")
    found = await movies(running, answer)
    wanted = Constraints(
        (Match("genre", frozenset({"crime"})), Range("runtime", None, 130)),
        (Match("genre", frozenset({"horror"})),),
    )
    assert found and all(satisfies(movie, wanted) for movie in found)


async def test_words_and_constraints_both_bind(running: Running) -> None:
    async with running.client() as client:
        constraints = {"year_min": 1990, "not_genre": ["romance"], "kind": "movie"}
        answer = await recommend(client, query_text="a drama", constraints=constraints, k=20)
    found = await movies(running, answer)
    assert found
    for movie in found:
        assert "drama" in movie.genres
        assert "romance" not in movie.genres
        assert movie.year is not None and movie.year >= 1990


async def test_nothing_asked_gives_what_most_like_and_nothing_fits_gives_nothing(
    running: Running,
) -> None:
    async with running.client() as client:
        assert len((await recommend(client))["items"]) == 10
        assert (await recommend(client, constraints={"year_min": 2190}))["items"] == []


async def test_explain_false_leaves_reasons_out(running: Running) -> None:
    async with running.client() as client:
        answer = await recommend(client, query_text="a tense crime thriller", explain=False)
    assert all(item["reason"] == [] for item in answer["items"])


async def test_example_is_not_recommended_but_named_as_the_reason(running: Running) -> None:
    async with running.client() as client:
        answer = await recommend(client, query_text="something like Black Panther", k=5)
    assert "us000001" not in ids(answer)
    assert any("Black Panther" in why for item in answer["items"] for why in item["reason"])


async def test_cached_list_is_said_to_be_and_is_the_same(running: Running) -> None:
    body = {"query_text": "an uplifting adventure about friendship", "k": 5}
    async with running.client() as client, running.client() as other:
        first, again = await recommend(client, **body), await recommend(other, **body)
    assert (first["cached"], again["cached"]) == (False, True)
    assert ids(again) == ids(first)
    assert again["model_version"] == first["model_version"]


async def test_feedback_counts_in_the_next_list(running: Running) -> None:
    async with running.client() as client:
        before = await recommend(client, k=5)
        seen, disliked, liked = ids(before)[:3]
        for item_id, event in ((seen, "seen"), (disliked, "dislike"), (liked, "like")):
            sent = await client.post("/v1/feedback", json={"item_id": item_id, "event": event})
            assert (sent.status_code, sent.json()) == (202, {"accepted": 1})
        after = await recommend(client, k=5)
        assert not after["cached"], "a like makes a list of one's own"
        assert {seen, disliked, liked}.isdisjoint(ids(after))
        assert (await recommend(client, k=5))["cached"]
        sent = await client.post("/v1/feedback", json={"item_id": ids(after)[0], "event": "like"})
        assert not (await recommend(client, k=5))["cached"], "every interaction moves the profile"


WRONG: dict[str, Json] = {
    "k 0": {"k": 0},
    "k too large": {"k": 51},
    "k a text": {"k": "many"},
    "unknown field": {"limit": 5},
    "constraints a list": {"constraints": []},
    "unknown filter": {"constraints": {"colour": "red"}},
    "unknown genre": {"constraints": {"genre": "scary stuff"}},
    "unknown kind": {"constraints": {"not_kind": "podcast"}},
    "year a text": {"constraints": {"year_min": "old"}},
    "years crossed": {"constraints": {"year_min": 2000, "year_max": 1990}},
    "grade too high": {"constraints": {"violence_max": 4}},
    "empty value": {"constraints": {"genre": ""}},
    "too many values": {"constraints": {"mood": ["dark"] * 21}},
    "text a number": {"query_text": 3},
    "text too long": {"query_text": "x" * 2001},
    "text with NUL": {"query_text": "a film\x00"},
    "user_id empty": {"user_id": ""},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
async def test_wrong_requests_are_422(running: Running, body: Json) -> None:
    async with running.client() as client:
        refused = await client.post("/v1/recommend", json=body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert "scary stuff" not in refused.text


async def test_topic_gives_way_where_nothing_fits_but_a_filter_never_does(running: Running) -> None:
    text = "a crime film about chess"
    async with running.client() as client:
        assert (await recommend(client, query_text=text))["items"]
        bound = await recommend(client, query_text=text, constraints={"topic": "chess"})
    assert bound["items"] == []


async def test_chat_and_endpoints_share_the_cache(running: Running) -> None:
    cache = running.services.toolbox.cache
    assert cache is not None
    text = "a tense crime thriller"
    async with running.client() as client, running.client() as other:
        await running.say(client, {"message": text})
        hits = cache.tally.hits
        assert (await recommend(other, query_text=f"show me {text} please"))["cached"]
        await running.say(other, {"message": text})
    assert cache.tally.hits == hits + 2


# --- similar --------------------------------------------------------------------------------------


async def test_similar_gives_neighbours_with_reasons(running: Running) -> None:
    async with running.client() as client:
        answer = (await client.get("/v1/similar?item_id=us000001&k=4")).json()
    assert len(answer["items"]) == 4
    assert "us000001" not in ids(answer)
    assert any("Black Panther" in why for item in answer["items"] for why in item["reason"])


async def test_similar_leaves_out_what_the_person_saw_and_is_else_the_same_for_all(
    running: Running,
) -> None:
    async with running.client() as client, running.client() as other:
        first = (await client.get("/v1/similar?item_id=us000002&k=4")).json()
        body = {"item_id": ids(first)[0], "event": "seen"}
        await client.post("/v1/feedback", json=body)
        liked = {"item_id": ids(first)[1], "event": "like"}
        await client.post("/v1/feedback", json=liked)
        again = (await client.get("/v1/similar?item_id=us000002&k=3")).json()
        assert ids(again) == ids(first)[1:]
        assert again["cached"]
        assert ids((await other.get("/v1/similar?item_id=us000002&k=4")).json()) == ids(first)


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 422), ("item_id=", 422), ("item_id=nope", 404), ("item_id=us000001&k=99", 422)],
)
async def test_wrong_similar_requests(running: Running, query: str, status: int) -> None:
    async with running.client() as client:
        refused = await client.get(f"/v1/similar?{query}")
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"


# --- search ---------------------------------------------------------------------------------------


async def test_exact_title_comes_first(running: Running) -> None:
    movie = (await running.services.index.get(["us000027"]))["us000027"]
    async with running.client() as client:
        answer = (await client.get("/v1/search", params={"query": movie.title, "k": 3})).json()
        assert ids(answer)[0] == movie.movie_id
        assert len(answer["items"]) <= 3
        said = {why for item in answer["items"] for why in item["reason"]}
        assert said and "One of the best known that fit" not in said, "fame found none of them"
        gone = await client.get("/v1/movies", params={"query": movie.title})
        assert gone.status_code == 404


async def test_filters_bind_in_a_query_string(running: Running) -> None:
    params = {"query": "crime and family", "genre": "crime|drama", "year_max": "1999", "k": "20"}
    async with running.client() as client:
        answer = (await client.get("/v1/search", params={**params, "not_genre": "horror"})).json()
        godfather = (
            await client.get("/v1/search", params={"query": "The Godfather", "not_genre": "crime"})
        ).json()
    found = await movies(running, answer)
    assert found
    for movie in found:
        assert {"crime", "drama"} & set(movie.genres) and "horror" not in movie.genres
        assert movie.year is not None and movie.year <= 1999
    assert "The Godfather" not in [item["title"] for item in godfather["items"]]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "x" * 201}, "query"),
        ({"query": "x", "k": 0}, "k"),
        ({"query": "x", "k": "a"}, "k"),
        ({"query": "x", "genres": "crime"}, "genres"),
        ({"query": "x", "genre": "nonsense"}, "genre"),
        ({"query": "x", "year_min": "old"}, "year_min"),
    ],
)
async def test_wrong_queries_are_422_and_named(
    running: Running, params: dict[str, Any], pointer: str
) -> None:
    async with running.client() as client:
        refused = await client.get("/v1/search", params=params)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_filters_are_named_as_the_fields_of_constraints() -> None:
    assert set(get_args(MatchField)) == set(MATCHED)
    attributes = {name for part in get_args(RangeField) for name in get_args(part) or (part,)}
    assert attributes == set(RANGED)
    names = {*MATCHED, *(f"not_{name}" for name in MATCHED)}
    names |= {f"{name}_{end}" for name in RANGED for end in ("min", "max")}
    assert set(Filters.model_fields) == names


async def test_filters_become_the_clauses_they_say() -> None:
    sent = {"genre": ["Sci-Fi", "crime|thriller"], "not_country": "France", "pace_min": 2}
    assert Filters.model_validate(sent).constraints() == Constraints(
        require=(
            Match("genre", frozenset({"science fiction"})),
            Match("genre", frozenset({"crime", "thriller"})),
            Range("pace", 2, None),
        ),
        exclude=(Match("country", frozenset({"fr"})),),
    )


# --- feedback -------------------------------------------------------------------------------------


async def feedback(
    client: httpx.AsyncClient, key: str | None = None, **body: object
) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post("/v1/feedback", json=body, headers=headers)


async def test_feedback_is_kept_as_an_interaction(running: Running) -> None:
    first, second = running.movie_ids[:2]
    async with running.client() as client:
        assert (await feedback(client, item_id=first, event="rating", value=4.5)).is_success
        assert (await feedback(client, item_id=second, event="watch", value=0.9)).is_success
        found = await kept(running, client)
    assert [(one.kind, one.movie_id, one.value) for one in found] == [
        ("watch", second, 0.9),
        ("rating", first, 4.5),
    ]


async def test_repeat_without_a_key_is_refused_for_a_minute(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: Json = {"item_id": running.movie_ids[0], "event": "rating", "value": 4}
    async with running.client() as client, running.client() as other:
        assert (await feedback(client, **body)).status_code == 202
        refused = await feedback(client, **body)
        assert (refused.status_code, refused.json()["code"]) == (409, "repeated")
        assert refused.headers["retry-after"] == "60"
        for different in ({**body, "value": 3}, {**body, "event": "like", "value": None}):
            assert (await feedback(client, **different)).status_code == 202
        assert (await feedback(other, **body)).status_code == 202
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)
        assert (await feedback(client, **body)).status_code == 202
        assert len(await kept(running, client)) == 4


async def test_of_repeats_at_once_one_is_kept(running: Running) -> None:
    body = {"item_id": running.movie_ids[0], "event": "like"}
    async with running.client() as client:
        await client.get("/")
        answers = await asyncio.gather(*(feedback(client, **body) for _ in range(10)))
        assert sorted(one.status_code for one in answers) == [202] + [409] * 9
        assert len(await kept(running, client)) == 1


async def test_repeat_with_a_key_gets_the_same_answer(running: Running) -> None:
    body = {"item_id": running.movie_ids[0], "event": "like"}
    async with running.client() as client:
        first = await feedback(client, "k1", **body)
        again = await feedback(client, "k1", **body)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert (await feedback(client, "k2", **body)).status_code == 202
        refused = await feedback(client, "k1", item_id=running.movie_ids[1], event="like")
        assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")
        assert len(await kept(running, client)) == 2


async def test_feedback_that_was_not_kept_may_be_sent_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> int:
        raise StoreUnavailable("the disk is full: free some space")

    body = {"item_id": running.movie_ids[0], "event": "favourite"}
    async with running.client() as client:
        monkeypatch.setattr(type(running.services.stores.interactions), "append", full)
        assert (await feedback(client, **body)).status_code == 503
        monkeypatch.undo()
        assert (await feedback(client, **body)).status_code == 202
        assert len(await kept(running, client)) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"event": "adore"}, "invalid_request"),
        ({"event": "rating"}, "invalid_request"),
        ({"event": "rating", "value": 6}, "invalid_request"),
        ({"event": "watch", "value": 1.5}, "invalid_request"),
        ({"event": "like", "value": 1}, "invalid_request"),
        ({"event": "like", "note": "x"}, "invalid_request"),
        ({"event": "like", "item_id": "nope"}, "unknown_movie"),
    ],
)
async def test_wrong_feedback_is_422_and_not_kept(running: Running, wrong: Json, code: str) -> None:
    async with running.client() as client:
        refused = await feedback(client, **{"item_id": running.movie_ids[0], **wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert await kept(running, client) == []


# --- addresses ------------------------------------------------------------------------------------


async def test_addresses_of_one_household_count_as_one() -> None:
    assert site_of("203.0.113.7") == "203.0.113.7"
    assert site_of("2001:db8:1:2:3:4:5:6") == site_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert site_of("2001:db8:1:3::9") != site_of("2001:db8:1:2::9")
    assert site_of("::ffff:203.0.113.7") == "203.0.113.7"
    assert site_of("testclient") == "testclient"
