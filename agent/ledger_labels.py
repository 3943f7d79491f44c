"""What a ledger entry is called: the phrase on its chip and the words that remove it.

Knows the wording of every entry kind. Does not know the ledger's rules. Used by ledger.py and
decide.py; `remove_text` must parse back to exactly one entry, so labels of active entries never
collide.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from retrieval.nlu.preference_patterns import AT_MOST
from retrieval.nlu.wording import (
    COUNTRY_NAMES,
    LANGUAGE_NAMES,
    SUBGENRE_ADJECTIVES,
    SUBGENRE_WORDS,
)

KINDS_OF_FILM = frozenset(SUBGENRE_WORDS.values()) | frozenset(SUBGENRE_ADJECTIVES.values())
"""What a film is rather than what it is about: "psychological", "silent"."""
_REMOVE = re.compile(r'^\s*remove\s+["“](.+)["”]\s*$', re.IGNORECASE | re.DOTALL)

_REMOVE_ALL = re.compile(r'^\s*remove all of\s+["“](.+)["”]\s*$', re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile(r'["”] and ["“]')

LANGUAGES: dict[str, str] = {v: n for v, n in LANGUAGE_NAMES.items() if " or " not in v}
COUNTRIES: dict[str, str] = {v: n for v, n in COUNTRY_NAMES.items() if " or " not in v}
REGIONS: dict[str, str] = {
    v: n for names in (COUNTRY_NAMES, LANGUAGE_NAMES) for v, n in names.items() if " or " in v
}
"""All the codes of a part of the world -> its name."""
_GRADED = {
    "violence": "violent",
    "scariness": "scary",
    "sadness": "sad",
    "humour": "funny",
    "romance": "romantic",
    "complexity": "complicated",
    "pace": "fast",
    "family_friendly": "family-friendly",
}
_HOW_MUCH = {0: "not at all", 1: "a little", 2: "quite", 3: "very"}
_AT_MOST = {allowed: highest for highest, allowed in AT_MOST.items()}
_ABOVE = {
    "R or NC-17 or TV-MA": "PG-13",
    "PG-13 or R or NC-17 or TV-14 or TV-MA": "PG",
}
_OPPOSITES = {"pace": "slow", "humour": "serious"}
_TOO = {1: "not {} at all", 2: "not too {}", 3: "not very {}"}


def label(kind: str, value: str | Mapping[str, Any], polarity: str) -> str:
    """The chip text of an entry."""
    text = value_label(kind, value)
    if kind == "attribute" and polarity == "avoid" and not isinstance(value, str):
        return _barred_label(str(value["name"]), value.get("min"), text)
    if kind == "certificate" and polarity == "avoid" and value in _ABOVE:
        return f"nothing above {_ABOVE[str(value)]}"
    if polarity == "want" or kind in ("seen", "disliked", "not_now"):
        return text
    if kind in ("theme", "keyword"):
        return f"no {value}"
    if kind == "mood":
        return f"nothing {value}"
    return f"no {text}" if kind in ("genre", "person") else f"not {text}"


def value_label(kind: str, value: str | Mapping[str, Any]) -> str:
    """The phrase for a value, without its polarity."""
    if isinstance(value, str):
        return _string_label(kind, value)
    if kind == "year":
        return _year_label(value.get("min"), value.get("max"))
    if kind == "runtime":
        return _runtime_label(value.get("min"), value.get("max"))
    if kind == "attribute":
        return _attribute_label(str(value["name"]), value.get("min"), value.get("max"))
    if kind == "franchise":
        return str(value["title"])
    movie = f"{value['title']} ({value['year']})" if value.get("year") else str(value["title"])
    words = {"seed": "like", "seen": "seen", "disliked": "not for me:", "not_now": "not now:"}
    return f"{words[kind]} {movie}"


def _string_label(kind: str, value: str) -> str:
    if kind in ("language", "country") and value in REGIONS:
        return f"from {REGIONS[value]}"
    if kind == "language":
        return f"in {' or '.join(LANGUAGES.get(v, v) for v in value.split(' or '))}"
    if kind == "country":
        return f"from {' or '.join(COUNTRIES.get(v, v) for v in value.split(' or '))}"
    if kind in ("actor", "person"):
        return f"with {value}" if kind == "actor" else value
    if kind == "certificate" and value in _AT_MOST:
        return f"rated {_AT_MOST[value]} at most"
    prefix = {
        "director": "directed by ",
        "service": "on ",
        "certificate": "rated ",
        "companion": "for ",
        "theme": "about ",
        "keyword": "about ",
    }.get(kind, "")
    if kind == "keyword" and value in KINDS_OF_FILM:
        return value
    if (kind, value) == ("companion", "alone"):
        return "to watch alone"
    if kind == "kind":
        return "films" if value == "movie" else "series"
    return prefix + value


def _year_label(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        if low == high:
            return f"from {low}"
        if low % 10 == 0 and high == low + 9:
            return f"from the {low}s"
        return f"from {low} to {high}"
    return f"from {low} on" if low is not None else f"up to {high}"


def _runtime_label(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high} min"
    return f"at least {low} min" if low is not None else f"at most {high} min"


def _attribute_label(name: str, low: int | None, high: int | None) -> str:
    word = _GRADED.get(name, name)
    if low is not None:
        return f"{_HOW_MUCH.get(low, 'some')} {word}"
    return f"{word} at most {high} of 3"


def _barred_label(name: str, low: int | None, text: str) -> str:
    if low in _TOO:
        return _TOO[low].format(_GRADED.get(name, name))
    return f"not too {_OPPOSITES[name]}" if name in _OPPOSITES else f"not {text}"


def graded(name: str, grade: int) -> str:
    """A grade of an attribute in words: "quite scary", "not at all funny"."""
    return f"{_HOW_MUCH[grade]} {_GRADED.get(name, name)}"


def remove_text(entry_label: str) -> str:
    """What a text-only user sends to remove the entry with this label."""
    return f'remove "{entry_label}"'


def parse_remove_text(text: str) -> str | None:
    """The label that a message asks to remove in exactly that form, or None."""
    found = _REMOVE.match(text)
    return found.group(1) if found else None


def remove_all_text(labels: Sequence[str]) -> str:
    """What is sent to remove several entries in one turn."""
    return "remove all of " + " and ".join(f'"{label}"' for label in labels)


def parse_removal(text: str) -> tuple[str, ...]:
    """The labels that a message asks to remove in exactly these forms; none otherwise."""
    one = parse_remove_text(text)
    if one is not None:
        return (one,)
    found = _REMOVE_ALL.match(text)
    return tuple(_BETWEEN.split(found.group(1))) if found else ()
