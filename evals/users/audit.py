"""Is a simulated dialogue clean? Leaks, invented facts and broken promises of the user's side.

Knows what a message may say at its place: the opening, a wish that disclosure.py allows there, the
words of the move that was due, titles that the agent showed. Whatever else in it points at a film,
a person, a time or a wish is a leak (true of what they look for) or an invented fact (not in the
goal). What the agent did wrong is not its business: user errors are reported apart, so that a weak
user is not blamed on the agent (tau2). Pure; called by simulate_command.py and the model-based
user.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.dialogues.transcript import PlayedTurn, Transcript
from evals.users.audit_free import people_in, titles_in
from evals.users.audit_words import (
    Marks,
    everyday_vocabulary,
    everyday_words,
    heard_in,
    is_number,
    is_word,
    opening_words,
    says_something,
    slips_of,
    slot_words,
    telling_words,
    template_words,
    tokens,
    wish_words,
)
from evals.users.disclosure import TELLS, Heard, Progress, may_tell, most_told
from evals.users.goal_world import World
from retrieval.movie import Movie
from retrieval.nlu.preference_patterns import CERTIFICATE

Kind = Literal["leak", "invented fact", "user error"]
MISSPELT = 4
"""Letters of a word that may be a misspelt title word."""
STAND_IN = "stand_in"
"""Act: the message is the agenda's, in place of one that a model could not be allowed."""
_ID = re.compile(r"\btt\d{6,}\b|\b[a-z]{1,3}\d{5,}\b")
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]")
_TEMPLATES = {
    "restate": ("restate",),
    "indifferent": ("indifferent",),
    "seen": ("seen",),
    "dislike": ("dislike",),
    "accept": ("accept",),
    "bye": ("bye",),
    "more": ("more",),
    "unsuited": ("unsuited",),
    "undo": ("undo",),
    "why": ("why",),
    "reset": ("reset",),
    "drop": ("drop",),
    "deny": ("deny",),
    "confirm": ("confirm",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something a user must not have said or done."""

    kind: Kind
    dialogue_id: str
    turn: int
    """1 = first."""
    detail: str

    def __str__(self) -> str:
        return f"{self.dialogue_id} turn {self.turn}: {self.kind}: {self.detail}"


def audit(
    transcript: Transcript, world: World, marks: Marks, own_words: bool = True
) -> list[Fault]:
    """Every fault of the user in a dialogue.

    Args:
        transcript: with `user_acts`, as simulated users record them.
        world: its goal, in the catalogue it was played on.
        marks: of that catalogue.
        own_words: the user speaks in the words of its scenario and the templates; False for a
            model, whose wording is free: then only what points at something is judged.
    """
    auditor = Auditor(world, marks, own_words, transcript.dialogue_id)
    for before, turn in zip((None, *transcript.turns), transcript.turns, strict=False):
        auditor.message(turn, before)
    accepted = transcript.outcome.accepted_ids if transcript.outcome else ()
    auditor.acceptance(accepted, len(transcript.turns))
    return auditor.faults


class Auditor:
    """Follows one dialogue."""

    def __init__(
        self, world: World, marks: Marks, own_words: bool = True, dialogue_id: str = ""
    ) -> None:
        self.world, self.marks, self.own_words = world, marks, own_words
        self.dialogue_id = dialogue_id
        self.faults: list[Fault] = []
        self.progress = Progress()
        self.shown: set[str] = set()
        self._own = own_words
        self._leaves = False
        self._found: list[Fault] = []

    def message(self, turn: PlayedTurn, before: PlayedTurn | None) -> None:
        """Judge one message, then go on as if it had been right."""
        self.faults += self.faults_in(turn, before)
        self.progress = self.progress.after(turn.user_acts or ())

    def faults_in(self, turn: PlayedTurn, before: PlayedTurn | None) -> list[Fault]:
        """What is wrong with a message that follows those before, sent or not yet."""
        heard = Heard.of(before, self.world.films.by_id) if before else None
        self.shown |= {card.movie_id for card in before.cards if card.movie_id} if before else set()
        acts = turn.user_acts or ()
        # What the agenda says in a model's place is held to the agenda's words.
        self._own = self.own_words or any(act.startswith(STAND_IN) for act in acts)
        self._leaves = not self._own and any(act.startswith("accept") for act in acts)
        self._found = []
        number = self.progress.messages + 1
        self._acts(number, acts, heard)
        self._text(number, turn.user, acts, heard)
        return self._found

    def acceptance(self, accepted: Sequence[str], number: int) -> None:
        """They took a film that they were shown and that suits them."""
        self._found = self.faults
        for movie_id in accepted:
            movie = self.world.films.by_id.get(movie_id)
            if movie is None or movie_id not in self.shown:
                self._fault("user error", number, f"accepted {movie_id}, which was not shown")
            elif self.world.broken(movie, self.progress.live(self.world.goal)):
                self._fault("user error", number, f"accepted {movie.label()}, which does not suit")

    def _fault(self, kind: Kind, number: int, detail: str) -> None:
        self._found.append(Fault(kind, self.dialogue_id, number, detail))

    # --- what was done ----------------------------------------------------------------------------

    def _acts(self, number: int, acts: Sequence[str], heard: Heard | None) -> None:
        goal, done = self.world.goal, self.progress.moves_done
        moves = [act for act in acts if act.startswith("move:")]
        due = done < len(goal.moves) and number >= goal.moves[done].at
        if moves and (moves != [f"move:{done}"] or not due):
            self._fault("user error", number, f"{moves} is not the move that was due")
        allowed = set(may_tell(self.world, self.progress, heard))
        told = [a.partition(":")[2] for a in acts if a.partition(":")[0] in TELLS]
        brought = {goal.moves[done].slot, goal.moves[done].to} if moves and due else set()
        for name in told:
            if name not in allowed and name not in brought:
                self._fault("leak", number, f"says {name!r} though nothing called for it")
        if heard is not None and len([n for n in told if n not in brought]) > most_told(goal):
            self._fault("leak", number, f"says {len(told)} wishes at once")

    # --- what was said ----------------------------------------------------------------------------

    def _text(self, number: int, text: str, acts: Sequence[str], heard: Heard | None) -> None:
        for found in _ID.findall(text.lower()):
            self._fault("leak", number, f"says the id {found}")
        said = heard_in(text)
        explained = self._explained(acts, heard)
        telling = is_word if self._own else says_something
        strange = frozenset(t for t in said if t not in explained and telling(t))
        if self._own and self.world.goal.noise.typos:
            strange -= slips_of(explained)
        if strange or _QUOTED.search(text):
            self._strange(number, text, said, strange)

    def _explained(self, acts: Sequence[str], heard: Heard | None) -> frozenset[str]:
        """Every word that this message may hold."""
        goal = self.world.goal
        found = [everyday_words(goal.speaks, goal.noise.mixes)]
        found += [wish_words(self.world, name) for name in self.progress.told]
        if heard is None:
            found.append(opening_words(goal))
        for act in acts:
            found += self._explained_by(act)
        if heard is not None:
            found += [tokens(text) for _, text in heard.options]
        films = self.world.films.by_id
        found += [tokens(films[i].label()) for i in self.shown if i in films]
        return frozenset().union(*found)

    def _explained_by(self, act: str) -> list[frozenset[str]]:
        goal = self.world.goal
        what, _, name = act.partition(":")
        found = [template_words(goal.speaks, t) for t in _TEMPLATES.get(what, ())]
        if (what in TELLS or what in ("restate", "let_go")) and name in goal.wants:
            found.append(wish_words(self.world, name))
        done = self.progress.moves_done
        if what == "move" and name == str(done) and done < len(goal.moves):
            move = goal.moves[done]
            found += [tokens(text) for text in move.say]
            found += [tokens(move.film)] if move.film else []
            found += [wish_words(self.world, n) for n in (move.slot, move.to) if n]
            found += [template_words(goal.speaks, "ask"), tokens("the first one")]
        return found

    def _strange(
        self, number: int, text: str, said: frozenset[str], strange: frozenset[str]
    ) -> None:
        """Words that nothing explains: what do they point at?"""
        before = len(self._found)
        self._films(number, text, said, strange)
        self._people(number, text, strange)
        for name in self.progress.untold(self.world.goal):
            given = self._pointed(strange & telling_words(self.world, name), text)
            if given:
                self._fault("leak", number, f"gives {name!r} away: {', '.join(sorted(given))}")
        if len(self._found) > before or self._leaves:
            return
        numbers = sorted(t for t in strange if is_number(t))
        wishes = sorted(strange & slot_words())
        if numbers or wishes:
            told = ", ".join((*numbers, *wishes))
            self._fault("invented fact", number, f"{told}: no wish of this user")
        elif self._own and strange:
            self._fault("invented fact", number, f"{', '.join(sorted(strange))}: from nowhere")

    def _pointed(self, words: frozenset[str], text: str) -> frozenset[str]:
        """In free wording a common word gives nothing away by itself; "rated" does in "rated R"."""
        if self._own:
            return words
        rated = (tokens(found.group()) for found in CERTIFICATE.finditer(text.lower()))
        wishful = words & slot_words().union(*rated)
        return wishful | {w for w in words if is_number(w) or w not in everyday_vocabulary()}

    def _films(self, number: int, text: str, said: frozenset[str], strange: frozenset[str]) -> None:
        quoted = [m for q in _QUOTED.findall(text) if (m := self.world.films.named(q))]
        movies = quoted + list(self._titles(text, said, strange))
        known = {m.movie_id for m in self.world.named.values()} | self.shown
        for movie in [m for m in movies if m.movie_id not in known][:1]:
            suits = self.world.fits(movie, len(self.world.goal.moves))
            kind: Kind = "leak" if suits else "invented fact"
            self._fault(kind, number, f"names {movie.label()}, which nobody showed")

    def _titles(self, text: str, said: frozenset[str], strange: frozenset[str]) -> Iterable[Movie]:
        if not self._own:
            return titles_in(text, self.marks, strange)
        found = self.marks.title_in(said, strange, MISSPELT)
        return [found] if found else []

    def _people(self, number: int, text: str, strange: frozenset[str]) -> None:
        moves = len(self.world.goal.moves)
        named = strange & self.marks.people.keys()
        if not self._own:
            named = frozenset(people_in(text, self.marks, strange)) - slot_words()
        for token in sorted(named):
            ids = self.marks.people[token]
            suits = any(self.world.fits(self.world.films.by_id[i], moves) for i in ids)
            self._fault("leak" if suits else "invented fact", number, f"names {token}")
