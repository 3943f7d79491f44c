"""Synthetic requests with intents and telling words, to train the intent reader on.

Knows how the phrases of requests.yaml join to what people type, and the whole requests of
spoken.yaml, with typos, order and politeness varied. Does not know models. Called by
make_training_data.py. Labels follow GUIDE.md of evals/recorded/intent_labels; its requests were
never looked at, here or in the two files.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from retrieval.analysis import Intent
from retrieval.movie import Movie

FILE = Path(__file__).with_name("requests.yaml")
SPOKEN = Path(__file__).with_name("spoken.yaml")
INTENTS: tuple[Intent, ...] = (
    "genre_preference",
    "mood_based",
    "descriptive_features",
    "temporal_context",
    "similarity_based",
)
HOW_MANY = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
"""Parts of one wish, drawn from these."""
REJECTED = 0.13
"""Share of parts that say what it should not be."""
NONE = 0.17
CHANGED = 0.13
WHOLE = 0.35
"""Share of requests that stand as a whole in spoken.yaml, some of them two in a row."""
_MARKED = re.compile(r"\*([^*]+)\*")
_SLOT = re.compile(r"\{(\w+)\}")
_SMALL = frozenset("the a an of in and or to is my for on at it with from who that's i'm".split())


@dataclass(frozen=True, slots=True)
class LabelledRequest:
    """One request, as a person would type it."""

    text: str
    intents: tuple[Intent, ...]
    marked: tuple[str, ...]
    """Telling words, as they stand in the text."""


@dataclass(frozen=True)
class Names:
    """What fills the slots, from the starter catalogue."""

    titles: Sequence[str]
    people: Sequence[str]
    topics: Sequence[str]
    plots: Sequence[str]

    @classmethod
    def of(cls, movies: Sequence[Movie], tags: Sequence[Mapping[str, Any]]) -> "Names":
        """Titles and people of films; topics from their tags; plots from our own overviews."""
        people = [p for movie in movies for p in (*movie.directors[:1], *movie.cast[:2])]
        topics = [str(t) for row in tags for t in (*row["themes"], *row["keywords"])]
        plots = [plot for movie in movies if (plot := _plot(movie.overview))]
        return cls([m.title for m in movies], people, topics, plots)


def _plot(overview: str) -> str:
    """The first clause of an overview, as somebody would tell it: small letters, no names."""
    first = re.split(r"[.;:,?!]", overview)[0].split()
    if not 5 <= len(first) <= 14 or any(word[:1].isupper() for word in first[1:]):
        return ""
    return " ".join(first).lower()


@cache
def phrases() -> Mapping[str, Any]:
    """The file, read once."""
    loaded: Mapping[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


@cache
def spoken() -> Sequence[tuple[str, tuple[Intent, ...]]]:
    """(a whole request, its intents), as spoken.yaml has them."""
    letters = {intent[0]: intent for intent in INTENTS}
    loaded: Mapping[str, Sequence[str]] = yaml.safe_load(SPOKEN.read_text("utf-8"))
    return [
        (said, () if of == "none" else tuple(letters[letter] for letter in of))
        for of, requests in loaded.items()
        for said in requests
    ]


def make_requests(count: int, names: Names, rng: random.Random) -> list[LabelledRequest]:
    """So many different requests."""
    writer = _Writer(names, rng)
    made: dict[str, LabelledRequest] = {}
    while len(made) < count:
        one = writer.request()
        made.setdefault(" ".join(re.findall(r"\w+", one.text.lower())), one)
    return list(made.values())


class _Writer:
    def __init__(self, names: Names, rng: random.Random) -> None:
        self._names, self._rng, self._said = names, rng, phrases()

    def request(self) -> LabelledRequest:
        """Draw one."""
        if self._rng.random() < WHOLE:
            return self._whole()
        kind = self._rng.random()
        if kind < NONE:
            said = self._rng.choices(self._said["none"], k=self._rng.choice((1, 1, 2)))
            return self._finished(self._rng.choice([", ", ". ", " "]).join(said), ())
        if kind < NONE + CHANGED:
            return self._changed()
        chosen = self._rng.sample(INTENTS, min(5, self._rng.choice(HOW_MANY)))
        if self._rng.random() < 0.35:
            return self._finished(self._sentences(chosen), chosen)
        return self._finished(self._opened(self._noun_phrase(chosen)), chosen)

    def _whole(self) -> LabelledRequest:
        """As somebody said it; now and then two such in a row, with the intents of both."""
        parts = self._rng.choices(spoken(), k=self._rng.choice((1, 1, 1, 1, 2)))
        text = self._rng.choice([". ", ", ", " - "]).join(said for said, _ in parts)
        if self._rng.random() < 0.2:
            text = f"{text} {self._pick(self._said['close'])}".strip()
        return self._finished(text, [intent for _, of in parts for intent in of])

    def _changed(self) -> LabelledRequest:
        """An example with one or two things changed."""
        said, rng = self._said["changed"], self._rng
        of = rng.sample(INTENTS[:4], rng.choice((1, 1, 1, 2, 2)))
        if "descriptive_features" not in of and rng.random() < 0.3:
            of = ["descriptive_features"]
        changes = rng.choice([" and ", ", ", " but also "]).join(self._pick(said[i]) for i in of)
        body = self._pick(said["frames"]).replace("{change}", changes)
        bare = body.startswith("i ") or rng.random() < 0.4
        text = body if bare else self._opened(body)
        return self._finished(text, (*of, "similarity_based"))

    def _sentences(self, intents: Sequence[Intent]) -> str:
        """Each part a sentence of its own."""
        parts = []
        for intent in intents:
            no = self._rng.random() < REJECTED * 1.5
            parts.append(self._pick(self._said[intent]["no_clause" if no else "clause"]))
        return self._rng.choice([", ", ". ", " and ", ", ", " - "]).join(parts)

    def _noun_phrase(self, intents: Sequence[Intent]) -> str:
        """[a] [adjectives] film [tails]; or something [tails]; a rejected part comes last."""
        rng, said = self._rng, self._said
        rejected = [i for i in intents if rng.random() < REJECTED]
        wanted = [i for i in intents if i not in rejected]
        rng.shuffle(wanted)
        before: list[str] = []
        after: list[str] = []
        head, plural = "", rng.random() < 0.3
        for intent in wanted:
            forms = said[intent]
            if intent == "genre_preference" and rng.random() < 0.85:
                head = self._pick(forms["plural" if plural else "head"])
            elif "adj" in forms and rng.random() < 0.5:
                before.append(self._pick(forms["adj"]))
            else:
                after.append(self._pick(forms["tail"]))
        after += [self._pick(said[intent]["no_tail"]) for intent in rejected]
        praise = self._pick(said["praise"]) if rng.random() < 0.25 else ""
        if not head and not before and wanted and rng.random() < 0.7:
            post = self._pick(said[wanted[0]].get("post", said[wanted[0]]["tail"]))
            rest = [self._pick(said[intent]["tail"]) for intent in wanted[1:]]
            no = [self._pick(said[intent]["no_tail"]) for intent in rejected]
            noun = rng.choice(["something", "something", "anything", "a movie", "films", "one"])
            return " ".join([noun, post, *rest, *no])
        noun = head or (self._pick(said["films"]) + "s" if plural else self._pick(said["heads"]))
        determiner = rng.choice(["some", "any", "", "a few"]) if plural else "a"
        adjectives = rng.choice([", ", " ", " and "]).join(before)
        return " ".join(p for p in (determiner, praise, adjectives, noun, *after) if p)

    def _opened(self, body: str) -> str:
        opening, closing = self._pick(self._said["open"]), self._pick(self._said["close"])
        joint = "" if closing[:1] in ("", ".", "!", "?") else self._rng.choice([" ", ", "])
        return f"{opening} {body}{joint}{closing}".strip()

    # --- filling and wearing down -----------------------------------------------------------------

    def _pick(self, options: Sequence[str]) -> str:
        return self._rng.choice(options)

    def _finished(self, text: str, intents: Sequence[Intent]) -> LabelledRequest:
        if intents and self._rng.random() < 0.18:
            aside = self._pick(self._said["background"])
            text = f"{aside}{self._rng.choice([', ', '. ', ' but ', ' and now '])}{text}"
        text = _SLOT.sub(self._fill, text)
        while "{" in text:
            text = _SLOT.sub(self._fill, text)
        words = self._cased(self._worn(self._marked_words(_articles(text))))
        plain = " ".join(word for word, _ in words)
        marked = tuple(dict.fromkeys(w.strip(".,!?-…") for w, telling in words if telling))
        ordered = tuple(intent for intent in INTENTS if intent in intents)
        return LabelledRequest(plain, ordered, marked)

    def _fill(self, slot: re.Match[str]) -> str:
        name, rng, names = slot.group(1), self._rng, self._names
        drawn: Mapping[str, Sequence[str]] = {
            **{"title": names.titles, "person": names.people, "topic": names.topics},
            **{"plot": names.plots, "film": self._said["films"], "kin": self._said["kin"]},
            **{"place": self._said["places"], "era": self._said["eras"]},
            **{"language": self._said["languages"], "decade": self._said["decades"]},
        }
        if name == "films":
            return self._pick(self._said["films"]) + "s"
        if name == "surname":
            return rng.choice(names.people).split()[-1]
        if name == "year":
            return str(rng.randint(1930, 2022))
        value = rng.choice(drawn[name]).replace("*", "")
        return value.lower() if name in ("title", "person") and rng.random() < 0.45 else value

    def _marked_words(self, text: str) -> list[tuple[str, bool]]:
        """(word, whether it is telling); of a marked name, its one or two longest words."""
        words: list[tuple[str, bool]] = []
        before = " "
        for number, piece in enumerate(_MARKED.split(text)):
            told = piece.split()
            chosen: set[str] = set()
            if number % 2:
                content = [w for w in told if w.lower() not in _SMALL] or told
                chosen = set(sorted(content, key=len)[-2:])
            glued = bool(words) and not (piece[:1].isspace() or before[-1:].isspace())
            before = piece or before
            for place, word in enumerate(told):
                if place == 0 and glued:
                    words[-1] = (words[-1][0] + word, words[-1][1] or word in chosen)
                else:
                    words.append((word, word in chosen))
        return words

    def _worn(self, words: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """With a typo now and then."""
        rng = self._rng
        if rng.random() > 0.15:
            return words
        at = rng.randrange(len(words))
        word, telling = words[at]
        if len(word) < 5 or not word.isalpha():
            return words
        i = rng.randrange(1, len(word) - 2)
        swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        typo = rng.choice([swapped, word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:]])
        return [*words[:at], (typo, telling), *words[at + 1 :]]

    def _cased(self, words: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        how = self._rng.random()
        if how < 0.45:
            first = (words[0][0][:1].upper() + words[0][0][1:], words[0][1])
            return [first, *((re.sub(r"^i\b", "I", word), told) for word, told in words[1:])]
        return [(word.lower(), told) for word, told in words] if how < 0.55 else words


def _articles(text: str) -> str:
    return re.sub(r"\b(a) (?=\*?[aeiou])", "an ", text)
