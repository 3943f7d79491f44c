"""`python -m evals score`: transcripts from anywhere, scored without any agent or model.

Knows the flags, which forms a file may have, and when a catalogue does not belong to a file. Does
not know any scorer. Called by evals/__main__.py.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evals.commands import Commands, add_index_and_json, new_command
from evals.dialogues.hear import heard
from evals.dialogues.reference import Reference, load_reference
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scored import Scored, scored, tell
from evals.dialogues.transcript import Transcript
from evals.dialogues.transcript_files import EvalInputProblem, objects_of, write_models
from evals.dialogues.transcript_import import transcript_of
from infra.cli_common import settings_for
from infra.progress import shown
from retrieval.index import IndexMissing

DETAILS = """\
what FILE may be:
  a run folder (of run or simulate)     its scores are written anew, beside its transcripts
  JSON lines, .gz ok, one dialogue a line, in any of these forms:
    {"channel", "source", "dialogue_id", "turns", ...}   Transcript v1 (transcript-v1.schema.json)
    {"messages": [{"role", "content"}], "dialogue_id"?}   OpenAI messages
    {"dialogue_id", "turns": [{"user", "events"}]}        usher chat --script

what a foreign transcript does not tell is "not applicable", never a pass. To have lists scored, add
them as calls of show_movies({"movies": [{"movie_id"?, "title", "year"?}]}), or use --hear: films
that an answer names count as shown, and what the rules hear in a message counts as wished for.

examples:
  python -m evals score slack-export.jsonl --index data/index
  python -m evals score runs/today --json
"""


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "score", DETAILS)
    parser.set_defaults(command=lambda given: asyncio.run(score(given)))
    parser.add_argument("file", nargs="?", type=Path, help="transcripts, or a run folder")
    parser.add_argument("--input", type=Path, help="the same as FILE")
    parser.add_argument("--hear", action="store_true", help="judge by what our rules hear")
    parser.add_argument("--output", type=Path, help="where the scores go, JSON lines (.gz ok)")
    add_index_and_json(parser)


async def score(given: argparse.Namespace) -> int:
    """Run the command; 1 when something happened that must never happen."""
    place = given.input or given.file
    if place is None or (given.input and given.file):
        raise EvalInputProblem("name the transcripts once: python -m evals score FILE")
    folder = RunFolder.open(place) if place.is_dir() else None
    transcripts = folder.transcripts() if folder else read_transcripts(place)
    if not transcripts:
        raise EvalInputProblem(f"{place} has no dialogue yet: play it first")
    reference = await _reference(given.index)
    if reference is not None:
        check_ids(transcripts, reference, place)
    if given.hear:
        transcripts = _heard(transcripts, reference)
    began = time.perf_counter()
    with shown() as report:
        found = scored(transcripts, reference, partial(report, "scoring"))
    seconds = time.perf_counter() - began
    if folder:
        folder.write_scores(found.scores)
    if given.output:
        write_models(given.output, found.scores)
    tell(found)
    print(f"scored in {seconds:.1f} s ({1000 * seconds / len(transcripts):.0f} ms a dialogue)")
    partly = _told_partial(folder, len(transcripts))
    if given.json:
        print(json.dumps(_figures(found, seconds, partly)))
    return 0 if found.holds else 1


def _heard(transcripts: Sequence[Transcript], reference: Reference | None) -> list[Transcript]:
    if reference is None:
        raise EvalInputProblem("--hear needs a catalogue: name one with --index DIR")
    print("advisory: wishes and lists are what Usher's own rules hear where a transcript has none")
    return [heard(transcript, reference) for transcript in transcripts]


def _figures(found: Scored, seconds: float, partly: bool) -> dict[str, object]:
    return {**found.as_json(), "partial": partly, "seconds": round(seconds, 2)}


def _told_partial(folder: RunFolder | None, done: int) -> bool:
    if folder is None or done == folder.config.dialogues:
        return False
    print(f"PARTIAL: {done} of {folder.config.dialogues} dialogues of {folder.path} were played")
    return True


async def _reference(index: Path | None) -> Reference | None:
    """The catalogue; None where none is named and none is there."""
    try:
        return await load_reference(settings_for(index).index_dir)
    except IndexMissing:
        if index is not None:
            raise
        print("no index: whatever needs a catalogue is not applicable (name one with --index DIR)")
        return None


def read_transcripts(path: Path) -> list[Transcript]:
    """Every dialogue of a run folder, or of a file in any form. Raises: EvalInputProblem."""
    if path.is_dir():
        return RunFolder.open(path).transcripts()
    found: list[Transcript] = []
    lines: dict[tuple[str, int], int] = {}
    for number, row in objects_of(path):
        transcript = transcript_of(row, f"{path} line {number}", number)
        key = (transcript.dialogue_id, transcript.trial)
        if key in lines:
            raise EvalInputProblem(
                f"{path} line {number}, field dialogue_id: {key[0]} is on line {lines[key]} already"
            )
        lines[key] = number
        found.append(transcript)
    if not found:
        raise EvalInputProblem(f"{path} is empty: it needs one dialogue a line")
    return found


def check_ids(transcripts: Sequence[Transcript], reference: Reference, place: Path) -> None:
    """Films of another catalogue would all count as inventions. Raises: EvalInputProblem."""
    ids = {movie_id for transcript in transcripts for movie_id in transcript.shown_ids}
    strange = sorted(movie_id for movie_id in ids if movie_id not in reference.movies)
    if ids and len(strange) == len(ids):
        first = next(t for t in transcripts if strange[0] in t.shown_ids)
        raise EvalInputProblem(
            f"{place}, dialogue {first.dialogue_id}, field turns.shown.movie_id: none of "
            f"{len(ids)} ids is in the index, {strange[0]!r} for one: is it the right one?"
        )
    if strange:
        print(f"{len(strange)} of {len(ids)} movie ids are not in the index, {strange[0]} for one")
