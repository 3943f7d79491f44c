"""Phrases: every one the code names is there, every input it declares is given."""

import re
from pathlib import Path

import pytest

from prompts.loader import PromptBroken, load_phrases

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r'\bsay\(\s*"([a-z_]+)"|\breason\([^,]+,\s*"([a-z_]+)"')


def test_phrases_are_said_by_name_with_their_inputs() -> None:
    phrases = load_phrases()
    assert "Alien" in phrases.say("runtime", 0, title="Alien", value=117)
    assert phrases.say("list_plain", 0) != phrases.say("list_plain", 1)
    assert phrases.say("list_plain", 0) == phrases.say("list_plain", 3)
    with pytest.raises(PromptBroken, match="needs the input"):
        phrases.say("runtime", 0)
    with pytest.raises(PromptBroken, match="no phrase"):
        phrases.say("no_such_phrase")


def test_every_phrase_named_in_code_exists() -> None:
    phrases = load_phrases().variants
    named = {
        name
        for folder in ("agent", "tools")
        for path in (ROOT / folder).glob("*.py")
        for pair in NAMED.findall(path.read_text("utf-8"))
        for name in pair
        if name
    }
    assert len(named) > 15
    assert named <= set(phrases)


def test_sha_changes_with_the_text() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", load_phrases().sha)
