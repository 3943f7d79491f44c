"""The chat page as shipped: small, without anything a strict policy forbids, and complete."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.api.app import WIDGET

MAX_GZIPPED = 25 * 1024
FILES = sorted(path for path in WIDGET.iterdir() if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]


def text(name: str) -> str:
    return (WIDGET / name).read_text(encoding="utf-8")


def test_page_is_small() -> None:
    assert sum(len(gzip.compress(path.read_bytes())) for path in FILES) <= MAX_GZIPPED


def test_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = text("index.html")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    for path in FILES:
        content = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(|@import", content), path.name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_make_markup_from_text(path: Path) -> None:
    unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc"
    assert not re.search(unsafe, path.read_text(encoding="utf-8"))


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(
        r"""["'](?:static/|\./)([\w.]+)["']""", "".join(map(text, ("index.html", "chat.js")))
    )
    assert set(named) <= {path.name for path in FILES}
    assert {path.name for path in FILES} - {"index.html"} <= set(named)
    icons = re.findall(r'icon\("(\w+)"\)|#i-(\w+)"', text("index.html") + text("view.js"))
    for name in filter(None, (name for pair in icons for name in pair)):
        assert f'id="i-{name}"' in text("index.html")


def test_page_is_labelled() -> None:
    page = text("index.html")
    assert '<html lang="en">' in page
    assert '<label for="message"' in page
    assert 'role="log" aria-live="off"' in page
    assert 'role="status"' in page
    style = text("chat.css")
    for query in ("prefers-color-scheme: dark", "prefers-reduced-motion: reduce", "forced-colors"):
        assert query in style


COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{3,6});")
PAIRS = [
    *(("ink", "paper"), ("ink", "raised"), ("ink", "said"), ("soft", "paper"), ("soft", "raised")),
    *(("on-velvet", "velvet"), ("bad", "raised")),
]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_has_enough_contrast(theme: str, front: str, back: str) -> None:
    light, dark = text("chat.css").split("prefers-color-scheme: dark", 1)
    colours = dict(COLOUR.findall(light if theme == "light" else dark))
    bright, dim = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_valid(path: Path) -> None:
    done = subprocess.run(
        ["node", "--input-type=module", "--check"],
        input=path.read_text("utf-8"),
        text=True,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
