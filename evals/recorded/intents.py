"""`python -m evals intents`: the labelled requests that the query enhancer will be held against.

Knows the files of intent_labels/ (requests, two labellings under GUIDE.md), what makes them usable,
and how far the labellers agree. Does not know any predictor (enhancer.py measures it). Called by
evals/__main__.py and enhancer.py. Never trained on.

Both labellers were language models working apart under the guide, not people: their agreement says
that the guide is unambiguous to such a reader, and is an upper bound of what people would reach.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_json, new_command
from evals.dialogues.transcript_files import objects_of
from evals.judging.agreement import cohen_kappa
from evals.problem import EvalProblem

INTENTS = (
    "genre_preference",
    "mood_based",
    "descriptive_features",
    "temporal_context",
    "similarity_based",
)
"""The five query intents (HOUSE.md 3), independent of each other."""
FOLDER = Path(__file__).parent / "intent_labels"
MAX_IMBALANCE = 10
MAX_WORDS = 500
MAX_MARKED = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """One request with the intents and the telling words that each labeller found."""

    text: str
    intents: tuple[frozenset[str], frozenset[str]]
    marked: tuple[frozenset[str], frozenset[str]]


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "intents")
    parser.set_defaults(command=intents_command)
    parser.add_argument("--input", type=Path, default=FOLDER, help="folder (default: our own)")
    add_json(parser)


def intents_command(given: argparse.Namespace) -> int:
    """Run the command. Raises: EvalProblem."""
    labelled = read_labelled(given.input)
    counts, kappas = balance(labelled), agreement(labelled)
    table = Table(title=f"{len(labelled)} requests, labelled twice under GUIDE.md")
    for column in ("intent", "requests", "Cohen's kappa"):
        table.add_column(column, justify="left" if column == "intent" else "right")
    for name in INTENTS:
        table.add_row(name, str(counts[name]), f"{kappas[name]:.3f}")
    Console().print(table)
    print("both labellers were language models working apart: an upper bound of people's agreement")
    if given.json:
        print(json.dumps({"requests": len(labelled), "counts": counts, "kappa": kappas}))
    return 0


def read_labelled(folder: Path) -> list[Labelled]:
    """The requests with both labellings, checked. Raises: EvalProblem naming file and request."""
    texts = _texts(folder / "requests.jsonl")
    first, second = (_labels(folder / f"labels_{who}.jsonl", texts) for who in "ab")
    folded = Counter(re.sub(r"\W+", " ", text.lower()).strip() for text in texts.values())
    twice = [text for text, n in folded.items() if n > 1]
    if twice:
        raise EvalProblem(f"{folder}: the request {twice[0]!r} stands there twice; keep one")
    labelled = [
        Labelled(text, (first[i][0], second[i][0]), (first[i][1], second[i][1]))
        for i, text in texts.items()
    ]
    counts = balance(labelled)
    if max(counts.values()) > MAX_IMBALANCE * min(counts.values()):
        raise EvalProblem(f"{folder}: more than {MAX_IMBALANCE} : 1 between intents: {counts}")
    return labelled


def _texts(path: Path) -> dict[str, str]:
    """{id: request}."""
    found: dict[str, str] = {}
    for number, row in objects_of(path):
        if not isinstance(row.get("id"), str) or not isinstance(row.get("text"), str):
            raise EvalProblem(f'{path} line {number}: "id" and "text" must be texts')
        found[row["id"]] = row["text"]
    if not found:
        raise EvalProblem(f"{path} is empty: it needs one request a line")
    return found


def _labels(path: Path, texts: dict[str, str]) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    found = {}
    for number, row in objects_of(path):
        where, name = f"{path} line {number}", str(row.get("id"))
        intents, marked = (_words(row, field, where) for field in ("intents", "marked"))
        if name not in texts:
            raise EvalProblem(f"{where}: no request {name!r}")
        if not intents <= set(INTENTS):
            raise EvalProblem(f"{where}: intents are {', '.join(INTENTS)}")
        strange = [word for word in marked if word not in texts[name]]
        if strange or len(marked) > MAX_MARKED or len(texts[name].split()) > MAX_WORDS:
            raise EvalProblem(
                f"{where}: mark at most {MAX_MARKED} words of the request as they stand there"
            )
        found[name] = (intents, marked)
    lacking = [name for name in texts if name not in found]
    if lacking:
        raise EvalProblem(f"{path}: no labels for {lacking[0]}; label every request")
    return found


def _words(row: Mapping[str, object], field: str, where: str) -> frozenset[str]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise EvalProblem(f'{where}: "{field}" must be a list of texts')
    return frozenset(value)


def balance(labelled: Sequence[Labelled]) -> dict[str, int]:
    """{intent: requests that the first labeller gave it}."""
    return {name: sum(name in one.intents[0] for one in labelled) for name in INTENTS}


def agreement(labelled: Sequence[Labelled]) -> dict[str, float]:
    """{intent: Cohen's kappa of the two labellers}."""
    kappas = {}
    for name in INTENTS:
        table = np.zeros((2, 2))
        for one in labelled:
            table[int(name in one.intents[0]), int(name in one.intents[1])] += 1
        kappas[name] = round(cohen_kappa(table, quadratic=False), 4)
    return kappas
