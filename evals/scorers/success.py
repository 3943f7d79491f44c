"""Did the user get what they came for, how soon, and again when they word it differently?

Knows outcomes and target films. Does not know who decided to accept. Pure; listed in all.py.
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb

from evals.dialogues.scores import Score, Scorer, Spot
from evals.scorers.case import Case, Rule, Verdict, at, shared
from evals.scorers.constraints import bounds, clean
from retrieval.movie import Movie, satisfies

DEPTHS = (1, 3, 10)
WORDINGS = 3
"""k of consistency^k: wordings that must all succeed."""


def success(case: Case) -> Verdict | None:
    """1 when a film was accepted that is a target, or meets every wish of its turn.

    A user who never wanted a film (nothing accepted, nothing abandoned) says nothing of success.
    """
    outcome = case.transcript.outcome
    blind = case.reference is None and case.transcript.target_ids is None
    if outcome is None or blind or not (outcome.accepted_ids or outcome.abandoned):
        return None
    turn = outcome.accepted_turn or len(case.turns)
    wrong = [i for i in outcome.accepted_ids if not _would_do(case, i, turn)]
    if outcome.accepted_ids and not wrong:
        return Verdict(1.0)
    detail = f"accepted {wrong}, which does not fit" if wrong else "nothing was accepted"
    return Verdict(0.0, (at(turn, detail),))


def _would_do(case: Case, movie_id: str, number: int) -> bool:
    if case.transcript.target_ids is not None:
        return movie_id in case.transcript.target_ids
    movie = case.reference.movies.get(movie_id) if case.reference else None
    turns = case.transcript.turns
    bound = bounds(case, turns[number - 1]) if 0 < number <= len(turns) else None
    return movie is not None and (bound is None or satisfies(movie, bound))


def turns_to_success(case: Case) -> Verdict | None:
    """Turns until a fitting film was accepted; all of them (censored) where none was."""
    won = success(case)
    if won is None:
        return None
    last = len(case.turns)
    outcome = case.transcript.outcome
    if won.value and outcome and outcome.accepted_turn:
        return Verdict(float(outcome.accepted_turn), (), last)
    return Verdict(float(last), (at(last, "censored: no success"),), last)


def hit_at(depth: int) -> Rule:
    """Share of lists with a target among their first `depth`."""

    def judge(case: Case) -> Verdict | None:
        ranks = _target_ranks(case)
        if not ranks:
            return None
        hits = sum(1 for _, rank in ranks if rank is not None and rank <= depth)
        return Verdict(hits / len(ranks), (), len(ranks))

    return Rule(shared(f"hit_at_{depth}"), judge)


def reciprocal_rank(case: Case) -> Verdict | None:
    """Mean over lists of 1 / rank of the first target; 0 for a list without one."""
    ranks = _target_ranks(case)
    if not ranks:
        return None
    spots: list[Spot] = [at(n, "no target on the list") for n, rank in ranks if rank is None]
    value = sum(1 / rank for _, rank in ranks if rank is not None) / len(ranks)
    return Verdict(value, tuple(spots), len(ranks))


def _target_ranks(case: Case) -> list[tuple[int, int | None]]:
    """(turn, rank of its first target) of every list; none where targets are not known."""
    targets = case.transcript.target_ids
    if targets is None:
        return []
    wanted = frozenset(targets)
    ranks: list[tuple[int, int | None]] = []
    for number, turn in case.turns:
        if turn.cards:
            found = (card.rank for card in turn.cards if card.movie_id in wanted)
            ranks.append((number, next(found, None)))
    return ranks


# --- the same wish in other words: scored over the trials of a scenario ---------------------------

CONSISTENT = Scorer(
    name=f"consistency_{WORDINGS}", version=1, unit="probability", direction="higher"
)
STABLE = Scorer(name="list_stability", version=1, unit="share", direction="higher")


def wordings(cases: Sequence[Case]) -> list[Score]:
    """Scores of one scenario's trials together: `trial` is the first, evidence names the others."""
    first = cases[0].transcript
    told = tuple(at(0, f"trial {case.transcript.trial}") for case in cases)
    won = [verdict.value for case in cases if (verdict := success(case) or clean(case))]
    lists = [_last_list(case) for case in cases]
    n, c = len(won), int(sum(won))
    all_win = comb(c, WORDINGS) / comb(n, WORDINGS) if n >= WORDINGS else None
    pairs = list(combinations([found for found in lists if found], 2))
    alike = sum(_overlap(a, b) for a, b in pairs) / len(pairs) if pairs else None
    return [
        CONSISTENT.score(first, all_win, told, n),
        STABLE.score(first, alike, told, len(pairs)),
    ]


def _last_list(case: Case) -> frozenset[str]:
    """The films of the last list."""
    movies: list[Movie] = case.lists[-1][1] if case.lists else []
    return frozenset(movie.movie_id for movie in movies)


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b)


RULES = (
    Rule(Scorer(name="task_success", version=1, unit="pass", direction="higher"), success),
    Rule(
        Scorer(name="turns_to_success", version=1, unit="turns", direction="lower"),
        turns_to_success,
    ),
    *(hit_at(depth) for depth in DEPTHS),
    Rule(Scorer(name="mrr", version=1, unit="share", direction="higher"), reciprocal_rank),
)
