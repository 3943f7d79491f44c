"""Plays scripted scenarios through an agent: the core of `make eval` and `python -m evals run`.

Knows the order: play or find again, label, hand over. Does not know what is a fault (scorers/) nor
where services come from (place.py). Called by run_command.py and suite.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from evals.dialogues.kept import Kept
from evals.dialogues.player import Talk
from evals.dialogues.reword import reword
from evals.dialogues.run_folder import sha_of
from evals.dialogues.scenario import Scenario, labels
from evals.dialogues.transcript import Build, Origin, Transcript
from infra.script import Replies

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is to be played, by whom."""

    scenarios: Sequence[Scenario]
    build: Build
    trials: int = 1
    seed: int = 0
    kept: Kept = field(default_factory=lambda: Kept(None))

    def dialogues(self) -> Iterator[tuple[Scenario, int]]:
        """(scenario, trial) in the order of playing."""
        for scenario in self.scenarios:
            yield from ((scenario, trial) for trial in range(self.trials))

    def origin(self, scenario: Scenario, trial: int) -> Origin:
        """Where a dialogue comes from."""
        return Origin(
            channel="eval",
            source="replayed",
            scenario_id=scenario.id,
            scenario_sha=sha_of(scenario.model_dump(mode="json")),
            trial=trial,
            seed=self.seed,
            build=self.build,
            tags={"kind": scenario.covers},
        )


async def play_one(agent: Replies, plan: Plan, scenario: Scenario, trial: int) -> Transcript:
    """One scenario as a stranger's fresh conversation, or the same dialogue as kept."""
    origin = plan.origin(scenario, trial)
    key = plan.kept.key(origin.scenario_sha or "", plan.build, trial, plan.seed)
    found = plan.kept.get(key)
    if found is not None:
        return found.model_copy(update={"build": plan.build})
    talk = Talk(agent, f"eval:{scenario.id}:{trial}:{key}")
    surface = trial + plan.seed * plan.trials
    for step, label in zip(scenario.turns, labels(scenario), strict=True):
        await talk.say(reword(step.user, surface), label)
    played = talk.transcript(f"{scenario.id}#{trial}" if trial else scenario.id, origin)
    if not any(turn.error for turn in played.turns):  # a passing failure must not be kept
        plan.kept.put(key, played)
    return played
