"""Deciding a turn: from what was understood to acts, ledger edits, a search and perhaps a question.

Knows the port Decider, its result type Decision, and the rules that need no model. Does not know
how a search runs or how an answer reads (steps.py, respond.py). The rules stay the floor: a model's
decision that fails validation falls back to them. Pure.
"""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from agent.events import Act
from agent.ledger import Entry, Ledger, LedgerEdit, movie_id_of
from agent.ledger_labels import parse_removal
from agent.policy import Clarification, clarification
from agent.router import takes_up
from agent.turn import DialogueState, Edit
from retrieval.audience import FOR_CHILDREN, NOT_ME
from retrieval.gloss import OTHER, READ
from retrieval.lexicon import Lexicon
from retrieval.movie import ATTRIBUTES, Movie, fold, number_of
from retrieval.understanding import Comparison, Mention, Understanding, Withdrawal
from retrieval.wording import GRADE_WORDS

if TYPE_CHECKING:
    from agent.model_turn import ModelTurn

ABOUT_FILMS = re.compile(r"\b(?:movie|film|flick|watch|see|series|show me|recommend|something)")
SURPRISE = re.compile(
    r"\bsurprise me\b|\byou (?:choose|pick|decide)\b|\bdealer'?s choice\b"
    r"|\b(?:something|anything|a film|a movie) (?:totally )?(?:random|unexpected)\b"
    r"|\brandom (?:movie|film|pick|one)\b"
)
WITH_MORE = re.compile(r"^\W*(?:and |but )?with (?!.*\binstead\b)")
"""Begins a message that adds to what was said: "with comedy" after "romance"."""
RESET_WORDS = 3
MAX_QUERY_CHARS = 300
"""Words of earlier turns kept beside the newest ones; the encoder reads about this much."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What a decider may look at."""

    message: str
    understanding: Understanding
    state: DialogueState
    movies: Mapping[str, Movie]
    """Every movie named or shown that the decision may need facts of."""
    edits: tuple[Edit, ...] = ()
    """Edits of ledger chips; when there are any, they are the whole message."""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier turns, oldest first: what the user said and what was answered."""
    lexicon: Lexicon | None = None
    """The catalogue's names, to check what a model names."""
    model: "ModelTurn | None" = None
    """What this turn may ask of models; rules ask nothing."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to search beyond the ledger: words, how many, and in which mode."""

    text: str = ""
    count: int | None = None
    known_item: bool = False
    rewatch: bool = False
    surprise: bool = False
    """They leave it to the agent: not what everybody would be shown first."""
    proposals: tuple[str, ...] = ()
    """As a model writes them, "Title (Year)"; rules propose none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the turn does. Several acts may go together."""

    acts: tuple[Act, ...]
    edits: tuple[LedgerEdit, ...] = ()
    search: SearchRequest | None = None
    clarify: Clarification | None = None
    say: tuple[str, ...] = ()
    """Names of phrases to answer with: greeting, thanks, out_of_scope, ..."""
    language: str = "en"
    """ISO 639-1 of the language to answer in; templates know English only."""
    look_up: bool = False
    """Whether a model may look facts up before it answers."""


class Decider(Protocol):
    """Rules or a model; same decision, same graph."""

    async def decide(self, context: DecisionContext) -> Decision:
        """Decide one turn."""
        ...


class RulesDecider:
    """The offline decider: everything follows from the understanding and the state."""

    async def decide(self, context: DecisionContext) -> Decision:
        """Decide one turn by rules."""
        return decide(context)


def decide(context: DecisionContext) -> Decision:
    """The rules, as a pure function."""
    heard, state = context.understanding, context.state
    if context.edits:
        return _edited(context)
    removed = _removed_by_text(context.message, state.ledger)
    if removed:
        return Decision(("refine",), removed, SearchRequest(state.query_text))
    if heard.reset and not heard.says_anything:
        return Decision(("clarify",), (LedgerEdit("clear"),), clarify=clarification("reset"))
    if heard.reset and _says_only_that(heard):
        anew = SearchRequest()  # its own words, "start over", describe no film
        return Decision(("refine",), (LedgerEdit("clear"),), anew, say=("clean_slate",))
    if heard.undo:
        past = state.ledger.past
        if not past:
            nothing = clarification("open")
            return Decision(("refine", "clarify"), (LedgerEdit("undo"),), clarify=nothing)
        # Back to an empty ledger, the words said with its entries count no more either.
        search = SearchRequest(state.query_text if past[-1] else "")
        return Decision(("refine",), (LedgerEdit("undo"),), search)
    edits = edits_of(context)
    spoken = _spoken(context)
    if spoken and heard.asks_list and spoken.acts == ("inform",):
        listed = _searching(context, edits)
        return replace(listed, acts=("inform", *listed.acts))
    return spoken or _searching(context, edits)


def _says_only_that(heard: Understanding) -> bool:
    """Whether "start over" is all: what is left of its own words describes no film."""
    told = heard.findings or heard.comparisons or heard.mentions or heard.known_item
    return not told and len(heard.query_text.split()) <= RESET_WORDS


def _edited(context: DecisionContext) -> Decision:
    """Chips: each names one entry; the ledger refuses unknown ones."""
    edits = tuple(
        LedgerEdit("withdraw" if e.op == "remove" else "revise", value=e.value, entry_id=e.entry_id)
        for e in context.edits
    )
    return Decision(("refine",), edits, SearchRequest(context.state.query_text))


def _removed_by_text(message: str, ledger: Ledger) -> tuple[LedgerEdit, ...]:
    labels = [label.lower() for label in parse_removal(message)]
    gone = [e for e in ledger.entries if e.label.lower() in labels]
    return tuple(LedgerEdit("withdraw", entry_id=e.id) for e in gone)


def _spoken(context: DecisionContext) -> Decision | None:
    """Turns that need no search: questions, why, small talk, out of scope."""
    heard, state = context.understanding, context.state
    edits = edits_of(context)
    wants_list = bool(heard.findings or heard.comparisons or heard.more or heard.same_director)
    if heard.why and not wants_list:
        return Decision(("explain",), edits)
    if heard.about_me:
        return Decision(("inform",), edits, say=("about_me",))
    unclear = heard.question is not None and heard.question.movie_id is None
    if heard.question is not None and not (unclear and (heard.findings or heard.out_of_scope)):
        return Decision(("inform",), edits)
    # "Translate this to Japanese" wants no Japanese film: a wish counts beside talk of films only.
    about_films = ABOUT_FILMS.search(context.message.lower())
    if heard.out_of_scope and not (wants_list and about_films):
        return Decision(("chat",), say=("out_of_scope",))
    # "I'll watch the second one" is the end of choosing, not an example to search by.
    chosen = "accept" in heard.small_talk and bool(state.shown)
    seeds = any(m.stance == "seed" for m in heard.mentions) and not chosen
    if heard.small_talk and not (wants_list or seeds or heard.withdrawals):
        return Decision(("chat",), edits, say=(heard.small_talk[0],))
    only_feedback = bool(heard.mentions) and not (wants_list or seeds or heard.query_text)
    if only_feedback and not state.shown:
        return Decision(("chat",), edits, say=("ask_anything_else",))
    named = wants_list or heard.mentions or heard.unsure or heard.withdrawals or heard.known_item
    if state.shown and not named and takes_up(heard, "asked" if state.pending else "recommended"):
        # No rule knows "ooh, that looks fun", and a search for its words would find nothing.
        return Decision(("chat",), edits, say=("accept",))
    return None


def _searching(context: DecisionContext, edits: tuple[LedgerEdit, ...]) -> Decision:
    """A list, a question about an unsure title, or an open question with something to look at."""
    heard, state = context.understanding, context.state
    under_way = bool(state.shown) and bool(state.ledger.entries or state.query_text)
    act: Act = "refine" if under_way and not heard.known_item else "search"
    if heard.unsure and not edits:
        asked = clarification("unsure", movie=heard.unsure[0])
        if asked.key not in state.asked:
            return Decision(("clarify",), edits, clarify=asked)
    search = SearchRequest(
        text=_text(context),
        count=heard.count,
        known_item=heard.known_item,
        rewatch=heard.rewatch,
        surprise=bool(SURPRISE.search(context.message.lower())),
    )
    if search.surprise:
        return Decision((act,), edits, search, say=_language_note(context))
    told = bool(edits or heard.says_anything or heard.more or heard.rewatch or heard.withdrawals)
    say = _language_note(context)
    if told or state.ledger.entries:
        return Decision((act,), edits, search, say=say)
    if state.pending or "open" in state.asked:
        # Never ask twice in a row without new information: show what is loved instead.
        return Decision((act,), edits, search, say=say)
    return Decision(("clarify", act), edits, search, clarify=clarification("open"), say=say)


def _language_note(context: DecisionContext) -> tuple[str, ...]:
    """Once in a conversation, in their own language: understood, but answered in English."""
    heard, state = context.understanding, context.state
    if heard.language == OTHER:
        return ("foreign",)
    first = not (state.shown or state.ledger.entries or state.asked)
    return (f"answered_in_english_{heard.language}",) if first and heard.language in READ else ()


def _text(context: DecisionContext) -> str:
    """The words to search by: the newest, with earlier ones while they refine the same request."""
    heard, state = context.understanding, context.state
    anew = heard.known_item or heard.reset or heard.for_me
    if heard.more and state.shown and not heard.findings:
        return state.query_text  # "another one" describes no film
    if anew or not state.shown or not state.query_text:
        return heard.query_text or ("" if anew else state.query_text)
    return f"{state.query_text} {heard.query_text}".strip()[-MAX_QUERY_CHARS:]


# --- ledger edits ---------------------------------------------------------------------------------


def edits_of(context: DecisionContext) -> tuple[LedgerEdit, ...]:
    """Everything an utterance changes in the ledger: withdrawals first, then news."""
    heard, ledger = context.understanding, context.state.ledger
    if heard.reset:  # "start over: a western"
        return (LedgerEdit("clear"), *_added(context))
    edits: list[LedgerEdit] = _own_taste_again(ledger) if heard.for_me else []
    for withdrawal in heard.withdrawals:
        edits += _withdrawn(ledger, withdrawal)
    return (*edits, *_added(context))


def _added(context: DecisionContext) -> tuple[LedgerEdit, ...]:
    """What an utterance brings: films, wishes, bounds from comparisons."""
    heard, ledger = context.understanding, context.state.ledger
    edits: list[LedgerEdit] = []
    for mention in heard.mentions:
        edit = _mentioned(mention)
        edits += [edit] if edit else []
    edits += _same_director(context) if heard.same_director else []
    # "No horror tonight. I love horror, though": what they ask for beats what they like.
    barred = {(f.kind, str(f.value)) for f in heard.findings if f.polarity == "avoid"}
    for finding in heard.findings:
        if not finding.hard and (finding.kind, str(finding.value)) in barred:
            continue
        if finding.value == FOR_CHILDREN and _asked_already(ledger):
            continue
        edits.append(
            LedgerEdit(
                "add",
                kind=finding.kind,
                value=finding.value,
                polarity=finding.polarity,
                hard=finding.hard,
                loose=finding.loose,
                joins=heard.additive or bool(WITH_MORE.match(context.message.lower())),
            )
        )
    for comparison in heard.comparisons:
        edit = bound_of(comparison, context.state.last_shown, context.movies)
        edits += [edit] if edit else []
        edits += _outgrown(comparison, ledger)
    return tuple(edits)


def _asked_already(ledger: Ledger) -> bool:
    """Whether one of the genres that a child's age asks for was asked for before."""
    wanted = {str(e.value) for e in ledger.of("genre", polarity="want") if e.hard}
    return bool(wanted & set(FOR_CHILDREN.split(" or ")))


def _same_director(context: DecisionContext) -> list[LedgerEdit]:
    """Ask for the films of whoever directed the film that is named, or else the one in view."""
    named = [m.movie_id for m in context.understanding.mentions]
    state = context.state
    seeds = [m for e in state.ledger.of("seed") if (m := movie_id_of(e))]
    # What "it" is by being first on a list is not what they talk about.
    spoken_of = state.in_focus if state.in_focus not in state.last_shown[:1] else None
    about = [*named, *filter(None, (spoken_of,)), *seeds[-1:], *filter(None, (state.in_focus,))]
    movie = context.movies.get(about[0]) if about else None
    if movie is None or not movie.directors:
        return []
    return [LedgerEdit("add", kind="director", value=" or ".join(movie.directors))]


def _own_taste_again(ledger: Ledger) -> list[LedgerEdit]:
    """Lay aside what was said of somebody else's taste: "and now one for me"."""
    entries = list(ledger.entries)
    start = next((n for n, e in enumerate(entries) if str(e.value).endswith(NOT_ME)), None)
    if start is None:
        return []
    turn = entries[start].source_turn
    theirs = [e for n, e in enumerate(entries) if n >= start or e.source_turn == turn]
    return [LedgerEdit("withdraw", entry_id=e.id) for e in theirs]


def _outgrown(comparison: Comparison, ledger: Ledger) -> list[LedgerEdit]:
    """Withdraw the wish for "scary" when "less scary" is said."""
    wanted = ledger.of("mood", polarity="want") if comparison.direction < 0 else ()
    grade = (comparison.what, 1)
    outgrown = [e for e in wanted if GRADE_WORDS.get(str(e.value)) == grade]
    return [LedgerEdit("withdraw", entry_id=e.id) for e in outgrown]


def _withdrawn(ledger: Ledger, withdrawal: Withdrawal) -> list[LedgerEdit]:
    entries = _matching(ledger, withdrawal)
    if withdrawal.kind == "companion":
        entries += [e for e in ledger.entries if any(_came_with(e, who) for who in entries)]
    if withdrawal.newest:
        last = [e for e in entries if e.polarity == "want"][-1:]
        return [LedgerEdit("withdraw", entry_id=e.id) for e in last]
    if not withdrawal.barred:
        return [LedgerEdit("withdraw", entry_id=e.id) for e in entries]
    wanted = [e for e in entries if e.polarity == "want"][-1:]
    return [LedgerEdit("add", kind=e.kind, value=e.value, polarity="avoid") for e in wanted]


def _came_with(entry: Entry, companion: Entry) -> bool:
    """Whether an entry only follows from who watches: what children must not see."""
    same_turn = entry.source_turn == companion.source_turn
    barred = entry.polarity == "avoid" and entry.kind in ("certificate", "attribute")
    return same_turn and (barred or entry.value == FOR_CHILDREN)


def _matching(ledger: Ledger, withdrawal: Withdrawal) -> list[Entry]:
    kinds = {"person": ("person", "actor", "director")}.get(withdrawal.kind, (withdrawal.kind,))
    entries = ledger.of(*kinds)
    if withdrawal.value is None:
        return list(entries)
    wanted = fold(withdrawal.value)
    return [e for e in entries if wanted in fold(str(_plain(e)))]


def _plain(entry: Entry) -> Any:
    return entry.value if isinstance(entry.value, str) else entry.value.get("title", "")


def _mentioned(mention: Mention) -> LedgerEdit | None:
    kinds: Mapping[str, Literal["seed", "seen", "disliked", "not_now"]] = {
        "seed": "seed",
        "seen": "seen",
        "disliked": "disliked",
        "not_now": "not_now",
    }
    if mention.stance not in kinds:
        return None
    value: dict[str, Any] = {
        "movie_id": mention.movie_id,
        "title": mention.title,
        "year": mention.year,
    }
    value |= {"also": list(mention.also)} if mention.also else {}
    wanted = mention.stance == "seed"
    return LedgerEdit(
        "add",
        kind=kinds[mention.stance],
        value=value,
        polarity="want" if wanted else "avoid",
        hard=not wanted,
    )


def bound_of(
    comparison: Comparison, shown: Sequence[str], movies: Mapping[str, Movie]
) -> LedgerEdit | None:
    """Make "shorter" a bound from the anchor's value, or from the middle of the list shown last."""
    anchors = [comparison.anchor] if comparison.anchor else list(shown)
    what: Any = comparison.what
    values = [v for a in anchors if a in movies and (v := number_of(movies[a], what)) is not None]
    if not values:
        return _graded(comparison) if what in ATTRIBUTES else None
    bound = round(statistics.median(values)) + comparison.direction
    if what in ATTRIBUTES:
        if not 0 <= bound <= 3:
            bound = max(0, min(3, bound))
        return _attribute_bound(comparison, bound)
    value = {"min": bound} if comparison.direction > 0 else {"max": bound}
    return LedgerEdit("add", kind=what, value=value, loose=comparison.anchor is None)


def _graded(comparison: Comparison) -> LedgerEdit:
    """Bound without an anchor: "less violent" bars the clearly violent, "scarier" asks for some."""
    return _attribute_bound(comparison, 2 if comparison.direction > 0 else 1)


def _attribute_bound(comparison: Comparison, bound: int) -> LedgerEdit:
    loose = comparison.anchor is None
    if comparison.direction > 0:
        value = {"name": comparison.what, "min": bound}
        return LedgerEdit("add", kind="attribute", value=value, loose=loose)
    value = {"name": comparison.what, "min": bound + 1}
    return LedgerEdit("add", kind="attribute", value=value, polarity="avoid", loose=loose)
