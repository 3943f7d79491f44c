"""Plays simulated users against an agent: one dialogue each, labelled as it goes.

Knows how a user and an agent take turns, and how what the user said becomes the labels that the
scorers read. Does not know how a user makes up its mind (user_agenda.py), what is a fault
(scorers/) nor where services come from (place.py). Called by simulate_command.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evals.dialogues.expected import ClauseForm, Expected, Wish
from evals.dialogues.player import Talk
from evals.dialogues.run_folder import sha_of
from evals.dialogues.transcript import Build, Origin, Outcome, PlayedTurn, Transcript
from evals.users.disclosure import Progress
from evals.users.goal import Move
from evals.users.goal_world import World
from evals.users.user import Left, Said, SimulatedUser
from evals.users.user_replay import ReplayUser
from infra.script import Replies
from retrieval.movie import Movie

MAX_MESSAGES = 40
"""However patient: a dialogue has an end."""
TRIALS_PER_SEED = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """One dialogue to be played."""

    world: World
    trial: int
    seed: int
    """Of the run; trials differ in words and whims."""
    speaker: str | None = None
    """The model that plays the user; None = rules do."""

    @property
    def user_seed(self) -> int:
        """Of the user; 0 speaks exactly as the scenario is written."""
        return self.seed * TRIALS_PER_SEED + self.trial

    @property
    def key(self) -> tuple[str, int]:
        """As `Transcript.key`."""
        return self.world.goal.id, self.trial


UserFor = Callable[[Case], SimulatedUser]


def cases(
    worlds: Sequence[World], count: int, seed: int, speaker: str | None = None
) -> Iterator[Case]:
    """So many dialogues, all scenarios in turn: no two runs of a scenario are alike."""
    for number in range(count):
        yield Case(worlds[number % len(worlds)], number // len(worlds), seed, speaker)


def origin_of(case: Case, build: Build) -> Origin:
    """Where a dialogue comes from."""
    return Origin(
        channel="eval",
        source="simulated",
        scenario_id=case.world.goal.id,
        scenario_sha=sha_of(case.world.goal.model_dump(mode="json")),
        trial=case.trial,
        seed=case.seed,
        build=build,
        tags={
            "kind": case.world.goal.covers,
            "persona": (case.world.goal.tells,),
            "split": (case.world.goal.split,),
            "speaks": (case.world.goal.speaks,),
            **({"user": (case.speaker,)} if case.speaker else {}),
        },
    )


async def play_case(agent: Replies, case: Case, user_for: UserFor, build: Build) -> Transcript:
    """One dialogue, from the opening until the user takes a film, is done or gives up."""
    goal_id = case.world.goal.id
    user = user_for(case)
    talk = Talk(agent, f"sim:{goal_id}:{case.trial}:{case.seed}")
    labels = Labels(case.world)
    last: PlayedTurn | None = None
    said: Said | Left = Left("gave_up")
    while len(talk.turns) < MAX_MESSAGES:
        said = await user.speak(last)
        if isinstance(said, Left):
            break
        last = await talk.say(said.text, labels.next(said), said.acts)
        if said.end is not None:
            break
    name = f"{goal_id}#{case.trial}"
    played = talk.transcript(name, origin_of(case, build), _outcome(said, len(talk.turns)))
    return played.model_copy(update={"target_ids": labels.targets})


async def replay(agent: Replies, recorded: Transcript, build: Build) -> Transcript:
    """What somebody once said, said again: their messages and labels, new answers."""
    user = ReplayUser.of(recorded)
    talk = Talk(agent, f"replay:{recorded.dialogue_id}")
    for turn in recorded.turns:
        said = await user.speak(None)
        if isinstance(said, Said):
            await talk.say(said.text, turn.expected, turn.user_acts)
    origin = Origin(
        channel="eval",
        source="replayed",
        scenario_id=recorded.scenario_id,
        scenario_sha=recorded.scenario_sha,
        trial=recorded.trial,
        seed=recorded.seed,
        build=build,
        tags=recorded.tags,
    )
    return talk.transcript(recorded.dialogue_id, origin)


def _outcome(said: Said | Left, turns: int) -> Outcome:
    if isinstance(said, Said) and said.accepted is not None:
        # The film was on the table after the turn before the one that takes it.
        return Outcome(accepted_ids=(said.accepted,), accepted_turn=turns - 1, abandoned=False)
    return Outcome(abandoned=said.end != "done")


class Labels:
    """What must be true of each answer, from what the user said so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._progress = Progress()
        self._since: dict[str, int] = {}

    def next(self, said: Said) -> Expected:
        """The labels of the answer to this message."""
        goal, before = self._world.goal, self._progress
        self._progress = before.after(said.acts)
        number = self._progress.messages
        stated = self._progress.stated(goal)
        for name in stated:
            self._since.setdefault(name, number)
        gone = self._world.gone(n for n in self._progress.told if n in self._world.named)
        move = goal.moves[before.moves_done] if _moved(said) else None
        acts_any = goal.acts_any if number == 1 else move.acts_any if move else ()
        if said.accepted is not None:
            acts_any = ("chat",)
        return Expected(
            wishes=tuple(self._wish(name) for name in stated if name in self._world.clauses),
            gone_ids=tuple(sorted(gone | self._progress.seen)),
            acts=move.acts if move else (),
            acts_any=acts_any,
            cards=move.cards if move else "any",
            says=self._answer(move, said) if move else (),
            undoes=bool(move and move.do == "undo"),
        )

    @property
    def targets(self) -> tuple[str, ...] | None:
        """What would do in the end; None for who wants no film, or wants what nothing is."""
        if "accepted" not in self._world.goal.ends:
            return None
        would_do = self._world.would_do(self._progress.dropped) - self._progress.seen
        return tuple(sorted(would_do)) or None

    def _wish(self, name: str) -> Wish:
        slot = self._world.goal.wants[name]
        form = ClauseForm.of(self._world.clauses[name])
        return Wish(clause=form, avoid=bool(slot.none), hard=slot.hard, since=self._since[name])

    def _answer(self, move: Move, said: Said) -> tuple[str, ...]:
        """What the answer to a question about a film must say, where the catalogue knows it."""
        asked = next((a.partition(":")[2] for a in said.acts if a.startswith("ask:")), None)
        movie = self._world.films.by_id.get(asked or "")
        return _fact(movie, move.about or "") if movie else ()


def _moved(said: Said) -> bool:
    return any(act.startswith("move:") for act in said.acts)


def _fact(movie: Movie, about: str) -> tuple[str, ...]:
    facts: dict[str, object] = {
        "runtime": movie.runtime_min,
        "year": movie.year,
        "director": movie.directors[0] if movie.directors else None,
        "cast": movie.cast[0] if movie.cast else None,
        "certificate": movie.certificate,
    }
    fact = facts.get(about)
    return (str(fact),) if fact else ()
