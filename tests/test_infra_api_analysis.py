"""`semantic_analysis` of the plain endpoints: what the words were taken to be after."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from serving import Json, Running, usher

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with usher(tmp_path_factory.mktemp("home")) as one:
        yield one


async def analysis(running: Running, **body: object) -> Json:
    async with running.client() as client:
        answer = await client.post("/v1/recommend", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()["semantic_analysis"]
    return found


async def test_words_are_analysed(running: Running) -> None:
    told = await analysis(running, query_text="a tense crime thriller from the 70s", k=3)
    assert len(told["all_intents"]) == 5
    assert told["primary_intent"] == max(told["all_intents"], key=told["all_intents"].get)
    assert 0 < told["confidence"] <= 1 and 0 < told["enhanced_score"] <= 1
    assert told["all_intents"]["temporal_context"] > 0.5 > told["all_intents"]["similarity_based"]
    assert {"crime", "tense", "70s"} & set(told["heard"])


async def test_titles_count_though_no_one_searches_by_them(running: Running) -> None:
    told = await analysis(running, query_text="like Heat", k=3)
    assert told["primary_intent"] == "similarity_based"
    assert told["heard"] == ["Heat"]


async def test_without_words_there_is_nothing_to_analyse(running: Running) -> None:
    assert await analysis(running, constraints={"genre": "crime"}, k=2) == {
        "confidence": None,
        "primary_intent": None,
        "all_intents": {},
        "enhanced_score": None,
        "heard": [],
    }


async def test_a_hit_of_the_cache_is_analysed_too(running: Running) -> None:
    first = await analysis(running, query_text="a heist comedy", k=3)
    async with running.client() as client:
        again = await client.post("/v1/recommend", json={"query_text": "a heist comedy", "k": 3})
    assert again.json()["cached"]
    assert again.json()["semantic_analysis"] == first
