"""The simulated user that needs no model: an agenda of wishes and moves, seeded and repeatable.

Knows its goal as typed wishes, what it has said and what it was shown. It never sees a title but
those that its scenario lets it name and those the agent showed, and says a wish only where
disclosure.py lets it. Judges a film by the catalogue record, as somebody who knows their own taste.
Does not know any agent. Called by simulate.py.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from evals.dialogues.expected import clause_label
from evals.dialogues.transcript import PlayedTurn
from evals.users.disclosure import Heard, Progress, may_tell, most_told
from evals.users.goal import Move, Speech
from evals.users.goal_world import World
from evals.users.user import Left, Said
from evals.users.user_words import called, joined, noisy, phrases, say, say_question, wordings
from retrieval.movie import Match, MatchField, Movie, fold

_READ_AS: Mapping[str, tuple[MatchField, ...]] = {
    "person": ("person", "actor", "director"),
    "topic": ("theme", "keyword", "genre", "mood"),
}
"""Fields of which the agent may know more than the wish says."""
MAX_RESTATED = 2
"""How often one wish is said again; who is not heard then goes on without hope."""


@dataclass
class AgendaUser:
    """One person, from the opening to the end."""

    world: World
    seed: int
    """Of the words and the whims."""
    rng: random.Random = field(init=False)
    progress: Progress = field(default_factory=Progress)
    on_table: tuple[Movie, ...] = ()
    """The list shown last: it still stands while something else is talked about."""
    restated: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.world.goal.id}|{self.seed}")

    @property
    def speech(self) -> Speech:
        """The language they speak."""
        return self.world.goal.speaks

    async def speak(self, last: PlayedTurn | None) -> Said | Left:
        """The next message."""
        said = self._open() if last is None else self._respond(last)
        if isinstance(said, Said):
            self.progress = self.progress.after(said.acts)
        return said

    # --- deciding ---------------------------------------------------------------------------------

    def _open(self) -> Said:
        goal = self.world.goal
        text = self.rng.choice(goal.opening)
        return self._aloud(text, *(f"opening:{name}" for name in goal.opens))

    def _respond(self, last: PlayedTurn) -> Said | Left:
        goal, progress = self.world.goal, self.progress
        heard = Heard.of(last, self.world.films.by_id)
        self.on_table = heard.cards or self.on_table
        move = self._due(heard)
        if move is not None:
            return self._make(move)
        settled = progress.moves_done == len(goal.moves)
        if settled and "accepted" not in goal.ends and "gave_up" not in goal.ends:
            return Said(say(self.rng, self.speech, "bye"), ("bye",), end="done")
        taken = self._taken() if settled else None
        if taken is not None:
            text = say(self.rng, self.speech, "accept", title=called(taken, self.rng))
            act = f"accept:{taken.movie_id}"
            return Said(self._noised(text), (act,), end="accepted", accepted=taken.movie_id)
        if progress.messages >= goal.patience:
            return Left("gave_up")
        return self._go_on(heard)

    def _due(self, heard: Heard) -> Move | None:
        """The next move, once its time has come; a question is answered first, once."""
        goal, progress = self.world.goal, self.progress
        if progress.moves_done == len(goal.moves):
            return None
        move = goal.moves[progress.moves_done]
        number = progress.messages + 1
        if move.do == "undo":
            return move
        late = number > move.at
        waits = heard.question is not None and not late and move.do in ("ask", "why", "more")
        needs_list = move.do in ("why", "seen", "dislike") or (move.do == "ask" and not move.film)
        if needs_list and not self.on_table:
            return None if number < goal.patience - len(goal.moves) else move
        return move if number >= move.at and not waits else None

    def _taken(self) -> Movie | None:
        """The first film on the table that they would take and have not seen."""
        for movie in self.on_table:
            fresh = movie.movie_id not in self.progress.seen
            if fresh and not self.world.has_seen(movie, self.seed) and self.would_take(movie):
                return movie
        return None

    def would_take(self, movie: Movie) -> bool:
        """Whether a film meets every wish, told or not, and their whim."""
        return self._would_do(movie) and self.world.fancies(movie, self.seed)

    def _would_do(self, movie: Movie) -> bool:
        return self.world.fits(movie, self.progress.moves_done, self.progress.dropped)

    def _go_on(self, heard: Heard) -> Said | Left:
        if heard.may_go:
            return self._let_go(heard)
        if heard.meant:
            return self._meant(heard)
        broken = self._unheard(heard)
        if broken is not None:
            self.restated.append(broken)
            text = say(self.rng, self.speech, "restate", wish=self._wish(broken))
            return self._aloud(text, f"restate:{broken}", "unsuited")
        known = self._known(heard)
        if known is not None:
            text = say(self.rng, self.speech, "seen", title=called(known, self.rng))
            return self._aloud(text, f"seen:{known.movie_id}", "unsuited")
        return self._tell(heard)

    def _unheard(self, heard: Heard) -> str | None:
        """A wish that they said and that a card breaks all the same."""
        stated = self.progress.stated(self.world.goal)
        for movie in heard.cards:
            for name in self.world.broken(movie, stated):
                if self.restated.count(name) < MAX_RESTATED:
                    return name
        return None

    def _known(self, heard: Heard) -> Movie | None:
        """A film of the new list that would do, were it not seen already."""
        for movie in heard.cards:
            fresh = movie.movie_id not in self.progress.seen
            if fresh and self._would_do(movie):
                if self.world.has_seen(movie, self.seed):
                    return movie
        return None

    def _tell(self, heard: Heard) -> Said:
        """What may be said now, else that they would like to see others."""
        allowed = may_tell(self.world, self.progress, heard)
        chosen = list(allowed)[: most_told(self.world.goal)]
        unsuited = ("unsuited",) if heard.cards else ()
        if chosen:
            text = joined(self.rng, self.speech, [self._wish(name) for name in chosen])
            return self._aloud(text, *(f"{allowed[n]}:{n}" for n in chosen), *unsuited)
        if heard.question is not None and heard.kinds:
            return self._aloud(say(self.rng, self.speech, "indifferent"), "indifferent")
        quiet = self.world.goal.tells == "passive" and self.progress.unsuited == 0 and heard.cards
        if quiet:
            return self._aloud(say(self.rng, self.speech, "unsuited"), *unsuited)
        return self._aloud(say(self.rng, self.speech, "more"), "more", *unsuited)

    def _let_go(self, heard: Heard) -> Said | Left:
        """Nothing fits: tap what they never wanted, else what they can do without."""
        goal = self.world.goal
        live = self.progress.live(goal)
        mine = {fold(chip): name for name in live for chip in self._chips(name)}
        for shown, text in heard.may_go:
            if fold(shown) not in mine:
                return Said(text, ("tap",))
        for shown, text in heard.may_go:
            name = mine[fold(shown)]
            if name in goal.may_drop or not goal.wants[name].hard:
                return Said(text, (f"let_go:{name}",))
        return Left("gave_up")

    def _chips(self, name: str) -> tuple[str, ...]:
        """What the agent may call a wish on a chip: it takes a person for an actor, say."""
        slot, clause = self.world.goal.wants[name], self.world.clauses.get(name)
        if clause is None:
            return (f"like {self.world.named[name].label()}",)
        if not isinstance(clause, Match):
            return (clause_label(clause, bool(slot.none)),)
        readings = [
            Match(field, values)
            for field in _READ_AS.get(clause.field, (clause.field,))
            for values in (clause.values, *(frozenset({value}) for value in clause.values))
        ]
        return tuple(clause_label(reading, bool(slot.none)) for reading in readings)

    def _meant(self, heard: Heard) -> Said:
        """Yes to a film they named, no to any other."""
        named = {movie.title.lower() for movie in self.world.named.values()}
        yes = any(title in (heard.question or "").lower() for title in named)
        if yes and heard.options:
            return Said(heard.options[0][1], ("confirm",))
        return self._aloud(say(self.rng, self.speech, "deny"), "deny")

    # --- moves ------------------------------------------------------------------------------------

    def _make(self, move: Move) -> Said:
        number = self.progress.moves_done
        act, acts = f"move:{number}", []
        film = self.on_table[0] if self.on_table else None
        if move.do in ("add", "revise"):
            acts.append(f"{move.do}:{move.to or move.slot}")
        elif move.do in ("seen", "dislike") and film is not None:
            acts.append(f"{move.do}:{film.movie_id}")
        elif move.do == "ask":
            asked = self.world.films.named(move.film) if move.film else film
            acts.append(f"ask:{asked.movie_id}" if asked else "ask")
        else:
            acts.append(move.do)
        return self._aloud(self._move_words(move, film), *acts, act)

    def _move_words(self, move: Move, film: Movie | None) -> str:
        title = called(film, self.rng) if film else "it"
        if move.say:
            return self.rng.choice(move.say).replace("$title", title)
        if move.do in ("add", "revise"):
            return self._wish(move.to or move.slot or "")
        if move.do == "drop":
            return say(self.rng, self.speech, "drop", wish=self._wish(move.slot or ""))
        if move.do in ("seen", "dislike"):
            return say(self.rng, self.speech, move.do, title=title)
        if move.do == "ask":
            it = move.film or (title if self.rng.random() < 0.5 else "the first one")
            return say_question(self.rng, self.speech, move.about or "plot", it)
        return self.rng.choice(phrases(self.speech, move.do))

    # --- words ------------------------------------------------------------------------------------

    def _wish(self, name: str) -> str:
        slot = self.world.goal.wants[name]
        return self.rng.choice(wordings(slot, self.world.clauses.get(name)))

    def _aloud(self, text: str, *acts: str) -> Said:
        return Said(self._noised(text), acts)

    def _noised(self, text: str) -> str:
        noise = self.world.goal.noise
        if self.seed:  # later trials of a scenario vary the surface a little
            filler = max(noise.filler, 0.3)
            noise = noise.model_copy(update={"filler": filler, "lower": self.rng.random() < 0.3})
        return noisy(text, noise, self.speech, self.rng)
