"""The parts of the README that are generated: file tree, graph picture, settings.

Knows the markers and where each part comes from (first docstring lines, the compiled graph, the
settings class). Does not know the results table (report.py). `python -m evals.readme` writes them;
tests/test_readme.py fails when they are not true any more.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.graph import mermaid
from evals.place import ROOT
from evals.report import README
from infra.settings import Settings, variable

FOLDERS = ("prompts", "retrieval", "tools", "agent", "infra", "evals")
OUTSIDE = ("cdk", "__pycache__", "scenarios", "encoders", "starter", "taggers", "widget")
"""Folders told in one line."""


def main() -> int:
    """Write every generated part into the README."""
    README.write_text(updated(README.read_text("utf-8")), "utf-8")
    return 0


def updated(text: str) -> str:
    """The README's text with its generated parts made anew. Raises: ValueError without markers."""
    parts: dict[str, Callable[[], str]] = {
        "tree": tree,
        "graph": lambda: f"```mermaid\n{mermaid().strip()}\n```",
        "settings": settings,
    }
    for name, make in parts.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if begin not in text or end not in text:
            raise ValueError(f"README.md lacks {begin} ... {end}")
        head, rest = text.split(begin, 1)
        tail = rest.split(end, 1)[1]
        text = f"{head}{begin}\n{make()}\n{end}{tail}"
    return text


def tree() -> str:
    """Every module with the first line of its docstring."""
    lines: list[str] = []
    for folder in FOLDERS:
        lines += _folder(ROOT / folder)
    return "```\n" + "\n".join(lines) + "\n```"


def _folder(folder: Path, depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{folder.name}/".ljust(34) + _summary(folder / "__init__.py")
    for path in sorted(folder.iterdir()):
        name = f"{indent}  {path.name}"
        if path.is_dir() and path.name in OUTSIDE and path.name != "__pycache__":
            yield f"{name}/"
        elif path.is_dir() and any(path.glob("*.py")):
            yield from _folder(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield name.ljust(34) + _summary(path)
        elif path.suffix in (".yaml", ".md"):
            yield name


def _summary(module: Path) -> str:
    if not module.exists():
        return ""
    docstring = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return docstring.split("\n")[0].rstrip(".")


def settings() -> str:
    """Every setting with its default and its line of doc."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default if field.default_factory is None else ""
        shown = "" if default in (None, (), "") else f"`{default}`"
        rows.append(f"| `{variable(name)}` | {shown} | {field.description or ''} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
