"""The wishes of a ledger as people would say them: "thrillers from the 2000s, not too violent".

Knows the order in which English puts such words and the plurals of genres. Does not know sentences
(respond.py, inform.py) nor chips, which name one entry each (ledger_labels.py). Pure.
"""

from collections.abc import Iterator, Sequence

from agent.ledger import Entry, movie_id_of
from prompts.loader import listed, load_tag_words
from retrieval.nlu.audience import FOR_CHILDREN, NOT_ME

MAX_PARTS = 5
"""Wishes that a sentence names; the chips show them all."""
_PLURALS = {
    **{"comedy": "comedies", "thriller": "thrillers", "drama": "dramas", "western": "westerns"},
    **{"musical": "musicals", "documentary": "documentaries", "mystery": "mysteries"},
    **{"romance": "romances", "biography": "biographies"},
}
_ADJECTIVES = {"romance": "romantic", "history": "historical", "animation": "animated"}
_BEHIND = ("actor", "person", "director", "year", "country", "language", "certificate")
"""Kinds that follow the noun without a comma, in the order in which they are said."""


def wanted(entries: Sequence[Entry]) -> str:
    """What is wanted and avoided, as a noun phrase; "films" where there is nothing to say."""
    entries = _without_implied(entries)
    parts = [*_behind(entries), *_after_comma(entries)]
    more = len(parts) > MAX_PARTS
    close = [text for text, near in parts[:MAX_PARTS] if near]
    loose = [text for text, near in parts[:MAX_PARTS] if not near]
    phrase = " ".join([_head(entries), *close])
    return ", ".join([phrase, *loose, *(["and the rest of what you said"] if more else [])])


def _without_implied(entries: Sequence[Entry]) -> list[Entry]:
    """Less what a child's age brought along: "for kids" says that it is not scary."""
    children = [e for e in entries if e.kind == "companion" and e.value in ("kids", "teens")]
    turns = {e.source_turn for e in children}
    implied = ("certificate", "attribute")
    return [
        e
        for e in entries
        if e.source_turn not in turns
        or not ((e.kind in implied and e.polarity == "avoid") or e.value == FOR_CHILDREN)
    ]


def _head(entries: Sequence[Entry]) -> str:
    """Moods and genres before the noun: "funny family adventure films"."""
    wants = [e for e in entries if e.polarity == "want"]
    series = any(e.kind == "kind" and e.value == "series" for e in wants)
    genres = [str(e.value) for e in wants if e.kind == "genre"]
    soft = all(not e.hard for e in wants if e.kind == "genre")
    moods = ", ".join(load_tag_words().adjective(str(e.value)) for e in wants if e.kind == "mood")
    franchise = next((str(_title(e)) for e in wants if e.kind == "franchise"), "")
    word = franchise or ("series" if series else "films")
    known = next((str(e.value) for e in wants if e.kind == "fame"), "")
    if soft or any(" or " in genre for genre in genres):
        # Wishes that only rank need not meet in one film: "horror films or comedies".
        each = [g for genre in genres for g in genre.split(" or ")]
        named = " or ".join(genre_films([genre], word) for genre in each) or word
    else:
        named = genre_films(genres, word)
    return " ".join(part for part in (known, moods, named) if part)


def genre_films(genres: Sequence[str], word: str = "films") -> str:
    """Films of these genres together: comedies, family adventure films."""
    # What has a plural of its own comes last: "animated family comedies".
    *others, last = sorted(genres, key=lambda genre: genre in _PLURALS) or [""]
    before = [_ADJECTIVES.get(genre, genre) for genre in others]
    plural = _PLURALS.get(last) if word == "films" else None
    return " ".join([*before, plural or f"{_ADJECTIVES.get(last, last)} {word}".strip()])


def _behind(entries: Sequence[Entry]) -> Iterator[tuple[str, bool]]:
    wants = [e for e in entries if e.polarity == "want"]
    titles = [_title(e) for e in wants if e.kind == "seed"]
    if titles:
        yield f"like {listed(titles[-3:])}", True
    for kind in _BEHIND:
        for entry in (e for e in wants if e.kind == kind):
            text = entry.label
            if kind == "person":
                text = f"with {text}"
            yield text, True
    tags = load_tag_words()
    about = [tags.phrase(str(e.value)) for e in wants if e.kind in ("theme", "keyword")]
    if about:
        yield f"about {listed(about)}", True
    yield from ((e.label, True) for e in wants if e.kind == "service")
    for entry in (e for e in wants if e.kind == "companion"):
        who = str(entry.value).removesuffix(NOT_ME)
        yield f"for {who.replace('my ', 'your ', 1)}", True


def _after_comma(entries: Sequence[Entry]) -> Iterator[tuple[str, bool]]:
    """Lengths, grades, and what is ruled out."""
    barred = False
    tightest = _tightest(entries)
    for entry in entries:
        if movie_id_of(entry) is not None:
            continue
        if entry.kind == "runtime" and entry.polarity == "want":
            if entry is tightest:
                yield f"{entry.label} long", False
        elif entry.kind == "attribute":
            yield entry.label, False
        elif entry.polarity == "avoid":
            yield f"but {entry.label}" if not barred else entry.label, False
            barred = True


def _tightest(entries: Sequence[Entry]) -> Entry | None:
    """Of several lengths, "at most 90" and then "shorter still", the one that says most."""
    lengths = [e for e in entries if e.kind == "runtime" and not isinstance(e.value, str)]
    upper = [e for e in lengths if not isinstance(e.value, str) and e.value.get("max")]
    if len(upper) < len(lengths) or not upper:
        return lengths[-1] if lengths else None
    return min(upper, key=lambda e: 0 if isinstance(e.value, str) else int(e.value["max"]))


def _title(entry: Entry) -> str:
    return entry.value if isinstance(entry.value, str) else str(entry.value["title"])
