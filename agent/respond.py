"""What is said: prose over verified cards, answers from catalogue fields, questions and chips.

Knows which phrases of prompts/phrases.yaml answer which act. Does not know how cards were found.
Pure: the same turn always reads the same. Called by steps.py.
"""

from collections.abc import Iterator, Mapping

from agent.events import Card as CardView
from agent.events import CardEvidence, Fact
from agent.inform import about_me, informed, lower_first
from agent.policy import Clarification
from agent.state import Card, TurnState
from prompts.loader import Phrases, listed
from retrieval.movie import Movie

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
    for kind, name in (("seen", "noted_seen"), ("disliked", "noted_disliked")):
        titles = [_title(c.entry.value) for c in changes if _came(c.what, c.entry.kind, kind)]
        if titles:
            yield phrases.say(name, titles=listed(titles))


def _came(what: str, kind: str, wanted: str) -> bool:
    return what == "added" and kind == wanted


def _title(value: str | Mapping[str, object]) -> str:
    return value if isinstance(value, str) else str(value["title"])


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
            reason=lower_first(best.reasons[0].text),
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
