"""The terminal conversation: what is shown, what numbers and slashes mean, what Ctrl-C stops."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

import serving
from agent.events import Card, Fact, Option, Recommendations, Suggestions, TextDelta
from infra import cli_chat
from infra.settings import load
from infra.terminal import Screen


def screen() -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(Console(file=out, width=100, highlight=False)), out


def converse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path, *typed: str
) -> str:
    """Type lines into `usher chat`; what it printed."""
    monkeypatch.setenv("USHER_HOME", str(home))
    monkeypatch.chdir(home)
    lines: Iterator[str] = iter(typed)

    def read(prompt: str) -> str:
        line = next(lines, None)
        if line is None:
            raise EOFError
        if line == "^C":
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr("builtins.input", read)
    cli_chat.converse(serving.index_dir())
    return capsys.readouterr().out


def test_a_conversation_goes_on_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed = ("a science fiction movie", "under two hours", "/ledger", "^C", "/quit", "never read")
    out = converse(monkeypatch, capsys, tmp_path, *typed)
    assert "1 " in out
    assert "science fiction" in out
    assert 'to take it back: remove "science fiction"' in out
    assert "/quit leaves" in out


def test_numbers_pick_films_and_suggestions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = converse(monkeypatch, capsys, tmp_path, "a science fiction movie", "1", "6", "99")
    assert "Directed by: " in out
    assert out.count("╭─ 1 ") >= 2


def test_slash_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed = ("/help", "/ledger", "/nonsense", "a comedy", "/new", "/ledger", "", "x" * 2500)
    out = converse(monkeypatch, capsys, tmp_path, *typed)
    assert "Ctrl-C stops an answer" in out
    assert out.count("Nothing noted yet.") == 2
    assert "/nonsense is no command" in out
    assert "2500 characters" in out


async def test_ctrl_c_stops_the_turn_and_not_the_conversation(tmp_path: Path) -> None:
    settings = load(home=tmp_path, index_dir=serving.index_dir())
    shown, out = screen()
    async with serving.held_services(settings) as (services, gate):
        talk = cli_chat._Talk(services, shown)
        gate.clear()
        turn = asyncio.create_task(cli_chat._turn(talk, "a comedy"))
        while not services.assistant.running:
            await asyncio.sleep(0.01)
        turn.cancel()
        await turn
        assert "(stopped)" in out.getvalue()
        gate.set()
        await cli_chat._turn(talk, "a western")
        stored = await services.stores.conversations.load(cli_chat.ME, talk.conversation_id or "")
        assert [turn.status for turn in stored.turns] == ["cancelled", "completed"]


def card(number: int) -> Card:
    return Card(
        id=f"m{number}", title=f"Film [{number}]", year=None, why=["[b]why[/b]"], facts=Fact()
    )


def test_what_films_say_is_never_markup() -> None:
    shown, out = screen()
    shown.begin()
    shown.show(Recommendations(id=1, turn_id="t", cards=[card(1), card(2)]))
    shown.show(TextDelta(id=2, turn_id="t", text="[red]not red[/] [/]"))
    shown.show_details(card(1))
    shown.end()
    for raw in ("Film [1]", "[b]why[/b]", "[red]not red[/] [/]"):
        assert raw in out.getvalue()


def test_numbers_count_on_from_films_to_options() -> None:
    shown, _ = screen()
    shown.show(Recommendations(id=1, turn_id="t", cards=[card(1), card(2)]))
    chips = [Option(label="Shorter", text="something shorter"), Option(label="Newer", text="newer")]
    shown.show(Suggestions(id=2, turn_id="t", chips=chips))
    assert shown.meaning("2") == card(2)
    assert shown.meaning("3") == "something shorter"
    assert shown.meaning("4") == "newer"
    assert shown.meaning("5") is None
    assert shown.meaning("0") is None
    assert shown.meaning("2001") is None
    assert shown.meaning("two") is None
    shown.begin()
    assert shown.meaning("3") is None
