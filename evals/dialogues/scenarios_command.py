"""`python -m evals scenarios`: what ours cover, what a catalogue allows, transcripts as scenarios.

Knows the coverage table of both kinds of scenario, whether each goal can be met on an index, and
how a dialogue that went well is frozen: its messages, and what the agent did after each. Does not
play anything. Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from agent.events import LedgerEntryView
from evals.commands import Commands, add_json, new_command
from evals.dialogues.reference import load_reference
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.score_command import read_transcripts
from evals.dialogues.transcript import PlayedTurn, Transcript
from evals.dialogues.transcript_files import EvalInputProblem
from evals.users.goal import HELD_OUT, SPLITS, Goal, Split, coverage, every_goal_of_ours, load_goals
from evals.users.goal_world import Films, worlds_of
from infra.cli_common import settings_for

SCRIPTED_SPLIT: Split = "train"
"""Scripted scenarios were written beside the rules that answer them: nothing was held back."""
DETAILS = """\
examples:
  python -m evals scenarios
      how many scenarios cover what, in each split
  python -m evals scenarios --index data/index
      every goal: can it be played there, and how many films would do in the end? --input: yours
      (a minute or two on 15,000 films)
  python -m evals scenarios --from transcripts.jsonl --output my-scenarios
      each dialogue as a scripted scenario: what the user said, and what the agent did then, which
      `python -m evals run --input my-scenarios` expects again. Read and correct it before you
      keep it: a fault that was made is frozen as well. --bare keeps the messages alone.
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "scenarios", DETAILS)
    parser.set_defaults(command=scenarios)
    parser.add_argument("--from", dest="source", type=Path, help="transcripts of any form")
    parser.add_argument("--dialogue", help="only the dialogue of this id")
    parser.add_argument("--bare", action="store_true", help="messages only, expect nothing")
    parser.add_argument("--output", type=Path, help="folder for the new scenarios")
    parser.add_argument("--index", type=Path, help="check goals against this index")
    parser.add_argument("--input", type=Path, help="with --index: goals (default: all of ours)")
    add_json(parser)


def scenarios(given: argparse.Namespace) -> int:
    """Run the command; 1 when a goal cannot be played on the index."""
    if given.source is not None and given.index is not None:
        raise EvalInputProblem("--index checks goals, --from makes scenarios: give one of them")
    if given.input is not None and given.index is None:
        raise EvalInputProblem("--input needs --index: the films that goals are checked against")
    if given.index is not None:
        return _check(given)
    if given.source is None:
        table = our_coverage()
        _show(table)
        if given.json:
            print(json.dumps(table))
        return 0
    if given.output is None:
        raise EvalInputProblem("--from needs --output: a folder for the new scenarios")
    found = [t for t in read_transcripts(given.source) if given.dialogue in (None, t.dialogue_id)]
    if not found:
        raise EvalInputProblem(f"{given.source} has no dialogue {given.dialogue!r}")
    files = write_scenarios(found, given.output, given.bare)
    print(f"{len(files)} scenarios in {given.output}")
    if given.json:
        print(json.dumps({"scenarios": [str(file) for file in files]}))
    return 0


def our_coverage() -> dict[str, dict[Split, int]]:
    """{what is covered: {split: how many}} over both kinds."""
    scripted = [(SCRIPTED_SPLIT, scenario.covers) for scenario in load_scenarios()]
    goals = every_goal_of_ours()
    return coverage([*scripted, *((goal.split, goal.covers) for goal in goals)])


def _show(table: dict[str, dict[Split, int]]) -> None:
    drawn = Table("covers", *SPLITS)
    for what, counts in table.items():
        drawn.add_row(what, *(str(counts[split]) for split in SPLITS))
    Console(width=100).print(drawn)
    goals = load_goals()
    dev = sum(goal.split == "dev" for goal in goals)
    print(f"{len(goals)} goals ({dev} dev), {len(load_scenarios())} scripted dialogues (train)")
    print(f"{len(load_goals(HELD_OUT))} goals held out (test): simulate --split test")


# --- against a catalogue --------------------------------------------------------------------------


def _check(given: argparse.Namespace) -> int:
    """Which goals can be played on an index. Raises: EvalInputProblem, IndexFailure."""
    goals = load_goals(given.input) if given.input else every_goal_of_ours()
    reference = asyncio.run(load_reference(settings_for(given.index).index_dir))
    would_do, left_out = films_that_would_do(goals, Films(reference.movies.values()))
    for name, count in sorted(would_do.items(), key=lambda item: -item[1]):
        print(f"{count:6} films would do: {name}")
    for reason in left_out:
        print(f"cannot be played: {reason}")
    print(f"{len(would_do)} of {len(goals)} goals can be played on this index")
    if given.json:
        print(json.dumps({"would_do": would_do, "left_out": left_out}))
    return 1 if left_out else 0


def films_that_would_do(
    goals: Sequence[Goal], films: Films
) -> tuple[dict[str, int], Sequence[str]]:
    """{goal: how many films meet it in the end}, and why the other goals cannot be played.

    Whoever may drop a wish is asked without it: contradictory wishes are met by nothing.
    """
    worlds, left_out = worlds_of(goals, films)
    return {w.goal.id: len(w.would_do(w.goal.may_drop)) for w in worlds}, left_out


# --- from a transcript ----------------------------------------------------------------------------


def write_scenarios(
    transcripts: Iterable[Transcript], folder: Path, bare: bool = False
) -> list[Path]:
    """One file each, checked by reading it back. Raises: EvalInputProblem, ScenarioProblem."""
    files: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for transcript in transcripts:
            file = folder / f"{_file_name(transcript.dialogue_id)}.yaml"
            if file.exists():
                raise EvalInputProblem(f"{file} is there already: name another folder")
            file.write_text(scenario_text(transcript, bare), encoding="utf-8")
            load_scenarios(file)
            files.append(file)
    except OSError as error:
        raise EvalInputProblem(f"{folder} cannot be written: {error.strerror}") from None
    return files


def _file_name(dialogue_id: str) -> str:
    return re.sub(r"[^\w.-]+", "-", dialogue_id).strip("-.") or "dialogue"


def scenario_text(transcript: Transcript, bare: bool = False) -> str:
    """A dialogue as the YAML of a scripted scenario."""
    covers = list(transcript.tags.get("kind", ())) or ["from a transcript"]
    turns = [_step(turn, bare) for turn in transcript.turns]
    content = {"covers": covers, "turns": turns}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _step(turn: PlayedTurn, bare: bool) -> dict[str, Any]:
    step: dict[str, Any] = {"user": turn.user}
    if bare:
        return step
    if turn.acts:
        step["acts"] = list(turn.acts)
        step["asks"] = turn.question is not None
    if turn.shown is not None:
        step["cards"] = "some" if turn.shown else "none"
    lines = _ledger_lines(turn.ledger or ())
    return step | ({"ledger_has": lines} if lines else {})


def _ledger_lines(views: Sequence[LedgerEntryView]) -> list[dict[str, Any]]:
    """What the ledger held, less the films: ids differ from catalogue to catalogue."""
    plain = (v for v in views if isinstance(v.value, str))
    return [{"kind": v.kind, "value": v.value, "polarity": v.polarity} for v in plain]
