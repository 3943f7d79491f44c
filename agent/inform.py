"""What is told rather than recommended: answers about films, reasons, what is known of the user.

Knows which catalogue field answers which question and how the ledger and the taste read in words.
Says only what the catalogue or the user said; what is unknown is said to be unknown. Does not know
lists or how they are opened (respond.py, which calls this). Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from agent.awards import said
from agent.ledger import Entry, Ledger, movie_id_of, movie_ids_of
from agent.ledger_labels import LANGUAGES, graded
from agent.query import clause_of
from agent.request_words import genre_films, wanted
from agent.state import TurnState
from agent.suitable import age_asked, suits
from prompts.loader import Phrases, listed, load_tag_words
from retrieval.movie import (
    ATTRIBUTES,
    Constraints,
    Movie,
    RangeField,
    fold,
    number_of,
    satisfies,
    values_of,
)
from retrieval.nlu.audience import NOT_ME
from retrieval.nlu.wording import GENRE_WORDS, MOOD_WORDS
from retrieval.understanding import Mention, Question

_IS_A = re.compile(
    r"\b(?:is|was|isn't)\b[^.?!]* (?:an? ([^.?!,]{2,30})|(animated|romantic|historical))\?"
)
_THAT = re.compile(r"\b(?:that|it)\b")
_THAT_ONE = re.compile(r"\b(?:that|this) one\b|\bwhy (?:it|that|this)\W*$")
MAX_REMEMBERED = 5
"""Liked films of other evenings that are named; the rest is counted."""


def informed(state: TurnState, phrases: Phrases) -> Iterator[str]:
    decision, heard = state["decision"], state["understanding"]
    if "explain" in decision.acts:
        yield from _why(state, phrases)
    if "inform" in decision.acts and heard.of_list:
        titles = listed([m.title for m in heard.mentions])
        found = "of_list_picked" if heard.picked else "of_list" if titles else "of_list_none"
        yield phrases.say(found, _pick(state), titles=titles)
    if "inform" in decision.acts and heard.question is not None:
        for asked in (heard.question, *heard.more_questions):
            yield from _answered(asked, state, phrases)


def _pick(state: TurnState) -> int:
    """Varies the wording from turn to turn without chance."""
    return len(state["before"].shown) + len(state["turn"].message)


def _answered(asked: Question, state: TurnState, phrases: Phrases) -> Iterator[str]:
    pick = _pick(state)
    text = state["understanding"].text
    movie = state["movies"].get(asked.movie_id or "")
    other = state["movies"].get(asked.other_id or "")
    if movie is None:
        # A name that the catalogue lacks is said to be unknown with the notes.
        if not state["understanding"].unknown:
            yield phrases.say("ask_which")
    elif asked.all_ids:
        yield _of_each(asked, [m for i in asked.all_ids if (m := state["movies"].get(i))], phrases)
    elif asked.extreme:
        movie = furthest(asked, state) or movie
        value = _value(asked, movie)
        yield phrases.say(
            "extreme" if value else "extreme_unknown", pick, title=movie.title, value=value
        )
    elif other is not None and asked.about == "difference":
        yield from _difference(movie, other, phrases)
    elif asked.about == "certificate" and (age := age_asked(text)) is not None:
        verdict, because = suits(movie, age)
        yield phrases.say(f"suits_{verdict}", pick, title=movie.title, value=listed(because))
    elif asked.about == "genre" and (is_it := _is_it(text, movie, phrases, pick)):
        yield is_it
    else:
        yield answer(asked, movie, phrases, pick)


def _of_each(asked: Question, movies: Sequence[Movie], phrases: Phrases) -> str:
    """The answer for every film of a list: those of which it is known, then the others."""
    told = [(m.title, _in_short(m) if asked.about == "plot" else _value(asked, m)) for m in movies]
    known = [f"{title}: {value}" for title, value in told if value]
    rest = [title for title, value in told if not value]
    phrase = "each_unknown_awards" if asked.about == "awards" else "each_unknown"
    if not known:
        return phrases.say(phrase, titles=listed(rest))
    return "; ".join(known) + ". " + (phrases.say(phrase, titles=listed(rest)) if rest else "")


def _why(state: TurnState, phrases: Phrases) -> Iterator[str]:
    """The reasons stored with the list, for the movie asked about or all of it."""
    before = state["before"]
    if (before.pending or "").startswith("empty:"):
        labels = [e.label for e in before.ledger.entries if e.hard and movie_id_of(e) is None]
        yield phrases.say("why_empty", labels=listed(labels))
        return
    cards = before.shown[-1].cards if before.shown else ()
    asked = state["understanding"].mentions
    said = state["turn"].message.lower()
    # "What's the fifth about?", then "why did you pick that?": of the fifth.
    turned = bool(cards) and before.in_focus != cards[0]["id"] and _THAT.search(said)
    pointed = {before.in_focus or ""} if turned or _THAT_ONE.search(said) else set()
    named = ({m.movie_id for m in asked} or pointed) & {str(c["id"]) for c in cards}
    absent = [m for m in asked if m.movie_id not in {str(c["id"]) for c in cards}]
    if cards and absent and not named:
        yield _why_absent(absent[0], state, phrases)
        return
    chosen = [c for c in cards if not named or c["id"] in named][: 1 if named else 3]
    if not chosen:
        yield phrases.say("why_nothing")
    for card in chosen:
        yield phrases.say("why_open", len(state["before"].shown), title=card["title"])
        yield f"{listed([lower_first(w) for w in card['why']])}."


def _why_absent(mention: Mention, state: TurnState, phrases: Phrases) -> str:
    """Why a film is not on the list: what it does not fit, or that others came first."""
    movie = state["movies"].get(mention.movie_id)
    entries = state["ledger"].entries
    unmet = [e.label for e in entries if e.hard and movie is not None and not _fits(e, movie)]
    if unmet:
        return phrases.say("why_absent", title=mention.title, labels=listed(unmet))
    before = any(mention.movie_id in shown.movie_ids for shown in state["before"].shown)
    return phrases.say("why_shown" if before else "why_beaten", title=mention.title)


def _fits(entry: Entry, movie: Movie) -> bool:
    """Whether one wish lets a film through."""
    if movie.movie_id in movie_ids_of(entry):
        return entry.polarity == "want"
    clause = clause_of(entry)
    if clause is None:
        return True
    wanted = entry.polarity == "want"
    bound = Constraints((clause,), ()) if wanted else Constraints((), (clause,))
    return satisfies(movie, bound)


def answer(asked: Question, movie: Movie, phrases: Phrases, pick: int) -> str:
    """Answer a question from the catalogue only; what is not known is said to be unknown."""
    if asked.about == "other":
        return phrases.say("other", title=movie.title)
    if asked.about in ATTRIBUTES:
        return _graded_answer(asked, movie, phrases, pick)
    value = _field_value(asked, movie)
    if not value and asked.about == "availability":
        return phrases.say("unknown_where", pick, title=movie.title)
    if not value and asked.about == "awards":
        return phrases.say("unknown_awards", pick, title=movie.title)
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
        "genre": _in_short(movie),
        "rating": movie.rating or "",
        "awards": listed([said(prize) for prize in movie.awards]),
        "availability": listed(services),
        "difference": listed([*movie.genres[:2], *movie.moods[:2]]),
    }
    return str(known[asked.about])


def _in_short(movie: Movie) -> str:
    """Genres, feel and subject: "horror and drama, tense and creepy, about a haunted house"."""
    tags = load_tag_words()
    about = listed(tags.subjects(movie.themes))
    parts = (listed(movie.genres[:3]), listed(tags.adjectives(movie.moods)[:2]))
    return ", ".join(part for part in (*parts, about and f"about {about}") if part)


def _is_it(text: str, movie: Movie, phrases: Phrases, pick: int) -> str | None:
    """Yes or no to "is it a comedy?"; None where another question was asked."""
    asked = _IS_A.search(text.lower())
    words = fold(asked.group(1) or asked.group(2)) if asked else ""
    kinds = {
        m
        for w, m in (GENRE_WORDS | MOOD_WORDS).items()
        if re.search(rf"\b{re.escape(w)}s?\b", words)
    }
    if not kinds or not movie.genres:
        return None
    own = values_of(movie, "topic")
    phrase = "genre_yes" if all(fold(kind) in own for kind in kinds) else "genre_no"
    return phrases.say(phrase, pick, title=movie.title, value=_in_short(movie))


def furthest(asked: Question, state: TurnState) -> Movie | None:
    """The film that is asked for by "the longest": of those named, or of a whole series."""
    ids = [m.movie_id for m in state["understanding"].mentions if m.stance == "asked"]
    named = (asked.movie_id, asked.other_id, *ids)
    films = [movie for m in dict.fromkeys(named) if (movie := state["movies"].get(m or ""))]
    return max(films, key=lambda m: _extent(asked, m), default=None)


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
    units = {"year": f"from {value}", "runtime": f"{value} minutes", "rating": f"{value} out of 10"}
    return units.get(asked.about, value) if value else ""


def _difference(movie: Movie, other: Movie, phrases: Phrases) -> Iterator[str]:
    """What two films share, and what each has that the other has not."""
    shared = [g for g in movie.genres if g in other.genres]
    if shared:
        both = genre_films(shared)
        yield phrases.say("difference_shared", title=movie.title, other=other.title, value=both)
    own = [(one, _own(one, two)) for one, two in ((movie, other), (other, movie))]
    for one, parts in own:
        if parts:
            yield phrases.say("difference_own", title=one.label(), value=", ".join(parts))
    if not any(parts for _, parts in own):
        yield phrases.say("difference_none", title=movie.label(), other=other.label())


def _own(movie: Movie, other: Movie) -> list[str]:
    """What sets a film apart, shortly: feel, subject, people, length."""
    theirs = {fold(t) for t in (*other.genres, *other.moods, *other.themes)}
    tags = load_tag_words()
    feel = [t for t in movie.moods if fold(t) not in theirs]
    kinds = [g for g in movie.genres if fold(g) not in theirs]
    about = listed(tags.subjects([t for t in movie.themes if fold(t) not in theirs]))
    people = listed(movie.directors) if movie.directors != other.directors else ""
    length = movie.runtime_min if movie.runtime_min != other.runtime_min else None
    parts = (
        listed(tags.adjectives(feel)[:2] or kinds[:2]),
        about and f"about {about}",
        people and f"by {people}",
        f"{length} minutes long" if length else "",
    )
    return [part for part in parts if part]


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
    wants = [e for e in rest if e.polarity == "want"]
    avoided = [e.label for e in rest if e.polarity == "avoid"]
    if wants:
        yield phrases.say("about_me_wants", wanted=wanted(wants))
    if avoided:
        yield phrases.say("about_me_avoids", labels=", ".join(avoided))
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
