"""The README is true: generated parts are current, and every path it names is there."""

import re
from pathlib import Path

from evals.readme import updated
from evals.report import README

ROOT = Path(__file__).resolve().parents[1]
TEXT = README.read_text("utf-8")


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found.group(1)


def test_generated_parts_are_current() -> None:
    assert updated(TEXT) == TEXT, "run: python -m evals.readme"


def test_reading_path_is_short_and_there() -> None:
    paths = re.findall(r"`([\w/]+\.py)`", section("Reading path"))
    assert len(paths) == 7
    for path in paths:
        assert len((ROOT / path).read_text("utf-8").splitlines()) <= 250, path


def test_where_do_i_change_names_files_that_are_there() -> None:
    paths = re.findall(r"`([\w/.-]+\.(?:py|yaml|md|js))`", section(r"Where do I change \.\.\."))
    assert len(paths) > 12
    for path in paths:
        assert (ROOT / path).exists(), path


def test_make_verbs_are_those_of_the_makefile() -> None:
    verbs = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`", TEXT))
    assert named <= verbs
    assert {"start", "chat", "test", "check", "eval", "figures"} <= named
