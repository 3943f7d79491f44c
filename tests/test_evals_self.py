"""The harness's own test: five bad agents, and the scorers that must tell each from the product.

All of them hold the same dialogues on the starter catalogue. A scorer that should see what is wrong
with an agent and does not is a broken scorer, whatever its unit tests say.
"""

import asyncio

import pytest

from evals.dialogues.bad_agents import NAMES, bad_agents
from evals.dialogues.play import Plan, play_one
from evals.dialogues.reference import Reference, reference_of
from evals.dialogues.scenario import Scenario, labels, load_scenarios
from evals.dialogues.scored import Scored, scored
from evals.dialogues.transcript import Build, Outcome, Transcript
from evals.place import opened
from infra.script import Replies
from retrieval.movie import satisfies
from talking import starter_index

SEES: dict[str, dict[str, float]] = {
    "random": {
        "constraint_satisfaction": 0.3,
        "constraint_violations": 5,
        "clean_lists": 0.5,
        "memory": 0.3,
        "avoided_films": 0.1,
        "act_accuracy": 0.2,
        "ledger_accuracy": 0.3,
        "answer_accuracy": 0.5,
        "cards_as_expected": 0.05,
        "scope": 0.5,
        "task_success": 0.2,
        "hit_at_1": 0.2,
        "mrr": 0.2,
    },
    "popular": {
        "constraint_satisfaction": 0.3,
        "constraint_violations": 5,
        "clean_lists": 0.5,
        "memory": 0.3,
        "act_accuracy": 0.2,
        "ledger_accuracy": 0.3,
        "novelty": 0.02,
        "hit_at_1": 0.2,
        "mrr": 0.2,
    },
    "hallucinating": {
        "off_catalogue_films": 1,
        "invented_names": 2,
        "grounding": 0.2,
        "untrue_reasons": 1,
        "reason_faithfulness": 0.1,
        "clean_lists": 0.5,
    },
    "always-clarify": {
        "needless_questions": 0.5,
        "question_accuracy": 0.3,
        "questions_in_a_row": 2,
        "loops": 2,
        "same_question_again": 2,
        "cards_as_expected": 0.5,
        "act_accuracy": 0.3,
        "ledger_accuracy": 0.3,
        "answer_accuracy": 0.5,
        "task_success": 0.5,
        "turns_to_success": 0.5,
    },
    "never-clarify": {
        "missing_questions": 0.5,
        "question_accuracy": 0.03,
        "act_accuracy": 0.005,
    },
}
"""{agent: {scorer: by how much its mean must be worse than the product's}}."""


SCENARIOS = (
    *("adversarial", "clear-request", "correction-undo", "item-questions", "negation", "people"),
    *("runtime", "seed-comparative", "small-talk", "temporal", "vague-request"),
)
"""Half of ours: enough of every kind of label, and half the time."""


async def _dialogues(agent: Replies, name: str, reference: Reference) -> list[Transcript]:
    chosen = [scenario for scenario in load_scenarios() if scenario.id in SCENARIOS]
    plan = Plan(chosen, Build(name=name))
    played = [(s, await play_one(agent, plan, s, trial)) for s, trial in plan.dialogues()]
    return [_with_user(scenario, transcript, reference) for scenario, transcript in played]


def _with_user(scenario: Scenario, transcript: Transcript, reference: Reference) -> Transcript:
    """An easily pleased user: takes the first film that meets every wish they will have uttered."""
    last = labels(scenario)[-1]
    if not last.wishes:
        return transcript
    targets = [i for i, movie in reference.movies.items() if satisfies(movie, last.constraints)]
    outcome = Outcome(abandoned=True)
    for number, turn in enumerate(transcript.turns, 1):
        taken = [card.movie_id for card in turn.cards if card.movie_id in targets]
        if taken and taken[0]:
            outcome = Outcome(accepted_ids=(taken[0],), accepted_turn=number)
            break
    return transcript.model_copy(update={"outcome": outcome, "target_ids": tuple(targets)})


@pytest.fixture(scope="module")
def runs() -> dict[str, Scored]:
    """Everybody's dialogues, scored."""
    return asyncio.run(_runs())


async def _runs() -> dict[str, Scored]:
    async with opened(starter_index()) as services:
        reference = await reference_of(services.index)
        found = {"usher": await _dialogues(services.assistant, "usher", reference)}
        for name, made in bad_agents(services.assistant, reference).items():
            found[name] = await _dialogues(made(), name, reference)
    return {name: scored(transcripts, reference) for name, transcripts in found.items()}


PAIRS = [(agent, scorer) for agent, scorers in SEES.items() for scorer in scorers]


@pytest.mark.slow
def test_every_bad_agent_is_in_the_matrix() -> None:
    assert set(SEES) == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(("agent", "scorer"), PAIRS, ids=[f"{a}-{s}" for a, s in PAIRS])
def test_a_scorer_tells_a_bad_agent(agent: str, scorer: str, runs: dict[str, Scored]) -> None:
    good, bad = (runs[name].means()[scorer] for name in ("usher", agent))
    assert good["mean"] is not None
    assert bad["mean"] is not None
    worse_by = bad["mean"] - good["mean"]
    if good["direction"] == "higher":
        worse_by = -worse_by
    assert worse_by >= SEES[agent][scorer], f"usher {good}, {agent} {bad}"


@pytest.mark.slow
def test_the_product_breaks_no_floor(runs: dict[str, Scored]) -> None:
    assert {name: n for name, n in runs["usher"].floors.items() if n} == {}
