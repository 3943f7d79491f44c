"""What is said: prose over verified cards, answers from catalogue fields, questions and chips.

Knows which phrases of prompts/phrases.yaml answer which act. Does not know how cards were found.
Pure: the same turn always reads the same. Called by steps.py.
"""

from collections.abc import Iterator, Mapping

from agent.events import Card as CardView
from agent.events import CardEvidence, Fact
from agent.inform import about_me, informed, lower_first
from agent.policy import Clarification
from agent.query import unknowable_kinds
from agent.request_words import wanted
from agent.state import Card, TurnState, met_by
from prompts.loader import Phrases, listed
from retrieval.movie import Movie

MAX_OVERVIEW_CHARS = 600
EXPECTED = (
    *("runtime:", "occasion:", "genre:", "mood:", "theme:", "keyword:", "topic:"),
    *("director:", "actor:", "person:", "award:"),
)
"""What a reason rests on that only says that the wish was met."""
PLAIN = ("list_more",)
"""Openings after which nothing is commended: it was when the request was new."""
MET = 0.5
"""Share of the cards from which a list is called by a wish that only ranks."""
MANY = 2
"""Titles that are said one by one."""
FILMS_ONLY = ("seed", "seen", "not_now", "disliked")
"""Kinds of entries that name a film and no wish."""


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


# --- parts of the prose ---------------------------------------------------------------------------


def _pick(state: TurnState) -> int:
    """Varies the wording from turn to turn without chance."""
    return len(state["before"].shown) + len(state["turn"].message)


def _spoken(state: TurnState, phrases: Phrases) -> Iterator[str]:
    for name in state["decision"].say:
        if name == "about_me":
            yield about_me(state, phrases)
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
    for kind in ("seen", "disliked", "not_now"):
        titles = [_title(c.entry.value) for c in changes if _came(c.what, c.entry.kind, kind)]
        if len(titles) > MANY and kind == "seen":
            yield phrases.say("noted_seen_many", _pick(state), count=len(titles))
        elif titles:
            yield phrases.say(f"noted_{kind}", titles=listed(titles))


def _came(what: str, kind: str, wanted: str) -> bool:
    return what == "added" and kind == wanted


def _title(value: str | Mapping[str, object]) -> str:
    return value if isinstance(value, str) else str(value["title"])


def _list(state: TurnState, phrases: Phrases) -> Iterator[str]:
    """Open the list and commend the first of it; a film alone needs no opening."""
    cards = state["cards"]
    if not cards:
        return
    best, opening = cards[0], _opening(state)
    if len(cards) > 1:
        yield _upper_first(phrases.say(opening, _pick(state), **_of_request(state)))
    # What every card has, because it was asked for, sells none: said where nothing else is known.
    telling = [r for r in best.reasons if not r.rests_on.startswith(EXPECTED)] or best.reasons
    if telling and (len(cards) == 1 or opening not in PLAIN):
        yield phrases.say(
            "top_pick" if len(cards) > 1 else "only_pick",
            _pick(state),
            title=best.candidate.movie.title,
            reason=lower_first(telling[0].text),
        )


def _opening(state: TurnState) -> str:
    """The name of the phrase that a list is opened with."""
    decision, ledger = state["decision"], state["ledger"]
    search = decision.search
    if search is not None and search.known_item:
        return "list_known_item"
    if search is not None and search.rewatch:
        return "list_rewatch"
    if search is not None and search.surprise:
        return "list_surprise"
    if any(_came(c.what, c.entry.kind, "fame") for c in state["changes"]):
        return "list_little_known"
    if not ledger.entries and not (search and search.text):
        return "list_popular"
    if any(edit.op == "undo" for edit in decision.edits):
        return "list_plain"
    same_words = search is None or search.text == state["before"].query_text
    if state["before"].shown and not state["changes"] and same_words:
        return "list_more"
    if any(e.kind not in FILMS_ONLY for e in ledger.entries):
        return "list_refined" if "refine" in decision.acts else "list_filters"
    return "list_seed" if ledger.of("seed") else "list_plain"


def _of_request(state: TurnState) -> dict[str, str]:
    """What openings may name."""
    entries = state["ledger"].entries
    titles = [_title(e.value) for e in entries if e.kind == "seed"]
    unsayable = {"seen", "not_now", "disliked", *unknowable_kinds(state["tables"].known)}
    said = [e for e in entries if e.kind not in unsayable]
    asked = wanted([e for e in said if met_by(e, state["cards"]) >= MET])
    return {"wanted": asked, "seeds": listed(titles[-3:])}


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
