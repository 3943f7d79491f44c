"""Is each stated reason true? Each is checked against the record, the ledger and the evidence.

Knows which claims of a sentence can be checked: people, films, minutes, years, genres, moods,
themes, quoted requests. Does not know how reasons are made. A reason without any such claim is not
counted, neither way. Pure; listed in all.py.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.dialogues.reference import Reference
from evals.dialogues.scores import Spot
from evals.dialogues.transcript import PlayedTurn, Shown
from evals.scorers.case import Case, Rule, Verdict, at, counted, faultless, faults, shared
from evals.scorers.grounding import AtHand
from evals.scorers.named import NamedTitle, Names, films_called, names_in
from evals.scorers.tag_wordings import LONGEST_TAG, other_words, tags_told
from retrieval.guesses import guessed
from retrieval.movie import MatchField, Movie, fold, values_of
from retrieval.nlu.lexicon import Lexicon, vocabulary_of
from retrieval.nlu.tokens import tokenize

_MINUTES = re.compile(r"\b(\d{2,3})[ -](?:min|minutes?)\b")
_DECADE = re.compile(r"\b((?:18|19|20)\d0)s\b")
_YEAR = re.compile(r"\b((?:18|19|20)\d\d)\b(?!s)")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")
_SHARES = re.compile(r"\b(?:shares?|both|in common|same)\b", re.IGNORECASE)
_DIRECTED = re.compile(r"\bdirected by\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:no|not|without|less|never|isn't|nothing)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason on a card, with what it may rest on."""

    text: str
    card: Shown
    movie: Movie
    at_hand: AtHand
    reference: Reference

    def is_request(self, quoted: str) -> bool:
        """Whether words in quotes are the user's, or the request behind the card."""
        sources = (fold(evidence.source) for evidence in self.card.evidence)
        return any(fold(quoted) in source for source in sources) or self.at_hand.has_said(quoted)

    @property
    def claim(self) -> str:
        """The sentence without the requests that it quotes: they say nothing of the film."""
        return _QUOTED.sub(lambda m: " " if self.is_request(m.group(1)) else m.group(), self.text)

    @property
    def tags(self) -> frozenset[str]:
        """The phrases that stand for tags here: what the evidence names."""
        return tags_told(self.card.evidence)

    def seeds(self, names: Names) -> list[Movie]:
        """The other films that it names: of several with a title, the one behind the card."""
        found = [self._meant(title) for title in names.titles]
        return [movie for movie in found if movie and movie.movie_id != self.movie.movie_id]

    def _meant(self, title: NamedTitle) -> Movie | None:
        sources = {evidence.source for evidence in self.card.evidence}
        entries = films_called(title.text, self.reference.lexicon)
        behind = [e.movie_id for e in entries if e.movie_id in sources]
        if behind:
            return self.reference.movies[behind[0]]
        return self.at_hand.meant(title, self.reference)


@dataclass(frozen=True)
class Checked:
    """All reasons of a dialogue."""

    checkable: int
    untrue: tuple[Spot, ...]
    """One for each untrue reason."""


def checked(case: Case) -> Checked | None:
    """Every reason that claims something, checked."""
    return case.once(_checked)


def _checked(case: Case) -> Checked | None:
    if case.reference is None or not any(c.why for _, t in case.turns for c in t.cards):
        return None
    checkable, untrue, at_hand = 0, list[Spot](), AtHand()
    texts: dict[tuple[str, frozenset[str]], Names] = {}
    for number, turn in case.turns:
        at_hand.hear(turn, case, case.reference)
        for reason in _reasons(turn, case, at_hand):
            text, tags = reason.claim, reason.tags
            if (text, tags) not in texts:
                texts[text, tags] = names_in(text, case.lexicon, tags)
            claims = list(_claims(reason, text, texts[text, tags], case.lexicon))
            checkable += bool(claims)
            false = [detail for detail, holds in claims if not holds]
            if false:
                told = f"{reason.movie.label()}: {reason.text!r}: {'; '.join(false)}"
                untrue.append(at(number, told))
    return Checked(checkable, tuple(untrue))


def _reasons(turn: PlayedTurn, case: Case, at_hand: AtHand) -> Iterator[Reason]:
    reference = case.reference
    for card in turn.cards:
        movie = case.movie(card)
        if movie is not None and reference is not None:
            for text in card.why:
                yield Reason(text, card, movie, at_hand, reference)


# --- claims: (what is claimed, whether it holds) --------------------------------------------------


def _claims(
    reason: Reason, text: str, names: Names, lexicon: Lexicon
) -> Iterator[tuple[str, bool]]:
    plain = _without_names(text, names)
    yield from _numbers(reason.movie, plain)
    yield from _people(reason, text, names)
    yield from _films(reason, text, names)
    yield from _requests(reason)
    if not _NEGATED.search(plain):
        shares = reason.seeds(names) if _SHARES.search(plain) else []
        yield from _tags((reason.movie, *shares), plain, lexicon)


def _numbers(movie: Movie, text: str) -> Iterator[tuple[str, bool]]:
    for minutes in _MINUTES.findall(text):
        yield f"{minutes} min", movie.runtime_min == int(minutes)
    year = movie.year
    for decade in _DECADE.findall(text):
        yield f"the {decade}s", year is not None and int(decade) <= year < int(decade) + 10
    for told in _YEAR.findall(text):
        yield told, year == int(told)


def _people(reason: Reason, text: str, names: Names) -> Iterator[tuple[str, bool]]:
    directed = bool(_DIRECTED.search(text))
    seeds = reason.seeds(names) if _SHARES.search(text) else []
    for person in names.people:
        role: MatchField = "director" if directed else "person"
        own = person.key in values_of(reason.movie, role)
        both = own and all(person.key in values_of(seed, "person") for seed in seeds)
        yield text[person.start : person.end], both


def _films(reason: Reason, text: str, names: Names) -> Iterator[tuple[str, bool]]:
    """A film named in a reason is one that the user knows of.

    Who made the film or plays in it is no other film, whatever is called so: "with Rain".
    """
    made = [*reason.movie.directors, *reason.movie.cast]
    people = [m.span() for name in made for m in re.finditer(rf"\b{re.escape(name)}\b", text)]
    for title in names.titles:
        if any(start <= title.start and title.end <= end for start, end in people):
            continue
        own = title.entry is not None and title.entry.movie_id == reason.movie.movie_id
        if not own:
            yield title.text, title.entry is not None and reason.at_hand.holds(title)


def _requests(reason: Reason) -> Iterator[tuple[str, bool]]:
    """A request in quotes is the user's, or the one behind the card."""
    for quoted in _QUOTED.findall(reason.text):
        if quoted[:1].islower() or reason.is_request(quoted):
            yield f'"{quoted}"', reason.is_request(quoted)


def _tags(movies: Sequence[Movie], text: str, lexicon: Lexicon) -> Iterator[tuple[str, bool]]:
    """Genres, moods and themes are in the records of all films that the sentence is about.

    What only "looks" so may have been guessed by the tagger.
    """
    tokens = [token.folded for token in tokenize(text)]
    looks = "looks" in tokens
    guesses = [guessed(movie, "topic") if looks else frozenset() for movie in movies]
    topics = [values_of(m, "topic") | guess for m, guess in zip(movies, guesses, strict=True)]
    used: set[int] = set()
    for n in range(LONGEST_TAG, 0, -1):
        for i in range(len(tokens) - n + 1):
            phrase = " ".join(tokens[i : i + n])
            place = set(range(i, i + n))
            meant = _meant(phrase, lexicon, topics) if not used & place else frozenset()
            if meant:
                used |= place
                yield phrase, all(meant & topic for topic in topics)


def _meant(phrase: str, lexicon: Lexicon, topics: Sequence[frozenset[str]]) -> frozenset[str]:
    """The tags that a phrase may stand for; empty when it is no word for a film's kind."""
    known = [*(fold(value) for _, value in vocabulary_of(phrase)), *other_words().get(phrase, ())]
    if known or any(phrase in topic for topic in topics):
        return frozenset((phrase, *known))
    tag = phrase in lexicon.tags and phrase not in lexicon.common
    return frozenset({phrase}) if tag else frozenset()


def _without_names(text: str, names: Names) -> str:
    """The text with blanks where films and people stand."""
    spans = [(t.start, t.end) for t in names.titles] + [(p.start, p.end) for p in names.people]
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


# --- the scorers ----------------------------------------------------------------------------------


def faithfulness(case: Case) -> Verdict | None:
    """Share of checkable reasons that are true."""
    found = checked(case)
    return faultless(found.untrue, found.checkable) if found else None


def untrue(case: Case) -> Verdict | None:
    """Reasons that the record, the ledger or the evidence contradicts."""
    found = checked(case)
    return faults(found.untrue, found.checkable) if found else None


RULES = (
    Rule(shared("reason_faithfulness", 3), faithfulness, needs_catalogue=True),
    Rule(counted("untrue_reasons", 3, floor=True), untrue, needs_catalogue=True),
)
