"""A dialogue that tells only words, as our own rules hear it: wishes for labels, titles for lists.

Knows how the offline agent's understanding and rules become labels (expected.py) of a foreign
transcript. Does not know scores. Pure. Called by `python -m evals score --hear`: whoever is judged
by these labels is judged by our ears, so they are advisory, and nothing that a transcript tells
itself is replaced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.decide import decide
from agent.decision import DecisionContext
from agent.ledger import Ledger, movie_id_of
from agent.query import clause_of
from agent.turn import DialogueState
from agent.turn import Shown as ShownList
from evals.dialogues.expected import ClauseForm, Expected, Wish
from evals.dialogues.reference import Reference
from evals.dialogues.transcript import PlayedTurn, Shown, Transcript
from evals.scorers.named import names_in
from retrieval.movie import Movie
from retrieval.understand import Context, understand


def heard(transcript: Transcript, reference: Reference) -> Transcript:
    """The transcript with labels and lists on the turns that have none."""
    ears = _Ears(reference)
    turns = [ears.turn(number, turn) for number, turn in enumerate(transcript.turns, 1)]
    return transcript.model_copy(update={"turns": tuple(turns)})


class _Ears:
    """What was heard so far."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._state = DialogueState()
        self._named: set[str] = set()

    def turn(self, number: int, turn: PlayedTurn) -> PlayedTurn:
        """A turn with what can be heard in it."""
        self._hear(str(number), turn.user)
        shown = turn.shown if turn.shown is not None else tuple(self._titles(turn.prose))
        ids = tuple(card.movie_id for card in shown if card.movie_id)
        lists = (*self._state.shown, ShownList(str(number), ids)) if ids else self._state.shown
        self._state = replace(self._state, shown=lists)
        told = turn.expected is not None or turn.ledger is not None
        changes: dict[str, object] = {"shown": shown}
        if not told:
            changes["expected"] = _labels(self._state.ledger)
        return turn.model_copy(update=changes)

    def _hear(self, turn_id: str, text: str) -> None:
        last = self._movies(self._state.last_shown)
        understanding = understand(text, self._reference.lexicon, Context(tuple(last), None))
        mentioned = [mention.movie_id for mention in understanding.mentions]
        self._named.update(mentioned)
        known = self._movies((*self._state.last_shown, *mentioned))
        movies = {movie.movie_id: movie for movie in known}
        decision = decide(DecisionContext(text, understanding, self._state, movies))
        ledger, _ = self._state.ledger.apply(decision.edits, turn_id)
        self._state = replace(self._state, ledger=ledger)

    def _titles(self, prose: str) -> Iterator[Shown]:
        """The films that an answer brings up: named by it and not by the user before."""
        rank = 0
        for title in names_in(prose, self._reference.lexicon).titles:
            entry = title.entry
            if entry is not None and entry.movie_id not in self._named:
                rank += 1
                yield Shown(movie_id=entry.movie_id, title=entry.title, year=entry.year, rank=rank)

    def _movies(self, movie_ids: Sequence[str]) -> list[Movie]:
        return [self._reference.movies[i] for i in movie_ids if i in self._reference.movies]


def _labels(ledger: Ledger) -> Expected:
    wishes = []
    for entry in ledger.entries:
        clause = clause_of(entry)
        if clause is not None:
            form = ClauseForm.of(clause)
            avoid = entry.polarity == "avoid"
            since = int(entry.source_turn)
            wishes.append(Wish(clause=form, avoid=avoid, hard=entry.hard, since=since))
    gone = (movie_id_of(entry) for entry in ledger.of("seed", "seen", "disliked", "not_now"))
    return Expected(wishes=tuple(wishes), gone_ids=tuple(i for i in gone if i))
