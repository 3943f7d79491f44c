"""The wishes of a ledger as people would say them: "thrillers from the 2000s, not too violent".

Knows the order in which English puts such words and the plurals of genres. Does not know sentences
(respond.py, inform.py) nor chips, which name one entry each (ledger_labels.py). Pure.
"""

from collections.abc import Iterator, Sequence

from agent.ledger import Entry, movie_id_of
from prompts.loader import listed
from retrieval.audience import NOT_ME

MAX_PARTS = 6
"""Wishes that a sentence names; the chips show them all."""
_PLURALS = {
    **{"comedy": "comedies", "thriller": "thrillers", "drama": "dramas", "western": "westerns"},
    **{"musical": "musicals", "documentary": "documentaries", "mystery": "mysteries"},
    **{"romance": "romances", "biography": "biographies"},
}
_BEHIND = ("actor", "person", "director", "year", "country", "language", "certificate")
"""Kinds that follow the noun without a comma, in the order in which they are said."""


def wanted(entries: Sequence[Entry]) -> str:
    """What is wanted and avoided, as a noun phrase; "films" where there is nothing to say."""
    parts = [*_behind(entries), *_after_comma(entries)]
    more = len(parts) > MAX_PARTS
    close = [text for text, near in parts[:MAX_PARTS] if near]
    loose = [text for text, near in parts[:MAX_PARTS] if not near]
    phrase = " ".join([_head(entries), *close])
    return ", ".join([phrase, *loose, *(["and the rest of what you said"] if more else [])])


def _head(entries: Sequence[Entry]) -> str:
    """Moods and genres before the noun: "funny family adventure films"."""
    wants = [e for e in entries if e.polarity == "want"]
    series = any(e.kind == "kind" and e.value == "series" for e in wants)
    genres = [str(e.value) for e in wants if e.kind == "genre"]
    soft = all(not e.hard for e in wants if e.kind == "genre")
    moods = ", ".join(str(e.value) for e in wants if e.kind == "mood")
    # Wishes that only rank need not meet in one film: "romance or action films".
    kinds = " or ".join(genres) if soft else " ".join(genres)
    named = f"{kinds} series".strip() if series else genre_films([kinds] if kinds else [])
    return f"{moods} {named}".strip()


def genre_films(genres: Sequence[str]) -> str:
    """ "comedies", "family adventure films"."""
    if len(genres) == 1 and genres[0] in _PLURALS:
        return _PLURALS[genres[0]]
    return " ".join([*genres, "films"])


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
    about = [str(e.value) for e in wants if e.kind in ("theme", "keyword")]
    if about:
        yield f"about {listed(about)}", True
    yield from ((e.label, True) for e in wants if e.kind == "service")
    for entry in (e for e in wants if e.kind == "companion"):
        who = str(entry.value).removesuffix(NOT_ME)
        yield f"for {who.replace('my ', 'your ', 1)}", True


def _after_comma(entries: Sequence[Entry]) -> Iterator[tuple[str, bool]]:
    """Lengths, grades, and what is ruled out."""
    barred = False
    for entry in entries:
        if movie_id_of(entry) is not None:
            continue
        if entry.kind == "runtime" and entry.polarity == "want":
            yield f"{entry.label} long", False
        elif entry.kind == "attribute":
            yield entry.label, False
        elif entry.polarity == "avoid":
            yield f"but {entry.label}" if not barred else entry.label, False
            barred = True


def _title(entry: Entry) -> str:
    return entry.value if isinstance(entry.value, str) else str(entry.value["title"])
