"""Loads the texts of this folder: phrases of the offline agent, and the prompts that models read.

Knows the files beside it and their form. Does not know anything else: rendering takes plain values.
Called by agent/ and evals/. After editing a prompt: raise its version, then
`python -m prompts.loader` writes prompts.lock anew.

A prompt file is Markdown with front matter: `id`, `version`, `inputs` (what the caller must hand
over) and `output`. Its body is the whole system message and never changes between calls, so that
providers can cache it; inputs travel as one JSON document in the user's message. So nothing that a
user or a catalogue wrote ever speaks as the system.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import yaml

PROMPTS = ("decide", "look_up", "explain", "respond", "judge", "judge_pair", "user_simulator")
LOCK = "prompts.lock"


class PromptBroken(Exception):
    """A prompt file is missing, malformed, or was given inputs that it does not declare."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentence templates by name, each with its variants; `$name` stands for an input."""

    variants: Mapping[str, Sequence[str]]
    sha: str
    """First 16 hex digits of the file's SHA-256, for transcripts."""

    def say(self, name: str, pick: int = 0, **inputs: object) -> str:
        """Fill one variant; `pick` chooses it (any integer, taken modulo their number)."""
        if name not in self.variants:
            raise PromptBroken(f"prompts/phrases.yaml has no phrase {name!r}")
        choices = self.variants[name]
        try:
            return Template(choices[pick % len(choices)]).substitute(
                {key: str(value) for key, value in inputs.items()}
            )
        except KeyError as missing:
            raise PromptBroken(f"phrase {name!r} needs the input {missing}") from missing


@dataclass(frozen=True, slots=True)
class TagWords:
    """How tags of catalogues, in small letters, read in a sentence."""

    article: frozenset[str]
    said: Mapping[str, str]
    form: frozenset[str]
    """Tags that name the form of a film: no answer to what it is about."""
    before_films: Mapping[str, str]
    """Moods that are no adjectives, as one would put them before "films"."""

    def subjects(self, tags: Sequence[str]) -> list[str]:
        """What a film with these tags is about, two at most: "a heist", "betrayal"."""
        found = [self.phrase(tag) for tag in tags if tag.lower() not in self.form][:2]
        return found[:1] if any(" and " in subject for subject in found) else found

    def adjectives(self, tags: Sequence[str]) -> list[str]:
        """Those that stand before "film"."""
        return [tag for tag in tags if tag.lower() not in self.form]

    def adjective(self, mood: str) -> str:
        """A mood before "films"."""
        return self.before_films.get(mood.lower(), mood)

    def phrase(self, tag: str) -> str:
        """A tag inside a sentence: "a heist", "Christmas"."""
        if tag.lower() in self.article:
            return f"{'an' if tag[:1].lower() in 'aeiou' else 'a'} {tag}"
        return self.said.get(tag.lower(), tag)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for a model: a fixed system text, and the inputs that a call hands over."""

    id: str
    version: int
    inputs: tuple[str, ...]
    output: str
    """What the model must give back, in words, for people who read the file."""
    text: str
    sha: str
    """First 16 hex digits of the file's SHA-256, for transcripts and cache keys."""

    def data(self, **inputs: Any) -> str:
        """The inputs as one JSON document, in the declared order. Raises: PromptBroken."""
        if set(inputs) != set(self.inputs):
            wrong = sorted(set(inputs) ^ set(self.inputs))
            raise PromptBroken(f"prompt {self.id!r} takes {list(self.inputs)}; see {wrong}")
        document = {name: inputs[name] for name in self.inputs}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def listed(parts: Sequence[str]) -> str:
    """As people list things: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


@lru_cache(maxsize=1)
def load_phrases() -> Phrases:
    """The offline agent's phrases, read once."""
    content = files("prompts").joinpath("phrases.yaml").read_bytes()
    loaded = yaml.safe_load(content)
    variants = {
        name: [value] if isinstance(value, str) else list(value) for name, value in loaded.items()
    }
    return Phrases(variants, _sha(content))


@lru_cache(maxsize=1)
def load_tag_words() -> TagWords:
    """How tags read, read once."""
    loaded = yaml.safe_load(files("prompts").joinpath("tags.yaml").read_bytes())
    article, form = frozenset(loaded["article"]), frozenset(loaded["form"])
    return TagWords(article, loaded["said"], form, loaded["adjective"])


@lru_cache
def load_prompt(prompt_id: str) -> Prompt:
    """A prompt of this folder, read once. Raises: PromptBroken."""
    try:
        content = files("prompts").joinpath(f"{prompt_id}.md").read_bytes()
    except FileNotFoundError:
        raise PromptBroken(f"there is no prompt {prompt_id!r}: choose from {PROMPTS}") from None
    return parse_prompt(content)


def parse_prompt(content: bytes) -> Prompt:
    """A prompt file as read. Raises: PromptBroken."""
    opening, front, body = ("", "", "")
    parts = content.decode().split("---\n", 2)
    if len(parts) == 3:
        opening, front, body = parts
    head = yaml.safe_load(front) if front else None
    if opening or not isinstance(head, dict) or not body.strip():
        raise PromptBroken("a prompt is front matter between two lines of ---, then its text")
    if set(head) != {"id", "version", "inputs", "output"}:
        raise PromptBroken(f"front matter has id, version, inputs and output, not {sorted(head)}")
    return Prompt(
        str(head["id"]),
        int(head["version"]),
        tuple(head["inputs"]),
        str(head["output"]),
        body.strip(),
        _sha(content),
    )


def lock_of(prompts: Sequence[Prompt]) -> str:
    """The lock file: one line per prompt with its version and sha."""
    lines = [f"{p.id} {p.version} {p.sha}\n" for p in prompts]
    return "# Written by `python -m prompts.loader`: id, version, sha.\n" + "".join(lines)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    locked = lock_of([load_prompt(name) for name in PROMPTS])
    Path(__file__).with_name(LOCK).write_text(locked, encoding="utf-8")
