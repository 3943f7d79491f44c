"""What is said: prose over verified cards, answers from catalogue fields, questions and chips.

Knows which phrases of prompts/phrases.yaml answer which act. Does not know how cards were found.
Pure: the same turn always reads the same. Called by steps.py.
"""

from collections.abc import Iterator, Mapping

from agent.events import Card as CardView
from agent.events import CardEvidence, Fact, Option
from agent.ledger_labels import LANGUAGES, graded
from agent.policy import CRITIQUES, MAX_CHIPS, Clarification
from agent.state import Card, TurnState
from prompts.loader import Phrases, listed
from retrieval.movie import ATTRIBUTES, Movie
from retrieval.understanding import Question

MAX_OVERVIEW_CHARS = 600


def card_view(card: Card) -> CardView:
    """A card as events show it."""
    movie = card.candidate.movie
    return CardView(
        id=movie.movie_id,
        title=movie.title,
        year=movie.year,
        why=[reason.text for reason in card.reasons],
        facts=facts_of(movie),
        evidence=[
            CardEvidence(leg=e.leg, rank=e.rank, source=e.source) for e in card.candidate.evidence
        ],
    )


def facts_of(movie: Movie) -> Fact:
    """The catalogue facts of a movie."""
    return Fact(
        kind=movie.kind,
        genres=list(movie.genres),
        directors=list(movie.directors),
        cast=list(movie.cast[:6]),
        runtime_min=movie.runtime_min,
        language=movie.language,
        country=list(movie.country),
        certificate=movie.certificate,
        overview=movie.overview[:MAX_OVERVIEW_CHARS],
        moods=list(movie.moods),
        themes=list(movie.themes),
    )


def compose(state: TurnState, phrases: Phrases) -> str:
    """The whole prose of a turn, sentence by sentence."""
    parts = [
        *_spoken(state, phrases),
        *changes_said(state, phrases),
        *informed(state, phrases),
        *state["notes"],
        *_list(state, phrases),
    ]
    return " ".join(part for part in parts if part)


def pieces(text: str) -> Iterator[str]:
    """The text in sentences, each with the space that follows it."""
    start = 0
    for i, char in enumerate(text):
        if char in ".:?!" and text[i + 1 : i + 2] == " ":
            yield text[start : i + 2]
            start = i + 2
    if start < len(text):
        yield text[start:]


def question(clarify: Clarification, phrases: Phrases, pick: int) -> str:
    """The wording of a question."""
    return phrases.say(clarify.phrase, pick, **clarify.inputs)


def chips(state: TurnState) -> list[Option]:
    """Critiques worth tapping under a list: only those that can change it."""
    movies = [card.candidate.movie for card in state["cards"]]
    if len(movies) < 2:
        return []
    return [option for option in CRITIQUES if _applies(option, movies)][:MAX_CHIPS]


def _applies(option: Option, movies: list[Movie]) -> bool:
    if option.text in ("something shorter",):
        return any(m.runtime_min is not None and m.runtime_min > 95 for m in movies)
    if option.text == "something newer":
        return any(m.year is not None and m.year < 2010 for m in movies)
    if option.text == "something older":
        return all(m.year is not None and m.year > 1990 for m in movies)
    if option.text == "something lighter":
        return any(m.attributes.get("sadness", 0) >= 2 for m in movies)
    if option.text == "less violent":
        return any(m.attributes.get("violence", 0) >= 2 for m in movies)
    return True


# --- parts of the prose ---------------------------------------------------------------------------


def _pick(state: TurnState) -> int:
    """Varies the wording from turn to turn without chance."""
    return len(state["before"].shown) + len(state["turn"].message)


def _spoken(state: TurnState, phrases: Phrases) -> Iterator[str]:
    for name in state["decision"].say:
        if name == "about_me":
            labels = _labels(state)
            yield phrases.say("about_me" if labels else "about_me_empty", labels=labels)
        else:
            yield phrases.say(name, _pick(state))


def _labels(state: TurnState) -> str:
    return ", ".join(entry.label for entry in state["ledger"].entries)


def changes_said(state: TurnState, phrases: Phrases) -> Iterator[str]:
    """Say aloud what was let go or undone; what came in is said with the list."""
    decision, changes = state["decision"], state["changes"]
    ops = {edit.op for edit in decision.edits}
    if "clear" in ops:
        return
    if "undo" in ops:
        name = "nothing_to_undo" if not changes else "undone" if _labels(state) else "undone_empty"
        yield phrases.say(name, labels=_labels(state))
        return
    removed = [c.entry.label for c in changes if c.what == "removed"]
    replaced = [c.entry.label for c in changes if c.what == "replaced"]
    if removed:
        yield phrases.say("dropped", labels='", "'.join(removed))
    if replaced:
        yield phrases.say("replaced", labels='", "'.join(replaced))
    for kind, name in (("seen", "noted_seen"), ("disliked", "noted_disliked")):
        titles = [_title(c.entry.value) for c in changes if _came(c.what, c.entry.kind, kind)]
        if titles:
            yield phrases.say(name, titles=listed(titles))


def _came(what: str, kind: str, wanted: str) -> bool:
    return what == "added" and kind == wanted


def _title(value: str | Mapping[str, object]) -> str:
    return value if isinstance(value, str) else str(value["title"])


def informed(state: TurnState, phrases: Phrases) -> Iterator[str]:
    decision, heard = state["decision"], state["understanding"]
    if "explain" in decision.acts:
        yield from _why(state, phrases)
    if "inform" in decision.acts and heard.question is not None:
        movie = state["movies"].get(heard.question.movie_id or "")
        if movie is None:
            yield phrases.say("ask_which")
        else:
            yield answer(heard.question, movie, phrases, _pick(state))


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
        yield phrases.say("why_open", _pick(state), title=card["title"])
        yield f"{listed([_lower_first(w) for w in card['why']])}."


def answer(asked: Question, movie: Movie, phrases: Phrases, pick: int) -> str:
    """Answer a question from the catalogue only; what is not known is said to be unknown."""
    if asked.about == "other":
        return phrases.say("other", title=movie.title)
    if asked.about in ATTRIBUTES:
        return _graded_answer(asked, movie, phrases, pick)
    value = _field_value(asked, movie)
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


def _list(state: TurnState, phrases: Phrases) -> Iterator[str]:
    """Open the list and commend the first of it."""
    cards = state["cards"]
    if not cards:
        return
    opening = _opening(state, phrases)
    yield opening[:1].upper() + opening[1:]
    best = cards[0]
    if best.reasons:
        yield phrases.say(
            "top_pick",
            _pick(state),
            title=best.candidate.movie.title,
            reason=_lower_first(best.reasons[0].text),
        )


def _opening(state: TurnState, phrases: Phrases) -> str:
    decision, ledger, pick = state["decision"], state["ledger"], _pick(state)
    search = decision.search
    if search is not None and search.known_item:
        return phrases.say("list_known_item", pick)
    if search is not None and search.rewatch:
        return phrases.say("list_rewatch", pick)
    if not ledger.entries and not (search and search.text):
        return phrases.say("list_popular", pick)
    if any(edit.op == "undo" for edit in decision.edits):
        return phrases.say("list_plain", pick)
    if state["understanding"].more and not state["changes"]:
        return phrases.say("list_more", pick)
    seeds = [_title(e.value) for e in ledger.of("seed")]
    rest = [
        e.label for e in ledger.entries if e.kind not in ("seed", "seen", "not_now", "disliked")
    ]
    if rest:
        return phrases.say(
            "list_refined" if "refine" in decision.acts else "list_filters",
            pick,
            filters=", ".join([*(f"like {s}" for s in seeds[-2:]), *rest]),
        )
    if seeds:
        return phrases.say("list_seed", pick, seeds=listed(seeds[-3:]))
    return phrases.say("list_plain", pick)


def _lower_first(text: str) -> str:
    """Lower the first letter inside a sentence, unless the word is a name or an initial."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[:2] == "A " else text
