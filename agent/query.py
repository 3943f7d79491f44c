"""From the ledger to a Query: which entries bind, which only rank, and which movies are out.

Knows how each kind of entry becomes a clause, a wish or a seed. Does not know text or indexes.
Pure. Called by steps.py, replay.py and the tests that prove 0 violations.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from agent.ledger import Entry, Ledger, movie_id_of, movie_ids_of, series_ids_of
from retrieval.movie import (
    Clause,
    Constraints,
    Match,
    MatchField,
    Query,
    Range,
    RangeField,
    Seed,
    Wish,
)
from retrieval.nlu.audience import NOT_ME
from retrieval.nlu.places import others
from retrieval.nlu.wording import MOOD_GENRES, MOSTLY, NEAR_MOODS, OCCASION_WISHES

_FIELDS: Mapping[str, MatchField] = {
    "genre": "genre",
    "mood": "mood",
    "theme": "topic",
    "keyword": "topic",
    "person": "person",
    "actor": "actor",
    "director": "director",
    "language": "language",
    "country": "country",
    "certificate": "certificate",
    "kind": "kind",
    "service": "service",
}
SERIES = Match("kind", frozenset({"series"}))
"""Left out unless asked for: people who ask for "something to watch" here mean a film."""
SHORT_FILM_MIN = 39
"""Minutes of the longest short film; the Academy draws the line at 40."""
SHORTS = Range("runtime", None, SHORT_FILM_MIN)
"""Left out as well, unless a length is asked for: an evening's film is longer."""
OCCASION_WEIGHT = 0.5
LEANING_KINDS = (
    *("year", "runtime", "attribute", "theme", "keyword"),
    *("genre", "mood", "person", "actor", "director"),
)
NEAR_WEIGHT = 0.5
"""Of a mood that comes near the one that is asked for."""
SEEN_AGO = 3
"""Having seen a film says less than liking it: it weighs like a seed named three films ago."""


def clause_of(entry: Entry) -> Clause | None:
    """The clause of an entry, whatever its polarity; None for movies and companions."""
    if entry.kind in _FIELDS and isinstance(entry.value, str):
        return Match(_FIELDS[entry.kind], frozenset(entry.value.split(" or ")))
    if isinstance(entry.value, str) or movie_id_of(entry) is not None:
        return None
    low, high = entry.value.get("min"), entry.value.get("max")
    if entry.kind == "attribute":
        return Range(cast(RangeField, entry.value["name"]), low, high)
    if entry.kind in ("year", "runtime"):
        return Range(cast(RangeField, entry.kind), low, high)
    return None


def known_instead(entry: Entry) -> Match | None:
    """What must be known to hold where what most unknown values are is refused: "not American"."""
    clause = clause_of(entry)
    if not isinstance(clause, Match) or entry.polarity == "want" or not entry.hard:
        return None
    values = others(clause.field, clause.values)
    return Match(clause.field, values) if values else None


def unknowable_kinds(known: Mapping[str, int]) -> frozenset[str]:
    """Kinds of which a catalogue knows nothing at all: they cannot bind, and the answer says so.

    Args:
        known: {field: how many movies have a value}.
    """
    return frozenset() if known.get("available_on") else frozenset({"service"})


def constraints_of(
    ledger: Ledger, gone: Iterable[str] = (), unknowable: frozenset[str] = frozenset()
) -> Constraints:
    """What every card must satisfy.

    Args:
        ledger: the active entries.
        gone: movie ids that must not be shown (shown before, seen, disliked by the profile).
        unknowable: entry kinds of which this catalogue knows nothing at all ("service"); those
            entries do not bind, and the answer says so.
    """
    require: list[Clause] = []
    exclude: list[Clause] = []
    for entry in ledger.entries:
        clause = clause_of(entry)
        if clause is None or not entry.hard or entry.kind in unknowable:
            continue
        (require if entry.polarity == "want" else exclude).append(clause)
        instead = None if _language_tells(ledger) else known_instead(entry)
        require += [instead] if instead else []
    wants_series = any(e.value == "series" for e in ledger.of("kind", polarity="want"))
    if not wants_series:
        exclude.append(SERIES)
    if not _wants_short(ledger):
        exclude.append(SHORTS)
    named = {m for e in ledger.entries for m in movie_ids_of(e)}
    series = [series_ids_of(e) for e in ledger.of("franchise") if e.hard]
    only = frozenset[str]().union(*series) if series else None
    return Constraints(tuple(require), tuple(exclude), only, frozenset(gone) | named)


def _language_tells(ledger: Ledger) -> bool:
    """Whether films are asked for in a language that few of those refused have: French ones."""
    wanted = {v for e in ledger.of("language", polarity="want") if e.hard for v in _codes(e)}
    return bool(wanted) and MOSTLY["language"] not in wanted


def _codes(entry: Entry) -> list[str]:
    return entry.value.split(" or ") if isinstance(entry.value, str) else []


def _wants_short(ledger: Ledger) -> bool:
    """Whether a length is asked for that hardly any whole film has."""
    tops = [e.value.get("max") for e in ledger.of("runtime") if not isinstance(e.value, str)]
    return any(top is not None and top < 2 * SHORT_FILM_MIN for top in tops)


def wishes_of(ledger: Ledger) -> tuple[Wish, ...]:
    """What ranks movies higher without binding: soft wants, and what a companion usually means."""
    wishes: list[Wish] = []
    for entry in ledger.entries:
        if entry.kind == "companion" and isinstance(entry.value, str):
            pairs = _occasion(entry.value)
            wishes += [Wish(cast(MatchField, f), v, OCCASION_WEIGHT) for f, v in pairs]
        elif entry.kind in _FIELDS and isinstance(entry.value, str) and entry.polarity == "want":
            # A bound mood or theme ranks as well: more of what was asked comes first.
            names = entry.value.split(" or ")
            if entry.kind in ("mood", "theme", "keyword") or not entry.hard:
                wishes += [Wish(_FIELDS[entry.kind], name) for name in names]
            wishes += _near(names) if entry.kind == "mood" else []
    return tuple(wishes)


def _near(moods: Iterable[str]) -> list[Wish]:
    """What comes near the moods that are asked for: other moods, and the genre they come with."""
    near = [Wish("mood", name, NEAR_WEIGHT) for mood in moods for name in NEAR_MOODS.get(mood, [])]
    genres = [MOOD_GENRES[mood] for mood in moods if mood in MOOD_GENRES]
    return [*near, *(Wish("genre", name, NEAR_WEIGHT) for name in genres)]


def _occasion(companion: str) -> list[tuple[str, str]]:
    """What a companion usually likes; somebody else's taste is not guessed from who they are."""
    return [] if companion.endswith(NOT_ME) else OCCASION_WISHES.get(companion, [])


def is_for_somebody_else(ledger: Ledger) -> bool:
    """Whether the film is for somebody whose taste is not the asker's."""
    return any(str(e.value).endswith(NOT_ME) for e in ledger.of("companion"))


def leanings_of(ledger: Ledger) -> tuple[Clause, ...]:
    """Soft wishes, which rank and do not bind.

    Some have no tag leg, and tags alone do not bring themes to the top. A taste is "he loves
    westerns": a chat is expected to follow it up, though on ReDial turns that costs a little
    (R@10 .240 against .243, 1,494 targets).
    """
    soft = [
        e for e in ledger.entries if not e.hard and e.polarity == "want" and e.kind in LEANING_KINDS
    ]
    return tuple(clause for e in soft if (clause := clause_of(e)) is not None)


def seeds_of(ledger: Ledger) -> tuple[Seed, ...]:
    """The movies named, the last named first; one only seen counts like one named earlier."""
    named = reversed(ledger.of("seed", "seen"))
    return tuple(
        Seed(movie_id_of(entry) or "", ago + (SEEN_AGO if entry.kind == "seen" else 0))
        for ago, entry in enumerate(named)
    )


def query_of(ledger: Ledger, text: str, constraints: Constraints, known_item: bool) -> Query:
    """The request to the retriever."""
    return Query(
        text=text,
        seeds=() if known_item else seeds_of(ledger),
        wishes=wishes_of(ledger),
        leanings=() if known_item else leanings_of(ledger),
        constraints=constraints,
        turned_down=frozenset(m for e in ledger.of("disliked", "not_now") for m in movie_ids_of(e)),
        known_item=known_item,
    )
