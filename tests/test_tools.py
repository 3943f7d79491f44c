"""The toolbox: tags of its tools, tastes from interactions, reasons that rest on something."""

import inspect
from collections.abc import Collection
from dataclasses import replace

import pytest

from prompts.loader import load_phrases
from retrieval.movie import Candidate, Constraints, Evidence, Match, Movie, Query, Range, Seed, Wish
from tools.explain import MAX_REASONS, Case, reasons
from tools.profile import taste_of
from tools.stores import Interaction, InteractionKind
from tools.toolbox import Toolbox


def test_every_tool_says_whether_it_writes() -> None:
    tools = inspect.getmembers(
        Toolbox, lambda m: inspect.isfunction(m) and not m.__name__.startswith("_")
    )
    effects = {name: getattr(tool, "effect", None) for name, tool in tools}
    assert len(effects) >= 8
    assert {name for name, effect in effects.items() if effect == "write"} == {"record"}
    assert None not in effects.values()
    assert all(tool.__doc__ for _, tool in tools)
    with_principal = {n for n, tool in tools if "principal" in inspect.signature(tool).parameters}
    assert with_principal == {"taste", "record"}


def did(kind: InteractionKind, movie_id: str, value: float | None = None) -> Interaction:
    return Interaction(f"{kind}-{movie_id}-{value}", kind, movie_id, at=0.0, value=value)


@pytest.mark.parametrize(
    ("interaction", "liked", "disliked", "seen"),
    [
        (did("like", "m1"), True, False, False),
        (did("dislike", "m1"), False, True, False),
        (did("rating", "m1", 5.0), True, False, True),
        (did("rating", "m1", 0.5), False, True, True),
        (did("swipe", "m1", 1.0), True, False, False),
        (did("swipe", "m1", -1.0), False, True, False),
        (did("watch", "m1", 0.95), False, False, True),
        (did("watch", "m1", 0.1), False, False, False),
        (did("seen", "m1"), False, False, True),
        (did("click", "m1"), False, False, False),
    ],
)
def test_taste(interaction: Interaction, liked: bool, disliked: bool, seen: bool) -> None:
    taste = taste_of([interaction])
    assert ("m1" in taste.likes, "m1" in taste.dislikes, "m1" in taste.seen) == (
        liked,
        disliked,
        seen,
    )


def test_the_newest_word_on_a_movie_wins() -> None:
    taste = taste_of([did("like", "m1"), did("dislike", "m1")])  # newest first
    assert set(taste.likes) == {"m1"}
    assert not taste.dislikes


SEED = Movie("s1", "Heat", year=1995, directors=("Michael Mann",), themes=("heist",))
MOVIE = Movie(
    "m1",
    "Thief",
    year=1981,
    runtime_min=123,
    directors=("Michael Mann",),
    cast=("James Caan",),
    themes=("heist",),
    moods=("tense",),
)


def why(
    query: Query, *evidence: Evidence, movie: Movie = MOVIE, told: Collection[str] = ()
) -> dict[str, str]:
    candidate = Candidate(movie, 1.0, evidence)
    case = Case(candidate, query, {"s1": SEED}, load_phrases(), told=frozenset(told))
    return {reason.rests_on: reason.text for reason in reasons(case)}


def test_reasons_name_the_seed_and_what_is_shared() -> None:
    found = why(Query(seeds=(Seed("s1"),)), Evidence("neighbours", 2, 0.3, "s1"))
    assert "Heat" in found["neighbours:s1"]
    assert "Michael Mann" in found["shared:s1"]
    assert len(found) <= MAX_REASONS


def test_reasons_name_what_was_asked_for() -> None:
    required = (Match("director", frozenset({"michael mann"})), Range("runtime", None, 130))
    query = Query(constraints=Constraints(require=required))
    found = why(query, Evidence("tags", 1, 1.0, "mood:tense"))
    assert found["director:Michael Mann"] == "Directed by Michael Mann"
    assert found["mood:tense"] == "Tense, as you asked"
    assert found["runtime:123"] == "123 minutes long"


def test_what_a_model_guessed_only_looks_so() -> None:
    found = why(Query(), Evidence("tags", 1, 0.5, "~mood:eerie"))
    assert found["~mood:eerie"] == "Looks eerie, going by its story"
    found = why(Query(), Evidence("tags", 1, 0.5, "~topic:robots"))
    assert found["~topic:robots"] == "Looks to be about robots"
    both = why(Query(), Evidence("tags", 1, 1.5, "mood:tense, ~mood:eerie"))
    assert both["mood:tense"] == "Tense, as you asked"
    assert "~mood:eerie" not in both


def test_being_well_known_is_the_last_resort() -> None:
    nameless = replace(MOVIE, moods=(), themes=(), directors=(), cast=())
    popular = Evidence("popular", 1, 1.0)
    assert set(why(Query(), popular, movie=nameless)) == {"fame"}
    assert set(why(Query(), popular)) == {"feel:tense, heist"}
    assert why(Query(), popular)["feel:tense, heist"] == "Tense, about a heist"


def test_a_story_matches_where_its_words_are_the_user_s() -> None:
    told = replace(MOVIE, overview="A safecracker wants one last job before he retires.")
    near = Evidence("dense", 3, 0.6)
    assert "overview" in why(Query(text="a safecracker and his last job"), near, movie=told)
    assert "overview" not in why(Query(text="a good tense movie"), near, movie=told)
    far = Evidence("dense", 180, 0.2)
    assert "overview" not in why(Query(text="a safecracker and his last job"), far, movie=told)


def test_a_request_is_named_once_and_only_where_it_answers() -> None:
    asked = "a good heist movie"
    leg = Evidence("archetypes", 1, 1.0, asked)
    query = Query(text="a heist movie")
    key = f"archetype:{asked}"
    assert key in why(query, leg)
    assert key not in why(query, leg, told={key})
    assert key not in why(Query(text="a love story"), leg)
    barred = Constraints(exclude=(Match("topic", frozenset({"heist"})),))
    assert key not in why(Query(text="no heist", constraints=barred), leg)


def test_one_theme_in_common_is_no_reason_by_itself() -> None:
    other = replace(MOVIE, directors=("Somebody Else",))
    query = Query(seeds=(Seed("s1"),))
    assert "shared:s1" not in why(query, movie=other)
    assert "shared:s1" in why(query, Evidence("neighbours", 2, 0.3, "s1"), movie=other)


def test_what_suits_an_occasion_is_not_called_asked_for() -> None:
    leg = Evidence("tags", 1, 1.0, "mood:tense")
    implied = Query(wishes=(Wish("mood", "tense", 0.5),))
    assert why(implied, leg)["occasion:tense"] == "Tense, which suits the occasion"
    assert "occasion:tense" not in why(implied, leg, told={"occasion:tense"})
    assert why(Query(wishes=(Wish("mood", "tense"),)), leg)["mood:tense"] == "Tense, as you asked"
