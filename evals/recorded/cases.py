"""`python -m evals cases`: recorded turns as the ranker will see them, with what was right.

Knows how a turn becomes a table of features and labels, out of fold. Does not know how a ranker
learns (retrieval/jobs/train_ranker.py and train_folds.py read the file). Numbers only go into it.

A turn of fold G is searched with counts and an enhancer that know nothing of G: what the ranker
that ships learns from. Nested, they know nothing of a fold F either, and F's own turns are left
out: what the ranker of F learns from. Labels are the films that were recommended in a turn, and
those that either side named later in the same dialogue.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from agent.replay import replay
from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded.models import enhancer_without
from evals.recorded.rank import Protocol, Report, groups
from evals.recorded.rank_command import read
from evals.recorded.rank_input import Case, read_dialogues
from evals.recorded.signal import KeepingIndex
from evals.recorded.worlds import World, folds_of, recounted_world, shipped_world
from infra.progress import shown
from infra.wiring import Services
from retrieval.film_facts import Floats
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.movie import Query, Taste
from retrieval.neighbours import seed_weights
from retrieval.rank_cases import CASES, LATER, TARGET, Cases
from retrieval.rank_features import Search, features
from retrieval.ranker import CANDIDATES
from retrieval.retriever import RetrieverSettings


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "cases")
    parser.set_defaults(command=lambda given: asyncio.run(cases(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    parser.add_argument("--counts-from", type=Path, required=True, help="their dialogues")
    parser.add_argument("--output", type=Path, required=True, help="cases.npz")
    parser.add_argument(
        "--nested", action="store_true", help="output is a folder: fold-N.npz for the ranker of N"
    )
    parser.add_argument("--models", type=Path, help="folder of fold-N/enhancer.onnx: its vectors")
    parser.add_argument("--folds", type=int, default=5, help="folds of dialogues (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default 0)")


async def cases(given: argparse.Namespace) -> int:
    """The command. Raises: InputProblem and what opening an index raises."""
    turns, _ = read(given.input, None, given.counts_from)
    protocol = Protocol(counts_from=given.counts_from, folds=given.folds, seed=given.seed)
    wanted: dict[Path, int | None] = {given.output: None}
    if given.nested:
        given.output.mkdir(parents=True, exist_ok=True)
        wanted = {given.output / CASES.format(fold=fold): fold for fold in range(given.folds)}
    async with opened(given.index) as services:
        for file, unseen in wanted.items():
            with shown() as report:
                tell = partial(report, "searching")
                made = await make(turns, protocol, services, tell, given.models, unseen)
            made.save(file)
            found = int(np.count_nonzero(made.labels == TARGET))
            print(f"{file}: {len(made.sizes)} turns, {len(made.labels)} candidates, {found} right")
    return 0


async def make(
    turns: Sequence[Case],
    protocol: Protocol,
    services: Services,
    report: Report,
    models: Path | None = None,
    unseen: int | None = None,
) -> Cases:
    """The cases of every turn with a new target that asks for something to watch.

    Args: unseen: the fold that is left out, and of which nothing behind a feature may know.

    Raises: InputProblem.
    """
    assert protocol.counts_from is not None  # the command demands it
    dialogues = read_dialogues(protocol.counts_from)
    folds = folds_of(list(dialogues), protocol.folds, protocol.seed)
    hidden = frozenset() if unseen is None else frozenset({unseen})
    asked = [c for c in turns if c.new_targets and folds.get(c.dialogue_id) not in hidden]
    tables: list[Floats] = []
    labels: list[list[int]] = []
    of: list[str] = []
    done = 0
    for counts, group in groups(asked, protocol, hidden):
        world = await (recounted_world(services, counts) if counts else shipped_world(services))
        if models:
            gone = hidden | {folds[c.dialogue_id] for c in group if c.dialogue_id in folds}
            enhancer = enhancer_without(models, gone or {0}, services.encoder.identity)
            world = replace(world, enhancer=enhancer)
        for case in group:
            found = await _searched(case, world)
            done += 1
            report(done, len(asked))
            if found is None:
                continue
            ids, table = found
            tables.append(table)
            labels.append(_labels(case, ids, dialogues.get(case.dialogue_id, {})))
            of.append(case.dialogue_id)
    return Cases(
        np.concatenate(tables),
        np.array([label for one in labels for label in one], dtype=np.int8),
        np.array([len(one) for one in labels], dtype=np.int64),
        of,
        folds,
    )


async def _searched(case: Case, world: World) -> tuple[list[str], Floats] | None:
    """Candidates by the fixed weights with their features; None for a description of one film.

    Requests that name no film are learned from, though the ranker will have no say in them: what
    fame, tags and archetypes are worth is the same there (R@10 .251 with them, .250 without).
    """
    query = (await replay(case.turns, world.toolbox, sorted(case.mentioned))).query
    return None if query.known_item else await candidates_of(query, world)


async def candidates_of(query: Query, world: World) -> tuple[list[str], Floats]:
    """What `Retriever.retrieve` hands to a ranker."""
    keeping, settings = KeepingIndex(world.index), RetrieverSettings(diversify=False)
    retriever = replace(world, index=keeping).retriever(settings)
    await retriever.retrieve(query, k=CANDIDATES)
    weights = seed_weights(query.seeds, Taste())
    fixed = settings.weights(query, bool(weights))
    fused = reciprocal_rank_fusion(keeping.last, fixed, settings.rrf_k, CANDIDATES)
    scores = {f.movie_id: f.score for f in fused}
    table = features(Search(query, weights, keeping.last, scores), world.knowledge)
    return list(scores), table


def _labels(case: Case, ids: Sequence[str], named: Mapping[str, str]) -> list[int]:
    right = set(case.new_targets)
    later = named.keys() - case.mentioned - right
    return [TARGET if i in right else LATER if i in later else 0 for i in ids]
