"""What can be wrong with a dialogue, found by machine: one small function per fault.

Knows transcripts, scenarios and the movies shown. Does not know how a dialogue was played nor how
figures are reported. Pure and deterministic. A new scorer is a function (Case) -> problems, listed
in `FLOORS` (must never happen) or `EXPECTATIONS` (what the scenario hoped for).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agent.ledger import Entry, Ledger
from agent.query import constraints_of
from evals.expected import Expected
from evals.scenario import Scenario, Step, labels
from evals.transcript import PlayedTurn, Transcript
from retrieval.lexicon import split_year
from retrieval.movie import Clause, Constraints, Movie, holds, is_excluded_by, title_key


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, with its place: enough to find it again."""

    scorer: str
    dialogue_id: str
    turn: int
    """1 = first."""
    detail: str

    def __str__(self) -> str:
        return f"{self.dialogue_id} turn {self.turn}: {self.scorer}: {self.detail}"


@dataclass(frozen=True)
class Case:
    """A played scenario and the movies of the catalogue that it showed."""

    transcript: Transcript
    scenario: Scenario
    movies: Mapping[str, Movie]
    unknowable: frozenset[str] = frozenset()
    """Entry kinds of which the catalogue knows nothing: the agent says so, they cannot bind."""

    def turns(self) -> Iterator[tuple[int, PlayedTurn, Step, Expected]]:
        """(number, what happened, what was hoped for, what must hold)."""
        steps = zip(self.scenario.turns, labels(self.scenario), strict=True)
        for number, (played, (step, stands)) in enumerate(
            zip(self.transcript.turns, steps, strict=False), 1
        ):
            yield number, played, step, stands

    def known(self, turn: PlayedTurn) -> list[Movie]:
        """The movies that a turn showed, as the catalogue knows them."""
        return [
            self.movies[c.movie_id] for c in turn.cards if c.movie_id and c.movie_id in self.movies
        ]

    def problem(self, scorer: str, turn: int, detail: str) -> Problem:
        return Problem(scorer, self.transcript.dialogue_id, turn, detail)


Scorer = Callable[[Case], Iterator[Problem]]


# --- floors: none of these may ever happen -------------------------------------------------------


def violations(case: Case) -> Iterator[Problem]:
    """A card breaks a hard constraint: of the scenario, or of the ledger as shown to the user."""
    for number, played, _, stands in case.turns():
        ledger = _ledger_constraints(case, number)
        for movie in case.known(played):
            for clause in _broken(movie, stands.constraints):
                yield case.problem("violation", number, f"{movie.label()}: {clause}")
            for clause in _broken(movie, ledger):
                yield case.problem("ledger violation", number, f"{movie.label()}: {clause}")


def _ledger_constraints(case: Case, number: int) -> Constraints:
    views = case.transcript.ledger_after(number - 1)
    entries = (Entry(v.id, v.kind, v.value, v.polarity, v.hard, v.source_turn) for v in views)
    return constraints_of(Ledger(entries=tuple(entries)), (), case.unknowable)


def _broken(movie: Movie, constraints: Constraints) -> Iterator[Clause]:
    yield from (clause for clause in constraints.require if not holds(movie, clause))
    yield from (clause for clause in constraints.exclude if is_excluded_by(movie, clause))


def repeats(case: Case) -> Iterator[Problem]:
    """A film is shown twice, though the user did not ask to see it again."""
    shown: set[str] = set()
    for number, played, step, _ in case.turns():
        ids = [card.movie_id for card in played.cards if card.movie_id]
        again = [i for i in ids if ids.count(i) > 1 or (i in shown and not step.repeats)]
        for movie_id in dict.fromkeys(again):
            yield case.problem("repeat", number, f"{movie_id} was shown before")
        shown.update(ids)


def already_seen(case: Case) -> Iterator[Problem]:
    """A film is shown that the user has seen, dislikes or named as an example."""
    for number, played, step, stands in case.turns():
        named = set() if step.repeats else _named_in_ledger(case, number)
        for card in played.cards:
            told = any(_is(card.title, card.year, title) for title in stands.gone_titles)
            if told or card.movie_id in named:
                yield case.problem("seen", number, f"{card.title} ({card.year})")


def _named_in_ledger(case: Case, number: int) -> set[str]:
    views = case.transcript.ledger_after(number - 1)
    values = (v.value for v in views if v.kind in ("seen", "disliked", "not_now", "seed"))
    return {str(value["movie_id"]) for value in values if isinstance(value, dict)}


def _is(title: str, year: int | None, wanted: str) -> bool:
    name, wanted_year = split_year(wanted)
    return title_key(title) == title_key(name) and wanted_year in (None, year)


def off_catalogue(case: Case) -> Iterator[Problem]:
    """A card is no movie of the catalogue, or says something else than the catalogue."""
    for number, played, _, _ in case.turns():
        for card in played.cards:
            movie = case.movies.get(card.movie_id or "")
            if movie is None or (card.title, card.year) != (movie.title, movie.year):
                yield case.problem(
                    "off catalogue", number, f"{card.movie_id} {card.title} {card.year}"
                )


def stream_faults(case: Case) -> Iterator[Problem]:
    """The events of a turn are not one whole, well-ordered stream."""
    for number, played, _, _ in case.turns():
        for fault in _faults(played):
            yield case.problem("stream", number, fault)


def _faults(turn: PlayedTurn) -> Iterator[str]:
    events = turn.events or ()
    kinds = [event.type for event in events]
    if [event.id for event in events] != list(range(1, len(events) + 1)):
        yield f"ids are not consecutive: {[event.id for event in events]}"
    if not kinds or kinds[0] != "turn.started" or kinds.count("turn.started") != 1:
        yield "does not begin with one turn.started"
    if not kinds or kinds[-1] != "turn.finished" or kinds.count("turn.finished") != 1:
        yield "does not end with one turn.finished"
    if len({event.turn_id for event in events}) > 1:
        yield "mixes the events of several turns"
    if "recommendations" in kinds and "text.delta" in kinds:
        if kinds.index("recommendations") > kinds.index("text.delta"):
            yield "prose comes before the cards"
    if kinds.count("tool.started") != kinds.count("tool.finished"):
        yield "a tool call was not finished"


def unfinished(case: Case) -> Iterator[Problem]:
    """The dialogue was not played to its end, or a turn failed."""
    for number, played, _, _ in case.turns():
        status = played.finished.status if played.finished else "none"
        if status != "completed":
            error = played.error.message if played.error else ""
            yield case.problem("unfinished", number, f"status {status} {error}")
    missing = len(case.scenario.turns) - len(case.transcript.turns)
    if missing:
        yield case.problem("unfinished", len(case.transcript.turns), f"{missing} turns missing")


# --- expectations: what the scenario hoped for ---------------------------------------------------


def acts(case: Case) -> Iterator[Problem]:
    """The agent did something else than expected."""
    for number, played, step, _ in case.turns():
        did = played.acts or ()
        lacking = set(step.acts) - set(did)
        wrong = bool(step.acts_any) and not set(step.acts_any) & set(did)
        if lacking or wrong:
            wanted = ", ".join((*step.acts, *step.acts_any))
            yield case.problem(
                "acts", number, f"wanted {wanted}, did {', '.join(did) or 'nothing'}"
            )


def cards_or_none(case: Case) -> Iterator[Problem]:
    """There was no list where one was wanted, or one where none was."""
    for number, played, step, _ in case.turns():
        if step.cards == "some" and not played.cards:
            yield case.problem("cards", number, "no card was shown")
        if step.cards == "none" and played.cards:
            yield case.problem("cards", number, f"{len(played.cards)} cards were shown")


def asks(case: Case) -> Iterator[Problem]:
    """The agent asked where it should not, or did not where it should."""
    for number, played, step, _ in case.turns():
        if step.asks is not None and step.asks != (played.question is not None):
            yield case.problem("asks", number, "no question" if step.asks else "a question")


def says(case: Case) -> Iterator[Problem]:
    """The answer to a question is not in the prose."""
    for number, played, step, _ in case.turns():
        for wanted in step.says:
            if not re.search(rf"\b{re.escape(wanted)}\b", played.prose, re.IGNORECASE):
                yield case.problem("says", number, f"{wanted!r} is not in {played.prose!r}")


def ledger(case: Case) -> Iterator[Problem]:
    """The ledger lacks what was said, or keeps what was taken back."""
    for number, _, step, _ in case.turns():
        views = case.transcript.ledger_after(number - 1)
        for wanted in step.ledger_has:
            if not any(wanted.matches(view) for view in views):
                yield case.problem("ledger", number, f"has no {wanted!r}")
        for unwanted in step.ledger_lacks:
            if any(unwanted.matches(view) for view in views):
                yield case.problem("ledger", number, f"still has {unwanted!r}")


FLOORS: Mapping[str, Scorer] = {
    "hard-constraint violations": violations,
    "repeated films": repeats,
    "seen or disliked films": already_seen,
    "off-catalogue titles": off_catalogue,
    "broken streams": stream_faults,
    "turns not played to the end": unfinished,
}
EXPECTATIONS: Mapping[str, Scorer] = {
    "acts": acts,
    "cards": cards_or_none,
    "questions": asks,
    "answers": says,
    "ledger": ledger,
}
