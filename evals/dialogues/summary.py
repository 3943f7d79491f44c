"""What a run says of itself: means with intervals, slices, curves, and its worst dialogues.

Knows which figures a report shows and how bad a dialogue is. Does not know HTML (report_page.py)
nor files. Pure; the rng is seeded, so a report of the same run is the same page. Called by
report_page.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from evals.dialogues.scored_run import Key, ScoredRun, Values
from evals.dialogues.scores import Score
from evals.dialogues.transcript import Transcript
from evals.judging.calibration_file import PREFIX
from evals.statistics import Interval, mean_interval, wilson
from evals.verdicts.gates import SHARES

SEED = 0
SLICED = 6
"""Scorers in a table of slices: as many as fit on a page."""
MIN_SLICE = 3
"""Dialogues; smaller slices are counted, not averaged."""
FLOOR_WEIGHT = 10.0
"""A broken floor outweighs anything else that can be wrong with a dialogue."""


def estimate(values: Values, run: ScoredRun, keys: frozenset[Key] | None = None) -> Interval:
    """The mean of a scorer, over some dialogues or all."""
    kept = {k: v for k, v in values.applicable.items() if keys is None or k in keys}
    clusters = [run.clusters[key] for key in kept]
    rng = np.random.default_rng(SEED)
    shares = values.unit in SHARES or values.unit == "count"  # a count of 0 or 1 faults
    return mean_interval(np.array(list(kept.values()), dtype=np.float64), clusters, rng, shares)


# --- slices ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slice:
    """Dialogues that have something in common."""

    by: str
    """persona, kind, intent ..."""
    name: str
    keys: frozenset[Key]


def slices_of(transcripts: Sequence[Transcript]) -> list[Slice]:
    """By the tags of the dialogues, then by what can be seen in any: length and acts."""
    found: dict[tuple[str, str], set[Key]] = {}
    for one in transcripts:
        for by, names in (one.tags | _seen_in(one)).items():
            for name in names:
                found.setdefault((by, name), set()).add(one.key)
    slices = [Slice(by, name, frozenset(keys)) for (by, name), keys in found.items()]
    # What holds for every dialogue is no slice.
    partial = [one for one in slices if len(one.keys) < len(transcripts)]
    seen = list(dict.fromkeys(by for one in transcripts for by in one.tags))
    order = {by: place for place, by in enumerate([*sorted(seen), "turns", "acts"])}
    return sorted(partial, key=lambda one: (order[one.by], _first_number(one.name), one.name))


def _first_number(name: str) -> int:
    """So that "12 or more" follows "4-7"; 0 for names."""
    digits = "".join(takewhile(str.isdigit, name))
    return int(digits) if digits else 0


def _seen_in(one: Transcript) -> dict[str, tuple[str, ...]]:
    n = len(one.turns)
    length = "1-3" if n <= 3 else "4-7" if n <= 7 else "8-11" if n <= 11 else "12 or more"
    acts = {act for turn in one.turns for act in turn.acts or ()}
    return {"turns": (length,), "acts": tuple(sorted(acts))}


def sliced_scorers(run: ScoredRun) -> list[Values]:
    """The shares that vary most between dialogues: where a slice can tell something."""
    shares = [v for v in run.values.values() if v.unit in SHARES and len(v.applicable) > 1]
    spread = {v.scorer: float(np.std(list(v.applicable.values()))) for v in shares}
    varied = [v for v in shares if spread[v.scorer] > 0]
    return sorted(varied, key=lambda v: -spread[v.scorer])[:SLICED]


# --- curves ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SuccessCurve:
    """Share of dialogues in which a film was accepted by turn 1, 2, 3 ..."""

    shares: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int


def success_by_turn(transcripts: Sequence[Transcript]) -> SuccessCurve | None:
    """Dialogues never accepted stay in the denominator; None where no outcome is known."""
    known = [one for one in transcripts if one.outcome is not None]
    took = [one.outcome.accepted_turn for one in known if one.outcome is not None]
    last = max((len(one.turns) for one in known), default=0)
    if not last or all(turn is None for turn in took):
        return None
    counts = [sum(turn is not None and turn <= t for turn in took) for t in range(1, last + 1)]
    bounds = [wilson(count, len(known)) for count in counts]
    return SuccessCurve(
        tuple(count / len(known) for count in counts),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
        len(known),
    )


def latencies(transcripts: Sequence[Transcript]) -> dict[str, list[float]]:
    """{what: sorted ms of every turn that has it}."""
    turns = [turn for one in transcripts for turn in one.turns]
    found = {
        "first token": sorted(t.first_token_ms for t in turns if t.first_token_ms is not None),
        "whole turn": sorted(t.total_ms for t in turns if t.total_ms is not None),
    }
    return {name: values for name, values in found.items() if values}


def grades(run: ScoredRun, transcripts: Sequence[Transcript]) -> list[tuple[float, float]]:
    """(human rating, judge's grade) of dialogues that have both, from 1 to 5."""
    judged = run.values.get(f"{PREFIX}satisfaction")
    if judged is None:
        return []
    rated = {
        one.key: one.outcome.rating
        for one in transcripts
        if one.outcome is not None and one.outcome.rating is not None
    }
    return [(rated[key], grade) for key, grade in judged.applicable.items() if key in rated]


# --- the worst ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bad:
    """A dialogue, how bad it is, and what was found in it."""

    transcript: Transcript
    badness: float
    scores: tuple[Score, ...]
    """Those with something wrong, broken floors first."""


def worst(run: ScoredRun, transcripts: Sequence[Transcript], how_many: int) -> list[Bad]:
    """The dialogues furthest from what is best; none where nothing is wrong.

    A broken floor counts 10; besides it counts the mean over scorers of how far each is from its
    best (shares as they are, counts as a part of the run's largest). Judges are not heard.
    """
    peaks = {name: max(v.applicable.values(), default=0.0) for name, v in run.values.items()}
    by_key: dict[Key, list[Score]] = {}
    for score in run.scores:
        if score.applicable and not score.scorer.startswith(PREFIX):
            by_key.setdefault((score.key[0], score.trial), []).append(score)
    found = [_judged(one, by_key[one.key], peaks) for one in transcripts if by_key.get(one.key)]
    faulty = [bad for bad in found if bad.badness > 0]
    return sorted(faulty, key=lambda bad: (-bad.badness, bad.transcript.dialogue_id))[:how_many]


def _judged(one: Transcript, scores: Sequence[Score], peaks: Mapping[str, float]) -> Bad:
    losses = {score.scorer: _loss(score, peaks[score.scorer]) for score in scores}
    known = [loss for loss in losses.values() if loss is not None]
    broken = sum(score.falls for score in scores)
    badness = FLOOR_WEIGHT * broken + (sum(known) / len(known) if known else 0.0)
    wrong = [s for s in scores if s.falls or (losses[s.scorer] or 0.0) > 0]
    wrong.sort(key=lambda s: (not s.falls, -(losses[s.scorer] or 0.0), s.scorer))
    return Bad(one, badness, tuple(wrong))


def _loss(score: Score, peak: float) -> float | None:
    """0 = best, 1 = worst; None for what has no worst: times, costs, free counts."""
    value = score.value or 0.0
    if score.unit in SHARES:
        return 1 - value if score.direction == "higher" else value
    if score.unit == "count" and score.direction == "lower":
        return value / peak if peak else 0.0
    return None
