"""The rows of the results table that simulated users fill: `evals figures --only simulate`.

Knows how many dialogues with whom, and how two agents are compared on the same users. Does not know
how anything is played (simulate_run.py) or where rows go (report.py). Called by figures.py.
"""

from collections.abc import Sequence

import numpy as np

from evals.dialogues.transcript import Transcript
from evals.report import Row
from evals.statistics import paired_difference
from evals.users.goal import HELD_OUT, load_goals
from evals.users.simulate_figures import Figures, interval_of, took_a_film
from evals.users.simulate_run import PRODUCT, Cast, Stage
from infra.wiring import Services

DIALOGUES = 2000
OTHERS = ("popularity", "always-clarify")
OF_OTHERS = 500
"""Dialogues of the agents that only show that the users can tell them apart."""
SEED = 1
ON_USERS = "simulated users, our goals (train and dev), catalogue_core"
ON_HELD_OUT = "simulated users, held-out goals (test), catalogue_core"
SUCCESS = "users who took a film that meets every wish"
WHEN = "took a film by turn 1 / 2 / 3 / 5 / 8, median"
CARDS = "violations / repeats / off-catalogue / seen or disliked"
HITS = "hit@1 / 3 / 10 of the lists, MRR"
USERS = "users: leaks / invented facts / user errors"
FIGURES = (
    *(f"{SUCCESS}, {agent}" for agent in (PRODUCT, *OTHERS)),
    *(f"{WHEN}, {PRODUCT}", f"{CARDS}, {PRODUCT}", f"{HITS}, {PRODUCT}", USERS),
    *(f"{SUCCESS}, {PRODUCT} less {agent}" for agent in OTHERS),
)
_HITS = ("hit_at_1", "hit_at_3", "hit_at_10", "mrr")
_CARDS = (
    *("constraint_violations", "repeated_films", "off_catalogue_films", "seen_or_disliked_films"),
)


async def measure(services: Services) -> list[Row]:
    """Play all of them. Raises: EvalProblem, IndexFailure."""
    stage = await Stage.of(services, load_goals())
    product = await stage.figures(Cast(PRODUCT, DIALOGUES, SEED))
    rows = [*_success_rows(product, PRODUCT, ON_USERS), *_product_rows(product)]
    for agent in OTHERS:
        other = await stage.figures(Cast(agent, OF_OTHERS, SEED))
        rows += _success_rows(other, agent, ON_USERS)[:1]
        rows.append(_less(product, other, agent))
    held = await Stage.of(services, load_goals(HELD_OUT))
    found = await held.figures(Cast(PRODUCT, len(held.worlds) * 10, SEED))
    return [*rows, *_success_rows(found, PRODUCT, ON_HELD_OUT)]


def _success_rows(found: Figures, agent: str, data: str) -> list[Row]:
    """Success, what was broken on the way, and whether the users were fair."""
    taken, of = found.success(found.wanted)
    low, high = interval_of(found.wanted)
    goals = len({t.scenario_id for t in found.wanted})
    share = f"{taken / of:.3f} [{low:.3f}, {high:.3f}] of {of} ({goals} goals)" if of else "none"
    cards = " / ".join(str(found.found.floors.get(name, 0)) for name in _CARDS)
    told = Row(f"{CARDS}, {agent}", data, f"{cards} in {found.found.cards} cards", "0")
    return [Row(f"{SUCCESS}, {agent}", data, share), told]


def _product_rows(found: Figures) -> list[Row]:
    curve = " / ".join(f"{share:.2f}" for share in found.by_turn().values())
    median = found.median_turns() or "never"
    means = found.found.means()
    hits = " / ".join(f"{means[name]['mean']:.3f}" for name in _HITS[:3])
    mrr, lists = means["mrr"]["mean"], means["mrr"]["of"]
    kinds = [fault.kind for fault in found.faults]
    faults = " / ".join(str(kinds.count(k)) for k in ("leak", "invented fact", "user error"))
    dialogues = len(found.found.transcripts)
    return [
        Row(f"{WHEN}, {PRODUCT}", ON_USERS, f"{curve}, {median} (no film counts as never)"),
        Row(f"{HITS}, {PRODUCT}", ON_USERS, f"{hits}, {mrr:.3f} ({lists} lists)"),
        Row(USERS, ON_USERS, f"{faults} in {dialogues} dialogues", "0 leaks"),
    ]


def _less(product: Figures, other: Figures, agent: str) -> Row:
    """The paired difference: the same goals in the same words, another agent."""
    mine = {t.key: t for t in product.found.transcripts}
    pairs = [(mine[t.key], t) for t in other.wanted if _wants(mine[t.key])]
    a, b = (_passes([pair[n] for pair in pairs]) for n in (1, 0))
    clusters = [t.scenario_id or t.dialogue_id for t, _ in pairs]
    found = paired_difference(a, b, clusters, np.random.default_rng(0))
    value = f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    told = f"{value}, {found.pairs} pairs, {found.test} p {found.p:.2g}"
    return Row(f"{SUCCESS}, {PRODUCT} less {agent}", ON_USERS, told, "above 0")


def _wants(one: Transcript) -> bool:
    return one.outcome is not None and bool(one.outcome.accepted_ids or one.outcome.abandoned)


def _passes(transcripts: Sequence[Transcript]) -> np.ndarray:
    return np.array([took_a_film(t) for t in transcripts], dtype=np.float64)
