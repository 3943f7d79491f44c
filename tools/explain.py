"""Reasons: why a candidate is on the list, each tied to a catalogue field or the user's words.

Knows how evidence, constraints and shared facts become sentences of prompts/phrases.yaml. Does not
know which surface shows them. Pure. Called by agent/steps.py; a model's own explanations (later)
are checked against the same evidence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prompts.loader import Phrases, listed
from retrieval.movie import (
    GUESS_MARK,
    Candidate,
    Clause,
    Evidence,
    Match,
    Movie,
    Query,
    Range,
    fold,
    values_of,
)

MAX_REASONS = 3
CLOSE_RANK, CLOSE_COSINE = 15, 0.35
"""A story "matches" only if it is among the nearest and near enough."""
TOP_OF_LEG = 40
"""A leg explains a card only if the movie stands this high in it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with what it rests on: a leg's source, or `field:value` of the movie."""

    text: str
    rests_on: str


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate to be explained, with what was asked."""

    candidate: Candidate
    query: Query
    named: Mapping[str, Movie]
    """The movies that may be spoken of as seeds, by id."""
    phrases: Phrases
    pick: int = 0
    """Varies the wording."""

    def leg(self, name: str) -> Evidence | None:
        """The evidence of a leg, if the movie stands high enough in it to explain a card."""
        found = (e for e in self.candidate.evidence if e.leg == name and e.rank <= TOP_OF_LEG)
        return next(found, None)

    def reason(self, rests_on: str, phrase: str, **inputs: object) -> Reason:
        """A sentence and what it rests on."""
        return Reason(self.phrases.say(phrase, self.pick, **inputs), rests_on)


def reasons(case: Case) -> list[Reason]:
    """Up to three reasons of different kinds, the most telling first."""
    found: dict[str, Reason] = {}
    for kind, reason in _all(case):
        if kind == "known" and found:
            break  # being well known is a reason only where there is no better one
        found.setdefault(kind, reason)
        if len(found) == MAX_REASONS:
            break
    return list(found.values())


def _all(case: Case) -> Iterator[tuple[str, Reason]]:
    yield from _asked_for(case)
    yield from _from_seeds(case)
    tags = case.leg("tags")
    if tags and tags.source:
        yield "tags", _tags(case, tags.source)
    archetype = case.leg("archetypes")
    if archetype and archetype.source:
        request = archetype.source
        yield "archetype", case.reason(f"archetype:{request}", "why_archetype", request=request)
    if case.leg("proposals"):
        yield "model", case.reason("proposals", "why_model")
    runtimes = [c for c in case.query.constraints.require if _about_runtime(c)]
    if runtimes:
        minutes = case.candidate.movie.runtime_min
        yield "runtime", case.reason(f"runtime:{minutes}", "why_runtime", value=minutes)
    dense = case.leg("dense")
    if dense and dense.rank <= CLOSE_RANK and dense.score >= CLOSE_COSINE:
        yield "text", case.reason("overview", "why_text")
    if case.query.known_item:  # fame has no part in finding what somebody describes
        legs = [e.leg for e in case.candidate.evidence]
        yield "known", case.reason(legs[0] if legs else "title", "why_words")
    else:
        yield "known", case.reason("fame", "why_known")


def _asked_for(case: Case) -> Iterator[tuple[str, Reason]]:
    """The people that were asked for."""
    movie, required = case.candidate.movie, case.query.constraints.require
    for clause in required:
        if not isinstance(clause, Match) or clause.field not in ("director", "actor", "person"):
            continue
        for name in (*movie.directors, *movie.cast):
            if fold(name) in clause.values:
                phrase = "why_director" if name in movie.directors else "why_person"
                yield f"person:{name}", case.reason(f"{clause.field}:{name}", phrase, value=name)
                break


def _tags(case: Case, source: str) -> Reason:
    """The tags that were asked for; those of a model only where no curated one is met."""
    parts = source.split(", ")
    known = [part for part in parts if not part.startswith(GUESS_MARK)]
    values = [part.partition(":")[2] for part in known or parts]
    # "Romantic, romance" says one thing twice: words with the same beginning count once.
    said = list({value[:5]: value for value in values}.values())[:3]
    if known:
        return case.reason(source, "why_tags", value=listed(said).capitalize())
    phrase = "why_looks" if parts[0].startswith(f"{GUESS_MARK}mood:") else "why_looks_about"
    return case.reason(source, phrase, value=listed(said))


def _about_runtime(clause: Clause) -> bool:
    return isinstance(clause, Range) and clause.field == "runtime"


def _from_seeds(case: Case) -> Iterator[tuple[str, Reason]]:
    """What people name together, what the movies share, what is close in text."""
    movie = case.candidate.movie
    for leg, phrase in (("neighbours", "why_neighbour"), ("comention", "why_comention")):
        evidence = case.leg(leg)
        seed = case.named.get(evidence.source) if evidence else None
        if seed is not None:
            yield "people", case.reason(f"{leg}:{seed.movie_id}", phrase, seed=seed.title)
    seeds = [case.named[s.movie_id] for s in case.query.seeds if s.movie_id in case.named]
    for seed in seeds:
        shared = listed(_shared(movie, seed))
        if shared:
            rests_on = f"shared:{seed.movie_id}"
            yield "shared", case.reason(rests_on, "why_shared", shared=shared, seed=seed.title)
    if seeds and case.leg("dense_seeds"):
        rests_on = f"dense_seeds:{seeds[0].movie_id}"
        yield "close", case.reason(rests_on, "why_seed_like", seed=seeds[0].title)


def _shared(movie: Movie, seed: Movie) -> list[str]:
    """What two movies have in common, the most telling first: people, themes, moods."""
    people = [n for n in (*movie.directors, *movie.cast) if fold(n) in values_of(seed, "person")]
    themes = [t for t in movie.themes if fold(t) in values_of(seed, "theme")]
    moods = [f"{_article(m)} {m} mood" for m in movie.moods if fold(m) in values_of(seed, "mood")]
    return [*people[:1], *themes[:2], *moods[:1]][:2]


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
