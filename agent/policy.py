"""When to ask, and what: questions whose answers would change the list, the most telling first.

Knows the questions there are, how each would split the current candidates, and when a question is
worth a turn. Does not know how questions are worded (prompts/phrases.yaml) or shown, nor where
candidates come from. Pure. Called by decide.py and searching.py.

A question is judged by its information gain: the entropy of the split of the candidates over its
options, each candidate weighing by its rank. It is asked only if the top of the list would change,
beside a list, and never in the turn after another question.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.events import Option
from agent.ledger import Ledger
from agent.turn import DialogueState
from prompts.loader import listed
from retrieval.movie import Movie
from retrieval.nlu.wording import GENRE_WORDS, MOOD_WORDS
from retrieval.understanding import Unsure

TOP = 5
"""The films that a user looks at."""
MIN_OF_OPTION = 4
"""Candidates behind an option: with fewer it would lead to a list that is no choice."""
MIN_GAIN = 1.0
"""Bits: an even split in two. Below, most candidates would give the same answer."""
MIN_CHANGE = 2.5
"""Films of the top five that an answer changes, on average."""
MIN_CANDIDATES = 20
MAX_OPTIONS = 4
OPEN_KINDS = frozenset({"seen", "disliked", "not_now", "companion", "kind", "service"})
"""Entries that leave open what kind of film is wanted; with any other one somebody has said what
they want, and a question would only delay. Two wishes instead of none: of eight turns of our
scenarios that need no question, five got one (`needless_questions`)."""
MAX_ASKED = 3
"""Questions in one conversation."""
RANK_WEIGHT = 20
"""Candidate at rank r weighs 1 / (RANK_WEIGHT + r), as in the fusion of the legs."""


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question by the name of its phrase, with the inputs of the phrase and tappable options."""

    key: str
    """Identifies the question: the same key is never asked twice in a row."""
    phrase: str
    options: tuple[Option, ...]
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    """A question with the candidates that each of its options would leave, best first."""

    question: Clarification
    groups: tuple[tuple[str, ...], ...]
    """For each option, the movie ids that fit it."""

    def gain(self, ids: Sequence[str]) -> float:
        """Bits: entropy of the split; candidates that fit no option form a part of their own."""
        weights = {m: 1.0 / (RANK_WEIGHT + rank) for rank, m in enumerate(ids, 1)}
        left, parts = set(ids), []
        for group in self.groups:
            parts.append(sum(weights[m] for m in group if m in left))
            left -= set(group)
        parts.append(sum(weights[m] for m in left))
        whole = sum(parts)
        return -sum(p / whole * math.log2(p / whole) for p in parts if p > 0) if whole else 0.0

    def change(self, ids: Sequence[str]) -> float:
        """Films of the top five that the answer replaces, on average over the options."""
        top = set(ids[:TOP])
        changed = [TOP - len(top & set(group[:TOP])) for group in self.groups]
        sizes = [len(group) for group in self.groups]
        return sum(c * n for c, n in zip(changed, sizes, strict=True)) / max(1, sum(sizes))


def best_question(candidates: Sequence[Movie], ledger: Ledger) -> Clarification | None:
    """The question with the highest gain among those whose answer would change the list."""
    ids = [m.movie_id for m in candidates]
    splits = [s for s in splits_of(candidates, ledger) if s.change(ids) >= MIN_CHANGE]
    best = max(splits, key=lambda s: s.gain(ids), default=None)
    return best.question if best and best.gain(ids) >= MIN_GAIN else None


def may_ask(state: DialogueState, ledger: Ledger) -> bool:
    """Whether a question is in place at all: nothing telling said, no question just now."""
    told = any(e.kind not in OPEN_KINDS for e in ledger.entries)
    asked = [key for key in state.asked if not key.startswith("empty")]
    fresh = state.pending is None and len(asked) < MAX_ASKED
    return fresh and not told


def splits_of(candidates: Sequence[Movie], ledger: Ledger) -> Iterator[Split]:
    """Every question that has two options or more over these candidates."""
    if len(candidates) < MIN_CANDIDATES:
        return
    if not ledger.of("genre", polarity="want"):
        yield from _named("genre", candidates, ledger, lambda m: m.genres, GENRE_WORDS)
    if not ledger.of("mood", polarity="want"):
        yield from _named("mood", candidates, ledger, lambda m: m.moods, MOOD_WORDS)
    if not ledger.of("year"):
        yield from _ranged("era", candidates, _ERAS, lambda m: m.year)
    if not ledger.of("runtime"):
        yield from _ranged("length", candidates, _LENGTHS, lambda m: m.runtime_min)


_ERAS = (
    (Option(label="From 2010 on", text="from 2010 on"), 2010, 9999),
    (Option(label="1990 to 2009", text="from 1990 to 2009"), 1990, 2009),
    (Option(label="Before 1990", text="before 1990"), 0, 1989),
)
_LENGTHS = (
    (Option(label="Under 100 minutes", text="under 100 minutes"), 0, 100),
    (Option(label="Around two hours", text="between 100 and 130 minutes"), 100, 130),
    (Option(label="Long", text="at least 130 minutes"), 130, 9999),
)


def _ranged(
    name: str,
    candidates: Sequence[Movie],
    ranges: Sequence[tuple[Option, int, int]],
    of: Callable[[Movie], int | None],
) -> Iterator[Split]:
    options, groups = [], []
    for option, low, high in ranges:
        fitting = tuple(
            m.movie_id for m in candidates if (v := of(m)) is not None and low <= v <= high
        )
        if len(fitting) >= MIN_OF_OPTION:
            options.append(option)
            groups.append(fitting)
    yield from _split(name, options, groups)


def _named(
    name: str,
    candidates: Sequence[Movie],
    ledger: Ledger,
    of: Callable[[Movie], Sequence[str]],
    sayable: dict[str, str],
) -> Iterator[Split]:
    """Values that many candidates have, those chosen first that add most to the ones before."""
    barred = {str(e.value) for e in ledger.of(name, polarity="avoid")}
    said = set(sayable.values()) - barred
    counts = Counter(v for m in candidates for v in of(m) if v in said)
    left = {m.movie_id: set(of(m)) for m in candidates}
    options: list[Option] = []
    groups: list[tuple[str, ...]] = []
    while len(options) < MAX_OPTIONS:
        fresh = Counter(v for values in left.values() for v in values if v in counts)
        value, new = max(fresh.items(), key=lambda c: (c[1], c[0]), default=("", 0))
        if new < MIN_OF_OPTION:
            break
        wording = next(word for word, meaning in sayable.items() if meaning == value)
        text = f"{'a' if name == 'genre' else 'something'} {wording}"
        text += " film" if name == "genre" else ""
        options.append(Option(label=value.capitalize(), text=text))
        groups.append(tuple(m.movie_id for m in candidates if value in of(m)))
        del counts[value]
        left = {m: values for m, values in left.items() if value not in values}
    yield from _split(name, options, groups)


def _split(
    name: str, options: Sequence[Option], groups: Sequence[tuple[str, ...]]
) -> Iterator[Split]:
    if len(options) > 1 and len({group[:TOP] for group in groups}) == len(groups):
        yield Split(Clarification(name, f"ask_{name}", tuple(options)), tuple(groups))


# --- questions that stand by themselves -----------------------------------------------------------

OPEN_OPTIONS = (
    Option(label="Something funny", text="something funny"),
    Option(label="Edge of my seat", text="a tense thriller"),
    Option(label="Feel-good", text="something feel-good"),
    Option(label="For the whole family", text="a family film"),
)


def clarification(kind: str, movie: Unsure | None = None) -> Clarification:
    """The question of a kind: `open`, `reset`, or `unsure` about a misspelt title."""
    if kind == "unsure" and movie is not None:
        name = f"{movie.title} ({movie.year})" if movie.year else movie.title
        options = (
            Option(label=f"Yes, {name}", text=f'like "{name}"'),
            Option(label="No, something else", text="something else"),
        )
        return Clarification(f"unsure:{movie.movie_id}", "ask_unsure", options, {"title": name})
    return Clarification("open", "reset" if kind == "reset" else "ask_open", OPEN_OPTIONS)


def open_question(candidates: Sequence[Movie]) -> Clarification:
    """What to ask somebody who has said nothing yet: the most telling question there is."""
    ids = [m.movie_id for m in candidates]
    best = max(splits_of(candidates, Ledger()), key=lambda s: s.gain(ids), default=None)
    return Clarification("open", "ask_open", best.question.options if best else OPEN_OPTIONS)


def what_they_loved(known: Sequence[Movie]) -> Clarification:
    """Somebody wants to see a loved film again, and none is known: films they may have loved."""
    options = [Option(label=m.label(), text=f'I loved "{m.label()}"') for m in known[:MAX_OPTIONS]]
    return Clarification("loved", "rewatch_unknown", tuple(options))


def nothing_left(
    labels: Sequence[str],
    options: Sequence[Option],
    shown: Sequence[str] = (),
    tied: Sequence[str] = (),
) -> Clarification:
    """Nothing (more) satisfies the ledger: ask what may go; each option leads to a list.

    Args:
        labels: the wishes of which one may go.
        options: the ways on.
        shown: titles of films that do fit, all shown before.
        tied: the wishes that keep everything out together, where no single one would help.
    """
    phrase = "exhausted" if shown else "empty"
    if tied:
        phrase += "_tied"
    elif not labels:
        phrase += "_plain"
    inputs = {"labels": " or ".join(labels)} if labels else {}
    if shown:
        inputs["titles"] = listed(shown)
    return Clarification("empty:" + "|".join(labels or tied), phrase, tuple(options), inputs)
