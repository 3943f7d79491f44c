"""What every scorer gets and gives: a case, a verdict, a rule.

Knows how cards are looked up in the catalogue and what a scorer must say of itself. Does not know
any fault. Pure. Read by every file of this package.

A scorer is a function (Case) -> Verdict, or None where it does not apply: no label, nothing shown,
or a foreign transcript that does not tell. It is listed with its `Scorer` in `RULES` of its file;
whoever changes what it returns for the same transcript raises its version.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, cast

from evals.dialogues.expected import Expected, clause_label
from evals.dialogues.reference import Reference
from evals.dialogues.scores import Score, Scorer, Spot
from evals.dialogues.transcript import PlayedTurn, Shown, Transcript
from retrieval.movie import Clause, Movie, Range, is_known, number_of
from retrieval.nlu.lexicon import Lexicon

T = TypeVar("T")
EVIDENCE_SHOWN = 20
"""Spots kept with a score; `of` and the value count all of them."""


@dataclass(frozen=True)
class Case:
    """A transcript and the catalogue that it is judged by, if there is one."""

    transcript: Transcript
    reference: Reference | None = None

    _once: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    def once(self, derive: "Callable[[Case], T]") -> T:
        """What several scorers derive from a case, derived once."""
        if derive not in self._once:
            self._once[derive] = derive(self)
        return cast(T, self._once[derive])

    @cached_property
    def turns(self) -> list[tuple[int, PlayedTurn]]:
        """(number, turn), 1 = first."""
        return list(enumerate(self.transcript.turns, 1))

    @property
    def labelled(self) -> Iterator[tuple[int, PlayedTurn, Expected]]:
        """The turns of which a scenario says something."""
        for number, turn in self.turns:
            if turn.expected is not None:
                yield number, turn, turn.expected

    @property
    def tells_shown(self) -> bool:
        """Whether the transcript tells what was shown, on any turn."""
        return any(turn.shown is not None for turn in self.transcript.turns)

    @property
    def lexicon(self) -> Lexicon:
        """The names of the catalogue; empty where there is none."""
        return self.reference.lexicon if self.reference else Lexicon()

    def movie(self, card: Shown) -> Movie | None:
        """The catalogue's record of a card: by id, by title where the source has no ids."""
        if self.reference is None:
            return None
        if card.movie_id is not None:
            return self.reference.movies.get(card.movie_id)
        return self.reference.named(card.title, card.year)

    def movies(self, turn: PlayedTurn) -> list[Movie]:
        """The records of the cards that have one, in order."""
        return [movie for card in turn.cards if (movie := self.movie(card))]

    @cached_property
    def lists(self) -> list[tuple[int, list[Movie]]]:
        """(number, records) of the turns that showed any."""
        found = ((number, self.movies(turn)) for number, turn in self.turns)
        return [(number, movies) for number, movies in found if movies]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scorer found."""

    value: float
    spots: tuple[Spot, ...] = ()
    of: int | None = None
    """How many things were looked at."""


Judge = Callable[[Case], Verdict | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A scorer with its function."""

    scorer: Scorer
    judge: Judge
    needs_catalogue: bool = False

    def score(self, case: Case) -> Score:
        """The score of one dialogue; not applicable where the judge says nothing."""
        blind = self.needs_catalogue and case.reference is None
        verdict = None if blind else self.judge(case)
        if verdict is None:
            return self.scorer.score(case.transcript, None)
        spots = verdict.spots[:EVIDENCE_SHOWN]
        return self.scorer.score(case.transcript, verdict.value, spots, verdict.of)


def told(movie: Movie, clause: Clause, avoid: bool = False) -> str:
    """A wish that a film does not meet, for people: wanted "at most 100 min", it is 170."""
    wish = f'wanted "{clause_label(clause, avoid)}"'
    if not is_known(movie, clause):
        return f"{wish}, which is not known"
    if isinstance(clause, Range):
        return f"{wish}, it is {number_of(movie, clause.field)}"
    return wish


def at(turn: int, detail: str) -> Spot:
    """A place (1 = first turn) and what is to be seen there."""
    return Spot(turn=turn, detail=detail)


def faults(spots: Iterable[Spot], of: int | None = None) -> Verdict:
    """As many as there are spots."""
    found = tuple(spots)
    return Verdict(float(len(found)), found, of)


def share(good: int, of: int, spots: Sequence[Spot] = ()) -> Verdict | None:
    """Good ones among all; None when there are none at all."""
    return Verdict(good / of, tuple(spots), of) if of else None


def faultless(spots: Sequence[Spot], of: int) -> Verdict | None:
    """The share of things without a fault; each spot is one fault of one thing."""
    return share(of - len(spots), of, spots)


def counted(name: str, version: int = 1, *, floor: bool = False) -> Scorer:
    """A count of faults: 0 is best."""
    return Scorer(name=name, version=version, unit="count", direction="lower", floor=floor)


def shared(name: str, version: int = 1) -> Scorer:
    """A share of what is right: 1 is best."""
    return Scorer(name=name, version=version, unit="share", direction="higher")
