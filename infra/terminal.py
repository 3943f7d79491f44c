"""How a conversation looks in a terminal: prose as it comes, cards, questions, numbers to type.

Knows rich and the event union. Does not know how events come about or what is typed next: it only
says what a number means. Called by cli_chat.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.status import Status as Spinner
from rich.text import Text

from agent.events import (
    Card,
    Clarify,
    ErrorEvent,
    Event,
    LedgerChanged,
    LedgerEntryView,
    Option,
    Recommendations,
    Status,
    Suggestions,
    TextDelta,
    ToolStarted,
    TurnFinished,
)

WIDEST = 100
"""Longer lines are hard to read."""
MODEL_CALLS = ("decide", "respond")
"""What a note about a model begins with, where the answer suffered."""
DOING = {
    "understanding": "reading",
    "searching": "searching",
    "relaxing": "looking further",
    "answering": "answering",
}


@dataclass
class Screen:
    """Shows one turn after the other; what was shown last can be named by number."""

    console: Console
    cards: list[Card] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    ledger: list[LedgerEntryView] = field(default_factory=list)
    _spinner: Spinner | None = None
    _in_prose: bool = False

    def begin(self) -> None:
        """A message was sent."""
        self.cards, self.options = [], []
        if self.console.is_terminal:
            self._spinner = self.console.status("reading")
            self._spinner.start()

    def end(self) -> None:
        """The turn is over, or was cut."""
        self._stop_spinner()
        self._end_prose()

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Status(phase=phase):
                self._doing(DOING[phase])
            case ToolStarted(tool=tool, summary=summary):
                self._doing(f"{tool}: {summary}")
            case Recommendations(cards=cards):
                self._show_cards(cards)
            case TextDelta(text=text):
                self._stop_spinner()
                self.console.print(Text(text), end="")
                self._in_prose = True
            case Clarify(question=question, options=options):
                self._say(Text(question, style="bold"))
                self._offer(options)
            case Suggestions(chips=chips):
                self._offer(chips)
            case LedgerChanged(entries=entries):
                self.ledger = list(entries)
            case ErrorEvent(message=message):
                self._say(Text(message, style="red"))
            case TurnFinished():
                self._finish(event)
            case _:
                pass

    def meaning(self, typed: str) -> str | Card | None:
        """What a typed number stands for: a message to send, or a card to look at."""
        if not typed.isdigit():
            return None
        number = int(typed)
        if 1 <= number <= len(self.cards):
            return self.cards[number - 1]
        at = number - len(self.cards) - 1
        return self.options[at].text if 0 <= at < len(self.options) else None

    def show_details(self, card: Card) -> None:
        """Everything the catalogue says of a card."""
        facts = card.facts
        lines = [
            facts.overview,
            _named("Directed by", facts.directors),
            _named("With", facts.cast),
            _named("Moods", facts.moods),
            _named("About", facts.themes),
            ", ".join(filter(None, [facts.language, *facts.country])),
        ]
        body = Text("\n".join(line for line in lines if line))
        self.console.print(
            Panel(body, title=Text(_heading(card)), title_align="left", width=WIDEST)
        )

    def show_ledger(self) -> None:
        """What the agent holds true, and how to take it back."""
        if not self.ledger:
            self.console.print("Nothing noted yet.")
        for entry in self.ledger:
            how = "must" if entry.hard else "rather"
            back = f"  {how}; to take it back: {entry.remove_text}"
            self.console.print(Text.assemble(f"  {entry.label}", (back, "dim")))

    # --- parts ------------------------------------------------------------------------------------

    def _show_cards(self, cards: Sequence[Card]) -> None:
        self._stop_spinner()
        self._end_prose()
        self.cards = list(cards)
        width = min(WIDEST, self.console.width)
        for number, card in enumerate(cards, 1):
            title = Text.assemble((f"{number} ", "cyan"), (card.title, "bold"), _year(card))
            lines = [Text(_facts(card), style="dim")] if _facts(card) else []
            lines += [Text(reason) for reason in card.why]
            panel = Panel(Group(*lines), title=title, title_align="left", width=width)
            self.console.print(panel)

    def _offer(self, options: Sequence[Option]) -> None:
        if not options:
            return
        self._stop_spinner()
        self._end_prose()
        first = len(self.cards) + len(self.options) + 1
        self.options += options
        parts = [
            Text.assemble((f"{number} ", "cyan"), option.label)
            for number, option in zip(count(first), options, strict=False)
        ]
        self.console.print(Text("   ").join(parts))

    def _say(self, text: Text) -> None:
        self._stop_spinner()
        self._end_prose()
        self.console.print(text)

    def _finish(self, event: TurnFinished) -> None:
        self.end()
        if event.status == "cancelled":
            self.console.print("[dim](stopped)[/]")
        if event.degraded:
            self.console.print(f"[dim]({escape(_lesser(event.notes))})[/]")

    def _doing(self, what: str) -> None:
        if self._spinner:
            self._spinner.update(escape(what))

    def _stop_spinner(self) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def _end_prose(self) -> None:
        if self._in_prose:
            self.console.print()
            self._in_prose = False


def _heading(card: Card) -> str:
    return f"{card.title} ({card.year})" if card.year else card.title


def _year(card: Card) -> str:
    return f" ({card.year})" if card.year else ""


def _facts(card: Card) -> str:
    facts = card.facts
    runtime = f"{facts.runtime_min} min" if facts.runtime_min else ""
    series = "series" if facts.kind == "series" else ""
    parts = [series, ", ".join(facts.genres[:3]), runtime, facts.certificate]
    return " · ".join(part for part in parts if part)


def _named(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else ""


def _lesser(notes: Sequence[str]) -> str:
    """What was less than meant."""
    asked = [what for kind, _, what in (n.partition(": ") for n in notes) if kind in MODEL_CALLS]
    if asked:
        return f"a model could not be asked as meant: {asked[0]}; `usher doctor` tells more"
    return "a part of the search was not available"
