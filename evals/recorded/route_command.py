"""`python -m evals route`: from flags to a file of conversations and a table.

Knows the flags, progress and output. Does not know how turns are routed or scored (route.py).
Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded.ranking import short
from evals.recorded.route import Routed, by_act, figures_of, route, together
from evals.recorded.route_fit import FOLDS, cross_validated
from evals.recorded.route_input import read_labelled
from evals.report import Row
from infra.progress import shown

WIDTH = 100
"""Columns at least, so that the table is not folded when piped."""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "route")
    parser.set_defaults(command=lambda given: asyncio.run(route_command(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="iard_intents_*, JSON lines")
    fitted = "also fit the weights on this file, out of fold (an experiment; minutes)"
    parser.add_argument("--fitted", action="store_true", help=fitted)


async def route_command(given: argparse.Namespace) -> int:
    """Run the command. Raises: InputProblem and what opening an index raises."""
    figures = await measure(given.input, given.index, given.fitted)
    console = Console(width=max(Console().width, WIDTH))
    console.print(_table(figures))
    for line in remarks_of(figures):
        print(line)
    if given.json:
        print(json.dumps(figures))
    return 0


async def measure(path: Path, index: Path | None, fitted: bool = False) -> dict[str, Any]:
    """All figures of a file; `fitted` adds the experiment. Raises: InputProblem."""
    dialogues = read_labelled(path)
    async with opened(index) as services:
        with shown() as report:
            turns = await route(dialogues, services, partial(report, "routing"))
    figures = figures_of(turns)
    return figures | _experiment(turns) if fitted else figures


def _experiment(turns: list[Routed]) -> dict[str, Any]:
    score = together(by_act(cross_validated(turns)))
    return {"fitted_micro_f1": round(score.f1, 4), "fitted_folds": FOLDS}


def _table(figures: Mapping[str, Any]) -> Table:
    table = Table(title=f"{figures['turns']} user turns of {figures['dialogues']} conversations")
    for column in ("act", "precision", "recall", "F1", "labels"):
        table.add_column(column, justify="left" if column == "act" else "right")
    for act, score in [*figures["per_class"].items(), ("clarify (apart)", figures["clarify"])]:
        shares = [f"{score[name]:.3f}" for name in ("precision", "recall", "f1")]
        table.add_row(act, *shares, str(score["gold"]))
    return table


def remarks_of(figures: Mapping[str, Any]) -> list[str]:
    """The figures over all acts, one a line."""
    single, several = figures["single_act"], figures["several_acts"]
    lines = [
        f"micro-F1 {figures['micro_f1']:.3f}, macro-F1 {figures['macro_f1']:.3f}, "
        f"exact {figures['exact']:.3f}",
        f"turns of one act ({single['turns']}): micro-F1 {single['micro_f1']:.3f}, "
        f"exact {single['exact']:.3f}; of several ({several['turns']}): {several['micro_f1']:.3f}",
        f"the rules alone: micro-F1 {figures['rules_alone_micro_f1']:.3f}",
    ]
    if "fitted_micro_f1" in figures:
        lines.append(
            f"experiment, weights fitted on this file in {figures['fitted_folds']} folds of "
            f"conversations: micro-F1 {figures['fitted_micro_f1']:.3f}"
        )
    return lines


# --- the results table ---

ROUTED = "IARD, 30 conversations checked twice, every user turn"
FITTED = "IARD, 221 conversations, 5 folds by conversation"
ROUTING = (
    ("acts of user turns, micro-F1 / macro-F1", ROUTED),
    ("acts of user turns, per act", ROUTED),
    ("acts of user turns, those of one act", ROUTED),
    ("acts of user turns, the rules alone", ROUTED),
    ("acts of user turns, weights fitted on IARD (experiment)", FITTED),
)


def rows_of(index: Path, gold_set: Path, partial_set: Path) -> list[Row]:
    """The rows of the results table."""
    gold = asyncio.run(measure(gold_set, index))
    fitted = asyncio.run(measure(partial_set, index, fitted=True))
    per_act = ", ".join(f"{act} {short(s['f1'])}" for act, s in gold["per_class"].items())
    single = gold["single_act"]
    values = (
        f"{short(gold['micro_f1'])} / {short(gold['macro_f1'])}",
        per_act,
        f"micro-F1 {short(single['micro_f1'])} ({single['turns']} of {gold['turns']} turns)",
        f"micro-F1 {short(gold['rules_alone_micro_f1'])}",
        f"micro-F1 {short(fitted['fitted_micro_f1'])}; "
        f"what ships {short(fitted['micro_f1'])} (developed on these)",
    )
    bounds = ("micro-F1 >= .83", "", "", "", "")
    return [Row(*r, v, b) for r, v, b in zip(ROUTING, values, bounds, strict=True)]
