"""Other forms of a dialogue: OpenAI messages in and out, our own event logs, stored conversations.

    OpenAI   {"messages": [{"role", "content", "tool_calls"?, "tool_call_id"?}], "dialogue_id"?}
    script   {"dialogue_id", "turns": [{"user", "events", "event_ms"?}]}   (usher chat --script)

Knows these forms and what is taken out on the way to strangers. Does not know scores. Pure but for
the pseudonyms' key. Called by score_command.py and export_command.py.

A list of films is told by a call of `show_movies({"movies": [{"movie_id"?, "title", "year"?}]})`;
without one nobody knows what was shown, and scorers of lists do not apply.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.events import EVENT
from evals.dialogues.transcript import (
    SHOW_TOOL,
    Message,
    Origin,
    PlayedTurn,
    ShowArguments,
    Shown,
    ToolCall,
    Transcript,
)
from evals.dialogues.transcript_files import EvalInputProblem, fault_of, validated
from tools.stores import Conversation

IMPORTED = Origin(channel="api", source="imported")


class _Lenient(BaseModel):
    """Foreign forms have fields that nothing here reads."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ForeignMessage(_Lenient):
    """A message as other systems write it: content may be a list of parts."""

    role: str
    content: str | None = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, content: object) -> object:
        if not isinstance(content, list):
            return content
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


class ForeignDialogue(_Lenient):
    """A line of OpenAI messages."""

    dialogue_id: str | None = None
    id: str | None = None
    messages: tuple[ForeignMessage, ...] = Field(min_length=1)


def transcript_of(row: Mapping[str, Any], where: str, number: int) -> Transcript:
    """A dialogue of any known form; `where` and `number` are its file and line.

    Raises: EvalInputProblem.
    """
    if "channel" in row or "schema_version" in row:
        return validated(Transcript, row, where)
    if "messages" in row:
        return from_messages(validated(ForeignDialogue, row, where), where, number)
    if "turns" in row:
        return _from_script(row, where)
    raise EvalInputProblem(
        f"{where}: no known form: it needs channel and turns (Transcript v1), messages (OpenAI), "
        "or dialogue_id and turns (usher chat --script)"
    )


def _from_script(row: Mapping[str, Any], where: str) -> Transcript:
    turns = row["turns"]
    if not isinstance(row.get("dialogue_id"), str):
        raise EvalInputProblem(f"{where}, field dialogue_id: must be a text")
    if not isinstance(turns, list):
        raise EvalInputProblem(f"{where}, field turns: must be a list")
    for at, turn in enumerate(turns):
        if not isinstance(turn, dict) or not {"user", "events"} <= turn.keys():
            raise EvalInputProblem(f"{where}, field turns.{at}: needs user and events")
    _check_events(turns, where)
    try:
        return Transcript.from_events(row)
    except ValidationError as error:
        raise EvalInputProblem(f"{where}, {fault_of(error)}") from None


def _check_events(turns: Sequence[Mapping[str, Any]], where: str) -> None:
    """Every event by itself, so that a fault has its place. Raises: EvalInputProblem."""
    for at, turn in enumerate(turns):
        events = turn["events"]
        if not isinstance(events, list):
            raise EvalInputProblem(f"{where}, field turns.{at}.events: must be a list")
        for number, event in enumerate(events):
            try:
                EVENT.validate_python(event)
            except ValidationError as error:
                place = f"{where}, turns.{at}.events.{number}"
                raise EvalInputProblem(f"{place}, {fault_of(error)}") from None


# --- OpenAI messages in ---------------------------------------------------------------------------


def from_messages(foreign: ForeignDialogue, where: str, number: int) -> Transcript:
    """Turns from messages: each user message begins one. Raises: EvalInputProblem."""
    messages = []
    for at, message in enumerate(foreign.messages):
        place = f"{where}, messages.{at}"
        if message.role == "user" and message.content is None:
            raise EvalInputProblem(f"{place}, field content: a message of the user needs text")
        messages.append(validated(Message, message.model_dump(mode="json"), place))
    return Transcript(
        dialogue_id=foreign.dialogue_id or foreign.id or f"line-{number}",
        messages=tuple(messages),
        turns=tuple(_turns(messages)),
        **dict(IMPORTED),
    )


def _turns(messages: Sequence[Message]) -> list[PlayedTurn]:
    told = any(_shown([message]) is not None for message in messages)
    groups: list[tuple[list[str], list[Message]]] = []
    for message in messages:
        if message.role in ("system", "developer"):
            continue
        if message.role == "user" and (not groups or groups[-1][1]):
            groups.append(([], []))
        if not groups:
            groups.append(([], []))  # the assistant spoke first
        said, answer = groups[-1]
        if message.role == "user":
            said.append(message.content or "")
        else:
            answer.append(message)
    return [_turn(said, answer, told=told) for said, answer in groups]


def _turn(said: Sequence[str], answer: Sequence[Message], *, told: bool) -> PlayedTurn:
    prose = [m.content for m in answer if m.role == "assistant" and m.content]
    shown = _shown(answer)
    return PlayedTurn(
        user="\n".join(said),
        prose="\n".join(prose),
        shown=shown if shown is not None else () if told else None,
    )


def _shown(messages: Iterable[Message]) -> tuple[Shown, ...] | None:
    """The films of `show_movies` calls; None when there is no call that can be read."""
    calls = [call.function for m in messages for call in m.tool_calls or ()]
    films = None
    for function in calls:
        if function.name == SHOW_TOOL:
            try:
                films = [
                    *(films or ()),
                    *ShowArguments.model_validate_json(function.arguments).movies,
                ]
            except ValidationError:
                continue  # the scorer of tool calls says so
    if films is None:
        return None
    return tuple(
        Shown(movie_id=film.movie_id, title=film.title, year=film.year, rank=rank, why=film.why)
        for rank, film in enumerate(films, 1)
    )


# --- stored conversations -------------------------------------------------------------------------


def from_conversation(
    conversation: Conversation, pseudonyms: "Pseudonyms", principal: str
) -> Transcript:
    """A conversation from the store; who held it becomes a pseudonym."""
    turns = [
        {"user": turn.message, "events": [dict(event) for event in turn.events]}
        for turn in conversation.turns
    ]
    origin = Origin(channel="web", source="live", user_profile_ref=pseudonyms.of(principal))
    played = {"dialogue_id": conversation.conversation_id, "turns": turns}
    return Transcript.from_events(played, origin)


# --- OpenAI messages out --------------------------------------------------------------------------

_SECRETS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[email]"),
    (re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>"), "[user]"),
    (re.compile(r"\b(?:sk|pk|xox[abprs]|ghp|AKIA)[-_A-Za-z0-9]{12,}\b"), "[key]"),
    (re.compile(r"(?<![\w.])\+?\d(?:[ ()/.-]?\d){8,14}(?![\w.])"), "[phone]"),
)
"""What is masked in every text that leaves. Names of people are not: nobody can tell an actor."""


class Pseudonyms:
    """The same id gives the same pseudonym within one export, and another in the next."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, identity: str) -> str:
        """A pseudonym that says nothing of the id."""
        return "p_" + hmac.new(self._key, identity.encode(), hashlib.sha256).hexdigest()[:16]


def masked(text: str) -> str:
    """The text without addresses, numbers and keys."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def to_messages(transcript: Transcript, pseudonyms: Pseudonyms) -> str:
    """A line of OpenAI messages: no system prompts, no ids of people, texts masked."""
    messages = []
    for message in transcript.messages:
        if message.role in ("system", "developer"):
            continue
        row = message.model_dump(mode="json", exclude_none=True, exclude={"name"})
        if message.role == "assistant" and "content" not in row:
            row["content"] = None
        if message.content:
            row["content"] = masked(message.content)
        messages.append(row)
    live = transcript.source in ("live", "human")
    named = transcript.dialogue_id
    line = {"dialogue_id": pseudonyms.of(named) if live else named, "messages": messages}
    return json.dumps(line, ensure_ascii=False)


def pseudonymised(transcript: Transcript, pseudonyms: Pseudonyms) -> Transcript:
    """The whole transcript for strangers: masked texts, no ids of people or conversations."""
    row = transcript.model_dump(mode="json")
    row["messages"] = [m for m in row["messages"] if m["role"] not in ("system", "developer")]
    cleaned = _cleaned(row, pseudonyms)
    if transcript.source in ("live", "human"):
        cleaned["dialogue_id"] = pseudonyms.of(transcript.dialogue_id)
    for turn in cleaned["turns"]:
        if turn["events"] is not None:
            # A secret may lie across two pieces: the prose is then what the masked pieces say.
            deltas = (e["text"] for e in turn["events"] if e["type"] == "text.delta")
            turn["prose"] = "".join(deltas)
    return Transcript.model_validate_json(json.dumps(cleaned))


_IDENTITIES = frozenset({"turn_id", "source_turn", "conversation_id", "user_profile_ref"})


def _cleaned(value: Any, pseudonyms: Pseudonyms, name: str = "") -> Any:
    """Any JSON with identities replaced and texts masked."""
    if isinstance(value, dict):
        return {key: _cleaned(part, pseudonyms, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_cleaned(part, pseudonyms, name) for part in value]
    if not isinstance(value, str):
        return value
    return pseudonyms.of(value) if name in _IDENTITIES else masked(value)
