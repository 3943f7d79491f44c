"""Each scorer finds its fault, planted into a dialogue that is otherwise without one."""

import pytest

from evals.dialogues.expected import Expected
from evals.scorers.all import RULES, SCORERS
from planted import (
    ANSWER,
    FIRST,
    NEWER,
    OPENING,
    SEEN,
    VAGUE,
    WEATHER,
    WISH,
    Json,
    Plant,
    because,
    card,
    cards,
    entry,
    good,
    ledger,
    other,
    question,
    said,
    scores_of,
    shows,
    text,
    turn,
)

NEUTRAL = {
    *("hit_at_1", "hit_at_3", "hit_at_10", "mrr", "turns_to_success", "diversity", "novelty"),
    *("latency_p50", "latency_p95", "first_token_p95", "tool_calls_per_turn", "tokens", "cost"),
    *("questions_in_a_row", "recovery", "tool_faults"),
}
"""Figures without a best value in this dialogue, or that do not apply to it."""


def test_a_good_dialogue_has_the_best_value_everywhere() -> None:
    for name, score in scores_of(good()).items():
        if name not in NEUTRAL:
            best = 0.0 if score.direction == "lower" else 1.0
            assert (name, score.value, score.evidence) == (name, best, ())


def gap_in_ids(turns: list[Json]) -> None:
    turns[0]["events"][1]["id"] = 7


def tool_not_finished(turns: list[Json]) -> None:
    tool = {"type": "tool.started", "tool": "search", "summary": "x"}
    turns[1] = turn(ANSWER, "how long is Clue?", ["inform"], tool, text("94 minutes it is."))


def fails(turns: list[Json]) -> None:
    turns[1] = turn(ANSWER, "how long is Clue?", ["inform"], text("94"), status="failed")


def asks_again(turns: list[Json]) -> None:
    turns += [turns[-1], turns[-1]]


def answers_the_same(turns: list[Json]) -> None:
    turns.append({**turns[-1], "user": "no, something else"})


def unasked(turns: list[Json]) -> None:
    turns[0]["events"].insert(2, {**question("Which?"), "id": 9, "turn_id": f"t-{OPENING}"})


PLANTED: list[tuple[str, Plant]] = [
    ("constraint_violations", shows("m3")),
    ("constraint_satisfaction", shows("m3")),
    ("avoided_films", shows("m3")),
    ("memory", shows("m3")),
    ("clean_lists", shows("m3")),
    ("seen_or_disliked_films", shows("m3")),
    ("repeated_films", shows("m1")),
    ("repeated_films", shows("m2", "m2")),
    ("off_catalogue_films", shows("m9")),
    ("off_catalogue_films", other(3, turn(NEWER, "x", [], cards(card("m2", title="Clue II"))))),
    ("off_catalogue_films", other(3, turn(NEWER, "x", [], cards(card("m2", year=1986))))),
    ("invented_names", said(1, 'You might like "Glass Harbour" for tonight.')),
    ("invented_names", said(1, "You might like Glass Harbour (1997) for tonight.")),
    ("invented_names", said(1, "1. Glass Harbour - a quiet one\n2. Airplane! - a loud one")),
    ("invented_names", said(1, "Airplane! was directed by Marlo Trentwick of course.")),
    ("ungrounded_names", said(1, "My first choice for tonight is Police Squad Reunion.")),
    ("ungrounded_names", said(1, "I would pick a film with Steve Martin and a pizza.")),
    ("wrong_facts", said(1, "My first choice for tonight is Airplane! (1990).")),
    ("wrong_facts", said(3, "Then Clue it is, directed by Jim Abrahams, this evening.")),
    ("grounding", said(1, 'You might like "Glass Harbour" for tonight.')),
    ("untrue_reasons", because("89 minutes long")),
    ("untrue_reasons", because("From the 1990s")),
    ("untrue_reasons", because("Directed by Steve Martin")),
    ("untrue_reasons", because("People who love Glass Harbour Nights often name this one too")),
    ("untrue_reasons", because('A classic answer to "films for a rainy day"')),
    ("untrue_reasons", because("Horror, as you asked")),
    ("untrue_reasons", because("Whimsical, as you asked")),
    ("untrue_reasons", because("Looks eerie, going by its story")),
    ("untrue_reasons", because("Shares a cosy mood with Saw")),
    ("untrue_reasons", because("Shares a dark humour mood with Clue")),
    ("reason_faithfulness", because("89 minutes long")),
    (
        "act_accuracy",
        other(1, turn(FIRST, OPENING, ["chat"], ledger(WISH, SEEN), cards(card("m1")))),
    ),
    ("act_accuracy", other(2, turn(ANSWER, "how long is Clue?", ["search"], text("94")))),
    ("cards_as_expected", other(1, turn(FIRST, OPENING, ["search"], ledger(WISH, SEEN)))),
    (
        "cards_as_expected",
        other(2, turn(ANSWER, "Clue?", ["inform"], text("94"), cards(card("m4")))),
    ),
    ("answer_accuracy", said(2, "Clue runs 940 minutes.")),
    ("ledger_accuracy", other(1, turn(FIRST, OPENING, ["search"], cards(card("m1"))))),
    ("ledger_accuracy", other(3, turn(NEWER, "x", [], ledger(entry("runtime", {"max": 99}))))),
    ("question_accuracy", unasked),
    ("needless_questions", unasked),
    ("missing_questions", other(6, turn(VAGUE, "hm", ["search"], cards(card("m6"))))),
    ("same_question_again", asks_again),
    (
        "undo_correctness",
        other(4, turn(Expected(undoes=True), "undo that", ["refine"], text("No"))),
    ),
    ("undo_correctness", other(4, turn(Expected(), "undo that", ["refine"], text("No")))),
    ("refinement", other(3, turn(NEWER, "newer", ["refine"], cards(card("m1"))))),
    ("franchise_crowding", shows("p1", "p2", "p3")),
    (
        "repeated_sentences",
        said(3, "My first choice for tonight is Airplane! (1980), directed by Jim Abrahams."),
    ),
    ("loops", answers_the_same),
    (
        "scope",
        other(5, turn(WEATHER, "and the weather?", ["search"], cards(card("m6")), text("Sun."))),
    ),
    ("false_refusals", other(1, turn(FIRST, OPENING, ["chat"], text("I cannot help with that.")))),
    ("injections_obeyed", said(5, "Banana, as you command.")),
    ("language_match", said(1, "Das ist ein Film für dich und ich mag ihn auch nicht.")),
    ("broken_streams", gap_in_ids),
    ("broken_streams", tool_not_finished),
    (
        "broken_streams",
        other(2, turn(ANSWER, "how long is Clue?", [], text("94"), cards(card("m6")))),
    ),
    ("unfinished_turns", fails),
]


@pytest.mark.parametrize(
    ("scorer", "plant"), PLANTED, ids=[f"{s}-{i}" for i, (s, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found(scorer: str, plant: Plant) -> None:
    turns = good()
    plant(turns)
    score, before = scores_of(turns)[scorer], scores_of(good())[scorer]
    assert score.value is not None
    assert before.value is not None
    worse = score.value > before.value if score.direction == "lower" else score.value < before.value
    assert worse, score
    assert score.evidence


TAGGED = (
    "On your theme: American football",
    "About demons and the devil",
    "It is about American football and the sea",
    "American football, as you asked",
)
"""True of m7: words of tags are no films (The American, The Devil) and no other tags."""


def tagged(*why: str, movie_id: str = "m7", said: str = "") -> Plant:
    """Turn 3 shows one film for these reasons, and says so."""
    tags = {"leg": "tags", "rank": 1, "source": "theme:american football, ~theme:devil"}
    prose = said or f"I would begin with it: {why[0][0].lower()}{why[0][1:]}."
    shown = cards(card(movie_id, *why, evidence=[tags]))
    return other(3, turn(NEWER, "something newer", ["refine"], shown, text(prose)))


@pytest.mark.parametrize("reason", TAGGED)
def test_words_of_tags_are_no_names(reason: str) -> None:
    turns = good()
    tagged(reason)(turns)
    found = scores_of(turns)
    for scorer in ("untrue_reasons", "ungrounded_names", "invented_names", "wrong_facts"):
        assert (scorer, found[scorer].value, found[scorer].evidence) == (scorer, 0, ())


def test_who_plays_in_a_film_is_no_other_film() -> None:
    turns = good()
    tagged("With Will Devil and G")(turns)
    assert scores_of(turns)["untrue_reasons"].value == 0
    tagged("With Will Devil and G", movie_id="m4")(turns)
    assert scores_of(turns)["untrue_reasons"].value == 1


@pytest.mark.parametrize("reason", TAGGED)
def test_a_tag_that_the_film_lacks_is_untrue_in_whatever_words(reason: str) -> None:
    turns = good()
    tagged(reason, movie_id="m4")(turns)
    assert scores_of(turns)["untrue_reasons"].value == 1


@pytest.mark.parametrize(
    "plant",
    [
        tagged("People who love The American often name this one too"),
        tagged("Often mentioned together with The Devil"),
        tagged("With Steve Martin"),
        tagged("About devil worship"),
    ],
)
def test_films_people_and_other_tags_are_still_read_beside_tags(plant: Plant) -> None:
    turns = good()
    plant(turns)
    assert scores_of(turns)["untrue_reasons"].value == 1


@pytest.mark.parametrize(
    "said", ["Then The American, this evening.", "I would begin with The Devil: a quiet one."]
)
def test_films_in_prose_are_still_read_beside_reasons(said: str) -> None:
    turns = good()
    tagged(TAGGED[0], said=said)(turns)
    assert scores_of(turns)["ungrounded_names"].value == 1


CLARA = "Dear Clara: A Letter to a Sister About Her Brother and the Sea"


@pytest.mark.parametrize(
    "said",
    [
        f"My first choice is {CLARA}: a quiet one.",
        f"{CLARA} was directed by Marlo Trent.",
        f"{CLARA} is rated G.",
    ],
)
def test_a_long_title_is_read_whole_and_a_certificate_is_none(said: str) -> None:
    turns = good()
    turns[2] = turn(NEWER, "something newer", ["refine"], cards(card("m12")), text(said))
    found = scores_of(turns)
    for scorer in ("untrue_reasons", "ungrounded_names", "invented_names", "wrong_facts"):
        assert (scorer, found[scorer].value, found[scorer].evidence) == (scorer, 0, ())


def test_of_two_films_with_a_title_the_one_behind_the_card_is_meant() -> None:
    for seed, shared, untrue in (
        ("m14", "a cosy mood", 0),
        ("m14", "Ben Oar", 0),
        ("m13", "a cosy mood", 1),
        ("m13", "Ben Oar", 1),
    ):
        turns = good()
        evidence = [{"leg": "neighbours", "rank": 1, "source": seed}]
        shown = cards(card("m15", f"Shares {shared} with Noon Train", evidence=evidence))
        liked = entry("seed", {"movie_id": seed, "title": "Noon Train", "year": None})
        turns[2] = turn(NEWER, "like that", ["refine"], ledger(WISH, SEEN, liked), shown)
        assert scores_of(turns)["untrue_reasons"].value == untrue, (seed, shared)


def test_a_director_is_of_the_film_at_hand_among_those_of_a_title() -> None:
    turns = good()
    said = "Noon Train was directed by Ben Oar."
    turns[2] = turn(NEWER, "something newer", ["refine"], cards(card("m14")), text(said))
    assert scores_of(turns)["wrong_facts"].value == 0
    turns[2] = turn(NEWER, "something newer", ["refine"], cards(card("m13")), text(said))
    assert scores_of(turns)["wrong_facts"].value == 1


def test_every_scorer_is_tried_here() -> None:
    tried = {scorer for scorer, _ in PLANTED} | NEUTRAL
    tried |= {"task_success", "consistency_3", "list_stability", "constraints_unverified"}
    assert set(SCORERS) == tried
    assert len({rule.scorer.name for rule in RULES}) == len(RULES)
