"""`python -m evals export`: transcripts out of a file, a run or the store, for other systems.

Knows the flags and formats. Does not know what is masked (transcript_import.py). Called by
evals/__main__.py.
"""

import argparse
import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from evals.commands import Commands, add_json, new_command
from evals.dialogues.score_command import read_transcripts
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import EvalInputProblem, schema_text, write_lines
from evals.dialogues.transcript_import import (
    Pseudonyms,
    from_conversation,
    pseudonymised,
    to_messages,
)
from infra.cli_common import running, settings_for
from infra.script import local_principal

DETAILS = """\
formats:
  openai       {"dialogue_id", "messages": [...]} a line: what other evaluators read
  transcript   Transcript v1, with events, ledgers and shown films
  schema       the JSON schema of Transcript v1 (needs no input)

system prompts, e-mail addresses, phone numbers, keys and ids of people and conversations are taken
out; names that a user wrote in a message stay, because nobody can tell them from actors.

examples:
  python -m evals export --input runs/today --format openai --output messages.jsonl
  python -m evals export --conversation c_0123 --user ann --format transcript --output ann.jsonl
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "export", DETAILS)
    parser.set_defaults(command=export)
    parser.add_argument("--input", type=Path, help="transcripts (any form), or a run folder")
    parser.add_argument("--conversation", metavar="ID", help="one conversation of the local store")
    parser.add_argument("--user", help="whose conversation it is, as in usher chat --user")
    parser.add_argument("--format", choices=("openai", "transcript", "schema"), default="openai")
    parser.add_argument("--output", type=Path, help="file (.gz ok; default: standard output)")
    add_json(parser)


def export(given: argparse.Namespace) -> int:
    """Run the command."""
    lines = [schema_text().rstrip("\n")] if given.format == "schema" else _lines(given)
    if given.output is None:
        print("\n".join(lines))
    else:
        write_lines(given.output, lines)
        print(f"{len(lines)} lines -> {given.output}")
    if given.json:
        print(json.dumps({"lines": len(lines), "format": given.format}))
    return 0


def _lines(given: argparse.Namespace) -> Sequence[str]:
    pseudonyms = Pseudonyms(secrets.token_bytes(32))
    written: dict[str, Callable[[Transcript], str]] = {
        "openai": lambda t: to_messages(t, pseudonyms),
        "transcript": lambda t: pseudonymised(t, pseudonyms).model_dump_json(),
    }
    return [written[given.format](t) for t in _transcripts(given, pseudonyms)]


def _transcripts(given: argparse.Namespace, pseudonyms: Pseudonyms) -> Sequence[Transcript]:
    if (given.input is None) == (given.conversation is None):
        raise EvalInputProblem("name what to export: either --input or --conversation")
    if given.conversation is not None:
        if not given.user:
            raise EvalInputProblem("--conversation needs --user: whose is it?")
        return [asyncio.run(_stored(given.conversation, given.user, pseudonyms))]
    return read_transcripts(given.input)


async def _stored(conversation_id: str, user: str, pseudonyms: Pseudonyms) -> Transcript:
    """A conversation from the store of the settings. Raises: StoreFailure, IndexFailure."""
    principal = local_principal(user)
    async with running(settings_for()) as services:
        found = await services.stores.conversations.load(principal, conversation_id)
    return from_conversation(found, pseudonyms, principal)
