"""The simulated user behind a language model: it words and chooses, the goal decides what may be.

Knows what the model is shown (its own wishes, never a target), how its answer becomes acts, and
that every message is audited before it is sent. A message that leaks, invents or errs is asked for
once more; then, and when the model fails, the agenda's message stands in, labelled by an act
("stand_in:leak"). Taps are no words: those are the agenda's as well. Does not know which model it
is (language_model.py) nor any agent. Called by simulate_command.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agent.model import PASSING, ChatModel, Meter, ModelFailure, asked
from evals.dialogues.transcript import PlayedTurn
from evals.problem import EvalProblem
from evals.users.audit import STAND_IN, Auditor, Fault
from evals.users.audit_words import Marks, heard_in, telling_words
from evals.users.disclosure import Heard, Progress, may_tell
from evals.users.goal import End
from evals.users.goal_world import World
from evals.users.user import Left, Said
from evals.users.user_agenda import AgendaUser
from evals.users.user_words import wordings
from prompts.loader import load_prompt
from retrieval.movie import Movie

MAX_MESSAGE = 600
"""Characters; nobody types more at a recommender, and a model that does is rambling."""
AGAIN = "again"
"""Act: the message is the second try."""
UNPARSED, FAILED = "unparsed", "failed"
_TAPS = frozenset({"tap", "let_go", "confirm", "deny"})
_LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
_TALKS = {
    "passive": "says little, and what is wrong with a list only when it happens again",
    "answers": "answers what is asked, and says what is wrong with a list",
    "volunteers": "likes to say more than was asked",
}


class UserProblem(EvalProblem):
    """The model of the simulated user cannot be used; the message says why."""


class Reply(BaseModel):
    """What the person says next."""

    message: str
    tells: list[str] = []
    seen: list[str] = []
    accepted: str | None = None
    done: bool = False


class ModelUser:
    """One person, played by a model."""

    def __init__(
        self, model: ChatModel, world: World, seed: int, marks: Marks, meter: Meter | None = None
    ) -> None:
        self._model = model
        self._meter = meter or Meter()
        self._world = world
        self._prompt = load_prompt("user_simulator")
        self._agenda = AgendaUser(world, seed)
        self._auditor = Auditor(world, marks, own_words=False)
        self._turns: list[PlayedTurn] = []

    async def speak(self, last: PlayedTurn | None) -> Said | Left:
        """The next message. Raises: UserProblem when asking on is useless."""
        if last is not None:
            self._turns.append(last)
        agenda = self._agenda
        before, restated = agenda.progress, list(agenda.restated)
        rules = await agenda.speak(last)
        if isinstance(rules, Left) or _tapped(rules):
            return self._sent(rules, last)
        agenda.progress = before
        said = await self._asked(rules, last)
        agenda.progress = before.after(said.acts)
        if not _stands_in(said):
            agenda.restated = restated
        return self._sent(said, last)

    def _sent(self, said: Said | Left, last: PlayedTurn | None) -> Said | Left:
        if isinstance(said, Said):
            self._auditor.message(PlayedTurn(user=said.text, prose="", user_acts=said.acts), last)
        return said

    async def _asked(self, rules: Said, last: PlayedTurn | None) -> Said:
        """The model's message, its second one, or the agenda's."""
        problem, acts = "", tuple[str, ...]()
        for _ in range(2):
            try:
                reply = await self._ask(rules, last, problem)
            except ModelFailure as failure:
                return _stand_in(rules, _why(failure))
            said = self._said(reply, rules, last)
            found = self._faults(reply, said, last)
            if not found:
                return Said(said.text, (*said.acts, *acts), said.end, said.accepted)
            problem = "; ".join(fault.detail for fault in found)
            acts = (f"{AGAIN}:{_slug(found[0])}",)
        return _stand_in(rules, _slug(found[0]))

    async def _ask(self, rules: Said, last: PlayedTurn | None, problem: str) -> Reply:
        goal, heard, before = self._world.goal, self._heard(last), self._agenda.progress
        acceptable, seen = self._known()
        moving = _directed(rules)
        messages = asked(
            self._prompt,
            persona={
                "who": goal.who,
                "language": _LANGUAGES[goal.speaks],
                "talks": _TALKS[goal.tells],
            },
            wishes=self._wishes(before),
            may_tell=[] if moving else list(may_tell(self._world, before, heard)),
            may_accept=[] if moving or not self._settled(before) else acceptable,
            seen=seen,
            do_now=rules.text if moving else "",
            conversation=_conversation(self._turns, self._breaks(before)),
            turns_left=goal.patience - before.messages - 1,
            problem=problem,
        )
        return await self._model.structured(messages, Reply, self._meter)

    # --- what it knows ----------------------------------------------------------------------------

    def _heard(self, last: PlayedTurn | None) -> Heard | None:
        return Heard.of(last, self._world.films.by_id) if last else None

    def _settled(self, before: Progress) -> bool:
        return before.moves_done == len(self._world.goal.moves)

    def _wishes(self, before: Progress) -> list[dict[str, Any]]:
        goal = self._world.goal
        return [
            {
                "name": name,
                "means": list(wordings(goal.wants[name], self._world.clauses.get(name))),
                "must": goal.wants[name].hard,
                "told": name in before.told,
            }
            for name in before.live(goal)
        ]

    def _known(self) -> tuple[list[str], list[str]]:
        """(what they would take, what they have seen) of the list on the table."""
        agenda = self._agenda
        fresh = [m for m in agenda.on_table if m.movie_id not in agenda.progress.seen]
        seen = [m for m in fresh if self._world.has_seen(m, agenda.seed)]
        good = [m for m in fresh if m not in seen and agenda.would_take(m)]
        return [m.movie_id for m in good], [m.movie_id for m in seen]

    def _breaks(self, before: Progress) -> Mapping[str, list[str]]:
        live, world = before.live(self._world.goal), self._world
        table: Iterable[Movie] = self._agenda.on_table
        return {m.movie_id: [*world.broken(m, live), *world.lacking(m, live)] for m in table}

    # --- what it said -----------------------------------------------------------------------------

    def _said(self, reply: Reply, rules: Said, last: PlayedTurn | None) -> Said:
        """The answer as a message with acts."""
        text = reply.message.strip()
        if _directed(rules):
            return Said(text, rules.acts, rules.end)
        if reply.accepted:
            acts: tuple[str, ...] = (f"accept:{reply.accepted}",)
            return Said(text, acts, end="accepted", accepted=reply.accepted)
        heard, before = self._heard(last), self._agenda.progress
        allowed = may_tell(self._world, before, heard)
        told = dict.fromkeys(n for n in reply.tells if n not in before.told)
        tells = [f"{allowed.get(name, 'volunteer')}:{name}" for name in told]
        shown = {card.movie_id for turn in self._turns for card in turn.cards}
        tells += [f"seen:{i}" for i in dict.fromkeys(reply.seen) if i in shown]
        unsuited = ("unsuited",) if heard is not None and heard.cards else ()
        gone: End | None = "gave_up" if reply.done and self._settled(before) else None
        return Said(text, (*(tells or ["more"]), *unsuited), end=gone)

    def _faults(self, reply: Reply, said: Said, last: PlayedTurn | None) -> list[Fault]:
        """What is wrong with a message, before it is sent."""
        turn = PlayedTurn(user=said.text, prose="", user_acts=said.acts)
        errors = list(self._errors(reply, said))
        if errors:
            number = self._auditor.progress.messages + 1
            return [Fault("user error", self._world.goal.id, number, told) for told in errors]
        return self._auditor.faults_in(turn, last)

    def _errors(self, reply: Reply, said: Said) -> Iterable[str]:
        if not said.text or len(said.text) > MAX_MESSAGE:
            yield f"a message has 1 to {MAX_MESSAGE} characters"
        if said.accepted and said.accepted not in self._known()[0]:
            yield f"{said.accepted} is not in may_accept"
        words = heard_in(said.text)
        for name in reply.tells:
            if name not in self._world.goal.wants:
                yield f"{name!r} is no wish"
            elif not words & telling_words(self._world, name):
                yield f"it does not tell {name!r}: use the words or the numbers of what it means"


def _conversation(
    turns: Sequence[PlayedTurn], breaks: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for turn in turns:
        said.append({"role": "user", "text": turn.user})
        answer: dict[str, Any] = {"role": "assistant", "text": turn.prose}
        if turn.cards:
            answer["films"] = [
                {"id": c.movie_id, "title": c.title, "year": c.year, "why": list(c.why)}
                | ({"breaks": breaks[c.movie_id]} if c.movie_id and c.movie_id in breaks else {})
                for c in turn.cards
            ]
        if turn.question:
            answer["question"] = turn.question.question
        said.append(answer)
    return said


def _directed(rules: Said) -> bool:
    """Whether the scenario, not the person, decides what comes now."""
    kinds = {act.partition(":")[0] for act in rules.acts}
    return "move" in kinds or rules.end == "done"


def _tapped(rules: Said) -> bool:
    return any(act.partition(":")[0] in _TAPS for act in rules.acts)


def _stands_in(said: Said) -> bool:
    return any(act.startswith(STAND_IN) for act in said.acts)


def _stand_in(rules: Said, why: str) -> Said:
    return Said(rules.text, (*rules.acts, f"{STAND_IN}:{why}"), rules.end, rules.accepted)


def _slug(fault: Fault) -> str:
    return fault.kind.replace(" ", "_")


def _why(failure: ModelFailure) -> str:
    if failure.kind == "malformed":
        return UNPARSED
    if failure.kind in PASSING:
        return FAILED
    raise UserProblem(f"the model of the simulated user cannot be used ({failure.kind}): {failure}")
