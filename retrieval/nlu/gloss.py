"""Spanish, French and German requests put into plain English; other languages only recognised.

Knows the tables of retrieval/nlu/languages/, how a language shows itself in function words, and
that titles stay as they are. Does not know what any of it means: the English that comes out is read
by the same rules as everybody's (understand.py). A gloss is no translation: word order and endings
are left as they fall, since the reader looks at phrases, not at grammar. Pure; called by
understand.py.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from retrieval.movie import fold
from retrieval.nlu.lexicon import LONGEST_TITLE, Lexicon, is_vocabulary
from retrieval.nlu.wording import GENRE_WORDS, MOOD_WORDS, STOPWORDS

READ = ("es", "fr", "de")
"""Languages that are put into English whole."""
ENGLISH = "en"
OTHER = "other"
"""A language that is recognised, but only searched for what is recognisable."""
FOREIGN_SCRIPT = re.compile(r"^[\s\W\d]*[\u0370-\u1fff\u3040-\ud7ff\uf900-\ufaff]+[^a-z]*$")
"""Greek, Cyrillic, Arabic, Devanagari, Japanese, Chinese, Korean ... and no Latin letter."""
_WORD = re.compile(r"[^\W\d_]+")
_MOVIE_TWICE = re.compile(r"\bmovies? (\w+ movies?)\b")
""""Film familial" comes out as "movie family movie"."""
_GROUP = re.compile(r"\{(\d)\}")
MIN_OTHER = 3
"""Function words of a language that is only recognised; fewer are chance."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gloss:
    """The text to be read as English, and the language that it was written in."""

    text: str
    language: str = ENGLISH
    """es, fr, de, "other", or en."""


@dataclass(frozen=True)
class _Language:
    """The tables of one language, ready to be searched."""

    code: str
    shows: frozenset[str]
    """Words that show the language."""
    patterns: Sequence[tuple[re.Pattern[str], str]]
    phrases: re.Pattern[str]
    english: Mapping[str, str]
    """Wording, without its endings -> English."""
    likes: re.Pattern[str]
    """What stands before the title of an example."""
    by: re.Pattern[str]
    """What stands before whoever made a film."""

    def gloss(self, text: str, kept: Sequence[Span]) -> str:
        """The text in English words; `kept` spans stay as they are."""
        plain = _plain(text)
        changes: list[tuple[int, int, str]] = []
        for pattern, template in self.patterns:
            for match in pattern.finditer(plain):
                self._change(changes, kept, match.span(), self._filled(template, match, text))
        for match in self.by.finditer(plain):
            before = text[: match.start()].split()[-1:]
            in_a_name = any(word[0].isupper() for word in before)  # "Louis de Funès"
            if text[match.end()].isupper() and not in_a_name:
                self._change(changes, kept, match.span(), "by ")
        # What a pattern took is gone: of "pas d'horreur" it leaves "horreur", not "d'horreur".
        for match in self.phrases.finditer(
            _without(plain, [*kept, *((a, b) for a, b, _ in changes)])
        ):
            english = self.english[match.lastgroup or ""]
            self._change(changes, kept, match.span(), english)
        return _with_changes(text, changes)

    def _filled(self, template: str, match: re.Match[str], text: str) -> str:
        def group(found: re.Match[str]) -> str:
            start, end = match.span(int(found.group(1)))
            return self._words(text[start:end])

        return _GROUP.sub(group, template)

    def _words(self, text: str) -> str:
        changes: list[tuple[int, int, str]] = []
        for match in self.phrases.finditer(_plain(text)):
            self._change(changes, (), match.span(), self.english[match.lastgroup or ""])
        return _with_changes(text, changes)

    @staticmethod
    def _change(
        changes: list[tuple[int, int, str]], kept: Sequence[Span], span: Span, english: str
    ) -> None:
        start, end = span
        others = [*kept, *((a, b) for a, b, _ in changes)]
        if start < end and all(end <= a or start >= b for a, b in others):
            changes.append((start, end, english))


def gloss(text: str, lexicon: Lexicon, before: str = "") -> Gloss:
    """The text in English, if it was not: empty and English texts come back as they are.

    Few words in the language of what was said `before` are in it as well.
    """
    if FOREIGN_SCRIPT.search(text.lower()):
        return Gloss(text, OTHER)
    text = unicodedata.normalize("NFC", text)
    plain = _plain(text)
    words = [(m.group(), m.span()) for m in _WORD.finditer(plain)]
    code = _language(words, lexicon.tags.__contains__)
    if code == ENGLISH:
        code = _goes_on(words, before)
    if code == ENGLISH:
        return Gloss(text)
    language = _languages()[code]
    kept = _titles(text, lexicon, language)
    rest = [(w, s) for w, s in words if not any(a <= s[0] < b for a, b in kept)]
    if not rest or (kept and _language(rest) not in (code, _language_of_text(before))):
        return Gloss(text)
    english = _MOVIE_TWICE.sub(r"\1", language.gloss(text, kept))
    return Gloss(english, code if code in READ else OTHER)


def _language(
    words: Sequence[tuple[str, Span]], is_known: Callable[[str], bool] = lambda _: False
) -> str:
    """The language with the most words of its own, if they outnumber the English ones."""
    known = _languages()
    spoken = [word for word, _ in words]
    english = sum(w in STOPWORDS for w in spoken)
    scores = {
        code: sum(w in table.shows and (w not in STOPWORDS) for w in spoken)
        for code, table in known.items()
    }
    code = max(scores, key=lambda c: (scores[c], c in READ))
    # "me", "a", "no" and the like are English as well: they count for neither side alone.
    shared = sum(w in STOPWORDS and w in known[code].shows for w in spoken)
    score = scores[code]
    alone = 0 < score == len(spoken) and not any(is_vocabulary(w) or is_known(w) for w in spoken)
    enough = score >= (2 if code in READ else MIN_OTHER)
    if (enough and score > english - shared) or (alone and code in READ):
        return code
    return ENGLISH


def _goes_on(words: Sequence[tuple[str, Span]], before: str) -> str:
    """The language of what was said before, if a word of this is in it, and none is English."""
    code = _language_of_text(before)
    if code not in READ:
        return ENGLISH
    shows = _languages()[code].shows
    spoken = [word for word, _ in words]
    english = any(w in STOPWORDS and w not in shows for w in spoken)
    return code if not english and any(w in shows for w in spoken) else ENGLISH


def _language_of_text(text: str) -> str:
    return _language([(m.group(), m.span()) for m in _WORD.finditer(_plain(text))])


def _titles(text: str, lexicon: Lexicon, language: _Language) -> list[Span]:
    """Spans that are titles: capitalised or named as an example, of two words or more."""
    tokens = [(fold(m.group()), m.span()) for m in re.finditer(r"[^\W_]+(?:['’][^\W_]+)*", text)]
    plain = _plain(text)
    found: list[Span] = []
    for n in range(min(LONGEST_TITLE, len(tokens)), 1, -1):
        for i in range(len(tokens) - n + 1):
            start, end = tokens[i][1][0], tokens[i + n - 1][1][1]
            key = " ".join(word for word, _ in tokens[i : i + n])
            if key not in lexicon.titles and key not in lexicon.franchises:
                continue
            names = [text[a:b][:1] for word, (a, b) in tokens[i : i + n] if word not in STOPWORDS]
            capital = bool(names) and all(letter.isupper() for letter in names) and start > 0
            cued = bool(language.likes.search(plain[:start]))
            if (capital or cued) and all(end <= a or start >= b for a, b in found):
                found.append((start, end))
    return found


def _with_changes(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, english in sorted(changes):
        pieces += [text[at:start], english]
        at = end
    return re.sub(r" {2,}", " ", "".join([*pieces, text[at:]])).strip()


def _without(plain: str, spans: Sequence[Span]) -> str:
    for start, end in spans:
        plain = plain[:start] + " " * (end - start) + plain[end:]
    return plain


def _plain(text: str) -> str:
    """Lower case without accents, letter for letter, so that places in the text stay the same."""
    return "".join(_letter(c) for c in text)


@cache
def _letter(char: str) -> str:
    if char in "’‘`´":
        return "'"
    base = unicodedata.normalize("NFD", "s" if char == "ß" else char)[:1].lower()
    return base if len(base) == 1 else char


# --- the tables -----------------------------------------------------------------------------------


@cache
def _languages() -> dict[str, _Language]:
    folder = files("retrieval.nlu").joinpath("languages")

    def read(name: str) -> dict[str, Any]:
        content = folder.joinpath(f"{name}.yaml").read_text("utf-8")
        tables: dict[str, Any] = yaml.load(content, Loader=yaml.CSafeLoader)
        return tables

    tables = {**{code: read(code) for code in READ}, **read("others")}
    return {code: _language_of(code, table) for code, table in tables.items()}


def _language_of(code: str, table: Mapping[str, Any]) -> _Language:
    endings = table.get("endings", "")
    english: dict[str, str] = {}
    parts: list[tuple[int, str]] = []
    shows = {str(w) for w in table["function"] if len(str(w)) > 1}
    for number, (meaning, wording) in enumerate(_wordings(table["phrases"])):
        name = f"p{number}"
        english[name] = meaning
        body = re.escape(wording.removesuffix("*")).replace(r"\ ", " +").replace(r"\*\ ", " ")
        body = re.sub(r"\\\*", endings, body) + (endings if wording.endswith("*") else "")
        parts.append((len(wording), rf"(?P<{name}>{body})"))
        shows |= {word for word in _WORD.findall(wording) if len(word) > 1}
        shows |= {form for form in _forms(wording, endings) if len(form) > 1}
    parts.sort(key=lambda p: -p[0])
    pattern = rf"(?<![\w])(?:{'|'.join(part for _, part in parts)})(?![\w])"
    likes = "|".join(re.escape(str(w)) for w in table.get("likes", ())) or "like"
    return _Language(
        code,
        # What an English speaker says as well shows nothing.
        frozenset(shows) - _english_words() - frozenset(table.get("quiet", ())),
        [(re.compile(_bounded(p)), t) for p, t in table.get("patterns", ())],
        re.compile(pattern),
        english,
        re.compile(rf"\b(?:{likes}) +$"),
        re.compile(rf"(?<!\w)(?:{'|'.join(table.get('by', ['by ']))})(?=\w)"),
    )


@cache
def _english_words() -> frozenset[str]:
    """The single words of English genres and moods: "science", "fiction", "noir"."""
    return frozenset(word for key in (*GENRE_WORDS, *MOOD_WORDS) for word in key.split())


def _bounded(pattern: str) -> str:
    """A pattern that begins with a letter or a group begins at a word."""
    return pattern if pattern.startswith(("(?<", r"\b")) else rf"(?<!\w)(?:{pattern})"


def _wordings(phrases: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for meaning, wordings in phrases.items():
        for wording in wordings:
            yield str(meaning), str(wording)


_ENDING = re.compile(r"[a-z]+")


def _forms(wording: str, endings: str) -> list[str]:
    """A single word with each of its endings, for recognising the language."""
    if not wording.endswith("*"):
        return [wording]
    stem = wording[:-1]
    return [stem, *(stem + ending for ending in _ENDING.findall(endings))]
