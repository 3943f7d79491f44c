"""What is told rather than recommended: answers about films, reasons, what is known of the user.

Knows which catalogue field answers which question and how the ledger and the taste read in words.
Says only what the catalogue or the user said; what is unknown is said to be unknown. Does not know
lists or how they are opened (respond.py, which calls this). Pure.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from agent.ledger import Entry, Ledger
from agent.ledger_labels import LANGUAGES, graded
from agent.state import TurnState
from prompts.loader import Phrases, listed
from retrieval.audience import NOT_ME
from retrieval.movie import ATTRIBUTES, Movie, RangeField, fold, number_of
from retrieval.understanding import Question

MAX_REMEMBERED = 5
"""Liked films of other evenings that are named; the rest is counted."""


def informed(state: TurnState, phrases: Phrases) -> Iterator[str]:
    decision, heard = state["decision"], state["understanding"]
    if "explain" in decision.acts:
        yield from _why(state, phrases)
    if "inform" in decision.acts and heard.question is not None:
        for asked in (heard.question, *heard.more_questions):
            yield from _answered(asked, state, phrases)


def _answered(asked: Question, state: TurnState, phrases: Phrases) -> Iterator[str]:
    pick = len(state["before"].shown) + len(state["turn"].message)
    movie = state["movies"].get(asked.movie_id or "")
    other = state["movies"].get(asked.other_id or "")
    if movie is None:
        # A name that the catalogue lacks is said to be unknown with the notes.
        if not state["understanding"].unknown:
            yield phrases.say("ask_which")
    elif asked.extreme:
        movie = max((movie, other or movie), key=lambda m: _extent(asked, m))
        value = _value(asked, movie)
        yield phrases.say(
            "extreme" if value else "extreme_unknown", pick, title=movie.title, value=value
        )
    elif other is not None and asked.about == "difference":
        yield from _difference(movie, other, phrases)
    else:
        yield answer(asked, movie, phrases, pick)


def _why(state: TurnState, phrases: Phrases) -> Iterator[str]:
    """The reasons stored with the list, for the movie asked about or all of it."""
    before = state["before"]
    cards = before.shown[-1].cards if before.shown else ()
    asked = state["understanding"].mentions
    wanted = {m.movie_id for m in asked} & {str(c["id"]) for c in cards}
    chosen = [c for c in cards if not wanted or c["id"] in wanted][: 1 if wanted else 3]
    if not chosen:
        yield phrases.say("why_nothing")
    for card in chosen:
        yield phrases.say("why_open", len(state["before"].shown), title=card["title"])
        yield f"{listed([lower_first(w) for w in card['why']])}."


def answer(asked: Question, movie: Movie, phrases: Phrases, pick: int) -> str:
    """Answer a question from the catalogue only; what is not known is said to be unknown."""
    if asked.about == "other":
        return phrases.say("other", title=movie.title)
    if asked.about in ATTRIBUTES:
        return _graded_answer(asked, movie, phrases, pick)
    value = _field_value(asked, movie)
    if not value and asked.about == "availability":
        return phrases.say("unknown_where", pick, title=movie.title)
    if not value:
        field = {"plot": "story", "cast": "cast"}.get(asked.about, asked.about)
        return phrases.say("unknown", pick, field=field, title=movie.title)
    return phrases.say(asked.about, pick, title=movie.title, value=value)


def _graded_answer(asked: Question, movie: Movie, phrases: Phrases, pick: int) -> str:
    grade = movie.attributes.get(asked.about)
    if grade is None:
        return phrases.say("unknown", pick, field=asked.about, title=movie.title)
    return phrases.say("grade", pick, title=movie.title, value=graded(asked.about, grade))


def _field_value(asked: Question, movie: Movie) -> str:
    services = sorted({s for names in movie.available_on.values() for s in names})
    known: Mapping[str, object] = {
        "runtime": movie.runtime_min or "",
        "director": listed(list(movie.directors)),
        "cast": listed(list(movie.cast[:4])),
        "year": movie.year or "",
        "plot": movie.overview,
        "certificate": movie.certificate or "",
        "language": LANGUAGES.get(movie.language or "", movie.language or ""),
        "country": listed(list(movie.country)),
        "genre": "; ".join(
            p for p in (listed(movie.genres), listed(movie.moods), _topics(movie)) if p
        ),
        "rating": movie.rating or "",
        "awards": listed(list(movie.awards)),
        "availability": listed(services),
        "difference": listed([*movie.genres[:2], *movie.moods[:2]]),
    }
    return str(known[asked.about])


def _topics(movie: Movie) -> str:
    return f"it is about {listed(movie.themes)}" if movie.themes else ""


def _extent(asked: Question, movie: Movie) -> float:
    """How far a film goes the way that is asked for; what is not known goes least."""
    field = cast(RangeField, asked.about)
    number = movie.rating if asked.about == "rating" else number_of(movie, field)
    return number * asked.extreme if number is not None else float("-inf")


def _value(asked: Question, movie: Movie) -> str:
    """The value that makes a film the longest, the oldest, the scariest."""
    if asked.about in ATTRIBUTES:
        grade = movie.attributes.get(asked.about)
        return graded(asked.about, grade) if grade is not None else ""
    value = _field_value(asked, movie)
    units = {"runtime": f"{value} minutes", "rating": f"{value} out of 10"}
    return units.get(asked.about, value) if value else ""


def _difference(movie: Movie, other: Movie, phrases: Phrases) -> Iterator[str]:
    """What two films share, and what each has that the other has not."""
    shared = [g for g in movie.genres if g in other.genres]
    if shared:
        yield phrases.say(
            "difference_shared", title=movie.title, other=other.title, value=listed(shared)
        )
    for one, two in ((movie, other), (other, movie)):
        yield phrases.say("difference_own", title=one.label(), value="; ".join(_own(one, two)))


def _own(movie: Movie, other: Movie) -> list[str]:
    """What sets a film apart, shortly: feel, people, length."""
    tags = (*movie.genres, *movie.moods, *movie.themes)
    theirs = {fold(t) for t in (*other.genres, *other.moods, *other.themes)}
    own = [t for t in tags if fold(t) not in theirs][:3]
    people = f"by {listed(movie.directors)}" if movie.directors else ""
    length = f"{movie.runtime_min} minutes" if movie.runtime_min else ""
    return [part for part in (listed(own), people, length) if part]


# --- what is known of the user --------------------------------------------------------------------


def about_me(state: TurnState, phrases: Phrases) -> str:
    """The ledger and the profile in words."""
    parts = [*_of_ledger(state["ledger"], phrases), *_of_profile(state, phrases)]
    if not parts:
        return phrases.say("about_me_empty")
    return phrases.say("about_me", parts="; ".join(parts))


def _of_ledger(ledger: Ledger, phrases: Phrases) -> Iterator[str]:
    films = (("seed", "likes"), ("seen", "seen"), ("disliked", "disliked"), ("not_now", "not_now"))
    for kind, name in films:
        titles = [_title_of(e) for e in ledger.of(kind)]
        if titles:
            yield phrases.say(f"about_me_{name}", titles=listed(titles))
    rest = [e for e in ledger.entries if e.kind not in dict(films)]
    others = [str(e.value) for e in rest if e.kind == "companion" and NOT_ME in str(e.value)]
    rest = [e for e in rest if str(e.value) not in others]
    wanted = [e.label for e in rest if e.polarity == "want"]
    avoided = [e.label for e in rest if e.polarity == "avoid"]
    if wanted:
        yield phrases.say("about_me_wants", labels=listed(wanted))
    if avoided:
        yield phrases.say("about_me_avoids", labels=listed(avoided))
    for who in others:
        name = who.removesuffix(NOT_ME).replace("my ", "your ", 1)
        yield phrases.say("about_me_other", who=name)


def _of_profile(state: TurnState, phrases: Phrases) -> Iterator[str]:
    taste = state["taste"]
    liked = sorted(taste.likes, key=lambda m: (-taste.likes[m], m))[:MAX_REMEMBERED]
    titles = [state["movies"][m].title for m in liked if m in state["movies"]]
    if titles:
        yield phrases.say("about_me_remembered", titles=listed(titles))
    if taste.seen:
        yield phrases.say("about_me_seen_count", count=len(taste.seen))
    if taste.dislikes:
        yield phrases.say("about_me_disliked_count", count=len(taste.dislikes))


def _title_of(entry: Entry) -> str:
    value: str | Mapping[str, object] = entry.value
    return value if isinstance(value, str) else str(value["title"])


def lower_first(text: str) -> str:
    """Lower the first letter inside a sentence, unless the word is a name or an initial."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[:2] == "A " else text
