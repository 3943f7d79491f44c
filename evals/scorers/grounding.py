"""Does the text name only films, years and people that are real, and only films at hand?

Knows what is at hand on a turn: what was shown so far, what the ledger names, what the user said.
Does not know how names are found in a text (named.py). Pure; listed in all.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from evals.dialogues.reference import Reference
from evals.dialogues.scores import Spot
from evals.dialogues.transcript import PlayedTurn
from evals.scorers.case import Case, Rule, Verdict, at, counted, faultless, faults, shared
from evals.scorers.named import NamedTitle, Names, films_called, names_in
from retrieval.movie import Movie, fold
from retrieval.nlu.lexicon import LONGEST_TITLE
from retrieval.nlu.tokens import tokenize

YEAR_SLACK = 1
"""Festival and release years differ by one and neither is wrong."""
_BY = re.compile(
    r"\b(?:directed by|director|starring|stars) "
    r"((?:[A-Z](?:\.|[\w'’-]+) ){1,3}[A-Z][\w'’-]+)"
)
_DIRECTED = re.compile(r"\b(?:directed by|director is|film by)\s*$", re.IGNORECASE)
_CITED = re.compile(r"[\"“][^\"“”\n]{2,80}[\"”]")
_OVERVIEW_SENTENCE = re.compile(r"(?<=[.!?])\s+")
SENTENCE_CHARS = 20
"""Shorter ones may stand in any text."""
_SENTENCE = re.compile(r"[.!?](?=\s|$)|\n")


@dataclass
class AtHand:
    """What may be named: grows with the dialogue."""

    movies: dict[str, Movie] = field(default_factory=dict)
    said: str = " "
    """The user's words, folded, with a blank at both ends."""

    def hear(self, turn: PlayedTurn, case: Case, reference: Reference) -> None:
        """Add what a turn brings."""
        options = turn.question.options if turn.question else ()
        told = " ".join((turn.user, *(option.text for option in options)))
        self.said += f"{fold(told)} "
        values = [entry.value for entry in (*(turn.ledger_before or ()), *(turn.ledger or ()))]
        ids = [str(v["movie_id"]) for v in values if isinstance(v, dict) and "movie_id" in v]
        found = [reference.movies[i] for i in ids if i in reference.movies]
        for movie in (*case.movies(turn), *found, *_named_by_user(turn.user, reference)):
            self.movies[movie.movie_id] = movie

    def has_said(self, words: str) -> bool:
        """Whether the user used these very words."""
        return f" {fold(words)} " in self.said

    def holds(self, title: NamedTitle) -> bool:
        """Whether the film was shown, is in the ledger or was named by the user."""
        if self.has_said(title.text):
            return True
        key = fold(title.text)
        same = (
            m for m in self.movies.values() if key in (fold(t) for t in (m.title, *m.alt_titles))
        )
        return bool(title.entry and title.entry.movie_id in self.movies) or any(same)

    def meant(self, title: NamedTitle, reference: Reference) -> Movie | None:
        """The film of that title at hand, where several have it; else the best known one."""
        entries = films_called(title.text, reference.lexicon) if title.year is None else ()
        ids = [e.movie_id for e in entries if e.movie_id in self.movies]
        chosen = ids[0] if ids else title.entry.movie_id if title.entry else None
        return reference.movies[chosen] if chosen else None

    def has_person(self, key: str) -> bool:
        """Whether a person belongs to a film at hand, or was named by the user."""
        people = (fold(n) for m in self.movies.values() for n in (*m.cast, *m.directors))
        return f" {key} " in self.said or key in people


def _named_by_user(text: str, reference: Reference) -> Iterator[Movie]:
    """Every film whose title the user may have meant, whatever the capitals."""
    tokens = [token.folded for token in tokenize(text)]
    for n in range(1, LONGEST_TITLE + 1):
        for i in range(len(tokens) - n + 1):
            for entry in reference.lexicon.titles.get(" ".join(tokens[i : i + n]), ()):
                yield reference.movies[entry.movie_id]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something named that is not as it should be; `kind` is its scorer."""

    kind: str
    spot: Spot


@dataclass(frozen=True)
class Read:
    """All of a dialogue's answers, read."""

    named: int
    findings: tuple[Finding, ...]

    def of(self, *kinds: str) -> list[Spot]:
        return [finding.spot for finding in self.findings if finding.kind in kinds]


def read(case: Case) -> Read | None:
    """Everything that the answers name, checked."""
    return case.once(_read)


def _read(case: Case) -> Read | None:
    if case.reference is None or not any(turn.prose for _, turn in case.turns):
        return None
    at_hand, named, findings = AtHand(), 0, list[Finding]()
    for number, turn in case.turns:
        at_hand.hear(turn, case, case.reference)
        text = _own_words(turn, at_hand)
        names = names_in(text, case.lexicon)
        named += len(names.titles) + len(names.people)
        for kind, detail in _faults(text, names, turn, at_hand, case.reference):
            findings.append(Finding(kind, at(number, detail)))
    return Read(named, tuple(findings))


def _own_words(turn: PlayedTurn, at_hand: AtHand) -> str:
    """Without what is quoted: sentences of a film at hand, reasons of cards, requests they cite.

    A reason is judged where it stands, beside the evidence of its card (reasons.py).
    """
    prose = turn.prose
    for reason in sorted({why for card in turn.cards for why in card.why}, key=len, reverse=True):
        prose = re.sub(re.escape(reason), " ", prose, flags=re.IGNORECASE)
    for cited in {c for card in turn.cards for why in card.why for c in _CITED.findall(why)}:
        prose = prose.replace(cited, " ")
    for movie in at_hand.movies.values():
        for sentence in _OVERVIEW_SENTENCE.split(movie.overview):
            if len(sentence) > SENTENCE_CHARS and sentence in prose:
                prose = prose.replace(sentence, " ")
    return prose


def _faults(
    text: str, names: Names, turn: PlayedTurn, at_hand: AtHand, reference: Reference
) -> Iterator[tuple[str, str]]:
    for title in names.titles:
        if title.entry is None:
            if not at_hand.holds(title):
                yield "invented", f"no such film: {title.text}"
            continue
        movie = reference.movies[title.entry.movie_id]
        if title.year and movie.year and abs(title.year - movie.year) > YEAR_SLACK:
            yield "fact", f"{movie.label()} is not from {title.year}"
        if turn.shown is not None and not at_hand.holds(title):
            yield "ungrounded", f"{movie.label()} was neither shown nor named"
    yield from _people_faults(text, names, turn, at_hand, reference)


def _people_faults(
    text: str, names: Names, turn: PlayedTurn, at_hand: AtHand, reference: Reference
) -> Iterator[tuple[str, str]]:
    for person in names.people:
        name = text[person.start : person.end]
        if turn.shown is not None and not at_hand.has_person(person.key):
            yield "ungrounded", f"{name} belongs to no film at hand"
        film = _film_of(text, person.start, names, at_hand, reference)
        if film and _DIRECTED.search(text[: person.start]):
            if person.key not in (fold(director) for director in film.directors):
                yield "fact", f"{film.label()} was not directed by {name}"
    for match in _BY.finditer(text):
        if fold(match.group(1)) not in reference.lexicon.people:
            if not at_hand.has_said(match.group(1)):
                yield "invented", f"no such person: {match.group(1)}"


def _film_of(
    text: str, place: int, names: Names, at_hand: AtHand, reference: Reference
) -> Movie | None:
    """The film that a sentence speaks of: the last one named before a place in it."""
    begin = max((m.end() for m in _SENTENCE.finditer(text, 0, place)), default=0)
    before = [t for t in names.titles if begin <= t.start < place and t.entry]
    return at_hand.meant(before[-1], reference) if before else None


# --- the scorers ----------------------------------------------------------------------------------


def grounding(case: Case) -> Verdict | None:
    """Share of titles and people in the prose that are real, right and at hand."""
    found = read(case)
    if found is None:
        return None
    spots = [finding.spot for finding in found.findings]
    return faultless(spots[: found.named], found.named)


def invented(case: Case) -> Verdict | None:
    """Titles and people in the prose that no catalogue knows."""
    found = read(case)
    return faults(found.of("invented"), found.named) if found else None


def ungrounded(case: Case) -> Verdict | None:
    """Real titles and people in the prose that were neither shown nor named."""
    found = read(case) if case.tells_shown else None
    return faults(found.of("ungrounded"), found.named) if found else None


def wrong_facts(case: Case) -> Verdict | None:
    """Years and directors in the prose that are not those of the film."""
    found = read(case)
    return faults(found.of("fact"), found.named) if found else None


RULES = (
    Rule(shared("grounding", 3), grounding, needs_catalogue=True),
    Rule(counted("invented_names", 3, floor=True), invented, needs_catalogue=True),
    Rule(counted("ungrounded_names", 3, floor=True), ungrounded, needs_catalogue=True),
    Rule(counted("wrong_facts", 3, floor=True), wrong_facts, needs_catalogue=True),
)
