"""Transcript v1: what was said and shown in a dialogue, from our agent or from anywhere.

Knows the published form (transcript-v1.schema.json, one JSON object a line) and how our own event
logs become one. Does not know files (transcript_files.py), other systems' forms
(transcript_import.py), scenarios or scores. Pure. Read by every scorer.

Whatever a foreign transcript lacks is None, never empty: a scorer then says "not applicable", while
an empty list means that nothing was shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.events import (
    EVENT,
    Act,
    AnyEvent,
    CardEvidence,
    Clarify,
    ErrorEvent,
    LedgerChanged,
    LedgerEntryView,
    Option,
    Recommendations,
    TextDelta,
    TurnFinished,
)
from agent.events import Usage as UsageEvent
from evals.dialogues.expected import Expected
from evals.form import Form

SCHEMA_VERSION = 1
SHOW_TOOL = "show_movies"
"""In messages, a list of movies is a call of this tool: the one way to tell ids to anyone."""

Channel = Literal["web", "slack", "terminal", "eval", "api"]
Source = Literal["live", "simulated", "replayed", "human", "imported"]


class FunctionCall(Form):
    """The function of a tool call; `arguments` is JSON in a string, as OpenAI has it."""

    name: str
    arguments: str = "{}"


class ToolCall(Form):
    """A tool call of an assistant's message."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class Message(Form):
    """A message in OpenAI form."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | None = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None


class Shown(Form):
    """A movie put before the user."""

    movie_id: str | None
    """None where the source names no id of this catalogue."""
    title: str
    year: int | None = None
    rank: int = Field(ge=1)
    """1 = first of its turn."""
    why: tuple[str, ...] = ()
    evidence: tuple[CardEvidence, ...] = ()


class Question(Form):
    """A question to the user, with tappable options."""

    question: str
    options: tuple[Option, ...] = ()


class Usage(Form):
    """Model tokens of a turn."""

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cost: float | None = None
    """US dollars."""


class TurnError(Form):
    """What went wrong in a turn."""

    code: str
    message: str


class PlayedTurn(Form):
    """One message of the user and what answered it."""

    user: str
    user_acts: tuple[str, ...] | None = None
    """What a simulated user meant to do: disclose, answer, critique, accept, ... (simulate.py)."""
    expected: Expected | None = None
    """What a scenario says must be true of this answer."""
    prose: str
    acts: tuple[Act, ...] | None = None
    ledger_before: tuple[LedgerEntryView, ...] | None = None
    ledger: tuple[LedgerEntryView, ...] | None = None
    """After the turn."""
    question: Question | None = None
    shown: tuple[Shown, ...] | None = None
    """The movies shown, best first; None = not known."""
    status: Literal["completed", "cancelled", "failed", "refused"] | None = None
    events: tuple[AnyEvent, ...] | None = None
    """Our own event stream, whole and in order."""
    event_ms: tuple[float, ...] | None = None
    """When each event arrived, in ms after the message was sent; as long as `events`."""
    timings: dict[str, float] = {}
    """Milliseconds by step, as the agent measured them."""
    prompt_shas: dict[str, str] = {}
    model_ids: tuple[str, ...] = ()
    degraded: bool | None = None
    usage: Usage | None = None
    cache_hit: bool | None = None
    first_event_ms: float | None = None
    first_token_ms: float | None = None
    """Until the first piece of prose, a card or a question."""
    total_ms: float | None = None
    error: TurnError | None = None

    @property
    def cards(self) -> tuple[Shown, ...]:
        """The movies shown; none where that is not known."""
        return self.shown or ()

    @cached_property
    def finished(self) -> TurnFinished | None:
        """How the turn ended; None when it did not."""
        return next((e for e in self.events or () if isinstance(e, TurnFinished)), None)


class Build(Form):
    """What exactly answered."""

    name: str = "usher"
    commit: str | None = None
    prompt_shas: dict[str, str] = {}
    model_ids: tuple[str, ...] = ()
    index_revision: str | None = None
    catalogue_sha: str | None = None
    code_sha: str | None = None
    """Of the product's own files, because a commit says nothing of uncommitted changes."""


class Outcome(Form):
    """How the dialogue ended for the user."""

    accepted_ids: tuple[str, ...] = ()
    accepted_turn: int | None = None
    """1 = first turn."""
    rating: float | None = None
    """1 (bad) to 5 (good)."""
    abandoned: bool | None = None


class Origin(Form):
    """Where a dialogue comes from: everything but what was said."""

    channel: Channel
    source: Source
    scenario_id: str | None = None
    scenario_sha: str | None = None
    trial: int = Field(default=0, ge=0)
    seed: int | None = None
    build: Build | None = None
    user_profile_ref: str | None = None
    """A pseudonym, never an identity."""
    tags: dict[str, tuple[str, ...]] = {}
    """What a report slices by: {"persona": ["impatient"], "kind": ["mood"], "intent": [...]}."""


class Transcript(Origin):
    """A dialogue as it went."""

    schema_version: Literal[1] = 1
    dialogue_id: str = Field(min_length=1)
    messages: tuple[Message, ...] = ()
    turns: tuple[PlayedTurn, ...] = ()
    target_ids: tuple[str, ...] | None = None
    """The films that would satisfy the user; None = whatever meets the wishes does."""
    outcome: Outcome | None = None

    @classmethod
    def from_events(
        cls,
        played: Mapping[str, Any],
        origin: Origin | None = None,
        outcome: Outcome | None = None,
    ) -> "Transcript":
        """From a line of `usher chat --script`: {"dialogue_id", "turns": [{"user", "events"}]}.

        A turn may also have `event_ms`, `user_acts` and `expected`. Raises: ValidationError.
        """
        turns: list[PlayedTurn] = []
        ledger: tuple[LedgerEntryView, ...] = ()
        for told in played["turns"]:
            turn = turn_from_events(told, ledger)
            ledger = turn.ledger or ()
            turns.append(turn)
        origin = origin or Origin(channel="terminal", source="live")
        return cls(
            dialogue_id=played["dialogue_id"],
            messages=messages_of(turns),
            turns=tuple(turns),
            outcome=outcome,
            **dict(origin),
        )

    @property
    def key(self) -> tuple[str, int]:
        """What two runs are joined by: scenario (or dialogue) and trial."""
        return self.scenario_id or self.dialogue_id, self.trial

    @property
    def shown_ids(self) -> frozenset[str]:
        """Every movie of the catalogue shown in this dialogue."""
        return frozenset(c.movie_id for t in self.turns for c in t.cards if c.movie_id)

    def ledger_after(self, number: int) -> tuple[LedgerEntryView, ...]:
        """The ledger after turn `number` (0 = first)."""
        return (self.turns[number].ledger or ()) if 0 <= number < len(self.turns) else ()


def turn_from_events(
    told: Mapping[str, Any], before: tuple[LedgerEntryView, ...] = ()
) -> PlayedTurn:
    """One turn from its event log. Raises: ValidationError."""
    events = tuple(EVENT.validate_python(event) for event in told["events"])
    event_ms: Sequence[float] | None = told.get("event_ms")
    finished = next((e for e in events if isinstance(e, TurnFinished)), None)
    failed = next((e for e in events if isinstance(e, ErrorEvent)), None)
    ledgers = [e for e in events if isinstance(e, LedgerChanged)]
    asked = next((e for e in events if isinstance(e, Clarify)), None)
    used = next((e for e in events if isinstance(e, UsageEvent)), None)
    cards = [c for e in events if isinstance(e, Recommendations) for c in e.cards]
    turn = PlayedTurn(
        user=told["user"],
        user_acts=told.get("user_acts"),
        expected=told.get("expected"),
        prose="".join(e.text for e in events if isinstance(e, TextDelta)),
        acts=tuple(finished.acts) if finished else (),
        ledger_before=before,
        ledger=tuple(ledgers[-1].entries) if ledgers else before,
        question=Question(question=asked.question, options=tuple(asked.options)) if asked else None,
        shown=tuple(
            Shown(
                movie_id=card.id,
                title=card.title,
                year=card.year,
                rank=rank,
                why=tuple(card.why),
                evidence=tuple(card.evidence),
            )
            for rank, card in enumerate(cards, 1)
        ),
        # A message that is refused gets one error event and no turn.
        status=finished.status if finished else "refused" if failed and len(events) == 1 else None,
        events=events,
        event_ms=tuple(event_ms) if event_ms else None,
        timings=finished.timings if finished else {},
        prompt_shas=finished.prompt_shas if finished else {},
        degraded=finished.degraded if finished else None,
        usage=Usage(**used.model_dump(include={"input_tokens", "output_tokens", "cost"}))
        if used
        else None,
        error=TurnError(code=failed.code, message=failed.message) if failed else None,
    )
    return turn.model_copy(update=_waits(events, event_ms))


def _waits(events: Sequence[AnyEvent], event_ms: Sequence[float] | None) -> dict[str, float]:
    if not event_ms or len(event_ms) != len(events):
        return {}
    waits = {"first_event_ms": event_ms[0], "total_ms": event_ms[-1]}
    silent = takewhile(lambda e: not isinstance(e, TextDelta | Recommendations | Clarify), events)
    quiet = sum(1 for _ in silent)
    return waits | ({"first_token_ms": event_ms[quiet]} if quiet < len(events) else {})


def messages_of(turns: Iterable[PlayedTurn]) -> tuple[Message, ...]:
    """The turns in OpenAI form: prose, and each list of movies as a call of `show_movies`."""
    messages: list[Message] = []
    for number, turn in enumerate(turns, 1):
        messages.append(Message(role="user", content=turn.user))
        calls, answers = _show_call(turn, f"show_{number}")
        said = Message(role="assistant", content=turn.prose or None, tool_calls=calls or None)
        messages += [said, *answers]
    return tuple(messages)


def _show_call(turn: PlayedTurn, call_id: str) -> tuple[tuple[ToolCall, ...], list[Message]]:
    if not turn.cards:
        return (), []
    arguments = ShowArguments(movies=tuple(ShownArgument.of(card) for card in turn.cards))
    function = FunctionCall(name=SHOW_TOOL, arguments=arguments.model_dump_json())
    answer = Message(role="tool", tool_call_id=call_id, content="shown")
    return (ToolCall(id=call_id, function=function),), [answer]


class ShownArgument(BaseModel):
    """A movie in the arguments of `show_movies`; what else stands there does not matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    movie_id: str | None = None
    title: str
    year: int | None = None
    why: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: Shown) -> "ShownArgument":
        """From a card."""
        return cls(movie_id=card.movie_id, title=card.title, year=card.year, why=card.why)


class ShowArguments(BaseModel):
    """The arguments of `show_movies`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    movies: tuple[ShownArgument, ...]
