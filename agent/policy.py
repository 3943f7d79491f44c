"""When to ask, and what: questions with options that each lead to a list.

Knows the few questions the offline agent asks. Does not know how they are worded
(prompts/phrases.yaml) or shown. Pure. Called by decide.py and steps.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.events import Option
from retrieval.understanding import Unsure

OPEN_OPTIONS = (
    Option(label="Something funny", text="something funny"),
    Option(label="Edge of my seat", text="a tense thriller"),
    Option(label="Feel-good", text="something feel-good"),
    Option(label="For the whole family", text="a family film"),
)
CRITIQUES = (
    Option(label="Shorter", text="something shorter"),
    Option(label="Newer", text="something newer"),
    Option(label="Older", text="something older"),
    Option(label="Lighter", text="something lighter"),
    Option(label="Less violent", text="less violent"),
    Option(label="More like the first", text="more like the first one"),
    Option(label="Show me others", text="show me more"),
)
MAX_CHIPS = 4


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question by the name of its phrase, with the inputs of the phrase and tappable options."""

    key: str
    """Identifies the question: the same key is never asked twice in a row."""
    phrase: str
    options: tuple[Option, ...]
    inputs: dict[str, str] = field(default_factory=dict)


def clarification(kind: str, movie: Unsure | None = None) -> Clarification:
    """The question of a kind: `open`, `reset`, or `unsure` about a misspelt title."""
    if kind == "unsure" and movie is not None:
        name = f"{movie.title} ({movie.year})" if movie.year else movie.title
        options = (
            Option(label=f"Yes, {name}", text=f'like "{name}"'),
            Option(label="No, something else", text="something else"),
        )
        return Clarification(f"unsure:{movie.movie_id}", "ask_unsure", options, {"title": name})
    return Clarification("open", "reset" if kind == "reset" else "ask_open", OPEN_OPTIONS)


def nothing_left(
    labels: Sequence[str], options: Sequence[Option], all_shown: bool = False
) -> Clarification:
    """Nothing (more) satisfies the ledger: ask what may go; each option removes one entry."""
    if all_shown:
        phrase = "exhausted" if options else "exhausted_plain"
    else:
        phrase = "empty" if options else "empty_plain"
    inputs = {"labels": " or ".join(labels)} if options else {}
    return Clarification("empty:" + "|".join(labels), phrase, tuple(options), inputs)
