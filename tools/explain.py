"""Reasons: why a candidate is on the list, each tied to a catalogue field or the user's words.

Knows how evidence, constraints and shared facts become sentences of prompts/phrases.yaml, and that
the cards of one list should not all say the same. Does not know which surface shows them. Pure.
Called by agent/searching.py; a model's own explanations are checked against the same evidence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prompts.loader import Phrases, listed, load_tag_words
from retrieval.guesses import GUESS_MARK
from retrieval.movie import (
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
from retrieval.nlu.wording import STOPWORDS

MAX_REASONS = 3
CLOSE_RANK, CLOSE_COSINE, CLOSE_TO_SEED = 15, 0.35, 0.5
"""A story "matches" only if it is among the nearest and near enough."""
TOP_OF_LEG = 40
"""A leg explains a card only if the movie stands this high in it."""
STEM = 5
"""Letters by which "romance" and "romantic" are one word."""
OWN_WORDS = 2
"""Words of a request, beyond genres, people and years, that a story must have to match it."""
_PEOPLE = ("director", "actor", "person")
_GENERIC = frozenset(
    "film films movie movies something anything recommend suggest show find watch want like good "
    "great best tonight really please more another other others list least most from with".split()
)


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
    told: frozenset[str] = frozenset()
    """What the reasons of earlier cards of the list rest on."""

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
        if kind != "close" or not found:  # nearness of texts counts where nothing better is known
            found.setdefault(kind, reason)
        if len(found) == MAX_REASONS:
            return list(found.values())
    said = fold(" ".join(reason.text for reason in found.values()))
    more = list(_what_it_is(case, said)) or (
        list(_who_made_it(case, said)) if len(found) < 2 else []
    )
    return [*found.values(), *more] or [_last_resort(case)]


def _all(case: Case) -> Iterator[tuple[str, Reason]]:
    yield from _asked_for(case)
    yield from _from_seeds(case)
    yield from _tagged(case)
    archetype = case.leg("archetypes")
    if archetype and archetype.source and _answers(archetype.source, case):
        request = archetype.source
        yield "archetype", case.reason(f"archetype:{request}", "why_archetype", request=request)
    yield from _suited(case)
    if case.leg("proposals"):
        yield "model", case.reason("proposals", "why_model")
    runtimes = [c for c in case.query.constraints.require if _about_runtime(c)]
    if runtimes:
        minutes = case.candidate.movie.runtime_min
        yield "runtime", case.reason(f"runtime:{minutes}", "why_runtime", value=minutes)
    dense = case.leg("dense")
    if dense and dense.rank <= CLOSE_RANK and dense.score >= CLOSE_COSINE and _describes(case):
        yield "text", case.reason("overview", "why_text")


def _last_resort(case: Case) -> Reason:
    if case.query.known_item:  # fame has no part in finding what somebody describes
        legs = [e.leg for e in case.candidate.evidence]
        return case.reason(legs[0] if legs else "title", "why_words")
    return case.reason("fame", "why_known")


def _asked_for(case: Case) -> Iterator[tuple[str, Reason]]:
    """The people that were asked for, whether they bind or only rank."""
    movie = case.candidate.movie
    wanted = [
        (c.field, c.values) for c in case.query.constraints.require if isinstance(c, Match)
    ] + [(w.field, frozenset({fold(w.value)})) for w in case.query.wishes if w.weight > 0]
    for field, values in wanted:
        if field not in _PEOPLE:
            continue
        for name in (*movie.directors, *movie.cast):
            if fold(name) in values:
                phrase = "why_director" if name in movie.directors else "why_person"
                yield f"person:{name}", case.reason(f"{field}:{name}", phrase, value=name)
                break


def _about_runtime(clause: Clause) -> bool:
    return isinstance(clause, Range) and clause.field == "runtime"


# --- examples -------------------------------------------------------------------------------------


def _from_seeds(case: Case) -> Iterator[tuple[str, Reason]]:
    """What people name together, what the movies share, what is close in text."""
    backed: set[str] = set()
    for leg, phrase in (("neighbours", "why_neighbour"), ("comention", "why_comention")):
        evidence = case.leg(leg)
        seed = case.named.get(evidence.source) if evidence else None
        if seed is not None:
            backed.add(seed.movie_id)
            yield "people", case.reason(f"{leg}:{seed.movie_id}", phrase, seed=seed.title)
    seeds = [case.named[s.movie_id] for s in case.query.seeds if s.movie_id in case.named]
    common = [(_shared(case.candidate.movie, seed), seed) for seed in seeds]
    # One theme in common is a reason only beside people who name both films.
    telling = [(s, m) for s, m in common if len(s) > 1 or (s and m.movie_id in backed)]
    if telling:
        shared, seed = max(telling, key=lambda c: (len(c[0]), c[1].movie_id in backed))
        rests_on = f"shared:{seed.movie_id}"
        yield "shared", case.reason(rests_on, "why_shared", shared=listed(shared), seed=seed.title)
    near = case.leg("dense_seeds")
    if len(seeds) == 1 and near and near.rank <= CLOSE_RANK and near.score >= CLOSE_TO_SEED:
        # Of several seeds, the mean is close to none.
        rests_on = f"dense_seeds:{seeds[0].movie_id}"
        yield "close", case.reason(rests_on, "why_seed_like", seed=seeds[0].title)


def _shared(movie: Movie, seed: Movie) -> list[str]:
    """What two movies have in common, the most telling first: people, themes, moods."""
    people = [n for n in (*movie.directors, *movie.cast) if fold(n) in values_of(seed, "person")]
    both = [t for t in movie.themes if fold(t) in values_of(seed, "theme")]
    themes = [load_tag_words().phrase(t) for t in both]
    moods = [f"{_article(m)} {m} mood" for m in movie.moods if fold(m) in values_of(seed, "mood")]
    return [*people[:1], *themes[:2], *moods[:1]][:2]


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"


# --- wishes ---------------------------------------------------------------------------------------


def _tagged(case: Case) -> Iterator[tuple[str, Reason]]:
    """The moods, genres and themes that were wished for and are there."""
    said = _wishes_met(case)
    kinds = [v for field, v in said if field in ("genre", "mood") and v not in _implied(case)][:3]
    themes = [value for field, value in said if field in ("theme", "keyword", "topic")][:2]
    tags = load_tag_words()
    if kinds:
        rests_on = ", ".join(f"{f}:{v}" for f, v in said if v in kinds)
        value = _upper_first(listed([tags.adjective(kind) for kind in kinds]))
        yield "tags", case.reason(rests_on, "why_tags", value=value)
    if themes:
        rests_on = ", ".join(f"{f}:{v}" for f, v in said if v in themes)
        value = listed([tags.said.get(fold(theme), theme) for theme in themes])
        yield "themes", case.reason(rests_on, "why_theme", value=value)
    if not said:
        yield from _looking(case)


def _looking(case: Case) -> Iterator[tuple[str, Reason]]:
    """What a film only looks like, where nothing curated is met: a guess is told as one."""
    guesses = [(f, v) for f, v in _tag_pairs(case) if f.startswith(GUESS_MARK)]
    moods = [value for field, value in guesses if field == f"{GUESS_MARK}mood"][:3]
    values = moods or [value for _, value in guesses][:2]
    if values:
        rests_on = ", ".join(f"{f}:{v}" for f, v in guesses if v in values)
        phrase = "why_looks" if moods else "why_looks_about"
        yield "tags", case.reason(rests_on, phrase, value=listed(values))


def _suited(case: Case) -> Iterator[tuple[str, Reason]]:
    """What the occasion asks for rather than the user; it is news once in a list."""
    kinds = [value for _, value in _wishes_met(case) if value in _implied(case)][:2]
    value = _upper_first(listed([load_tag_words().adjective(kind) for kind in kinds]))
    if kinds and not any(rests_on.startswith("occasion:") for rests_on in case.told):
        yield "occasion", case.reason(f"occasion:{', '.join(kinds)}", "why_occasion", value=value)


def _implied(case: Case) -> set[str]:
    """Values that were not asked for but go with who watches: they weigh less."""
    weights = {w.value: w.weight for w in sorted(case.query.wishes, key=lambda w: w.weight)}
    return {value for value, weight in weights.items() if weight < 1}


def _wishes_met(case: Case) -> list[tuple[str, str]]:
    """(field, value) of the tags that were wished for; people are told elsewhere."""
    pairs = [(f, v) for f, v in _tag_pairs(case) if not f.startswith(GUESS_MARK)]
    named = [(field, value) for field, value in pairs if field not in _PEOPLE]
    # "Romantic, romance" says one thing twice: words with the same beginning count once.
    return list({value[:STEM]: (field, value) for field, value in named}.values())


def _tag_pairs(case: Case) -> list[tuple[str, str]]:
    """(field, value) of what the tags leg found, guesses with their mark."""
    tags = case.leg("tags")
    pairs = [p.partition(":") for p in tags.source.split(", ")] if tags and tags.source else []
    return [(field, value) for field, _, value in pairs]


def _answers(request: str, case: Case) -> bool:
    """Whether what people ask in those words was asked here, and no earlier card says so."""
    if f"archetype:{request}" in case.told:
        return False
    words = _stems(request)
    barred = [c.values for c in case.query.constraints.exclude if isinstance(c, Match)]
    if words & _stems(" ".join(v for values in barred for v in values)):
        return False
    return bool(words & (_stems(case.query.text) | _wished(case.query)))


def _describes(case: Case) -> bool:
    """Whether words of the request that are no wish of their own stand in the story."""
    if case.query.known_item:
        return True
    own = {word for word in _stems(case.query.text) if not any(c.isdigit() for c in word)}
    story = _stems(case.candidate.movie.overview)
    return len((own - _wished(case.query)) & story) >= OWN_WORDS


def _wished(query: Query) -> set[str]:
    clauses = [c for c in query.constraints.require if isinstance(c, Match)]
    words = [v for clause in clauses for v in clause.values] + [w.value for w in query.wishes]
    return _stems(" ".join(words))


def _stems(text: str) -> set[str]:
    words = re.findall(r"\w+", fold(text))
    telling = (w for w in words if len(w) > 2 and w not in STOPWORDS and w not in _GENERIC)
    return {word[:STEM] for word in telling}


# --- the film itself ------------------------------------------------------------------------------


def _what_it_is(case: Case, said: str) -> Iterator[Reason]:
    """How it feels and what it is about, beyond what was said.

    Args:
        case: the card.
        said: the other reasons, folded.
    """
    movie, tags = case.candidate.movie, load_tag_words()
    moods = [m for m in tags.adjectives(movie.moods) if fold(m) not in said][:2]
    themes = [t for t in movie.themes if fold(t) not in said]
    about, feel = listed(tags.subjects(themes)), _upper_first(listed(moods))
    if moods and about:
        rests_on = f"feel:{moods[0]}, {themes[0]}"
        yield case.reason(rests_on, "why_feel", moods=feel, themes=about)
    elif moods:
        yield case.reason(f"feel:{moods[0]}", "why_feel_only", moods=feel)
    elif about:
        yield case.reason(f"feel:{themes[0]}", "why_about", themes=about)


def _who_made_it(case: Case, said: str) -> Iterator[Reason]:
    """The people, where nothing of the film itself is known and they were not named."""
    movie = case.candidate.movie
    if movie.directors and movie.cast and fold(movie.directors[0]) not in said:
        cast = listed([name for name in movie.cast[:2] if fold(name) not in said])
        who = {"director": movie.directors[0], "cast": cast or movie.cast[-1]}
        yield case.reason(f"made:{movie.directors[0]}", "why_made", **who)


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
