"""The words of simulated users: templates, wordings of a wish, what a question asks, and noise.

Knows user_words.yaml and how a clean sentence comes out of a hurried hand. Does not know when
anything is said (user_agenda.py). Pure: every choice comes from the `rng` it is given.
"""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from agent.ledger_labels import LANGUAGES
from evals.users.goal import Noise, Slot, Speech
from retrieval.movie import Clause, Match, Movie, Range, words

TABLES: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "user_words.yaml").read_text("utf-8")
)
_ASKED: Final[Mapping[str, list[str]]] = TABLES["asked"]
_MIXES: Final[Mapping[str, Mapping[str, str]]] = TABLES["mixes"]
MIX_SHARE = 0.6
"""Share of the words known in the other language that come out in it."""
MIN_TYPO_LETTERS = 4
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def phrases(speech: Speech, name: str) -> Sequence[str]:
    """The templates of a language; those of English where it has none."""
    found: Sequence[str] = TABLES[speech].get(name) or TABLES["en"][name]
    return found


def say(rng: random.Random, speech: Speech, name: str, **inputs: str) -> str:
    """One of the templates, filled in."""
    return Template(rng.choice(phrases(speech, name))).substitute(inputs)


def say_question(rng: random.Random, speech: Speech, about: str, it: str) -> str:
    """A question about a film."""
    table: Mapping[str, list[str]] = TABLES[speech]["ask"]
    variants = table.get(about) or TABLES["en"]["ask"][about]
    return Template(rng.choice(variants)).substitute(it=it)


def wordings(slot: Slot, clause: Clause | None) -> tuple[str, ...]:
    """Every way this user may say a wish: their own words, else templates."""
    return slot.say or tuple(_templates(slot, clause))


def _templates(slot: Slot, clause: Clause | None) -> list[str]:
    table = TABLES["en"]["wish"]
    if slot.like or slot.gone:
        name = "like" if slot.like else "seen"
        return [Template(t).substitute(title=slot.title) for t in table[name]]
    if slot.than is not None:
        template = table["than"][slot.than.what][slot.than.side]
        return [Template(template).substitute(title=slot.than.film)]
    if isinstance(clause, Range):
        return _ranges(clause, table)
    assert isinstance(clause, Match)
    side = table["avoid" if slot.none else "want"]
    value = " or ".join(LANGUAGES.get(v, v) for v in sorted(clause.values))
    return [Template(t).substitute(value=value) for t in side[clause.field]]


def _ranges(clause: Range, table: Mapping[str, Any]) -> list[str]:
    low, high = clause.min, clause.max
    end = "both" if low is not None and high is not None else "min" if low is not None else "max"
    inputs = {"min": low, "max": high}
    inputs |= {"before": low - 1 if low else None, "after": high + 1 if high else None}
    return [Template(t).substitute(inputs) for t in table[f"{clause.field}_{end}"]]


def joined(rng: random.Random, speech: Speech, parts: Sequence[str]) -> str:
    """Several wishes in one message."""
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice(phrases(speech, "join")) + part
    return text


def asked_about(question: str) -> frozenset[str]:
    """What kinds of wish a question asks for; empty = it is open."""
    heard = set(words(question))
    return frozenset(kind for kind, cues in _ASKED.items() if heard & set(cues))


def called(movie: Movie, rng: random.Random) -> str:
    """How somebody who reads a card calls its film."""
    return movie.title if rng.random() < 0.8 else movie.label()


# --- noise ----------------------------------------------------------------------------------------


def noisy(text: str, noise: Noise, speech: Speech, rng: random.Random) -> str:
    """The sentence as it comes out."""
    if noise.mixes:
        text = _mixed(text, _MIXES[noise.mixes], rng)
    if noise.filler and rng.random() < noise.filler:
        text = _filled(text, speech, rng)
    if noise.typos:
        text = _WORD.sub(lambda m: _mistyped(m.group(), noise.typos, rng), text)
    return text.lower().rstrip(".!") if noise.lower else text


def _mixed(text: str, table: Mapping[str, str], rng: random.Random) -> str:
    def other(match: re.Match[str]) -> str:
        word = match.group()
        known = table.get(word.lower())
        return known if known and rng.random() < MIX_SHARE else word

    return _WORD.sub(other, text)


def _filled(text: str, speech: Speech, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(phrases(speech, "fillers_before")) + text
    bare = text.rstrip(".!")
    return text if bare.endswith("?") else bare + rng.choice(phrases(speech, "fillers_after"))


def _mistyped(word: str, chance: float, rng: random.Random) -> str:
    """One slip of the fingers: two letters swapped, one left out, one twice."""
    if len(word) < MIN_TYPO_LETTERS or "'" in word or rng.random() >= chance:
        return word
    at = rng.randrange(1, len(word) - 1)
    slip = rng.randrange(3)
    if slip == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if slip == 1 else word[:at] + word[at] + word[at:]
