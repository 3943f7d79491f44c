"""What `python -m evals route` reads: conversations whose user turns carry intents people gave.

Knows the format (IARD), its intents and which act each calls for; says file, line and field of
whatever is wrong. Does not know the router. Called by route_command.py.

A conversation is one JSON object a line (.gz ok): {"conversation_id", "conversation":
[{"participant": "USER" | "AGENT", "utterance", "dialogue_acts": [{"intent"}]}]}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.events import Act
from agent.replay import Role
from evals.recorded.rank_input import InputProblem, rows_of

ROLES: Final[Mapping[str, Role]] = {"USER": "user", "AGENT": "system"}
ACTS: Final[Mapping[str, Act]] = {
    **{"IQU": "search", "STO": "search"},
    **{"PRO": "refine", "ANS": "refine", "CRI": "refine", "REJ": "refine", "REF": "refine"},
    **{"CON": "refine", "SEE": "refine", "INQ": "inform", "ASK": "inform"},
    **{"ACC": "chat", "NRE": "chat", "OTH": "chat", "END": "chat"},
}
"""Intent of a user, without what follows its dash (CRI-F) -> the act that it calls for."""
ASKING: Final = frozenset({"REQ", "CLQ", "CLA"})
"""Intents of an agent that asks back."""


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """An utterance; `acts` of the user's, and whether the agent's next turn asks back."""

    role: Role
    text: str
    acts: frozenset[Act]
    answered_by_question: bool = False


@dataclass(frozen=True, slots=True)
class LabelledDialogue:
    """A conversation, oldest turn first."""

    dialogue_id: str
    turns: tuple[LabelledTurn, ...]


def read_labelled(path: Path) -> list[LabelledDialogue]:
    """Every conversation of the file. Raises: InputProblem."""
    found = [_dialogue(row, f"{path} line {number}") for number, row in rows_of(path)]
    if not found:
        raise InputProblem(f"{path} is empty: it needs one conversation a line")
    if not any(turn.acts for dialogue in found for turn in dialogue.turns):
        raise InputProblem(f"{path} has no user turn with an intent: is it the right file?")
    return found


def _dialogue(row: Mapping[str, Any], where: str) -> LabelledDialogue:
    name, turns = row.get("conversation_id"), row.get("conversation")
    if not isinstance(name, str) or not name:
        raise InputProblem(f'{where}: "conversation_id" must be a text')
    if not isinstance(turns, list) or not turns:
        raise InputProblem(f'{where}: "conversation" must be a list of turns')
    read = [_turn(turn, f"{where}, conversation[{n}]") for n, turn in enumerate(turns)]
    asked = [role == "system" and bool(intents & ASKING) for role, _, intents in read]
    labelled = (
        LabelledTurn(role, text, _acts(intents, where) if role == "user" else frozenset(), nxt)
        for (role, text, intents), nxt in zip(read, [*asked[1:], False], strict=True)
    )
    return LabelledDialogue(name, tuple(labelled))


def _turn(turn: object, where: str) -> tuple[Role, str, frozenset[str]]:
    if not isinstance(turn, dict):
        raise InputProblem(f'{where}: must be {{"participant", "utterance", "dialogue_acts"}}')
    role = ROLES.get(str(turn.get("participant")))
    if role is None:
        raise InputProblem(f'{where}: "participant" must be USER or AGENT')
    if not isinstance(turn.get("utterance"), str):
        raise InputProblem(f'{where}: "utterance" must be a text')
    acts = turn.get("dialogue_acts")
    named = isinstance(acts, list) and all(
        isinstance(a, dict) and isinstance(a.get("intent"), str) for a in acts
    )
    if not named or not isinstance(acts, list):
        raise InputProblem(f'{where}: "dialogue_acts" must be a list of {{"intent"}}')
    return role, turn["utterance"], frozenset(a["intent"] for a in acts)


def _acts(intents: frozenset[str], where: str) -> frozenset[Act]:
    unknown = sorted(i for i in intents if i.partition("-")[0] not in ACTS)
    if unknown:
        raise InputProblem(f'{where}: "intent" {unknown[0]!r} is none of {", ".join(ACTS)}')
    return frozenset(ACTS[i.partition("-")[0]] for i in intents)
