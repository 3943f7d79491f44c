"""Loads the texts of this folder: phrases of the offline agent now, model prompts later.

Knows the files beside it and their form. Does not know anything else: rendering takes plain values.
Called by agent/respond.py.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from string import Template

import yaml


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
    return Phrases(variants, hashlib.sha256(content).hexdigest()[:16])
