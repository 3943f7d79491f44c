"""Does a killed process cost a local index any row? Builds and upserts, killed with SIGKILL.

A worker process runs numbered changes and says when each is done; it is killed at a random
moment. What the folder then holds must be exactly the state after the last acknowledged change,
or after the one that was under way. Knows jobs/build_index.py and local/writer.py. Called by
`python -m evals figures` and a test; alone: python -m evals.service.index_durability ROUNDS.
"""

import json
import random
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from retrieval.catalog import open_catalogue
from retrieval.document import document
from retrieval.encoder import EncoderIdentity, FloatArray, TokenStates
from retrieval.index import Row, TextLeg
from retrieval.jobs.build_index import build_local
from retrieval.local.snapshot import open_snapshot
from retrieval.local.writer import change
from retrieval.movie import Constraints, Movie

POOL = 400
"""Movies that changes are about; a build writes all of them."""
BATCH = 60
LONGEST_LIFE_S = 1.2
"""A worker is killed at a random moment until then, counted from its first change."""
DIMENSION = 16
State = dict[str, int]
"""{movie_id: number of the change that wrote it}."""


class HashEncoder:
    """Vectors from a hash of the text: quick, and every text has its own."""

    identity = EncoderIdentity("hash", "0" * 16, DIMENSION)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        rows = [np.frombuffer(blake2b(t.encode()).digest()[:DIMENSION], np.int8) for t in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, DIMENSION) + 0.5
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def tokens(self, text: str) -> TokenStates:
        raise NotImplementedError("no state of this encoder means anything")


@dataclass(frozen=True)
class Durability:
    """The figure: `lost` and `mixed` must be 0."""

    rounds: int
    kills_in_build: int
    kills_in_upsert: int
    changes: int
    """Acknowledged, over all rounds."""
    lost: int
    """Acknowledged rows that were missing or old after a kill."""
    mixed: int
    """Kills after which the index was neither the old state nor the new one."""


def movie_of(number: int, change_number: int) -> Movie:
    return Movie(f"m{number}", f"Film {number}", overview=f"marker{change_number} text " * 20)


def is_build(number: int) -> bool:
    return number % 4 == 0


def touched(number: int) -> tuple[list[int], list[int]]:
    """The movies that change `number` writes and deletes."""
    if is_build(number):
        return list(range(POOL)), []
    chosen = random.Random(number).sample(range(POOL), BATCH + 10)
    return chosen[:BATCH], chosen[BATCH:]


def after(state: State, number: int) -> State:
    """The state that change `number` leads to."""
    written, deleted = touched(number)
    if is_build(number):
        return {f"m{i}": number for i in written}
    kept = {i: n for i, n in state.items() if i not in {f"m{d}" for d in deleted}}
    return {**kept, **{f"m{i}": number for i in written}}


def work(folder: Path, first: int) -> None:
    """The worker: change after change until it is killed."""
    encoder = HashEncoder()
    number = first
    while True:
        print(f"start {number}", flush=True)
        written, deleted = touched(number)
        movies = [movie_of(i, number) for i in written]
        if is_build(number):
            lines = [
                {"movie_id": m.movie_id, "title": m.title, "overview": m.overview} for m in movies
            ]
            source = folder.parent / "catalogue.jsonl"
            source.write_text("\n".join(map(json.dumps, lines)))
            build_local(open_catalogue(source), encoder, folder, knowledge=None)
        else:
            vectors = encoder.encode([document(m) for m in movies])
            rows = [Row(m, v) for m, v in zip(movies, vectors, strict=True)]
            change(folder, rows, [f"m{i}" for i in deleted])
        print(f"done {number}", flush=True)
        number += 1


def measure(rounds: int, folder: Path, rng: random.Random) -> Durability:
    """Kill a worker `rounds` times on one index and look at what is left each time."""
    state: State = {}
    done, builds, lost, mixed = -1, 0, 0, 0
    for _ in range(rounds):
        started, acknowledged = _killed_worker(folder / "index", done + 1, rng)
        for number in range(done + 1, acknowledged + 1):
            state = after(state, number)
        done = acknowledged
        builds += is_build(started) and started > done
        under_way = after(state, started) if started > done else state
        found = _found(folder / "index") if state or (folder / "index/CURRENT").exists() else {}
        if found == under_way:
            state, done = under_way, max(done, started)
        elif found != state:
            mixed += 1
            lost += sum(found.get(i) not in (n, under_way.get(i)) for i, n in state.items())
            state, done = found, started
    return Durability(rounds, builds, rounds - builds, done + 1, lost, mixed)


def _killed_worker(folder: Path, first: int, rng: random.Random) -> tuple[int, int]:
    """Runs a worker and kills it; the last change it started and the last it finished."""
    module = "evals.service.index_durability"
    command = [sys.executable, "-m", module, "--work", str(folder), str(first)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    with worker, worker.stdout as said:
        ready, _, _ = select.select([said], [], [], 60)
        try:
            # The rest of its words are read after the kill; they fit into the pipe.
            worker.wait(rng.uniform(0, LONGEST_LIFE_S) if ready else 0)
        except subprocess.TimeoutExpired:
            worker.kill()
        words = [line.split() for line in said]
    if worker.returncode != -9:
        raise RuntimeError(f"the worker failed by itself (exit {worker.returncode})")
    numbers = {kind: [int(n) for k, n in words if k == kind] for kind in ("start", "done")}
    return numbers["start"][-1], max(numbers["done"], default=first - 1)


def _found(folder: Path) -> State:
    """What the index holds, as its records, vectors and words agree on; -1 where they do not."""
    snapshot = open_snapshot(folder)
    movies = snapshot.movies(list(snapshot.row_of))
    vectors = snapshot.vectors(list(movies))
    encoder = HashEncoder()
    state: State = {}
    for movie_id, movie in movies.items():
        number = int(movie.overview.split()[0].removeprefix("marker"))
        same = np.array_equal(vectors[movie_id], encoder.encode([document(movie)])[0])
        state[movie_id] = number if same else -1
    for number in set(state.values()):
        [hits] = snapshot.search([TextLeg(f"marker{number}")], Constraints(), POOL)
        by_word = set(hits.movie_ids)
        wrong = by_word.symmetric_difference({i for i, n in state.items() if n == number})
        state |= dict.fromkeys(wrong, -1)
    return state


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "--work":
        work(Path(arguments[1]), int(arguments[2]))
    with tempfile.TemporaryDirectory() as folder:
        print(measure(int(arguments[0]), Path(folder), random.Random(0)))


if __name__ == "__main__":
    main(sys.argv[1:])
