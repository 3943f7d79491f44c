"""That no overview shares seven words in a row with any text in the data folder.

Knows how titles and names are masked and which files hold text. Keeps nothing of what it reads but
the runs that are shared. Called by check.py when the data are there.

A known title, a person of the starter and every proper name of the overviews is one masked word, on
both sides: sharing a name is no copying, and another name does not hide a copy.
"""

import gzip
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from retrieval.catalogs.sources import json_rows, parquet_rows
from retrieval.movie import words
from retrieval.starter.check_files import Findings, Starter, label

RUN = 7
MASK = "*"
NOT_TEXT = ("README.md", "MANIFEST.csv", "ratings.csv", "links.csv")
OURS = "pilot"
"""Written for this project; may ship."""
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w'’-]+")

Runs = Mapping[str, Sequence[str]]
"""{seven masked words: labels of the overviews that have them}."""


def check_overlap(starter: Starter, data: Path, findings: Findings) -> None:
    """Reads every text under `data`. Raises: CatalogError."""
    findings.section = "against the data"
    mask = Mask.of(starter)
    runs = runs_of(starter, mask)
    copied: dict[str, str] = {}
    texts = 0
    for where, text in texts_under(data):
        texts += 1
        for run in shared(text, runs, mask):
            copied.setdefault(run, where)
    told = [f"{', '.join(runs[run])}: {run!r} is in {where}" for run, where in copied.items()]
    findings.none(f"{RUN}-word runs of overviews that {texts:,} texts contain", told)


class Mask:
    """Replaces titles and names by one sign."""

    def __init__(self, phrases: Iterable[Sequence[str]], names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._phrases: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for phrase in phrases:
            if len(phrase) > 1:  # a title such as "It" would mask half the language
                self._phrases[phrase[0]].add(tuple(phrase))
        self._lengths = {
            first: sorted({len(p) for p in phrases}, reverse=True)
            for first, phrases in self._phrases.items()
        }

    @classmethod
    def of(cls, starter: Starter) -> "Mask":
        """From the titles and people of the starter and the proper names of its overviews."""
        known: set[str] = set()
        for m in starter.movies:
            known.update((m["title"], *(m.get("alt_titles") or ())))
            known.update((*(m.get("directors") or ()), *(m.get("cast") or ())))
        overviews = [str(m.get("overview") or "") for m in starter.movies]
        names = {w for text in overviews for name in _NAME.findall(text) for w in plain(name)}
        lower = {w for text in overviews for w in re.findall(r"\b[a-z][\w'’]*", text)}
        return cls(map(plain, known), names - {w for text in lower for w in plain(text)})

    def __call__(self, text: str) -> list[str]:
        """The words of a text, each name one sign, signs in a row one sign."""
        found = plain(text)
        masked: list[str] = []
        i = 0
        while i < len(found):
            length = self._at(found, i)
            if not length:
                masked.append(found[i])
            elif not masked or masked[-1] != MASK:
                masked.append(MASK)
            i += length or 1
        return masked

    def _at(self, found: Sequence[str], i: int) -> int:
        """How many words from `i` are a name."""
        word = found[i]
        for length in self._lengths.get(word, ()):
            if tuple(found[i : i + length]) in self._phrases[word]:
                return length
        return 1 if word in self._names else 0


def plain(text: str) -> list[str]:
    """Folded words; "Amélie's" is "amelies"."""
    return [word.replace("'", "") for word in words(text)]


def runs_of(starter: Starter, mask: Mask) -> Runs:
    """Every run of the overviews."""
    runs: defaultdict[str, list[str]] = defaultdict(list)
    for m in starter.movies:
        for run in set(_runs(mask(str(m.get("overview") or "")))):
            runs[run].append(label(m))
    return runs


def shared(text: str, runs: Runs, mask: Mask) -> set[str]:
    """The runs that a text has too."""
    return {run for run in _runs(mask(text)) if run in runs}


def _runs(masked: Sequence[str]) -> Iterator[str]:
    return (" ".join(masked[i : i + RUN]) for i in range(len(masked) - RUN + 1))


def texts_under(data: Path) -> Iterator[tuple[str, str]]:
    """(file, text) of every text of seven words or more; our own pilot lists are left out."""
    for path in sorted(data.rglob("*")):
        where = path.relative_to(data)
        if not path.is_file() or path.name in NOT_TEXT or where.parts[0] == OURS:
            continue
        for text in _texts_in(path):
            if text.count(" ") >= RUN - 1:
                yield str(where), text


def _texts_in(path: Path) -> Iterator[str]:
    name = path.name.removesuffix(".gz")
    if name.endswith((".jsonl", ".json")):
        for _, row in json_rows(path):
            yield from _strings(row)
    elif name.endswith(".parquet"):
        for _, row in parquet_rows(path):
            yield from _strings(row)
    elif name.endswith((".csv", ".dat", ".txt")):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from file


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
