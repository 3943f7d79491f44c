"""Scorers over whole dialogues: success, recovery, trials, and transcripts that tell little."""

import pytest

from evals.dialogues.expected import ClauseForm, Expected, Wish
from evals.dialogues.transcript import Message, Outcome, Transcript
from evals.scorers.all import score_all
from planted import (
    ANSWER,
    NEWER,
    REFERENCE,
    card,
    cards,
    entry,
    good,
    ledger,
    scores_of,
    shows,
    turn,
)


def test_an_unknown_value_is_counted_apart() -> None:
    short = Wish(clause=ClauseForm(field="runtime", max=120), since=1)
    turns = good()
    shows("m5", label=Expected(wishes=(short,)))(turns)
    found = scores_of(turns)
    assert found["constraints_unverified"].value == 1
    assert found["constraint_violations"].value == 0
    assert found["clean_lists"].value == 0
    satisfied = found["constraint_satisfaction"]
    assert (satisfied.value, satisfied.of) == (2 / 3, 3)


def test_the_ledger_binds_where_no_scenario_says_anything() -> None:
    turns = [{**turn, "expected": None} for turn in good()]
    turns[2] = turn(
        Expected(), "x", ["refine"], ledger(entry("runtime", {"max": 90})), cards(card("m2"))
    )
    assert scores_of(turns)["constraint_violations"].value == 1


def test_success_is_a_fitting_film_and_soon() -> None:
    won = scores_of(good())
    assert (won["task_success"].value, won["turns_to_success"].value) == (1, 4)
    assert (won["hit_at_1"].value, won["mrr"].value) == (1, 1)
    lost = scores_of(good(), outcome=Outcome(accepted_ids=("m3",), accepted_turn=4))
    assert (lost["task_success"].value, lost["turns_to_success"].value) == (0, 6)
    assert lost["turns_to_success"].evidence[0].detail == "censored: no success"
    ranked = scores_of(good(), target_ids=("m4",))
    assert (ranked["hit_at_1"].value, ranked["hit_at_3"].value) == (0, 1 / 3)
    assert ranked["mrr"].value == pytest.approx(1 / 6)
    # Without target films, whatever meets the wishes of its turn is a success.
    free = scores_of(
        good(), target_ids=None, outcome=Outcome(accepted_ids=("m2",), accepted_turn=3)
    )
    assert (free["task_success"].value, free["hit_at_1"].applicable) == (1, False)
    horror = Outcome(accepted_ids=("m3",), accepted_turn=3)
    assert scores_of(good(), target_ids=None, outcome=horror)["task_success"].value == 0
    left = Outcome(abandoned=True)
    assert scores_of(good(), outcome=left)["task_success"].value == 0
    wanted_none = Outcome(abandoned=False)
    assert not scores_of(good(), outcome=wanted_none)["task_success"].applicable
    assert not scores_of(good(), outcome=None)["task_success"].applicable
    strange = Outcome(accepted_ids=("m99",), accepted_turn=3)
    assert scores_of(good(), target_ids=None, outcome=strange)["task_success"].value == 0


def test_recovery_is_an_answer_with_the_ledger_kept() -> None:
    turns = good()
    error = {"type": "error", "code": "timeout", "message": "late", "retryable": True}
    turns[1] = turn(ANSWER, "how long is Clue?", [], error, status="failed")
    assert scores_of(turns)["recovery"].value == 1
    turns[2] = turn(NEWER, "something newer", [], error, status="failed")
    assert scores_of(turns)["recovery"].value == 0.5


def test_times_are_those_of_the_events() -> None:
    found = scores_of(good())
    assert found["latency_p95"].value == 40
    assert found["first_token_p95"].value == 20


def test_tool_calls_of_messages_are_checked() -> None:
    transcript = Transcript.from_events({"dialogue_id": "s", "turns": good()})
    call = {"id": "c1", "function": {"name": "search", "arguments": "{not json"}}
    broken = Message.model_validate({"role": "assistant", "tool_calls": [call]})
    messages = (*transcript.messages, broken)
    [transcript] = [transcript.model_copy(update={"messages": messages})]
    scores = {s.scorer: s for s in score_all([transcript], REFERENCE)}
    assert [spot.detail for spot in scores["tool_faults"].evidence] == [
        "search: arguments are no JSON",
        "search: no answer to c1",
    ]


def test_a_foreign_transcript_passes_nothing_that_it_does_not_tell() -> None:
    told = [{"role": "user", "content": "a comedy"}, {"role": "assistant", "content": "Airplane!"}]
    transcript = Transcript.model_validate(
        {
            "channel": "slack",
            "source": "imported",
            "dialogue_id": "f",
            "messages": told,
            "turns": [{"user": "a comedy", "prose": "Try Airplane! (1980), a loud one."}],
        }
    )
    scores = score_all([transcript], REFERENCE)
    applied = {score.scorer for score in scores if score.applicable}
    assert applied == {
        *("grounding", "invented_names", "wrong_facts"),
        *("repeated_sentences", "same_question_again", "questions_in_a_row"),
    }
    blind = {score.scorer for score in score_all([transcript], None) if score.applicable}
    assert blind == {"repeated_sentences", "same_question_again", "questions_in_a_row"}


def test_wordings_are_compared_over_the_trials_of_a_scenario() -> None:
    base = Transcript.from_events({"dialogue_id": "s", "turns": good()})
    trials = [base.model_copy(update={"scenario_id": "s", "trial": n}) for n in range(4)]
    worse = good()
    shows("m3")(worse)
    bad = Transcript.from_events({"dialogue_id": "s", "turns": worse[:3]})
    trials[3] = bad.model_copy(update={"scenario_id": "s", "trial": 3})
    scores = {s.scorer: s for s in score_all(trials, REFERENCE)}
    assert scores["consistency_3"].value == 1 / 4  # C(3,3) / C(4,3)
    assert scores["list_stability"].value == 3 / 6  # three of six pairs are the same list
