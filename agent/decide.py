"""The offline decider: from what was understood to acts, ledger edits, a search, a question.

Knows the rules that need no model. Does not know how a search runs or how an answer reads
(steps.py, respond.py). The rules stay the floor: a model's decision that fails validation falls
back to them. Pure.
"""

import re
from dataclasses import replace

from agent.decision import Decision, DecisionContext, SearchRequest
from agent.events import Act
from agent.ledger import Entry, Ledger, LedgerEdit
from agent.ledger_edits import edits_of
from agent.ledger_labels import parse_removal
from agent.policy import clarification
from agent.router import takes_up
from retrieval.nlu.gloss import OTHER, READ
from retrieval.understanding import Understanding

ABOUT_FILMS = re.compile(r"\b(?:movie|film|flick|watch|see|series|show me|recommend|something)")
SURPRISE = re.compile(
    r"\bsurprise me\b|(?<!would )(?<!do )\byou (?:choose|pick|decide)\b|\bdealer'?s choice\b"
    r"|\b(?:something|anything|a film|a movie) (?:totally )?(?:random|unexpected)\b"
    r"|\brandom (?:movie|film|pick|one)\b"
)
ANOTHER_ONE = re.compile(r"\banother(?: one)?\W*(?:please)?\W*$")
RESET_WORDS = 3
MAX_QUERY_CHARS = 300
"""Words of earlier turns kept beside the newest ones; the encoder reads about this much."""


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
    if heard.reset and _says_only_that(heard):
        anew = SearchRequest()  # its own words, "start over", describe no film
        return Decision(("refine",), (LedgerEdit("clear"),), anew, say=("clean_slate",))
    if heard.reset and not heard.says_anything:
        return Decision(("clarify",), (LedgerEdit("clear"),), clarify=clarification("reset"))
    if heard.undo and not heard.findings:
        past = state.ledger.past
        if not past:
            nothing = clarification("open")
            return Decision(("refine", "clarify"), (LedgerEdit("undo"),), clarify=nothing)
        newest = _newest_of_several(state.ledger) if heard.undo_one else None
        if newest:
            gone = LedgerEdit("withdraw", entry_id=newest.id)
            return Decision(("refine",), (gone,), SearchRequest(state.query_text))
        # Back to an empty ledger, the words said with its entries count no more either.
        search = SearchRequest(state.query_text if past[-1] else "")
        return Decision(("refine",), (LedgerEdit("undo"),), search)
    edits = edits_of(context)
    if heard.undo and state.ledger.past:  # "scratch that, live action please"
        edits = (LedgerEdit("undo"), *edits)
    spoken = _spoken(context)
    if spoken and heard.asks_list and spoken.acts == ("inform",):
        listed = _searching(context, edits)
        return replace(listed, acts=("inform", *listed.acts))
    return spoken or _searching(context, edits)


def _newest_of_several(ledger: Ledger) -> Entry | None:
    """The last wish of a turn that only brought wishes, and more than one."""
    before = ledger.past[-1] if ledger.past else ()
    brought = [e for e in ledger.entries if e not in before]
    took_none = all(e in ledger.entries for e in before)
    return brought[-1] if took_none and len(brought) > 1 else None


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
    if heard.of_list:
        return Decision(("inform",))
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
        count=heard.count or _one_again(context),
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


def _one_again(context: DecisionContext) -> int | None:
    """One film, where one was shown and "another one" is asked for."""
    single = len(context.state.last_shown) == 1
    return 1 if single and ANOTHER_ONE.search(context.message.lower()) else None


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
