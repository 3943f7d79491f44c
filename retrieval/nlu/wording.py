"""The words people use for what a catalogue knows: genres, moods, grades, languages, eras.

Knows the tables of wording.yaml, turned so that a wording leads to its meaning. Does not know
sentences: scope of negation, titles and numbers are understood in scope.py, linking.py and
quantities.py.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final, Literal

import yaml

_TABLES: Final[dict[str, Any]] = yaml.load(
    files("retrieval.nlu").joinpath("wording.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
)


def _by_wording(table: str) -> Iterator[tuple[str, str]]:
    for meaning, wordings in _TABLES[table].items():
        for wording in wordings:
            yield wording, meaning


def _signed(table: str) -> dict[str, tuple[str, Literal[-1, 1]]]:
    return {
        wording: (meaning[1:], 1 if meaning[0] == "+" else -1)
        for wording, meaning in _by_wording(table)
    }


GENRE_WORDS: Final[dict[str, str]] = dict(_by_wording("genres"))
"""Word or phrase (singular, folded) -> genre."""
COMPOUND_GENRES: Final[dict[str, list[str]]] = _TABLES["compound_genres"]
"""One phrase -> several genres: "romantic comedy"."""
TONES: Final[dict[str, str]] = _TABLES["tones"]
"""The mood that such a phrase means beside its genres."""
SUBGENRE_WORDS: Final[dict[str, str]] = dict(_by_wording("subgenres"))
"""Phrase -> sub-genre as catalogues write it in keywords."""
TOPIC_WORDS: Final[dict[str, str]] = dict(_by_wording("topics"))
"""Phrase -> what a film is about, as catalogues write it."""
SUBGENRE_ADJECTIVES: Final[dict[str, str]] = dict(_by_wording("subgenre_adjectives"))
"""The same, of words that name a sub-genre only in front of a film or genre word."""
MOOD_WORDS: Final[dict[str, str]] = dict(_by_wording("moods"))
NEAR_MOODS: Final[dict[str, list[str]]] = _TABLES["near_moods"]
"""Mood -> moods that come near it."""
MOOD_GENRES: Final[dict[str, str]] = _TABLES["mood_genres"]
"""Mood -> the genre it mostly comes with."""
FEELING_MOODS: Final[dict[str, list[str]]] = _TABLES["feelings"]
"""What somebody who says "I feel X" is usually helped by."""
GRADE_WORDS: Final = _signed("grades")
"""Word -> (attribute, +1 when more of the word means more of the attribute)."""
AMOUNTS: Final = _signed("amounts")
"""Noun -> the grade that more of it raises: "less blood"."""
COMPARATIVES: Final = _signed("comparatives")
"""Comparative -> (what is compared, direction)."""
NATIONS: Final[dict[str, tuple[str, str]]] = {
    **{wording: ("language", code) for wording, code in _by_wording("languages")},
    **{wording: ("country", code) for wording, code in _by_wording("countries")},
}
"""Adjective -> (field, code)."""
NICKNAMES: Final[dict[str, str]] = {str(k): str(v) for k, v in _TABLES["nicknames"].items()}
"""What somebody is called -> their name, folded."""
LANDS: Final[dict[str, str]] = {str(k): str(v) for k, v in _TABLES["lands"].items()}
"""Country or continent -> adjective of `NATIONS`."""
HOMES: Final[dict[str, str]] = _TABLES["homes"]
"""Language -> the country that its adjective means beside another country's."""
MOSTLY: Final[dict[str, str]] = _TABLES["mostly"]
"""Field -> the code that most films have of which it is not known."""


def _place_names(field: str) -> dict[str, str]:
    """Code, or codes of a whole region -> its name: the land, else the adjective."""
    named = {v: w.title() for w, (f, v) in reversed(NATIONS.items()) if f == field}
    lands = {v: land for land, w in LANDS.items() for f, v in [NATIONS[w]] if f == field}
    regions = field == "country"  # of a language, the land is told of whole regions only
    chosen = {v: land for v, land in reversed(lands.items()) if regions or " or " in v}
    first = {v: next(k for k, n in LANDS.items() if NATIONS[n] == (field, v)) for v in chosen}
    spoken = {v: land for land, w in reversed(LANDS.items()) if (v := HOMES.get(NATIONS[w][1]))}
    at_home = {v: _titled(land) for v, land in spoken.items() if field == "country"}
    return at_home | named | {v: _titled(land) for v, land in first.items()}


def _titled(land: str) -> str:
    return " ".join(
        w if w == "the" else w.upper() if len(w) < 3 else w.title() for w in land.split()
    )


COUNTRY_NAMES: Final = _place_names("country")
LANGUAGE_NAMES: Final = _place_names("language")
ERAS: Final[dict[str, str]] = dict(_by_wording("eras"))
"""Name of an era -> "first-last" year, either of them may be missing."""
LOOSE_KINDS: Final[frozenset[str]] = frozenset(_TABLES["loose_kinds"])
COMPANIONS: Final[dict[str, str]] = dict(_by_wording("companions"))
OCCASION_WISHES: Final[dict[str, list[tuple[str, str]]]] = {
    companion: [(field, value) for field, value in wishes]
    for companion, wishes in _TABLES["occasions"].items()
}
"""Companion -> (field, value) wishes."""
SITUATIONS: Final[dict[str, str]] = dict(_by_wording("situations"))
"""Said without "with" or "for": "date night", "in the background"."""
RELATIVES: Final[list[str]] = _TABLES["relatives"]
BRANDS: Final[dict[str, dict[str, Any]]] = _TABLES["brands"]
"""Name -> {words, titles (how they begin), wishes as (field, value)}."""
SUPERLATIVES: Final = _signed("superlatives")
"""Superlative -> (field, +1 when it asks for the most of it)."""
SERVICES: Final[list[str]] = _TABLES["services"]
NEGATORS: Final[list[str]] = _TABLES["negators"]
NOT_NEGATING: Final[list[str]] = _TABLES["not_negating"]
SCOPE_ENDS: Final[frozenset[str]] = frozenset(_TABLES["scope_ends"])
NOT_THE_FILM: Final[frozenset[str]] = frozenset(_TABLES["not_the_film"])
STOPWORDS: Final[frozenset[str]] = frozenset(
    form for word in _TABLES["stopwords"] for form in (word, word.replace("'", ""))
)
"""Both as written and folded ("don't", "dont")."""
FORGOTTEN: Final[frozenset[str]] = frozenset(_TABLES["forgotten"])
"""Said by whoever looks for a film without its title; nothing of it describes the film."""
OUT_OF_SCOPE: Final[list[str]] = _TABLES["out_of_scope"]
"""Patterns of what is plainly not about movies."""
BESIDE_THE_POINT: Final[list[str]] = _TABLES["beside_the_point"]
"""What stands before something that they do not ask for, whatever it is."""
UNTOLD: Final[dict[str, list[str]]] = _TABLES["untold"]
"""What no field of a catalogue tells -> patterns of who asks for it."""
SMALL_TALK: Final[dict[str, list[str]]] = _TABLES["small_talk"]
"""Kind -> patterns; `thanks` and `accept` may accompany something else."""
