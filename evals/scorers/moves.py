"""Did the agent do the right thing at the right time? Acts, questions, undo, refinement, recovery.

Knows the labels of a turn, and how a question, an undo and a comparison look in the words of a
transcript without labels. Does not know how the agent decides. Pure; listed in all.py.
"""

import re
from collections.abc import Iterator, Sequence

from agent.events import LedgerEntryView
from evals.dialogues.expected import Compared
from evals.dialogues.scores import Scorer, Spot
from evals.dialogues.transcript import PlayedTurn
from evals.scorers.case import Case, Rule, Verdict, at, counted, faultless, faults, share, shared
from retrieval.movie import Movie, RangeField, fold, number_of

_ASKS = re.compile(r"\?\s*[\"')\]]*\s*$")
_UNDO = re.compile(
    r"^\W*(?:undo|revert|go back)\b|\bundo (?:that|this|it)\b|\bscratch that\b|\btake that back\b",
    re.IGNORECASE,
)
_NOT_A_LIST = re.compile(r"\b(?:than|like|not)\b", re.IGNORECASE)
"""Then the comparison is with a film that is named, or is no wish."""
_COMPARATIVES: tuple[tuple[str, RangeField, str], ...] = (
    ("newer|more recent|more modern", "year", "more"),
    ("older", "year", "less"),
    ("shorter", "runtime", "less"),
    ("longer", "runtime", "more"),
    ("less violen(?:t|ce)", "violence", "less"),
    ("more violen(?:t|ce)", "violence", "more"),
    ("less scary", "scariness", "less"),
    ("scarier|more scary", "scariness", "more"),
    ("less sad|happier", "sadness", "less"),
    ("funnier|more humou?r", "humour", "more"),
    ("more romantic", "romance", "more"),
    ("slower", "pace", "less"),
    ("faster", "pace", "more"),
)
_COMPARED = [
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), what, side)
    for words, what, side in _COMPARATIVES
]
_GRADES = (0, 3)
"""Attributes can be no less and no more; years and minutes have no such end."""


# --- labels ---------------------------------------------------------------------------------------


def act_accuracy(case: Case) -> Verdict | None:
    """Share of labelled turns on which the agent did what was expected."""
    spots: list[Spot] = []
    labelled = 0
    for number, turn, label in case.labelled:
        if turn.acts is None or not (label.acts or label.acts_any):
            continue
        labelled += 1
        did = set(turn.acts)
        if not did.issuperset(label.acts) or (label.acts_any and not did & set(label.acts_any)):
            wanted = ", ".join((*label.acts, *label.acts_any))
            spots.append(at(number, f"wanted {wanted}, did {', '.join(turn.acts) or 'nothing'}"))
    return faultless(spots, labelled)


def cards_as_expected(case: Case) -> Verdict | None:
    """Share of labelled turns with a list where one was wanted, and none where none was."""
    spots: list[Spot] = []
    labelled = 0
    for number, turn, label in case.labelled:
        if label.cards == "any" or turn.shown is None:
            continue
        labelled += 1
        if (label.cards == "some") != bool(turn.cards):
            spots.append(at(number, f"wanted {label.cards}, {len(turn.cards)} cards were shown"))
    return faultless(spots, labelled)


def answers(case: Case) -> Verdict | None:
    """Share of the facts asked for that stand in the answer."""
    spots: list[Spot] = []
    wanted = 0
    for number, turn, label in case.labelled:
        wanted += len(label.says)
        for fact in label.says:
            if not re.search(rf"\b{re.escape(fact)}\b", turn.prose, re.IGNORECASE):
                spots.append(at(number, f"{fact!r} is not in {turn.prose!r}"))
    return faultless(spots, wanted)


def ledger_accuracy(case: Case) -> Verdict | None:
    """Share of the labelled entries that the ledger has, and of those gone that it lacks."""
    spots: list[Spot] = []
    looked_at = 0
    for number, turn, label in case.labelled:
        if turn.ledger is None:
            continue
        views = turn.ledger
        looked_at += len(label.ledger_has) + len(label.ledger_lacks)
        for line in label.ledger_has:
            if not any(line.matches(view) for view in views):
                spots.append(at(number, f"has no {line!r}"))
        for line in label.ledger_lacks:
            if any(line.matches(view) for view in views):
                spots.append(at(number, f"still has {line!r}"))
    return faultless(spots, looked_at)


# --- questions ------------------------------------------------------------------------------------


def question_of(turn: PlayedTurn) -> str | None:
    """What the agent asked: the event, or prose that ends with a question mark."""
    if turn.question is not None:
        return turn.question.question
    if turn.events is None and _ASKS.search(turn.prose):
        return re.split(r"(?<=[.!?])\s+", turn.prose.strip())[-1]
    return None


def question_accuracy(case: Case) -> Verdict | None:
    """Share of labelled turns on which it asked where it should, and did not where not."""
    needless, missing = needless_questions(case), missing_questions(case)
    found = [verdict for verdict in (needless, missing) if verdict]
    spots = [spot for verdict in found for spot in verdict.spots]
    return faultless(spots, sum(verdict.of or 0 for verdict in found))


def needless_questions(case: Case) -> Verdict | None:
    """Questions where the message said enough."""
    clear = [(n, turn) for n, turn, label in case.labelled if label.asks is False]
    asked = (at(n, question_of(turn) or "") for n, turn in clear if question_of(turn))
    return faults(asked, len(clear)) if clear else None


def missing_questions(case: Case) -> Verdict | None:
    """Vague messages on which nothing was asked."""
    vague = [(n, turn) for n, turn, label in case.labelled if label.asks]
    silent = (at(n, f"no question on {turn.user!r}") for n, turn in vague if not question_of(turn))
    return faults(silent, len(vague)) if vague else None


def same_question(case: Case) -> Verdict | None:
    """Questions asked again though the user said something new in between."""
    spots: list[Spot] = []
    asked: list[tuple[str, tuple[str, ...]]] = []
    for number, turn in case.turns:
        question = question_of(turn)
        if question is None:
            continue
        options = tuple(option.text for option in turn.question.options) if turn.question else ()
        if (fold(question), options) in asked:
            spots.append(at(number, f"asked again: {question}"))
        asked.append((fold(question), options))
    return faults(spots, len(asked)) if case.turns else None


def questions_in_a_row(case: Case) -> Verdict | None:
    """The longest run of turns that ended with a question."""
    longest = run = 0
    end = 0
    for number, turn in case.turns:
        run = run + 1 if question_of(turn) else 0
        if run > longest:
            longest, end = run, number
    spots = (at(end, f"the last of {longest} questions in a row"),) if longest > 1 else ()
    return Verdict(float(longest), spots, len(case.turns)) if case.turns else None


# --- changes of mind ------------------------------------------------------------------------------


def undo(case: Case) -> Verdict | None:
    """Share of undone turns after which the ledger is what it was before the last change."""
    spots: list[Spot] = []
    undone = 0
    history: list[set[str]] = []
    for number, turn in case.turns:
        if turn.ledger is None or turn.ledger_before is None:
            return None
        before, after = _entries(turn.ledger_before), _entries(turn.ledger)
        if _takes_back(turn) and history:
            undone += 1
            wanted = history.pop()
            if after != wanted:
                spots.append(at(number, f"{sorted(after)} instead of {sorted(wanted)}"))
        elif before != after:
            history.append(before)
    return faultless(spots, undone)


def _takes_back(turn: PlayedTurn) -> bool:
    return turn.expected.undoes if turn.expected and turn.expected.undoes else _undo_said(turn.user)


def _undo_said(text: str) -> bool:
    return bool(_UNDO.search(text))


def _entries(views: Sequence[LedgerEntryView]) -> set[str]:
    return {f"{view.polarity} {view.kind} {view.value}" for view in views}


def refinement(case: Case) -> Verdict | None:
    """Share of comparisons ("newer", "shorter") after which the list moved the right way."""
    good = 0
    spots: list[Spot] = []
    before: list[Movie] = []
    for number, turn in case.turns:
        movies = case.movies(turn)
        for compared in _comparisons(turn) if before and movies else ():
            moved = _moved(before, movies, compared)
            good += moved is True
            if moved is False:
                spots.append(
                    at(number, f"not {compared.side} {compared.what} than the list before")
                )
        before = movies or before
    return share(good, good + len(spots), spots)


def _comparisons(turn: PlayedTurn) -> Iterator[Compared]:
    if turn.expected and turn.expected.compared:
        yield from turn.expected.compared
    elif not _NOT_A_LIST.search(turn.user):
        for pattern, what, side in _COMPARED:
            if pattern.search(turn.user):
                yield Compared.model_validate({"what": what, "side": side})


def _moved(before: list[Movie], after: list[Movie], compared: Compared) -> bool | None:
    """None where the records do not tell."""
    old = [value for m in before if (value := number_of(m, compared.what)) is not None]
    new = [value for m in after if (value := number_of(m, compared.what)) is not None]
    if not old or not new:
        return None
    step = sum(new) / len(new) - sum(old) / len(old)
    if compared.side == "less":
        step = -step
    graded = compared.what not in ("year", "runtime")
    at_the_end = graded and set(new) == {_GRADES[compared.side == "more"]}
    return step > 0 or at_the_end


# --- after a fault --------------------------------------------------------------------------------


def recovery(case: Case) -> Verdict | None:
    """Share of turns after one that failed or was refused that went well, the ledger kept."""
    spots: list[Spot] = []
    after_fault = 0
    for (_, failed), (number, turn) in zip(case.turns, case.turns[1:], strict=False):
        if failed.error is None and failed.status not in ("failed", "refused", "cancelled"):
            continue
        after_fault += 1
        answered = bool(turn.prose or turn.cards or turn.question)
        lost = _lost(failed.ledger_before, turn.ledger_before)
        if turn.error is not None or turn.status not in (None, "completed") or not answered or lost:
            why = f"lost {sorted(lost)}" if lost else "no answer"
            spots.append(
                at(number, f"{why} after {failed.error.code if failed.error else 'fault'}")
            )
    return faultless(spots, after_fault)


def _lost(
    before: Sequence[LedgerEntryView] | None, after: Sequence[LedgerEntryView] | None
) -> set[str]:
    return _entries(before or ()) - _entries(after or ()) if after is not None else set()


RULES = (
    Rule(shared("act_accuracy"), act_accuracy),
    Rule(shared("cards_as_expected"), cards_as_expected),
    Rule(shared("answer_accuracy"), answers),
    Rule(shared("ledger_accuracy"), ledger_accuracy),
    Rule(shared("question_accuracy"), question_accuracy),
    Rule(counted("needless_questions"), needless_questions),
    Rule(counted("missing_questions"), missing_questions),
    Rule(counted("same_question_again"), same_question),
    Rule(
        Scorer(name="questions_in_a_row", version=1, unit="turns", direction="lower"),
        questions_in_a_row,
    ),
    Rule(shared("undo_correctness"), undo),
    Rule(shared("refinement"), refinement, needs_catalogue=True),
    Rule(shared("recovery"), recovery),
)
