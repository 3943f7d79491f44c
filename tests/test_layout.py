"""The house rules a machine can check: names, imports, docstrings, lengths, broad excepts."""

import ast
import importlib.metadata
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("agent", "tools", "prompts", "retrieval", "infra", "evals")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
# The four edges where nothing may get through: a tool call, a turn, a Slack event, an eval trial.
# Each logs the error and converts it into an answer of its own port.
BROAD_EXCEPT_EDGES = {
    "tools/toolbox.py",
    "agent/assistant.py",
    "infra/slack.py",
    "evals/dialogues/player.py",
}


def modules(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "cdk" not in path.relative_to(ROOT).parts
    )


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


CODE = modules(*PACKAGES)
ALL = modules(*PACKAGES, "tests")


def test_no_other_distribution_owns_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in (*PACKAGES, "tests", "contracts"):
        others = [owner for owner in owners.get(name, []) if owner != "usher"]
        assert not others, f"{others} install a package called {name}: ours would be shadowed"


def test_import_contracts_are_kept() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "lint-imports is missing; run: make setup"
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_module_opens_with_a_docstring(path: Path) -> None:
    assert ast.get_docstring(parse(path)), "say what the module knows, does not know, who calls it"


@pytest.mark.parametrize("path", [p for p in CODE if p.name == "__init__.py"], ids=name_of)
def test_init_holds_a_docstring_only(path: Path) -> None:
    assert len(parse(path).body) == 1, "import from the defining module instead"


def test_every_folder_with_code_is_a_package_and_tests_are_flat() -> None:
    for path in CODE:
        assert (path.parent / "__init__.py").exists(), f"{name_of(path.parent)} lacks __init__.py"
    assert not list((ROOT / "tests").rglob("__init__.py")), "a test package would shadow ours"


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_file_is_short_enough(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES, f"{lines} lines: a design question, not a waiver"


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.name} ({lines} lines)"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_functions_are_short_enough(path: Path) -> None:
    assert not list(long_functions(path))


def broad_excepts(path: Path) -> Iterator[int]:
    """Lines of handlers that catch everything; one that ends in a bare `raise` lets all through."""
    broad = ("Exception", "BaseException")
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = list(ast.walk(node.type)) if node.type else []
        names = {item.id for item in caught if isinstance(item, ast.Name)}
        last = node.body[-1]
        passes_on = isinstance(last, ast.Raise) and last.exc is None
        if (node.type is None or names.intersection(broad)) and not passes_on:
            yield node.lineno


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_broad_excepts_stand_at_the_edges_only(path: Path) -> None:
    if name_of(path) not in BROAD_EXCEPT_EDGES:
        assert not list(broad_excepts(path)), "catch what you can name, or move it to an edge"


def test_lock_names_no_place_to_install_from() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"^\s*-(-index-url|-extra-index-url|-find-links|i|f)\b|://", lock, re.M)
    assert not re.search(r"^(torch|sentence-transformers)==", lock, re.M), "belongs to `train`"


def test_network_is_blocked() -> None:
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(RuntimeError, match="loopback only"), socket.socket() as client:
        client.connect(("192.0.2.1", 80))
