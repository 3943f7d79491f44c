"""The event union: what one turn streams, to every surface and every eval.

Knows the shape of each event and the order in which a turn may send them. Does not know HTTP, SSE
or Slack (encoders in infra/ turn events into those). Each event is flat JSON with `id` (1, 2, ...
within its turn), `type` and `turn_id`. Made by agent/, read by infra/ and evals/.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from retrieval.understanding import FindingKind, Polarity

Act = Literal["clarify", "search", "refine", "explain", "inform", "chat"]
Phase = Literal["understanding", "searching", "relaxing", "answering"]
EntryKind = FindingKind | Literal["seed", "seen", "disliked", "not_now"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Model):
    """The fields that every event has."""

    id: int = Field(ge=1)
    """Per turn, +1 each; `Last-Event-ID` resumes after it."""
    turn_id: str


class TurnStarted(Event):
    """First event of every turn."""

    type: Literal["turn.started"] = "turn.started"
    conversation_id: str


class Status(Event):
    """What the agent is doing now; `acts` once they are decided."""

    type: Literal["status"] = "status"
    phase: Phase
    acts: list[Act] | None = None


class ToolStarted(Event):
    """A tool call begins; `summary` is one line for people."""

    type: Literal["tool.started"] = "tool.started"
    tool: str
    summary: str


class ToolFinished(Event):
    """A tool call ended."""

    type: Literal["tool.finished"] = "tool.finished"
    tool: str
    summary: str
    ms: float


class Option(_Model):
    """A tappable answer; tapping sends `text` as the next message."""

    label: str
    text: str


class Clarify(Event):
    """A question that ends the turn, with options."""

    type: Literal["clarify"] = "clarify"
    question: str
    options: list[Option]


class Fact(_Model):
    """The catalogue facts of a card; what is unknown is null or empty."""

    kind: str | None = None
    genres: list[str] = []
    directors: list[str] = []
    cast: list[str] = []
    runtime_min: int | None = None
    language: str | None = None
    country: list[str] = []
    certificate: str | None = None
    overview: str = ""
    moods: list[str] = []
    themes: list[str] = []


class CardEvidence(_Model):
    """What stands behind a card: a retrieval leg with its rank, and its seed or field."""

    leg: str
    rank: int
    source: str = ""


class Card(_Model):
    """One recommended movie."""

    id: str
    title: str
    year: int | None
    why: list[str]
    """Reasons, each tied to a catalogue field or something the user said."""
    facts: Fact
    evidence: list[CardEvidence] = []


class Recommendations(Event):
    """A verified list, best first; sent before any prose about it."""

    type: Literal["recommendations"] = "recommendations"
    cards: list[Card]


class TextDelta(Event):
    """The next piece of the answer's prose."""

    type: Literal["text.delta"] = "text.delta"
    text: str


class LedgerEntryView(_Model):
    """A ledger entry as shown: `remove_text` said by the user removes exactly this entry."""

    id: str
    kind: EntryKind
    value: str | dict[str, Any]
    """A string; {min?, max?} for year, runtime and attribute (with its name); {movie_id, title,
    year} for seed, seen, disliked and not_now; {title} for franchise."""
    polarity: Polarity
    hard: bool
    source_turn: str
    label: str
    remove_text: str
    change_text: str | None = None


class LedgerChanged(Event):
    """The whole ledger, sent when a turn changed it."""

    type: Literal["ledger"] = "ledger"
    version: int
    entries: list[LedgerEntryView]


class Suggestions(Event):
    """Critiques worth tapping; tapping sends `text` as the next message."""

    type: Literal["suggestions"] = "suggestions"
    chips: list[Option]


class Usage(Event):
    """Model tokens of the turn; zeros when no model took part."""

    type: Literal["usage"] = "usage"
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: float | None = None
    """By the operator's price table; null when it lacks a model that was used."""


class TurnFinished(Event):
    """Last event of every turn."""

    type: Literal["turn.finished"] = "turn.finished"
    status: Literal["completed", "cancelled", "failed"]
    acts: list[Act]
    degraded: bool = False
    timings: dict[str, float]
    """Milliseconds by step."""
    prompt_shas: dict[str, str]
    notes: list[str] = []
    """What went otherwise than meant, in a few words each: "decide: throttled"."""


class ErrorEvent(Event):
    """The turn could not go on; `turn.finished` follows."""

    type: Literal["error"] = "error"
    code: str
    message: str
    retryable: bool


class Reconnect(Event):
    """The server is going away: resume with Last-Event-ID after `after_ms`."""

    type: Literal["reconnect"] = "reconnect"
    after_ms: int


AnyEvent = Annotated[
    TurnStarted
    | Status
    | ToolStarted
    | ToolFinished
    | Clarify
    | Recommendations
    | TextDelta
    | LedgerChanged
    | Suggestions
    | Usage
    | TurnFinished
    | ErrorEvent
    | Reconnect,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
"""Validates one event from JSON."""


def to_json(event: Event) -> dict[str, Any]:
    """The flat JSON of an event; optional fields that are not set are left out."""
    return event.model_dump(mode="json", exclude_none=False)
