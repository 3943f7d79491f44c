"""Run folders with transcripts and scores made up for a test: what `run` and `score` would leave.

Knows the contract of run folders only. Called by the tests of compare, gate, report and judge.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.dialogues.expected import Expected
from evals.dialogues.run_folder import TRANSCRIPTS, RunConfig, RunFolder
from evals.dialogues.scores import Score, Scorer, Spot
from evals.dialogues.transcript import Outcome, PlayedTurn, Question, Shown, Transcript, messages_of
from evals.dialogues.transcript_files import write_models

VIOLATIONS = Scorer(name="violations", version=1, unit="count", direction="lower", floor=True)
SUCCESS = Scorer(name="task_success", version=1, unit="pass", direction="higher")
ACTS = Scorer(name="act_accuracy", version=1, unit="share", direction="higher")
TURNS = Scorer(name="turns_to_success", version=1, unit="turns", direction="lower")
LATENCY = Scorer(name="latency", version=1, unit="ms", direction="lower")

Column = Sequence[float | None]


def transcript(number: int, **more: Any) -> Transcript:
    """A dialogue of two turns that shows one film and asks one question."""
    card = Shown(
        movie_id=f"m{number}", title=f"Film {number}", year=1990, rank=1, why=("a comedy",)
    )
    turns = (
        PlayedTurn(
            user="I want a comedy from the 90s",
            prose="What about this one?",
            acts=("search",),
            shown=(card,),
            expected=Expected(acts=("search",)),
            user_acts=("disclose",),
            status="completed",
            first_token_ms=20.0 + number,
            total_ms=50.0 + number,
        ),
        PlayedTurn(
            user="thanks, I'll take it",
            prose="Enjoy!",
            acts=("chat",),
            shown=(),
            question=Question(question="Another one?"),
            status="completed",
            first_token_ms=10.0,
            total_ms=30.0,
        ),
    )
    given: dict[str, Any] = {
        "channel": "eval",
        "source": "simulated",
        "scenario_id": f"s{number:03}",
        "dialogue_id": f"d{number:03}",
        "turns": turns,
        "messages": messages_of(turns),
        "outcome": Outcome(accepted_turn=1 + number % 3, rating=float(1 + number % 5)),
    }
    return Transcript(**(given | more))


def run_folder(
    path: Path,
    columns: Mapping[Scorer, Column],
    data: Mapping[str, Any] | None = None,
    agent: Mapping[str, Any] | None = None,
    transcripts: Sequence[Transcript] | None = None,
) -> Path:
    """A whole, scored run: one value a dialogue for each scorer; None = not applicable."""
    n = len(next(iter(columns.values())))
    played = transcripts or [transcript(number) for number in range(n)]
    config = RunConfig(
        command="run",
        data=dict(data or {"scenarios": "set one", "trials": 1}),
        agent=dict(agent or {"commit": path.name}),
        dialogues=n,
    )
    folder = RunFolder.create(path, config)
    write_models(path / TRANSCRIPTS, played)  # `append` waits for the disk each time
    folder.write_scores(
        score for scorer, column in columns.items() for score in scores_of(scorer, played, column)
    )
    return path


def scores_of(scorer: Scorer, played: Sequence[Transcript], column: Column) -> list[Score]:
    """One scorer's scores, with evidence where something is wrong."""
    best = 1.0 if scorer.direction == "higher" else 0.0
    return [
        scorer.score(
            one,
            value,
            (Spot(turn=1, detail=f"{scorer.name} at Film {number}"),) if value != best else (),
            of=4,
        )
        for number, (one, value) in enumerate(zip(played, column, strict=True))
    ]
