"""What a simulated user has said so far, and what it may say next: answers to what was asked only.

Knows the disclosure policies, and reads the state of a dialogue from the acts that a simulated user
recorded with each message ("opening:cosy", "critique:short", "move:0"). Does not choose or word
anything (user_agenda.py). Pure, so that audit.py can hold every message against the same rules.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agent.ledger_labels import parse_remove_text
from evals.dialogues.transcript import PlayedTurn
from evals.users.goal import Goal, Slot, binding
from evals.users.goal_world import World
from evals.users.user_words import asked_about
from retrieval.movie import Clause, Movie

TELLS = frozenset({"opening", "answer", "critique", "volunteer", "add", "revise"})
"""Acts that say a wish; "restate" says one again."""
_KINDS: Mapping[str, str] = {
    **{"theme": "topic", "keyword": "topic", "topic": "topic"},
    **{"actor": "person", "director": "person", "person": "person"},
    **{"country": "language", "kind": "genre"},
}
_ATTRIBUTE_KIND = "mood"
"""Somebody who asks for the tone may hear "nothing violent"."""


def kind_of(slot: Slot, clause: Clause | None) -> str:
    """What a question must ask for to get this wish as its answer."""
    if slot.title:
        return "seed"
    assert clause is not None
    known = {"genre", "mood", "language", "certificate", "year", "runtime", "service"}
    name = _KINDS.get(clause.field, clause.field)
    return name if name in known or name in _KINDS.values() else _ATTRIBUTE_KIND


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a dialogue is, from the user's side."""

    messages: int = 0
    moves_done: int = 0
    told: tuple[str, ...] = ()
    """Wishes said and not taken back, in the order said."""
    dropped: tuple[str, ...] = ()
    """Wishes given up because nothing fitted."""
    seen: frozenset[str] = frozenset()
    """movie_ids they said they had seen or did not like."""
    unsuited: int = 0
    """Lists in a row in which nothing was right."""

    def after(self, acts: Iterable[str]) -> "Progress":
        """With one more message."""
        told, dropped, seen = list(self.told), list(self.dropped), set(self.seen)
        moves, unsuited = self.moves_done, self.unsuited
        for act in acts:
            what, _, name = act.partition(":")
            if what in TELLS and name not in told:
                told.append(name)
            elif what == "let_go":
                dropped.append(name)
            elif what in ("seen", "dislike"):
                seen.add(name)
            elif what == "move":
                moves += 1
            elif what == "reset":
                told.clear()
            elif what == "unsuited":
                unsuited += 1
        unsuited = unsuited if any(a == "unsuited" for a in acts) else 0
        return replace(
            self,
            messages=self.messages + 1,
            moves_done=moves,
            told=tuple(told),
            dropped=tuple(dropped),
            seen=frozenset(seen),
            unsuited=unsuited,
        )

    def live(self, goal: Goal) -> tuple[str, ...]:
        """The wishes that exist now."""
        return tuple(n for n in binding(goal, self.moves_done) if n not in self.dropped)

    def stated(self, goal: Goal) -> tuple[str, ...]:
        """The wishes that the agent has been told and that still count: what cards must obey."""
        return tuple(name for name in self.live(goal) if name in self.told)

    def untold(self, goal: Goal) -> tuple[str, ...]:
        """The wishes that it has not been told."""
        return tuple(name for name in self.live(goal) if name not in self.told)


@dataclass(frozen=True)
class Heard:
    """An answer of the agent as the user takes it in."""

    cards: tuple[Movie, ...]
    question: str | None
    """The question that ended the turn, or the last question of the prose."""
    options: tuple[tuple[str, str], ...] = ()
    """(label, text) of each tappable answer."""

    @classmethod
    def of(cls, turn: PlayedTurn, movies: Mapping[str, Movie]) -> "Heard":
        """From a turn; cards of no known film are not taken in (the scorers see them)."""
        ids = (card.movie_id for card in turn.cards if card.movie_id)
        cards = tuple(movies[movie_id] for movie_id in ids if movie_id in movies)
        if turn.question is not None:
            options = tuple((o.label, o.text) for o in turn.question.options)
            return cls(cards, turn.question.question, options)
        last = turn.prose.strip().splitlines()[-1:] if not cards else []
        asked = last[0] if last and last[0].rstrip().endswith("?") else None
        return cls(cards, asked)

    @property
    def kinds(self) -> frozenset[str]:
        """What is asked for; empty = anything."""
        return asked_about(self.question or "")

    @property
    def may_go(self) -> tuple[tuple[str, str], ...]:
        """(label of the wish, text that lets it go) when asked which one could go."""
        found = ((parse_remove_text(text), text) for _, text in self.options)
        return tuple((label, text) for label, text in found if label)

    @property
    def meant(self) -> bool:
        """Whether the agent asks if it understood a name ("Did you mean Heat (1995)?")."""
        return (self.question or "").lower().startswith("did you mean")


def may_tell(world: World, progress: Progress, heard: Heard | None) -> dict[str, str]:
    """{wish: act} of what may be said now, what is most called for first.

    Args:
        world: the goal in this catalogue.
        progress: before this message.
        heard: the answer that it responds to; None = the user begins.
    """
    goal = world.goal
    if heard is None:
        return dict.fromkeys(goal.opens, "opening")
    untold = progress.untold(goal)
    if heard.question is not None:
        answers = {n: "answer" for n in untold if _answers(world, n, heard)}
    elif heard.cards:
        answers = dict.fromkeys(_missed(world, untold, heard.cards), "critique")
        # A passive user says what is wrong only with the second list in a row that has nothing.
        if goal.tells == "passive" and progress.unsuited == 0:
            answers = {}
    else:
        answers = {} if goal.tells == "passive" else dict.fromkeys(untold, "volunteer")
    if goal.tells == "volunteers":
        answers |= {n: "volunteer" for n in untold if n not in answers}
    return answers


def most_told(goal: Goal) -> int:
    """How many wishes one message may say after the opening."""
    return 2 if goal.tells == "volunteers" else 1


def _answers(world: World, name: str, heard: Heard) -> bool:
    slot = world.goal.wants[name]
    return not heard.kinds or kind_of(slot, world.clauses.get(name)) in heard.kinds


def _missed(world: World, untold: Iterable[str], cards: Iterable[Movie]) -> list[str]:
    """The untold wishes that films of a list do not meet, the most missed first."""
    wishes = tuple(untold)
    counts: Counter[str] = Counter()
    for movie in cards:
        counts.update(world.broken(movie, wishes))
        counts.update(world.lacking(movie, wishes))
        counts.update(n for n in wishes if world.goal.wants[n].gone and _is(world, n, movie))
    return [name for name, _ in counts.most_common()]


def _is(world: World, name: str, movie: Movie) -> bool:
    return world.named[name].movie_id == movie.movie_id
