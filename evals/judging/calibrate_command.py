"""`python -m evals calibrate --labels FILE`: does a judge, or a scorer, agree with people?

Knows the flags and the tables. Does not know statistics (agreement.py) nor how a judge asks
(judge.py). Called by evals/__main__.py.
"""

import argparse
import asyncio
import hashlib
import json
import math
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from evals.commands import Commands, add_json, new_command
from evals.dialogues.scored_run import load_run
from evals.dialogues.transcript_files import EvalInputProblem
from evals.judging.agreement import GRADES, Agreement, Bounded
from evals.judging.calibration import ALONE, FLOOR, Calibration, as_grades, calibrate, verdict
from evals.judging.calibration_file import Calibrated, JudgeId, write_calibration
from evals.judging.judge import Judge, judged_texts
from evals.judging.labels import Item, read_items
from evals.judging.rubric import RUBRIC, load_rubric
from evals.language_model import the_model
from infra.progress import shown

DETAILS = f"""\
Labels are dialogues graded from 1 to 5 by two people or more. Beside each other stand: one person
against the others, the commonest grade given to everything, counted words (fitted to these very
labels, out of fold: more than an unfitted judge gets) and, if asked for, a scorer or a judge.
Everyone is held against the people's median; intervals are drawn over dialogues.
A judge decides a gate only if the lower end of its weighted kappa reaches {FLOOR:.2f}; below that
it is advisory. Without a language model the first three rows are all there is: they say what a
judge will have to beat, and how far these labels can be trusted.
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "calibrate", DETAILS)
    parser.set_defaults(command=run)
    parser.add_argument("--labels", type=Path, required=True, help="graded dialogues (.gz ok)")
    parser.add_argument(
        "--level", choices=("dialogue", "turn"), default="dialogue", help="what was graded"
    )
    parser.add_argument("--scores", type=Path, help="a scorer's scores of the same dialogues")
    parser.add_argument("--scorer", help="which one, where --scores has several")
    parser.add_argument("--judge", action="store_true", help="ask the model of USHER_MODEL")
    parser.add_argument("--criterion", default="satisfaction", help="of the rubric, for --judge")
    parser.add_argument("--rubric", type=Path, default=RUBRIC, help="another rubric")
    parser.add_argument("--limit", type=int, help="only so many dialogues, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0, help="of draws and folds (default 0)")
    parser.add_argument("--output", type=Path, help="where the judge's calibration goes (.json)")
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """The command. Raises: EvalProblem."""
    if given.output and not given.judge:
        raise EvalInputProblem("--output keeps a judge's calibration: give --judge with it")
    items = _drawn(read_items(given.labels, given.level), given.limit, given.seed)
    graders: dict[str, dict[str, int]] = {}
    if given.scores:
        name, grades = _scorer(given, items)
        graders[f"scorer {name}"] = grades
    judge_id: JudgeId | None = None
    if given.judge:
        judge_id, grades = asyncio.run(_judge(given, items))
        graders[f"judge {judge_id.model_id}"] = grades
    found = calibrate(items, graders, given.seed)
    _tell(found, given)
    for name in graders:
        print(f"{name}: {verdict(found.rows[name])}")
    if judge_id is None:
        print("no judge was asked (--judge needs a model: USHER_MODEL)")
    elif given.output:
        row = found.rows[f"judge {judge_id.model_id}"]
        write_calibration(_kept(given, judge_id, row), given.output)
    if given.json:
        print(json.dumps(_as_json(found)))
    return 0


def _drawn(items: list[Item], limit: int | None, seed: int) -> list[Item]:
    dialogues = sorted({item.dialogue_id for item in items})
    if limit is None or limit >= len(dialogues):
        return items
    if limit < 2:
        raise EvalInputProblem(f"--limit {limit}: agreement needs two dialogues or more")
    kept = set(random.Random(seed).sample(dialogues, limit))
    return [item for item in items if item.dialogue_id in kept]


def _scorer(given: argparse.Namespace, items: Sequence[Item]) -> tuple[str, dict[str, int]]:
    if given.level != "dialogue":
        raise EvalInputProblem("--scores are of dialogues: leave out --level turn")
    found = load_run(given.scores).values
    name = given.scorer or next(iter(found)) if len(found) == 1 else given.scorer
    if name not in found:
        raise EvalInputProblem(f"--scorer {name}: {given.scores} has {', '.join(sorted(found))}")
    values = {key: value for (key, _), value in found[name].applicable.items()}
    if not values.keys() & {item.item_id for item in items}:
        raise EvalInputProblem(f"{given.scores} and {given.labels} have no dialogue in common")
    return name, as_grades(values, found[name].direction, items)


async def _judge(
    given: argparse.Namespace, items: Sequence[Item]
) -> tuple[JudgeId, dict[str, int]]:
    rubric = load_rubric(given.rubric)
    criterion = rubric.criterion(given.criterion)
    if criterion.kind != "scale":
        raise EvalInputProblem(f"--criterion {criterion.name} is a yes/no question: grades needed")
    async with the_model("a judge") as model:
        judge = Judge(model, rubric.only(criterion.name))
        with shown() as report:
            texts = [(item.item_id, item.said) for item in items]
            grades = await judged_texts(judge, texts, partial(report, "judging"))
    lost = judge.log
    print(
        f"{len(grades)} of {len(items)} judged: {lost.unparsed} unparsed, {lost.unfounded} "
        f"without a true quote, {lost.no_evidence} without evidence, {lost.failed} failed"
    )
    if not grades:
        raise EvalInputProblem("the judge gave no usable grade: nothing to calibrate")
    return judge.judge_id, grades


def _kept(given: argparse.Namespace, judge_id: JudgeId, row: Agreement) -> Calibrated:
    kappa = row.weighted_kappa
    return Calibrated(
        judge=judge_id,
        criterion=given.criterion,
        labels=given.labels.name,
        labels_sha=hashlib.sha256(given.labels.read_bytes()).hexdigest()[:16],
        items=row.items,
        weighted_kappa=kappa.value,
        # Where the interval is not defined nothing is shown, so nothing may be decided.
        low=-1.0 if math.isnan(kappa.low) else kappa.low,
        high=1.0 if math.isnan(kappa.high) else kappa.high,
        floor=FLOOR,
    )


# --- telling --------------------------------------------------------------------------------------

_COLUMNS = ("agreement", "kappa", "weighted_kappa", "spearman", "alpha")


def _tell(found: Calibration, given: argparse.Namespace) -> None:
    console = Console(width=max(Console().width, 150), markup=False)
    title = f"{given.labels.name}: {found.items:,} {given.level}s, {found.raters:,} ratings"
    caption = (
        f"all raters: Krippendorff's alpha {_told(found.alpha)}; 95 % intervals over dialogues"
    )
    table = Table(title=title, caption=caption, title_justify="left")
    for name in ("against the people's median", "n", *_COLUMNS):
        table.add_column(name.replace("_", " "), justify="left" if " " in name else "right")
    for name, row in found.rows.items():
        table.add_row(name, f"{row.items:,}", *(_told(getattr(row, c)) for c in _COLUMNS))
    console.print(table)
    for name, row in list(found.rows.items())[2:]:
        print(f"\n{name} (down) against people (across)")
        console.print(_confusion(row))
    best = found.rows.get(ALONE)
    if best is not None and best.weighted_kappa.high < FLOOR:
        print(
            f"people alone do not reach {FLOOR:.2f} on these labels: a judge has to be surer than "
            "one of them to decide anything"
        )


def _told(found: Bounded) -> str:
    if math.isnan(found.value):
        return "undefined"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _confusion(row: Agreement) -> Table:
    table = Table()
    table.add_column("")
    for grade in range(1, GRADES + 1):
        table.add_column(str(grade), justify="right")
    for grade, counts in enumerate(row.confusion, 1):
        table.add_row(str(grade), *(str(count) for count in counts))
    return table


def _as_json(found: Calibration) -> dict[str, Any]:
    return {
        "items": found.items,
        "ratings": found.raters,
        "alpha": _plain(found.alpha),
        "floor": FLOOR,
        "rows": {
            name: {"n": row.items}
            | {column: _plain(getattr(row, column)) for column in _COLUMNS}
            | {"confusion": row.confusion.tolist(), "verdict": verdict(row)}
            for name, row in found.rows.items()
        },
    }


def _plain(found: Bounded) -> dict[str, float | None]:
    values = {"value": found.value, "low": found.low, "high": found.high}
    return {k: None if math.isnan(v) else round(float(v), 4) for k, v in values.items()}
