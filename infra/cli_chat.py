"""`usher chat`: a conversation in the terminal, one message, or a file of dialogues.

Knows the loop, what the slash commands mean and how Ctrl-C stops a turn. Does not know how events
look (terminal.py) or how a turn is answered. Called by cli.py.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from agent.assistant import Overloaded
from agent.events import Card, Event, TurnFinished, to_json
from agent.turn import MessageRefused, Turn
from infra.cli_common import Refusal, closed, opened, running, settings_for
from infra.cli_index import ensure_index
from infra.script import local_principal, play, read_script
from infra.settings import Settings
from infra.terminal import Screen
from infra.wiring import Services
from tools.stores import StoreFailure

ME = local_principal("me")
HELP = """\
Say what you would like to see, or name a film you love. A number picks what stands beside it:
a film (shows its details) or a suggestion (says it for you).
  /ledger   what I have noted, and how to take it back
  /new      begin a new conversation
  /help     this text
  /quit     leave (so does Ctrl-D)
Ctrl-C stops an answer."""


@dataclass
class _Talk:
    """One conversation after the other on open services."""

    services: Services
    screen: Screen
    conversation_id: str | None = None


def converse(index: Path | None) -> None:
    """The loop. Raises: Refusal and what wiring raises."""
    console = Console(highlight=False)
    settings = _settings(index, console)
    with suppress(ImportError):
        import readline  # noqa: F401  # gives input() its editing and history

    with asyncio.Runner() as runner:
        services = runner.run(opened(settings))
        try:
            console.print("What would you like to see? (/help, Ctrl-D leaves)")
            _loop(runner, _Talk(services, Screen(console)))
        finally:
            runner.run(closed(services))


def _loop(runner: asyncio.Runner, talk: _Talk) -> None:
    while True:
        try:
            typed = input("> ").strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print("\n(/quit leaves)")
            continue
        except UnicodeDecodeError:
            print("that was not UTF-8 text; please type it again")
            continue
        if typed == "/quit":
            return
        message = _understood(typed, talk)
        if message:
            runner.run(_turn(talk, message))


def _understood(typed: str, talk: _Talk) -> str | None:
    """The message to send; None when the line was for the terminal itself."""
    console = talk.screen.console
    if typed == "/help":
        console.print(HELP)
    elif typed == "/ledger":
        talk.screen.show_ledger()
    elif typed == "/new":
        talk.conversation_id, talk.screen = None, Screen(console)
        console.print("A new conversation. What would you like to see?")
    elif typed.startswith("/"):
        console.print(f"{typed} is no command; /help lists them", markup=False)
    else:
        meant = talk.screen.meaning(typed)
        if not isinstance(meant, Card):
            return meant or typed
        talk.screen.show_details(meant)
    return None


async def _turn(talk: _Talk, message: str) -> None:
    """One turn; Ctrl-C cancels this task, which stops the turn and shows how it ended."""
    assistant, screen = talk.services.assistant, talk.screen
    try:
        record = await assistant.start(Turn(ME, message, talk.conversation_id))
    except (MessageRefused, Overloaded, StoreFailure) as refused:
        screen.console.print(str(refused), style="red", markup=False)
        return
    talk.conversation_id = record.conversation_id
    screen.begin()
    last = 0
    try:
        async for event in assistant.follow(ME, record.turn_id):
            screen.show(event)
            last = event.id
    except asyncio.CancelledError:
        await assistant.stop(ME, record.turn_id)
        async for event in assistant.follow(ME, record.turn_id, after=last):
            screen.show(event)
    finally:
        screen.end()


def _print_json(value: object) -> None:
    """One line; JSON is UTF-8 whatever the terminal's encoding is."""
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def say_once(text: str, index: Path | None, *, as_json: bool) -> None:
    """One message; exit code 1 when the turn failed. Raises: Refusal and what wiring raises."""
    console = Console(highlight=False)
    settings = _settings(index, Console(highlight=False, stderr=True))
    completed = asyncio.run(_once(text, settings, console, as_json))
    if not completed:
        raise SystemExit(1)


async def _once(text: str, settings: Settings, console: Console, as_json: bool) -> bool:
    screen, status = Screen(console), ""
    async with running(settings) as services:
        async for event in _events(services, text):
            if as_json:
                _print_json(to_json(event))
            else:
                screen.show(event)
            status = event.status if isinstance(event, TurnFinished) else status
    return status == "completed"


async def _events(services: Services, text: str) -> AsyncIterator[Event]:
    try:
        async for event in services.assistant.reply(Turn(ME, text)):
            yield event
    except MessageRefused as refused:
        raise Refusal(str(refused)) from None


def play_script(file: Path, index: Path | None) -> None:
    """Every dialogue of a file, to standard output. Raises: Refusal and what wiring raises."""
    dialogues = read_script(file)
    settings = _settings(index, Console(highlight=False, stderr=True))

    async def run() -> None:
        async with running(settings) as services:
            for dialogue in dialogues:
                _print_json(await play(services.assistant, dialogue))

    asyncio.run(run())


def _settings(index: Path | None, console: Console) -> Settings:
    settings = settings_for(index)
    ensure_index(settings, named=index is not None, console=console)
    return settings
