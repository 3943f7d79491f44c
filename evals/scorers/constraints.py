"""Do the films shown obey the user? Constraints, negations, memory, repeats, the catalogue.

Knows the labels' wishes and the ledger as shown to the user: a card must obey both. Does not know
how films are found. Pure; listed in all.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.events import LedgerEntryView
from agent.ledger import Entry, Ledger
from agent.query import SERIES, constraints_of
from evals.dialogues.scores import Scorer, Spot
from evals.dialogues.transcript import PlayedTurn
from evals.scorers import case as cases
from evals.scorers.case import Case, Rule, Verdict, at, counted, faultless, faults, share, shared
from retrieval.movie import Clause, Constraints, Movie, holds, is_excluded_by, is_known, title_key
from retrieval.nlu.lexicon import split_year

REMEMBERED = 2
"""Turns after which obeying a wish counts as memory."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A card with the clauses that it breaks, or that its record cannot answer."""

    turn: int
    movie: Movie
    broken: tuple[str, ...]
    unknown: tuple[str, ...]
    """In words, with what the record says instead."""
    clauses: int
    """How many there were; that no series is wanted does not count."""

    @property
    def fits(self) -> bool:
        """Unknown is not a pass."""
        return not self.broken and not self.unknown


def judged(case: Case) -> list[Judged]:
    """Every card of which it is known what it must obey."""
    return case.once(_judged)


def _judged(case: Case) -> list[Judged]:
    found: list[Judged] = []
    for number, turn in case.turns:
        bound = bounds(case, turn)
        if bound is not None:
            found += [_judge(number, movie, bound) for movie in case.movies(turn)]
    return found


def bounds(case: Case, turn: PlayedTurn) -> Constraints | None:
    """What the labels and the ledger of a turn demand; None where neither is known."""
    if turn.expected is None and turn.ledger is None:
        return None
    labels = turn.expected.constraints if turn.expected else Constraints()
    ledger = _of_ledger(case, turn.ledger) if turn.ledger is not None else Constraints()
    require = dict.fromkeys((*labels.require, *ledger.require))
    exclude = dict.fromkeys((*labels.exclude, *ledger.exclude))
    return Constraints(tuple(require), tuple(exclude))


def _of_ledger(case: Case, views: Sequence[LedgerEntryView]) -> Constraints:
    unknowable = case.reference.unknowable if case.reference else frozenset()
    return constraints_of(Ledger(entries=tuple(_entry(view) for view in views)), (), unknowable)


def _entry(view: LedgerEntryView) -> Entry:
    return Entry(view.id, view.kind, view.value, view.polarity, view.hard, view.source_turn)


def _judge(number: int, movie: Movie, bound: Constraints) -> Judged:
    unmet = [clause for clause in bound.require if not holds(movie, clause)]
    broken = [cases.told(movie, clause) for clause in unmet if is_known(movie, clause)]
    broken += [cases.told(movie, c, avoid=True) for c in bound.exclude if is_excluded_by(movie, c)]
    unknown = [cases.told(movie, clause) for clause in unmet if not is_known(movie, clause)]
    clauses = len(bound.require) + sum(clause != SERIES for clause in bound.exclude)
    return Judged(number, movie, tuple(broken), tuple(unknown), clauses)


def _spots(cards: Sequence[Judged]) -> list[Spot]:
    return [at(j.turn, f"{j.movie.label()}: {c}") for j in cards for c in (*j.broken, *j.unknown)]


# --- the scorers ----------------------------------------------------------------------------------


def constraint_satisfaction(case: Case) -> Verdict | None:
    """Share of cards that obey everything, among those of turns that demand anything."""
    bound = [j for j in judged(case) if j.clauses]
    bad = [j for j in bound if not j.fits]
    return share(len(bound) - len(bad), len(bound), _spots(bad))


def violations(case: Case) -> Verdict | None:
    """Clauses that a card is known to break."""
    cards = judged(case)
    found = (at(j.turn, f"{j.movie.label()}: {clause}") for j in cards for clause in j.broken)
    return faults(found, len(cards)) if cards else None


def unverified(case: Case) -> Verdict | None:
    """Required clauses on which the record of a card says nothing: no pass, and counted apart."""
    cards = judged(case)
    found = (at(j.turn, f"{j.movie.label()}: {clause}") for j in cards for clause in j.unknown)
    return faults(found, len(cards)) if cards else None


def avoided(case: Case) -> Verdict | None:
    """Cards that are what the user said they do not want."""
    spots: list[Spot] = []
    looked_at = 0
    for number, turn in case.turns:
        bound = bounds(case, turn)
        unwanted = [c for c in bound.exclude if c != SERIES] if bound else []
        movies = case.movies(turn) if unwanted else []
        looked_at += len(movies)
        hits = ((m, c) for m in movies for c in unwanted if is_excluded_by(m, c))
        spots += [
            at(number, f"{movie.label()}: {cases.told(movie, clause, avoid=True)}")
            for movie, clause in hits
        ]
    return faults(spots, looked_at) if looked_at else None


def memory(case: Case) -> Verdict | None:
    """Share of (card, wish) pairs obeyed, of wishes two turns old or older."""
    spots: list[Spot] = []
    pairs = 0
    for number, turn in case.turns:
        old = list(_old_wishes(case, number, turn))
        for movie in case.movies(turn) if old else []:
            pairs += len(old)
            forgotten = ((c, avoid) for c, avoid in old if not _obeys(movie, c, avoid))
            spots += [
                at(number, f"{movie.label()}: {cases.told(movie, *one)}") for one in forgotten
            ]
    return faultless(spots, pairs)


def _obeys(movie: Movie, clause: Clause, avoid: bool) -> bool:
    return not is_excluded_by(movie, clause) if avoid else holds(movie, clause)


def _old_wishes(case: Case, number: int, turn: PlayedTurn) -> Iterator[tuple[Clause, bool]]:
    """Labels where there are any, else the ledger's entries by the turn they came from."""
    if turn.expected is not None and turn.expected.wishes:
        for wish in turn.expected.wishes:
            if wish.hard and wish.since <= number - REMEMBERED:
                yield wish.clause.clause(), wish.avoid
        return
    born = {t.events[0].turn_id: n for n, t in case.turns if t.events}
    old = [v for v in turn.ledger or () if born.get(v.source_turn, number) <= number - REMEMBERED]
    constraints = _of_ledger(case, old)
    yield from ((clause, False) for clause in constraints.require)
    yield from ((clause, True) for clause in constraints.exclude if clause != SERIES)


def repeats(case: Case) -> Verdict | None:
    """Films shown twice, though the user did not ask to see them again."""
    if not case.tells_shown:
        return None
    spots: list[Spot] = []
    shown: set[str] = set()
    for number, turn in case.turns:
        again_is_fine = turn.expected is not None and turn.expected.may_repeat
        keys = [card.movie_id or f"{card.title} ({card.year})" for card in turn.cards]
        again = (k for k in keys if keys.count(k) > 1 or (k in shown and not again_is_fine))
        spots += [at(number, f"{key} was shown before") for key in dict.fromkeys(again)]
        shown.update(keys)
    return faults(spots, sum(len(turn.cards) for _, turn in case.turns))


def seen_or_disliked(case: Case) -> Verdict | None:
    """Films shown that the user has seen, dislikes or named as an example."""
    if not case.tells_shown:
        return None
    spots: list[Spot] = []
    for number, turn in case.turns:
        spots += [at(number, f"{card_label}") for card_label in _gone_shown(turn)]
    return faults(spots, sum(len(turn.cards) for _, turn in case.turns))


def _gone_shown(turn: PlayedTurn) -> Iterator[str]:
    label = turn.expected
    in_ledger = set() if label and label.may_repeat else _named_in(turn.ledger or ())
    gone = {*in_ledger, *(label.gone_ids if label else ())}
    titles = label.gone_titles if label else ()
    for card in turn.cards:
        if card.movie_id in gone or any(_is(card.title, card.year, title) for title in titles):
            yield f"{card.title} ({card.year})"


def _named_in(views: Sequence[LedgerEntryView]) -> set[str]:
    values = (v.value for v in views if v.kind in ("seen", "disliked", "not_now", "seed"))
    return {str(value["movie_id"]) for value in values if isinstance(value, dict)}


def _is(title: str, year: int | None, wanted: str) -> bool:
    name, wanted_year = split_year(wanted)
    return title_key(title) == title_key(name) and wanted_year in (None, year)


def off_catalogue(case: Case) -> Verdict | None:
    """Cards that are no movie of the catalogue, or say something else than it does."""
    if not case.tells_shown:
        return None
    spots: list[Spot] = []
    for number, turn in case.turns:
        for card in turn.cards:
            movie = case.movie(card)
            exact = card.movie_id is None or movie is None or card.title == movie.title
            if movie is None or not exact or card.year not in (None, movie.year):
                spots.append(at(number, f"{card.movie_id} {card.title} ({card.year})"))
    return faults(spots, sum(len(turn.cards) for _, turn in case.turns))


def clean(case: Case) -> Verdict | None:
    """1 when no card of the dialogue breaks, repeats or ignores anything."""
    parts = (violations, unverified, repeats, seen_or_disliked, off_catalogue)
    found = [verdict for part in parts if (verdict := part(case))]
    if not case.lists or not found:
        return None
    spots = tuple(spot for verdict in found for spot in verdict.spots)
    return Verdict(0.0 if spots else 1.0, spots)


CLEAN = Scorer(name="clean_lists", version=1, unit="pass", direction="higher")
RULES = (
    Rule(shared("constraint_satisfaction"), constraint_satisfaction, needs_catalogue=True),
    Rule(counted("constraint_violations", floor=True), violations, needs_catalogue=True),
    Rule(counted("constraints_unverified", floor=True), unverified, needs_catalogue=True),
    Rule(counted("avoided_films", floor=True), avoided, needs_catalogue=True),
    Rule(shared("memory"), memory, needs_catalogue=True),
    Rule(counted("repeated_films", floor=True), repeats),
    Rule(counted("seen_or_disliked_films", floor=True), seen_or_disliked),
    Rule(counted("off_catalogue_films", floor=True), off_catalogue, needs_catalogue=True),
    Rule(CLEAN, clean, needs_catalogue=True),
)
