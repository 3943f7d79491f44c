"""The behaviour every MovieIndex must show.

Knows the port only. A test module derives from MovieIndexContract and supplies an async fixture
`index`: open, empty, with vectors of DIMENSION numbers; see tests/test_retrieval_local_index.py.
"""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from random_movies import match, random_constraints, random_movie
from retrieval.index import Leg, ListLeg, MovieIndex, PopularLeg, Row, TagLeg, TextLeg, VectorLeg
from retrieval.movie import (
    Constraints,
    Movie,
    PredictedTag,
    Range,
    Wish,
    satisfies,
)
from retrieval.search_terms import BOOSTS

DIMENSION = 8


def vector(*numbers: float) -> np.ndarray:
    """A unit vector of DIMENSION numbers."""
    padded = np.zeros(DIMENSION, dtype=np.float32)
    padded[: len(numbers)] = numbers
    return padded / np.linalg.norm(padded)


ALIEN = Movie(
    "m1",
    "Alien",
    year=1979,
    kind="movie",
    runtime_min=117,
    genres=("horror", "science fiction"),
    directors=("Ridley Scott",),
    cast=("Sigourney Weaver", "John Hurt"),
    language="en",
    country=("GB", "US"),
    certificate="R",
    overview="A crew meets a deadly creature on a spaceship.",
    moods=("tense", "scary"),
    themes=("isolation",),
    keywords=("space", "xenomorph"),
    attributes={"violence": 2, "scariness": 3},
    fame=5,
    popularity=9000.0,
    available_on={"US": ("Netflix", "Hulu"), "GB": ("Disney+",)},
)
ALIENS = Movie(
    "m2",
    "Aliens",
    year=1986,
    kind="movie",
    runtime_min=137,
    genres=("action", "science fiction"),
    directors=("James Cameron",),
    cast=("Sigourney Weaver",),
    language="en",
    moods=("tense",),
    keywords=("space marine",),
    overview="Marines fight creatures on a colony.",
    attributes={"violence": 3},
    fame=5,
    popularity=7000.0,
    available_on={"US": ("Prime Video",)},
)
AMELIE = Movie(
    "m3",
    "Amélie",
    year=2001,
    kind="movie",
    runtime_min=122,
    alt_titles=("Le Fabuleux Destin d'Amélie Poulain",),
    genres=("comedy", "romance"),
    directors=("Jean-Pierre Jeunet",),
    cast=("Audrey Tautou",),
    language="fr",
    country=("FR",),
    moods=("whimsical",),
    overview="A shy waitress changes the lives of those around her. No zombies here.",
    attributes={"violence": 0, "romance": 3},
    fame=4,
)
SPACED = Movie(
    "m4",
    "Spaced",
    year=1999,
    kind="series",
    genres=("comedy",),
    language="en",
    keywords=("flatmates",),
    predicted_tags=(PredictedTag("mood", "whimsical", 0.9),),
    popularity=50.0,
)
BARE = Movie("m5", "The Unknown Film")
TWIN_OLD = Movie("m6", "Cinderella", year=1950, popularity=4000.0)
TWIN_NEW = Movie("m7", "Cinderella", year=2015, popularity=3000.0)
MOVIES = (ALIEN, ALIENS, AMELIE, SPACED, BARE, TWIN_OLD, TWIN_NEW)
ROWS = tuple(Row(movie, vector(1.0, i, i * i)) for i, movie in enumerate(MOVIES))
ANY = Constraints()
EVERYONE = ListLeg({movie.movie_id: 1.0 for movie in MOVIES})


async def ids(
    index: MovieIndex, leg: Leg, constraints: Constraints = ANY, k: int = 50
) -> tuple[str, ...]:
    """The ids of one leg's hits."""
    [hits] = await index.search([leg], constraints, k)
    assert len(hits.movie_ids) == len(hits.scores)
    assert list(hits.scores) == sorted(hits.scores, reverse=True)
    return hits.movie_ids


FILTERS: Sequence[tuple[str, Constraints]] = (
    ("m1 m2 m3 m4 m5 m6 m7", Constraints()),
    ("m1", Constraints(require=(match("genre", "Horror"),))),
    ("m3 m4", Constraints(require=(match("genre", "comedy", "western"),))),
    ("m2", Constraints(require=(match("genre", "science fiction"), match("genre", "action")))),
    ("m1 m2", Constraints(require=(match("mood", "tense"),))),
    # A guess is never a known value.
    ("m3", Constraints(require=(match("mood", "whimsical"),))),
    ("m1", Constraints(require=(match("theme", "isolation"),))),
    ("m1", Constraints(require=(match("keyword", "Xenomorph"),))),
    ("m1", Constraints(require=(match("topic", "scary"),))),
    ("m1 m2", Constraints(require=(match("person", "sigourney weaver"),))),
    ("m1", Constraints(require=(match("director", "Ridley Scott"),))),
    ("", Constraints(require=(match("actor", "Ridley Scott"),))),
    ("m3", Constraints(require=(match("language", "fr"),))),
    ("m1", Constraints(require=(match("country", "US"),))),
    ("m1", Constraints(require=(match("certificate", "R"),))),
    ("m4", Constraints(require=(match("kind", "series"),))),
    ("m1", Constraints(require=(match("service", "netflix"),))),
    ("m1", Constraints(require=(match("service", "gb:Disney+"),))),
    ("", Constraints(require=(match("service", "gb:netflix"),))),
    ("m2 m3 m4", Constraints(require=(Range("year", 1980, 2001),))),
    ("m1 m6", Constraints(require=(Range("year", max=1979),))),
    # Unknown values fail a requirement and pass an exclusion.
    ("m1 m3", Constraints(require=(Range("runtime", max=122),))),
    ("m2 m4 m5 m6 m7", Constraints(exclude=(Range("runtime", max=122),))),
    ("m3", Constraints(require=(Range("violence", 0, 0),))),
    ("m4 m5 m6 m7", Constraints(exclude=(Range("violence"),))),
    ("m3 m4 m5 m6 m7", Constraints(exclude=(match("genre", "science fiction"),))),
    ("m3 m4 m5 m6 m7", Constraints(exclude=(match("person", "Sigourney Weaver"),))),
    # The word alone, in a keyword or the overview, excludes too, in singular or plural.
    ("m2 m4 m5 m6 m7", Constraints(exclude=(match("theme", "zombie", "xenomorphs"),))),
    ("m1 m3 m4 m5 m6 m7", Constraints(exclude=(match("topic", "space marines"),))),
    ("m3 m4 m5 m6 m7", Constraints(exclude=(match("keyword", "space"),))),
    # ... but not for fields whose values are no words of a text.
    ("m1 m2 m3 m4 m5 m6 m7", Constraints(exclude=(match("person", "marines"),))),
    ("m2 m5", Constraints(only_ids=frozenset({"m5", "m2", "nope"}))),
    ("", Constraints(only_ids=frozenset())),
    ("m5", Constraints(only_ids=frozenset({"m5", "m2"}), exclude_ids=frozenset({"m2", "nope"}))),
)


class MovieIndexContract:
    """Derive, and supply `index`."""

    @pytest.fixture
    async def filled(self, index: MovieIndex) -> MovieIndex:
        await index.upsert(ROWS)
        return index

    # --- an empty index is an index ---

    async def test_an_empty_index_answers(self, index: MovieIndex) -> None:
        legs: list[Leg] = [TextLeg("alien"), VectorLeg(vector(1.0)), PopularLeg(), EVERYONE]
        for hits in await index.search(legs, Constraints(), 10):
            assert hits.movie_ids == ()
        assert await index.count(Constraints()) == 0
        assert [movie async for movie in index.scan()] == []
        assert (await index.stats()).movies == 0

    # --- filters ---

    @pytest.mark.parametrize(("expected", "constraints"), FILTERS)
    async def test_filter(
        self, filled: MovieIndex, expected: str, constraints: Constraints
    ) -> None:
        by_definition = [m.movie_id for m in MOVIES if satisfies(m, constraints)]
        assert by_definition == expected.split(), "the test itself disagrees with satisfies()"
        assert sorted(await ids(filled, EVERYONE, constraints)) == expected.split()
        assert await filled.count(constraints) == len(expected.split())

    async def test_filters_select_exactly_what_satisfies_says(self, index: MovieIndex) -> None:
        rng = random.Random(7)
        crowd = [random_movie(rng, i) for i in range(200)]
        await index.upsert([Row(m, vector(1.0)) for m in crowd])
        leg = ListLeg({m.movie_id: 1.0 for m in crowd})
        for _ in range(150):
            constraints = random_constraints(rng)
            expected = sorted(m.movie_id for m in crowd if satisfies(m, constraints))
            assert sorted(await ids(index, leg, constraints, k=1000)) == expected, constraints
            assert await index.count(constraints) == len(expected)

    @pytest.mark.parametrize(
        "leg",
        [TextLeg("creature space"), VectorLeg(vector(1.0)), EVERYONE, PopularLeg()],
        ids=lambda leg: leg.name,
    )
    async def test_every_leg_is_filtered(self, filled: MovieIndex, leg: Leg) -> None:
        only = Constraints(require=(match("genre", "action"),))
        assert await ids(filled, leg, only) == ("m2",)

    async def test_unknown_counts_who_lacks_the_field(self, filled: MovieIndex) -> None:
        short, comedy = Range("runtime", max=100), match("genre", "comedy")
        assert await filled.unknown(Constraints(), short) == (4, 7)
        both = Constraints(require=(short, comedy))
        assert await filled.unknown(both, short) == (1, 2)
        assert await filled.unknown(Constraints(), match("topic", "war")) == (3, 7)
        assert await filled.unknown(Constraints(), match("service", "netflix")) == (5, 7)

    # --- legs ---

    async def test_legs_come_back_in_order_with_their_names(self, filled: MovieIndex) -> None:
        legs: list[Leg] = [
            PopularLeg(),
            VectorLeg(vector(1.0), name="one"),
            TextLeg("alien"),
            VectorLeg(vector(0.0, 1.0), name="two"),
        ]
        hits = await filled.search(legs, Constraints(), 3)
        assert [h.leg for h in hits] == ["popular", "one", "text", "two"]
        assert all(len(h.movie_ids) <= 3 for h in hits)
        assert hits[1].movie_ids[0] == "m1"
        assert hits[3].movie_ids[0] != "m1"

    async def test_vector_scores_are_cosines(self, filled: MovieIndex) -> None:
        wanted = vector(0.5, 1.0, 2.0)
        [hits] = await filled.search([VectorLeg(wanted)], Constraints(), 50)
        by_id = {row.movie.movie_id: float(row.vector @ wanted) for row in ROWS}
        assert dict(zip(hits.movie_ids, hits.scores, strict=True)) == pytest.approx(by_id, abs=1e-5)

    async def test_ties_are_broken_by_id(self, index: MovieIndex) -> None:
        same = [Row(Movie(i, "Same"), vector(1.0)) for i in ("c", "a", "b", "e", "d")]
        await index.upsert(same)
        legs: list[Leg] = [
            *(VectorLeg(vector(1.0)), PopularLeg(), TextLeg("same")),
            ListLeg({"e": 1.0, "b": 1.0, "d": 1.0, "a": 1.0, "c": 1.0}),
        ]
        for hits in await index.search(legs, Constraints(), 3):
            assert hits.movie_ids == ("a", "b", "c"), hits.leg

    async def test_an_exact_title_comes_first(self, filled: MovieIndex) -> None:
        assert (await ids(filled, TextLeg("aliens")))[0] == "m2"
        assert (await ids(filled, TextLeg("Unknown Film, The")))[0] == "m5"
        assert (await ids(filled, TextLeg("le fabuleux destin d'amelie poulain")))[0] == "m3"
        # The best known of several; a year chooses.
        assert (await ids(filled, TextLeg("Cinderella")))[:2] == ("m6", "m7")
        assert (await ids(filled, TextLeg("Cinderella (2015)")))[0] == "m7"
        other = Movie("m8", "Other", alt_titles=("Cinderella",), popularity=8000.0)
        await filled.upsert([Row(other, vector(1.0))])
        assert (await ids(filled, TextLeg("cinderella")))[:3] == ("m6", "m7", "m8")

    async def test_text_searches_people_keywords_and_overview(self, filled: MovieIndex) -> None:
        assert (await ids(filled, TextLeg("something with audrey tautou")))[0] == "m3"
        assert (await ids(filled, TextLeg("xenomorphs")))[0] == "m1"
        assert (await ids(filled, TextLeg("a shy waitress")))[0] == "m3"
        assert await ids(filled, TextLeg("qwertyuiop")) == ()

    async def test_a_word_counts_by_the_field_that_it_stands_in(self, index: MovieIndex) -> None:
        titled, told = Movie("a", "Harbour Song"), Movie("b", "Dusk", overview="A cold harbour.")
        await index.upsert([Row(titled, vector(1.0)), Row(told, vector(1.0))])
        for name, order in (("title", ("a", "b")), ("body", ("b", "a"))):
            leg = TextLeg("harbour", boosts={**BOOSTS, name: 9.0})
            assert await ids(index, leg) == order

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "don't want AND horror", "* ) ( [", "robot -funny", 'title:"a', "\x00"),
            *("é" * 9000, "a " * 25_000, "👾", "NOT", "a:b^2~", "'"),
        ],
    )
    async def test_any_text_is_only_text(self, filled: MovieIndex, text: str) -> None:
        await filled.search([TextLeg(text)], Constraints(), 10)

    async def test_minus_and_not_do_not_exclude(self, filled: MovieIndex) -> None:
        assert "m1" in await ids(filled, TextLeg("creature -spaceship"))
        assert "m1" in await ids(filled, TextLeg("creature NOT spaceship"))

    async def test_tags_sum_the_weights(self, filled: MovieIndex) -> None:
        wishes = (Wish("mood", "Tense"), Wish("genre", "horror", 0.5), Wish("topic", "comedy", 0.2))
        [hits] = await filled.search([TagLeg(wishes)], Constraints(), 10)
        assert hits.movie_ids == ("m1", "m2", "m3", "m4")
        assert hits.scores == pytest.approx((1.5, 1.0, 0.2, 0.2), abs=0.01)

    async def test_predicted_tags_count_half(self, filled: MovieIndex) -> None:
        [hits] = await filled.search([TagLeg((Wish("mood", "whimsical"),))], Constraints(), 10)
        assert hits.movie_ids == ("m3", "m4")
        assert hits.scores == pytest.approx((1.0, 0.5), abs=0.01)

    async def test_unwelcome_tags_push_down_and_out(self, filled: MovieIndex) -> None:
        wishes = (Wish("mood", "tense"), Wish("genre", "action", -0.4), Wish("language", "fr", -1))
        assert await ids(filled, TagLeg(wishes)) == ("m1", "m2")

    async def test_a_list_is_only_filtered(self, filled: MovieIndex) -> None:
        leg = ListLeg({"m2": 0.5, "nope": 9.0, "m5": 2.0})
        [hits] = await filled.search([leg], Constraints(), 10)
        assert (hits.movie_ids, hits.scores) == (("m5", "m2"), (2.0, 0.5))

    async def test_popular_is_fame_then_popularity(self, filled: MovieIndex) -> None:
        best = await ids(filled, PopularLeg())
        assert best[:2] == ("m1", "m2")
        assert best.index("m3") < best.index("m4")
        assert best.index("m6") < best.index("m7") < best.index("m5")

    # --- records ---

    async def test_get_gives_back_what_was_put(self, filled: MovieIndex) -> None:
        found = await filled.get(["m1", "nope", "m5", "m4"])
        assert found == {"m1": ALIEN, "m5": BARE, "m4": SPACED}

    async def test_vectors_come_back(self, filled: MovieIndex) -> None:
        found = await filled.vectors(["m3", "nope"])
        assert list(found) == ["m3"]
        assert found["m3"] == pytest.approx(ROWS[2].vector)

    async def test_scan_gives_every_movie_in_a_stable_order(self, filled: MovieIndex) -> None:
        first = [movie async for movie in filled.scan()]
        assert {m.movie_id: m for m in first} == {m.movie_id: m for m in MOVIES}
        assert [movie async for movie in filled.scan()] == first

    # --- changes ---

    async def test_upsert_replaces(self, filled: MovieIndex) -> None:
        changed = Movie("m1", "Nostromo", overview="Cargo.", genres=("drama",))
        await filled.upsert([Row(changed, vector(0.0, 0.0, 0.0, 1.0))])
        assert (await filled.get(["m1"]))["m1"] == changed
        assert await filled.count(Constraints()) == len(MOVIES)
        assert (await ids(filled, TextLeg("nostromo")))[0] == "m1"
        assert "m1" not in await ids(filled, TextLeg("xenomorph"))
        assert "m1" not in await ids(filled, TagLeg((Wish("genre", "horror"),)))
        assert (await ids(filled, VectorLeg(vector(0.0, 0.0, 0.0, 1.0))))[0] == "m1"
        excluded = Constraints(exclude=(match("theme", "creature"),))
        assert "m1" in await ids(filled, EVERYONE, excluded)

    async def test_the_last_of_equal_ids_wins(self, index: MovieIndex) -> None:
        await index.upsert(
            [Row(Movie("x", "One"), vector(1.0)), Row(Movie("x", "Two"), vector(1.0))]
        )
        assert (await index.get(["x"]))["x"].title == "Two"
        assert await index.count(Constraints()) == 1

    async def test_a_wrong_vector_changes_nothing(self, filled: MovieIndex) -> None:
        before = await filled.revision()
        good, bad = Row(Movie("n1", "New"), vector(1.0)), np.ones(DIMENSION + 1, np.float32)
        with pytest.raises(ValueError, match="n2"):
            await filled.upsert([good, Row(Movie("n2", "Wrong"), bad)])
        assert await filled.get(["n1", "n2"]) == {}
        assert await filled.revision() == before

    async def test_delete_removes_and_counts(self, filled: MovieIndex) -> None:
        assert await filled.delete(["m1", "nope", "m2", "m1"]) == 2
        assert await filled.delete(["m1"]) == 0
        assert await filled.get(["m1"]) == {}
        assert await filled.count(Constraints()) == len(MOVIES) - 2
        for leg in (TextLeg("alien"), VectorLeg(vector(1.0)), EVERYONE, PopularLeg()):
            assert not {"m1", "m2"}.intersection(await ids(filled, leg))

    async def test_a_deleted_movie_can_come_back(self, filled: MovieIndex) -> None:
        await filled.delete(["m1"])
        await filled.upsert(ROWS[:1])
        assert (await ids(filled, TextLeg("alien")))[0] == "m1"

    async def test_every_change_moves_the_revision(self, index: MovieIndex) -> None:
        seen = [await index.revision()]
        await index.upsert(ROWS[:2])
        seen.append(await index.revision())
        await index.delete(["m1"])
        seen.append(await index.revision())
        await index.put_knowledge("neighbours", b"one", "sha-one")
        seen.append(await index.revision())
        assert len(set(seen)) == 4
        assert await index.revision() == seen[-1]

    async def test_knowledge_is_kept_through_changes(self, filled: MovieIndex) -> None:
        assert await filled.knowledge("neighbours") is None
        await filled.put_knowledge("neighbours", b"\x00one", "sha-one")
        await filled.put_knowledge("comention", b"two" * 100_000, "sha-two")
        await filled.put_knowledge("neighbours", b"three", "sha-three")
        await filled.delete(["m1"])
        assert await filled.knowledge("neighbours") == b"three"
        assert await filled.knowledge("comention") == b"two" * 100_000
        stats = await filled.stats()
        assert stats.knowledge == {"neighbours": "sha-three", "comention": "sha-two"}

    async def test_stats_count_known_values(self, filled: MovieIndex) -> None:
        stats = await filled.stats()
        assert (stats.movies, stats.dimension) == (len(MOVIES), DIMENSION)
        assert stats.revision == await filled.revision()
        expected = {"title": 7, "year": 6, "runtime_min": 3, "language": 4, "kind": 4, "fame": 3}
        assert {name: stats.known[name] for name in expected} == expected
