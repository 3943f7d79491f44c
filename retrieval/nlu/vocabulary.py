"""What a phrase of one to three words means as a slot: genre, mood, nation, theme, sub-genre.

Knows the tables of wording.yaml and the catalogue's themes, and that some words name a kind of film
only in front of a film or genre word. Does not know sentences, polarity or titles. Pure. Called by
preferences.py.
"""

import re
from typing import Final, cast

from retrieval.movie import GENRES, stem
from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.lexicon import Lexicon, is_vocabulary, vocabulary_of
from retrieval.nlu.people import FILM_NOUNS
from retrieval.nlu.wording import (
    COMPOUND_GENRES,
    NATIONS,
    STOPWORDS,
    SUBGENRE_ADJECTIVES,
    SUBGENRE_WORDS,
    TOPIC_WORDS,
)
from retrieval.understanding import SlotKind

UNMISTAKABLE: Final = frozenset({"black and white", "stop motion", "post apocalyptic"})
_SOMEBODY: Final = re.compile(
    r" (?:guy|bloke|chap|fella|friends?|wife|husband|girlfriend|boyfriend|partner|colleagues?|accent|food|restaurant)\b"
)
"""Behind the adjective of a place: no film is from there."""
_NEXT: Final = re.compile(r" ([^\W_]+)(?: ([^\W_]+))?")


def meaning(
    phrase: str, lexicon: Lexicon, lower: str, end: int, refused: bool = False
) -> list[tuple[SlotKind, str]]:
    """The slots of a phrase that ends at `end` of the text; none when it means nothing here.

    A refused kind of film needs no film behind it: "horror that isn't supernatural".
    """
    known = vocabulary_of(phrase) or _kind_of_film(phrase, lexicon, lower, end)
    named = SUBGENRE_ADJECTIVES.get(phrase, GENRES[0])
    if refused and not known and named not in GENRES:  # "child" of "child abuse" is no genre
        names = dict.fromkeys((named, phrase))
        known = [("keyword", name) for name in names]
    found = known or vocabulary_of(lexicon.respell(phrase) or "")
    if found:
        return found
    nation = NATIONS.get(phrase)
    if nation and _SOMEBODY.match(lower, end):
        return []
    if nation:
        return [(cast(SlotKind, nation[0]), nation[1])]
    tag = lexicon.tags.get(phrase) or lexicon.tags.get(stem(phrase))
    many = lexicon.tags.get(f"{phrase}s") if refused and not tag else None
    if many:
        return [(cast(SlotKind, many[0]), many[1])]  # "not a dog dying"
    tag = tag or lexicon.tags.get(lexicon.respell_tag(phrase) or "")
    if tag and len(phrase) > 3 and phrase not in STOPWORDS:
        return [(cast(SlotKind, tag[0]), tag[1])]
    return _subject(phrase, lexicon, lower, end)


def barred(phrase: str, found: list[tuple[SlotKind, str]]) -> list[tuple[SlotKind, str]]:
    """What a refused phrase bars, of the slots that it means.

    "No romcoms" bars the first of its genres, since other comedies are welcome, and a "dark comedy"
    is barred as such. "No demons" bars the theme that is called otherwise, and the word.
    """
    singular = " ".join(stem(word) for word in phrase.split())
    genres = COMPOUND_GENRES.get(phrase) or COMPOUND_GENRES.get(singular)
    if genres:
        return [("genre", genres[0])] if len(genres) > 1 else [("keyword", singular)]
    themes = [value for kind, value in found if kind == "theme"]
    otherwise = themes and singular not in " ".join(stem(w) for w in themes[0].split())
    broader = themes and len(themes[0].split()) > len(phrase.split())
    return [*found, ("keyword", phrase)] if otherwise or broader else found


def is_subgenre(phrase: str, lower: str, end: int) -> bool:
    """Whether a phrase names a kind of film there: "mockumentary", "police" in "police drama"."""
    return _subgenre(phrase, lower, end) is not None


def _subgenre(phrase: str, lower: str, end: int) -> str | None:
    singular = " ".join(stem(word) for word in phrase.split())
    found = SUBGENRE_WORDS.get(phrase) or SUBGENRE_WORDS.get(singular)
    if found:
        return found
    found = SUBGENRE_ADJECTIVES.get(phrase) or SUBGENRE_ADJECTIVES.get(singular)
    # "Black and white" can hardly mean anything else.
    return found if found and (phrase in UNMISTAKABLE or _before_a_film(lower, end)) else None


def _before_a_film(lower: str, end: int) -> bool:
    after = _NEXT.match(lower, end)
    if after is None:
        return False
    one, two = after.group(1), f"{after.group(1)} {after.group(2)}"
    known = is_vocabulary(one) or is_vocabulary(two) or stem(one) in SUBGENRE_WORDS
    return known or one in FILM_NOUNS


def _kind_of_film(
    phrase: str, lexicon: Lexicon, lower: str, end: int
) -> list[tuple[SlotKind, str]]:
    name = TOPIC_WORDS.get(phrase) or _subgenre(phrase, lower, end)
    if name is None:
        return []
    if name in GENRES:
        return [("genre", name)]
    tags = (lexicon.tags.get(key) for key in (name, f"{name}s", f"{name}es", phrase))
    kind, value = next((tag for tag in tags if tag), ("keyword", name))
    return [(cast(SlotKind, kind), value)]


def _subject(phrase: str, lexicon: Lexicon, lower: str, end: int) -> list[tuple[SlotKind, str]]:
    """The theme behind a noun that says which kind of film: "a zombie movie"."""
    if phrase in STOPWORDS or not patterns.FILM_AFTER.match(lower, end):
        return []
    found = (lexicon.tags.get(f"{phrase}{ending}") for ending in ("s", "es"))
    themes = [(cast(SlotKind, tag[0]), tag[1]) for tag in found if tag][:1]
    noun = next((word for word in (phrase, stem(phrase)) if word in lexicon.subjects), None)
    return themes or ([("keyword", noun)] if noun else [])


def names_a_topic(word: str, lexicon: Lexicon) -> bool:
    """Whether a word says what kind of film is meant, where a film or nothing follows it."""
    tables = (TOPIC_WORDS, SUBGENRE_WORDS, SUBGENRE_ADJECTIVES, lexicon.tags, lexicon.subjects)
    return any(
        key in table for key in (word, stem(word), f"{word}s", f"{word}es") for table in tables
    )
