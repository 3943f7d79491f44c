"""Deciding a turn with a model: one structured call, checked and joined to what the rules heard.

Knows what the model is told, which messages need no model, and how a Plan and the rules' Decision
become one Decision. Does not know providers, retries or budgets (model_turn.py). The rules stay the
floor: their edits always count, and when no model gives a usable plan, theirs is the decision.
"""

from dataclasses import dataclass, replace
from typing import Any

from agent.decide import decide
from agent.decision import Decision, DecisionContext, SearchRequest
from agent.events import Act, Option
from agent.film_guard import FilmGuard
from agent.ledger import LedgerEdit
from agent.model import ModelFailure
from agent.model_turn import Models
from agent.plan import Plan
from agent.plan_edits import believed_edits, with_free_topics
from agent.policy import Clarification
from prompts.loader import PROMPTS, load_prompt
from retrieval.nlu.lexicon import Lexicon

HISTORY_TURNS = 10
HISTORY_CHARS = 160
"""Of each side of a turn: its wishes are in the ledger; this is for "it" and "the other"."""
MAX_OPTION_CHARS = 40
MAX_LABELS = 40


@dataclass(frozen=True)
class ModelDecider:
    """Decides with models where that helps; the assistant lends its `models` to other steps."""

    models: Models

    async def decide(self, context: DecisionContext) -> Decision:
        """Decide one turn."""
        ruled = decide(context)
        turn = context.model
        if turn is None or context.lexicon is None or _is_exact(context, ruled):
            return ruled
        try:
            messages = turn.asked("decide", **told(context, ruled))
            plan, _ = await turn.structured("decide", messages, Plan)
        except ModelFailure as failure:
            turn.note(f"decide: rules instead ({failure.kind})")
            return ruled
        return joined(plan, ruled, context)


def told(context: DecisionContext, ruled: Decision) -> dict[str, Any]:
    """The inputs of the prompt `decide`."""
    state = context.state
    shown = [context.movies[m].label() for m in state.last_shown if m in context.movies]
    return {
        "message": context.message,
        "history": history_of(context.history),
        "ledger": [{"id": e.id, "wish": e.label} for e in state.ledger.entries[-MAX_LABELS:]],
        "shown": [label[:80] for label in shown],
        "heard": [heard for edit in ruled.edits if (heard := _heard(edit))],
    }


def history_of(history: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """The last turns, shortened."""
    return [
        {"user": said[:HISTORY_CHARS], "usher": answer[:HISTORY_CHARS]}
        for said, answer in history[-HISTORY_TURNS:]
    ]


def _heard(edit: LedgerEdit) -> str:
    if edit.op != "add":
        return ""
    value = edit.value if isinstance(edit.value, str) else dict(edit.value or {})
    if isinstance(value, dict):
        value = str(value.get("title") or value)
    return f"{edit.polarity} {edit.kind} {value}"[:80]


def _is_exact(context: DecisionContext, ruled: Decision) -> bool:
    """Whether there is nothing to interpret: chips, "remove ...", undo and a fresh start."""
    heard = context.understanding
    by_text = any(edit.op == "withdraw" for edit in ruled.edits) and not heard.withdrawals
    removed = by_text and context.message.strip().lower().startswith("remove ")
    return bool(context.edits) or removed or heard.undo or heard.reset


# --- joining --------------------------------------------------------------------------------------


def joined(plan: Plan, ruled: Decision, context: DecisionContext) -> Decision:
    """The rules' decision with what the model adds."""
    assert context.lexicon is not None
    heard = with_free_topics(ruled.edits)
    believed = believed_edits(plan, context.message, context.state.ledger, heard, context.lexicon)
    if believed.refused and context.model is not None:
        context.model.note(f"decide: {believed.refused} edits refused", degrades=False)
    edits = (*heard, *believed.edits)
    search = _search(plan, ruled, context)
    clarify = _question(plan, ruled, context, told_news=bool(edits))
    acts = _acts(plan, ruled, context, search, clarify)
    return Decision(
        acts,
        edits,
        search,
        clarify,
        say=_say(plan, ruled, acts),
        language=plan.language,
        look_up=plan.look_up and "chat" not in acts,
    )


def _search(plan: Plan, ruled: Decision, context: DecisionContext) -> SearchRequest | None:
    """A search when either wants one, unless the rules are sure that the turn needs none."""
    heard = context.understanding
    only_words = ruled.search is None and bool(heard.why or heard.about_me or heard.out_of_scope)
    wanted = plan.wants_list or bool({"search", "refine"} & set(plan.acts))
    if only_words or not (wanted or (ruled.search and _rules_are_sure(context))):
        return None
    request = ruled.search or SearchRequest(context.state.query_text)
    return replace(
        request,
        text=plan.query if plan.query and not request.known_item else request.text,
        proposals=tuple(dict.fromkeys(t.strip()[:120] for t in plan.titles if t.strip())),
    )


def _rules_are_sure(context: DecisionContext) -> bool:
    """Whether the rules heard a plain request; otherwise a list was only their last resort."""
    heard = context.understanding
    return bool(heard.findings or heard.comparisons or heard.more or heard.known_item)


def _question(
    plan: Plan, ruled: Decision, context: DecisionContext, told_news: bool
) -> Clarification | None:
    """The model's question, never twice in a row without news; "did you mean" comes from rules."""
    if ruled.clarify is not None and ruled.clarify.key.startswith("unsure:"):
        return ruled.clarify
    question = " ".join(plan.question.split())
    if not question or (context.state.pending and not told_news):
        return None
    guard = FilmGuard(
        list(context.movies.values()),
        [entry.label for entry in context.state.ledger.entries],
        context.lexicon or Lexicon(),
        [load_prompt(name).text for name in PROMPTS],
        plan.language,
    )
    labels = dict.fromkeys(" ".join(o.split())[:MAX_OPTION_CHARS] for o in plan.options)
    if not all(map(guard.passes, (question, *labels))):
        return None
    # What is tapped is what is sent: a label that hides other words cannot be.
    options = tuple(Option(label=label, text=label) for label in labels if label)
    return Clarification(f"model:{question[:60]}", "own_question", options, {"question": question})


def _acts(
    plan: Plan,
    ruled: Decision,
    context: DecisionContext,
    search: SearchRequest | None,
    clarify: Clarification | None,
) -> tuple[Act, ...]:
    """The model's acts, made to agree with what will really be done."""
    acts: dict[Act, None] = dict.fromkeys(plan.acts)
    for act in ("explain", "inform"):
        if act in ruled.acts:
            acts.setdefault(act)
    if clarify is None:
        acts.pop("clarify", None)
    else:
        acts = {"clarify": None, **acts}
    if search is None:
        acts.pop("search", None)
        acts.pop("refine", None)
    elif not {"search", "refine"} & set(acts):
        acts.pop("chat", None)
        acts.setdefault("refine" if context.state.shown else "search")
    return tuple(acts) or ("chat",)


def _say(plan: Plan, ruled: Decision, acts: tuple[Act, ...]) -> tuple[str, ...]:
    """The phrases that stand in for the model should it fall silent before the answer."""
    if acts != ("chat",):
        return tuple(name for name in ruled.say if name == "about_me")
    if ruled.say:
        return ruled.say
    return ("foreign",) if plan.language != "en" else ("out_of_scope",)
