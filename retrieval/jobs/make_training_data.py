"""Training data of the query enhancer: `python -m retrieval.jobs.make_training_data --out FOLDER`.

Knows which of our own knowledge becomes pairs and requests, their splits, and that all of it passes
training_checks.py before it is written. Does not know networks. Called by hand and by
train_enhancer.py. Pairs of dialogues come from `python -m evals pairs`, the agent's own reading of
redial_dev_1000 (CC BY 4.0); all else is the starter's (CC0) and the phrases of requests.yaml.
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from retrieval.catalog import CatalogError, ReadReport, open_catalogue
from retrieval.catalogs.sources import json_rows
from retrieval.encoder import Encoder, OnnxEncoder
from retrieval.jobs.build_index import STARTER
from retrieval.jobs.make_requests import LabelledRequest, Names, make_requests
from retrieval.jobs.train_vectors import Films
from retrieval.jobs.training_checks import TrainingDataRefused, check_pairs, check_requests
from retrieval.jobs.training_films import encoded, training_films
from retrieval.jobs.training_pairs import (
    Pair,
    archetype_pairs,
    description_pairs,
    neighbour_pairs,
    read_pairs,
    template_pairs,
    write_pairs,
)
from retrieval.knowledge import ARCHETYPES, NEIGHBOURS, TAGS, Archetypes, Neighbours, join_files
from retrieval.neighbours import ListGraph

REQUESTS, HELD = 8500, 800
MOST = 700
"""Pairs of one source: reading one takes 3 ms, and an epoch draws from them all."""
SEED = 9


@dataclass(frozen=True)
class TrainingData:
    """Everything that training reads."""

    films: Films
    pairs: Sequence[Pair]
    requests: Mapping[str, Sequence[LabelledRequest]]
    """{split: requests}."""


def training_data(
    catalogue: Path, dialogues: Path | None, encoder: Encoder, workplace: Path, seed: int = SEED
) -> TrainingData:
    """Make and check everything. Raises: CatalogError, TrainingDataRefused."""
    rng = random.Random(seed)
    found = training_films(catalogue, encoder, workplace, STARTER)
    joined = {
        one.name: one.content
        for one in join_files(STARTER, found.join, lambda t: encoded(t, encoder, workplace))
    }
    lists = Neighbours.load(joined[NEIGHBOURS]).lists
    archetypes = Archetypes.load(joined[ARCHETYPES])
    starter = list(open_catalogue(STARTER / "movies.jsonl.gz").movies(ReadReport()))
    names = Names.of(starter, [row for _, row in json_rows(STARTER / TAGS)])
    tagged = [movie for movie in found.movies if movie.moods]
    pairs = [
        *(read_pairs(dialogues) if dialogues else ()),
        *archetype_pairs(archetypes.requests, archetypes.lists, rng),
        *_some(neighbour_pairs(lists, rng), rng),
        *_some(description_pairs(tagged, rng), rng),
        *template_pairs(tagged, names, MOST, rng),
    ]
    made = make_requests(REQUESTS, names, rng)
    requests = {"train": made[:-HELD], "held": made[-HELD:]}
    check_requests(requests, lambda text: len(encoder.tokens(text).mask))
    check_pairs({"train": pairs}, lambda text: len(encoder.tokens(text).mask))
    return TrainingData(
        Films(found.vectors, found.rows, ListGraph.of(lists)),
        pairs,
        requests,
    )


def _some(pairs: list[Pair], rng: random.Random) -> list[Pair]:
    return rng.sample(pairs, min(len(pairs), MOST))


def main(argv: list[str] | None = None) -> int:
    """Write pairs.jsonl and requests.jsonl, to look at."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.jobs.make_training_data")
    parser.add_argument("--catalogue", type=Path, required=True, help="films to rank: facts only")
    parser.add_argument("--dialogues", type=Path, help="pairs written by python -m evals pairs")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        data = training_data(args.catalogue, args.dialogues, OnnxEncoder.load(), args.out)
    except (CatalogError, TrainingDataRefused) as refused:
        print(refused, file=sys.stderr)
        return 1
    write_pairs(data.pairs, args.out / "pairs.jsonl")
    with (args.out / "requests.jsonl").open("w", encoding="utf-8") as file:
        for split, requests in data.requests.items():
            for one in requests:
                file.write(json.dumps({"split": split, **asdict(one)}) + "\n")
    print(f"{len(data.pairs):,} pairs and {REQUESTS:,} requests in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
