"""A language model that compares two runs, dialogue by dialogue, always in both orders.

Knows that a judge likes what stands first: only what wins in both orders wins, everything else is a
tie, and how often the order alone decided is reported. Does not know files (judge_command.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from agent.model import ChatModel, Meter, ModelFailure, asked
from evals.dialogues.scored_run import Key
from evals.dialogues.transcript import Transcript
from evals.judging.judge import Report, why_unscored
from evals.judging.judge_view import Conversation, length_of, view_of
from evals.language_model import AT_ONCE, all_of
from evals.statistics import mcnemar, wilson
from prompts.loader import load_prompt

Winner = Literal["a", "b", "tie"]


class Preference(BaseModel):
    """The answer of a judge: which of two conversations is better."""

    winner: Literal["first", "second", "tie"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dialogues of the same scenario, asked about twice."""

    key: Key
    ab: Winner | None
    """With A first; None = unscored."""
    ba: Winner | None
    """With B first."""
    longer: Literal["a", "b", "same"]
    """Whose assistant wrote more."""
    reasons: tuple[str, str] = ("", "")

    @property
    def scored(self) -> bool:
        """Whether both orders were answered."""
        return self.ab is not None and self.ba is not None

    @property
    def winner(self) -> Winner:
        """Whoever won in both orders; of an unscored pair nobody."""
        return self.ab if self.ab is not None and self.ab == self.ba else "tie"


@dataclass(frozen=True)
class Pairs:
    """All pairs of two runs."""

    pairs: Sequence[Pair]
    model_id: str
    prompt_sha: str
    rubric_sha: str

    def as_json(self) -> dict[str, Any]:
        """Figures and every pair."""
        scored = [pair for pair in self.pairs if pair.scored]
        won = {who: sum(p.winner == who for p in scored) for who in ("a", "b", "tie")}
        decided = won["a"] + won["b"]
        same = sum(pair.ab == pair.ba for pair in scored)
        # With A first "a" is the first one, with B first "b" is.
        first = sum((p.ab == "a") + (p.ba == "b") for p in scored)
        answers = sum((p.ab != "tie") + (p.ba != "tie") for p in scored)
        clear = [p for p in scored if p.winner != "tie" and p.longer != "same"]
        low, high = wilson(won["b"], decided)
        return {
            "model_id": self.model_id,
            "prompt_sha": self.prompt_sha,
            "rubric_sha": self.rubric_sha,
            "pairs": len(self.pairs),
            "unscored": len(self.pairs) - len(scored),
            "a_wins": won["a"],
            "b_wins": won["b"],
            "ties": won["tie"],
            "b_share_of_decided": _share(won["b"], decided),
            "b_share_low": round(low, 4),
            "b_share_high": round(high, 4),
            "p": round(mcnemar(won["a"], won["b"]), 6),
            "position_consistency": _share(same, len(scored)),
            "first_preferred": _share(first, answers),
            "longer_wins": _share(sum(p.winner == p.longer for p in clear), len(clear)),
            "verdicts": [
                {"scenario": p.key[0], "trial": p.key[1], "winner": p.winner if p.scored else None}
                | {"a_first": p.ab, "b_first": p.ba, "reasons": list(p.reasons)}
                for p in self.pairs
            ],
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


class PairJudge:
    """One model with one question."""

    def __init__(self, model: ChatModel, question: str, rubric_sha: str) -> None:
        self._model = model
        self._question = question
        self._rubric_sha = rubric_sha
        self._prompt = load_prompt("judge_pair")
        self.meter = Meter()

    async def compare(
        self, a: Mapping[Key, Transcript], b: Mapping[Key, Transcript], report: Report
    ) -> Pairs:
        """Every dialogue of both. Raises: JudgeProblem."""
        found: dict[Key, Pair] = {}
        keys = sorted(a.keys() & b.keys())
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(key: Key) -> None:
            async with gate:
                found[key] = await self.pair(key, view_of(a[key]), view_of(b[key]))
            report(len(found), len(keys))

        await all_of([one(key) for key in keys])
        pairs = [found[key] for key in keys]
        return Pairs(pairs, self._model.model_id, self._prompt.sha, self._rubric_sha)

    async def pair(self, key: Key, a: Conversation, b: Conversation) -> Pair:
        """Both orders. Raises: JudgeProblem."""
        ab, told_ab = await self._ask(a, b, {"first": "a", "second": "b", "tie": "tie"})
        ba, told_ba = await self._ask(b, a, {"first": "b", "second": "a", "tie": "tie"})
        mine, theirs = length_of(a), length_of(b)
        longer: Literal["a", "b", "same"] = (
            "same" if mine == theirs else "a" if mine > theirs else "b"
        )
        return Pair(key, ab, ba, longer, (told_ab, told_ba))

    async def _ask(
        self, first: Conversation, second: Conversation, means: Mapping[str, Winner]
    ) -> tuple[Winner | None, str]:
        messages = asked(self._prompt, first=first, second=second, question=self._question)
        try:
            answer = await self._model.structured(messages, Preference, self.meter)
        except ModelFailure as failure:
            return None, why_unscored(failure)
        return means[answer.winner], answer.reason
