"""The plan of a search: which row applies, what it does, and where nothing changes."""

from collections.abc import Mapping, Sequence

import pytest

from evals.recorded.worlds import IndexView
from infra.wiring import Services
from retrieval.analysis import Intent
from retrieval.enhancer import INTENTS
from retrieval.index import WINDOW, Hits, Leg, TextLeg
from retrieval.movie import Constraints, Query, Seed
from retrieval.retriever import KNOWN_ITEM, WITHOUT_SEEDS, Retriever, RetrieverSettings
from retrieval.search_plan import AGREED, NEUTRAL, PLAN, Kind, Row, row_of
from retrieval.search_terms import BOOSTS

TOLD = "an old man ties balloons to his house and flies away with a boy"
AGREEING = [Hits(leg, tuple("abcd"), (1.0,) * 4) for leg in ("text", "dense")]
APART = [Hits("text", tuple("abcd"), (1.0,) * 4), Hits("dense", tuple("efgh"), (1.0,) * 4)]
SURE_OF_ALL: Mapping[Intent, float] = dict.fromkeys(INTENTS, 0.9)


def row(query: Query, intents: Mapping[Intent, float], has_seeds: bool = False) -> Row:
    return row_of(query, has_seeds, intents, PLAN)


def test_the_neutral_row_changes_nothing() -> None:
    assert NEUTRAL.boosts() == BOOSTS
    for hits in (AGREEING, APART, []):
        assert NEUTRAL.weights(WITHOUT_SEEDS, hits) == WITHOUT_SEEDS


@pytest.mark.parametrize(
    ("query", "intents", "has_seeds"),
    [
        (Query("a comedy"), {}, False),  # no enhancer
        (Query("a comedy"), dict.fromkeys(INTENTS, 0.49), False),  # or one that is not sure
        (Query("a comedy", seeds=(Seed("m1"),)), SURE_OF_ALL, True),
        (Query("a comedy"), SURE_OF_ALL, True),  # a profile's likes
        (Query("a comedy", proposals=("m1",)), SURE_OF_ALL, False),
        (Query("the dark knight", known_item=True), SURE_OF_ALL, False),  # a name as typed
    ],
)
def test_where_no_row_applies_all_is_as_usual(
    query: Query, intents: Mapping[Intent, float], has_seeds: bool
) -> None:
    shape = row(query, intents, has_seeds)
    assert shape.boosts() == BOOSTS
    assert shape.weights(WITHOUT_SEEDS, AGREEING) == WITHOUT_SEEDS


def test_tags_weigh_less_where_a_genre_or_a_mood_is_asked_for() -> None:
    asked_for: list[dict[Intent, float]] = [
        {"genre_preference": 0.9},
        {"genre_preference": 0.9, "mood_based": 0.9},  # once, not twice
    ]
    for intents in asked_for:
        found = row(Query("a comedy"), intents).weights(WITHOUT_SEEDS, APART)
        assert found == {**WITHOUT_SEEDS, "tags": WITHOUT_SEEDS["tags"] / 2}


def test_words_weigh_more_where_their_legs_find_the_same_films() -> None:
    shape = row(Query("about chess"), {"descriptive_features": 0.9})
    assert shape.weights(WITHOUT_SEEDS, APART) == WITHOUT_SEEDS
    found = shape.weights(WITHOUT_SEEDS, AGREEING)
    assert found["text"] > WITHOUT_SEEDS["text"] and found["dense"] > WITHOUT_SEEDS["dense"]
    assert {**found, **{leg: WITHOUT_SEEDS[leg] for leg in ("text", "dense")}} == WITHOUT_SEEDS
    fewer = [Hits(h.leg, h.movie_ids[: AGREED - 1], h.scores[: AGREED - 1]) for h in AGREEING]
    assert shape.weights(WITHOUT_SEEDS, fewer) == WITHOUT_SEEDS
    assert shape.weights(WITHOUT_SEEDS, AGREEING[:1]) == WITHOUT_SEEDS


def test_the_story_counts_more_than_the_title_of_a_film_told_at_length() -> None:
    shape = row(Query(TOLD, known_item=True), {})
    assert shape.boosts()["body"] > BOOSTS["body"] and shape.boosts()["title"] < BOOSTS["title"]
    assert shape.weights(KNOWN_ITEM, AGREEING) == KNOWN_ITEM


def test_rows_name_fields_and_legs_that_there_are() -> None:
    for one in PLAN.values():
        assert one.fields.keys() <= BOOSTS.keys()
        assert one.legs.keys() | one.agreed.keys() <= WITHOUT_SEEDS.keys()
    assert set(PLAN) == {*INTENTS, "described"}


class Noting(IndexView):
    """Notes the text legs and how deep they looked."""

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        self.text = [leg for leg in legs if isinstance(leg, TextLeg)]
        self.k = k
        return await super().search(legs, constraints, k)


async def asked(
    wired: Services, query: Query, plan: Mapping[Kind, Row], k: int = 20
) -> tuple[Noting, list[str]]:
    """(the index as it was asked, the list)."""
    tables, index = await wired.toolbox.catalogue.tables(), Noting(wired.index)
    retriever = Retriever(
        index,
        wired.encoder,
        tables.knowledge,
        wired.executor,
        RetrieverSettings(plan=plan),
        wired.enhancer,
    )
    found = await retriever.retrieve(query, k=k)
    return index, [c.movie.movie_id for c in found.candidates]


async def test_a_plan_reaches_the_index_and_the_list(wired: Services) -> None:
    query = Query("a film about chess and a lonely child")
    usual, before = await asked(wired, query, {})
    assert [leg.boosts for leg in usual.text] == [BOOSTS]
    only_words = Row({"tags": 5.0}, dict.fromkeys(WITHOUT_SEEDS, 0.0) | {"text": 1.0})
    shaped, after = await asked(wired, query, {"descriptive_features": only_words})
    assert [leg.boosts for leg in shaped.text] == [{**BOOSTS, "tags": 5.0}]
    assert before != after
    neutral: Mapping[Kind, Row] = dict.fromkeys(PLAN, NEUTRAL)
    assert (await asked(wired, query, neutral))[1] == before


async def test_legs_look_as_deep_as_the_list_is_long(wired: Services) -> None:
    for k, depth in ((1, WINDOW), (WINDOW + 50, WINDOW + 50)):
        for query in (Query("a funny western"), Query(TOLD, known_item=True)):
            index, _ = await asked(wired, query, PLAN, k)
            assert index.k == depth
