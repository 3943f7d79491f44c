"""What an utterance changes in the ledger: wishes, films, bounds worked out from comparisons.

Knows what is withdrawn with what, and how "shorter" becomes a number. Does not know which act the
turn takes (decide.py, which calls this), nor what the ledger does with an edit. Pure.
"""

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agent.decision import DecisionContext
from agent.ledger import Entry, Ledger, LedgerEdit, Value, movie_id_of
from retrieval.movie import ATTRIBUTES, Movie, fold, number_of
from retrieval.nlu.audience import FOR_CHILDREN, NOT_ME
from retrieval.nlu.wording import GRADE_WORDS
from retrieval.understanding import Comparison, Finding, Mention, Withdrawal

PLAYERS = frozenset({"person", "actor"})
"""Kinds of which another one takes the place; who directs and who plays are asked for together."""
EITHER = frozenset({"genre", "language", "country", "actor", "director", "person"})
"""Kinds of which "or" makes a choice with what was asked for before."""
OR_ELSE = re.compile(r"^\W*(?:or|else)\b(?! else)")
WITH_MORE = re.compile(r"^\W*(?:and |but )?with (?!.*\binstead\b)")
"""Begins a message that adds to what was said: "with comedy" after "romance"."""


def edits_of(context: DecisionContext) -> tuple[LedgerEdit, ...]:
    """Everything an utterance changes in the ledger: withdrawals first, then news."""
    heard, ledger = context.understanding, context.state.ledger
    if heard.reset:  # "start over: a western"
        return (LedgerEdit("clear"), *_added(context))
    edits: list[LedgerEdit] = _own_taste_again(ledger) if heard.for_me else []
    for withdrawal in heard.withdrawals:
        edits += _withdrawn(ledger, withdrawal)
    if heard.turns_to_person:
        edits += _people_before(ledger, heard.findings)
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
                value=_or_else(finding, context),
                polarity=finding.polarity,
                hard=finding.hard,
                loose=finding.loose and not _insisted_on(finding, context),
                joins=heard.additive or bool(WITH_MORE.match(context.message.lower())),
            )
        )
    for comparison in heard.comparisons:
        if any(_tells(finding, comparison) for finding in heard.findings):
            continue
        edit = bound_of(comparison, context.state.last_shown, context.movies)
        edits += [edit] if edit else []
        edits += _outgrown(comparison, ledger)
    return tuple(edits)


def _or_else(finding: Finding, context: DecisionContext) -> Any:
    """The value, beside the one before where it is only an alternative: "or French"."""
    wished = context.state.ledger.of(finding.kind, polarity="want")
    if finding.polarity != "want" or not wished:
        return finding.value
    also = context.understanding.additive
    or_else = bool(OR_ELSE.match(context.message.lower()))
    if finding.kind == "year" and (also or or_else):
        return _both_spans(wished[-1].value, finding.value)
    # "Also in French": a film has one language, so that is a choice as well.
    if finding.kind not in EITHER or not (or_else or (also and finding.kind == "language")):
        return finding.value
    values = [*str(wished[-1].value).split(" or "), *str(finding.value).split(" or ")]
    return " or ".join(dict.fromkeys(values))


def _both_spans(before: Value, said: Value) -> Value:
    """The eighties "and the seventies too": one span, where nothing lies between the two."""
    if isinstance(before, str) or isinstance(said, str):
        return said
    if not {"min", "max"} <= set(before) & set(said):
        return said
    (low, high), (new_low, new_high) = ((int(s["min"]), int(s["max"])) for s in (before, said))
    apart = new_low > high + 1 or low > new_high + 1
    return said if apart else {"min": min(low, new_low), "max": max(high, new_high)}


def _insisted_on(finding: Finding, context: DecisionContext) -> bool:
    """Whether they say again what gave way before: then it is no mere reading of a word."""
    return (finding.kind, str(finding.value)) in context.state.let_go


def _tells(finding: Finding, comparison: Comparison) -> bool:
    """Whether a comparative is spelt out: "older, like from the 60s"."""
    value = finding.value
    if isinstance(value, str) or value.get("name", finding.kind) != comparison.what:
        return False
    bound = "min" if comparison.direction > 0 else "max"
    return comparison.anchor is None or bound in value


def _people_before(ledger: Ledger, findings: Sequence[Finding]) -> list[LedgerEdit]:
    """Let go of whoever was asked for before: "with Al Pacino", then "Tom Hanks movies?"."""
    asked = {f.kind for f in findings if f.polarity == "want" and f.hard} & PLAYERS
    before = ledger.of(*PLAYERS, polarity="want") if asked else ()
    return [LedgerEdit("withdraw", entry_id=e.id) for e in before if e.hard]


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
    same = {"person": ("person", "actor", "director"), "seed": ("seed", "not_now")}
    kinds = same.get(withdrawal.kind, (withdrawal.kind,))
    if withdrawal.value is None:
        return list(ledger.of(withdrawal.kind) if withdrawal.kind == "seed" else ledger.of(*kinds))
    entries = ledger.of(*kinds)
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
