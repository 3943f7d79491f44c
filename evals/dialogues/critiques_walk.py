"""Random critiques: does any path of taps end in nothing, and does each tap do what it says?

Knows what a dead end is, when a critique changes a list, and that a ledger chip removes its entry
and nothing else. Does not know which critiques there are (agent/critiques.py): it taps what it is
offered, says what people say, and looks. Called by critiques_command.py and the tests.

Films shown once are not shown again, so every list differs from the one before. Whether a critique
changes anything is therefore asked of its twin: the same conversation, led again up to that point,
in which the user only asks for more.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.critiques import MIN_CHANGED, OTHERS, TOP
from agent.events import LedgerChanged, LedgerEntryView, Suggestions
from agent.turn import Edit
from evals.dialogues.player import Talk
from evals.dialogues.transcript import PlayedTurn
from infra.script import Replies

STARTS = (
    *("a comedy", "something like Alien", "a thriller from the 90s", "for my kids aged 6 and 9"),
    *("a western", "surprise me", "a scary movie about ghosts", "films with Tom Hanks"),
    *("a sad French drama", "something like Heat but shorter", "a documentary about music"),
)
FREE = (
    *("something newer", "older", "shorter", "longer", "less violent", "scarier", "funnier"),
    *("lighter", "less sad", "more romantic", "no horror", "not a comedy", "seen the first one"),
    *("not now for the second one", "from the 90s", "in French", "under 100 minutes", "also funny"),
    *("no Tom Cruise", "more like the first one", "a thriller", "undo"),
)
"""What people say without tapping anything."""
TAPS = 0.6
"""How often something offered is tapped, where anything is."""
REMOVES = 0.15
"""How often a ledger chip is tapped away after a turn."""
SHORTEST, LONGEST = 3, 12
"""Critiques of one conversation."""
Report = Callable[[int, int], None]


@dataclass
class Walked:
    """What was tried, and each time that something went wrong, with what was said."""

    critiques: int = 0
    dead_ends: list[str] = field(default_factory=list)
    chips: int = 0
    """Suggested critiques that were tapped and held against their twin."""
    idle: list[str] = field(default_factory=list)
    """Those that changed fewer than three of the five films at the top."""
    removals: int = 0
    """Ledger chips tapped away, by words and by the edit that a surface sends, in turn."""
    wrong_removals: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.dead_ends or self.idle or self.wrong_removals)


async def walk(
    agent: Replies, count: int, seed: int, report: Report = lambda done, total: None
) -> Walked:
    """So many random critiques, in conversations of a few each."""
    rng, walked, number = random.Random(seed), Walked(), 0
    while walked.critiques < count:
        number += 1
        walker = _Walker(agent, f"critic:{seed}:{number}", rng, walked)
        await walker.go(min(rng.randint(SHORTEST, LONGEST), count - walked.critiques))
        report(walked.critiques, count)
    return walked


@dataclass
class _Walker:
    """One conversation."""

    agent: Replies
    principal: str
    rng: random.Random
    walked: Walked
    said: list[str] = field(default_factory=list)
    """Every message so far."""
    has_twin: bool = True
    """Until an edit is sent: the twin is led by messages alone."""

    async def go(self, steps: int) -> None:
        """A wish, then critiques."""
        talk = Talk(self.agent, self.principal)
        turn = await self._say(talk, self.rng.choice(STARTS))
        for _ in range(steps):
            chips, options = chips_of(turn), options_of(turn)
            offered = [*chips, *options]
            tapped = bool(offered) and self.rng.random() < TAPS
            message = self.rng.choice(offered) if tapped else self.rng.choice(FREE)
            before = list(self.said)
            turn = await self._say(talk, message)
            self.walked.critiques += 1
            if not turn.cards and not options_of(turn):
                self.walked.dead_ends.append(self._told(turn.prose))
            if tapped and message in chips and message != OTHERS.text and self.has_twin:
                await self._twin(before, turn)
            if turn.ledger and self.rng.random() < REMOVES:
                turn = await self._remove(talk, turn.ledger)  # chips are judged by their own list

    async def _say(self, talk: Talk, message: str) -> PlayedTurn:
        self.said.append(message)
        return await talk.say(message)

    async def _twin(self, before: Sequence[str], turn: PlayedTurn) -> None:
        """Lead the conversation again, but ask for more where the critique was tapped."""
        twin = Talk(self.agent, f"{self.principal}:twin:{len(before)}")
        for message in before:
            await twin.say(message)
        more = await twin.say(OTHERS.text)
        self.walked.chips += 1
        if changed(turn, more) < MIN_CHANGED:
            self.walked.idle.append(self._told(f"{titles(turn)} beside {titles(more)}"))

    async def _remove(self, talk: Talk, ledger: Sequence[LedgerEntryView]) -> PlayedTurn:
        gone = self.rng.choice(ledger)
        by_words = self.walked.removals % 2 == 0
        if by_words:
            turn = await self._say(talk, gone.remove_text)
        else:
            self.has_twin = False
            edit = Edit(op="remove", entry_id=gone.id, ledger_version=version_of(talk))
            turn = await talk.say("", edits=(edit,))
        self.walked.removals += 1
        kept = [entry for entry in ledger if entry.id != gone.id]
        if list(turn.ledger or ()) != kept:
            now = [entry.label for entry in turn.ledger or ()]
            was = [entry.label for entry in ledger]
            way = "by words" if by_words else "by an edit"
            self.walked.wrong_removals.append(
                self._told(f"{gone.label!r} {way}: {was} became {now}")
            )
        return turn

    def _told(self, what: str) -> str:
        return f"{' / '.join(self.said)}: {what}"


def chips_of(turn: PlayedTurn) -> list[str]:
    """The texts of the critiques offered under a list."""
    found = (e for e in turn.events or () if isinstance(e, Suggestions))
    return [chip.text for event in found for chip in event.chips]


def options_of(turn: PlayedTurn) -> list[str]:
    """The texts of the answers offered with a question."""
    return [option.text for option in turn.question.options] if turn.question else []


def version_of(talk: Talk) -> int:
    """The version of a conversation's ledger, as last told."""
    events = (event for turn in talk.turns for event in turn.events or ())
    versions = [event.version for event in events if isinstance(event, LedgerChanged)]
    return versions[-1] if versions else 0


def titles(turn: PlayedTurn) -> list[str]:
    """The titles at the top of a list."""
    return [card.title for card in turn.cards[:TOP]]


def changed(turn: PlayedTurn, other: PlayedTurn) -> int:
    """How many of the films at the top of `other` are not at the top of `turn`'s list."""
    top = {card.movie_id for card in turn.cards[:TOP]}
    return sum(card.movie_id not in top for card in other.cards[:TOP])
