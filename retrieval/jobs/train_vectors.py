"""Trains the vector half of the enhancer: requests towards the films that answer them.

Knows the contrastive loss (every film of the training catalogue is a negative, so the hard ones are
always among them) and how pairs become tokens. Does not know where pairs come from nor files.
Called by train_enhancer.py; needs the extra `train`. The same pairs and seed give the same network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from retrieval.encoder import Encoder
from retrieval.enhancer_input import NEAR_FILMS, Backing, tokens_of
from retrieval.jobs.enhancer_network import Tensor, VectorNetwork
from retrieval.jobs.fitting import Pace, Report, fit
from retrieval.jobs.read_states import states_of
from retrieval.jobs.token_batches import TokenBatches
from retrieval.jobs.training_pairs import DIALOGUE, NEIGHBOUR, Pair
from retrieval.movie import Seed, Taste
from retrieval.neighbours import ListGraph, list_votes, seed_weights
from retrieval.preparing import mean_of

PACE = Pace(epochs=6, batch=64, rate=3e-3, decay=0.05)
OTHERS = 0.25
"""Pairs that are no dialogues, drawn anew in every epoch, for one pair that is."""
FORBIDDEN = -1e4
"""Added to the score of films that were no possible answer."""
NEGATIVES = 4000
"""Films drawn per batch as negatives, besides all right answers of the batch."""


@dataclass(frozen=True)
class Films:
    """The films that are ranked in training."""

    vectors: npt.NDArray[np.float32]
    rows: Mapping[str, int]
    lists: ListGraph
    """Neighbour lists by the same ids."""


@dataclass(frozen=True)
class ReadPairs:
    """Pairs as the network reads them."""

    pairs: Sequence[Pair]
    batches: TokenBatches


def read_pairs_of(pairs: Sequence[Pair], films: Films, encoder: Encoder, folder: Path) -> ReadPairs:
    """Encode once, states are kept in `folder`; pairs without a known answer are left out."""
    kept = [pair for pair in pairs if any(film in films.rows for film in pair.films)]
    states = states_of([pair.text or "." for pair in kept], encoder, folder)
    tokens = [tokens_of(read, _backing(p, films)) for p, read in zip(kept, states, strict=True)]
    return ReadPairs(kept, TokenBatches.of(tokens))


def _backing(pair: Pair, films: Films) -> Backing:
    """As in service, but that no list may give away the answers that were taken from it."""
    known = {m: films.vectors[films.rows[m]] for m in pair.seeds if m in films.rows}
    seeds = [Seed(movie_id, ago) for ago, movie_id in enumerate(pair.seeds)]
    votes = dict(list_votes(seed_weights(seeds, Taste()), films.lists).scores)
    if pair.source == NEIGHBOUR:
        votes.pop(pair.group, None)
    near = sorted((m for m in votes if m in films.rows), key=lambda m: (-votes[m], m))[:NEAR_FILMS]
    rows = {m: films.vectors[films.rows[m]] for m in near}
    return Backing(list(known.values()), mean_of({m: votes[m] for m in near}, rows))


def train_vectors(read: ReadPairs, films: Films, seed: int, report: Report) -> VectorNetwork:
    """Fit and return the network, in evaluation mode."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = VectorNetwork(films.vectors.shape[1])
    talk = [row for row, pair in enumerate(read.pairs) if pair.source == DIALOGUE]
    other = [row for row, pair in enumerate(read.pairs) if pair.source != DIALOGUE]
    drawn = min(len(other), round(OTHERS * len(talk)) if talk else len(other))

    def rows() -> list[int]:
        return [*talk, *rng.choice(other, drawn, replace=False).tolist()] if drawn else talk

    def tell(line: str) -> None:
        report(f"vectors: {line}")

    fit(network, rows, lambda batch: _loss(network, read, films, batch, rng), PACE, rng, tell)
    return network


def _loss(
    network: VectorNetwork,
    read: ReadPairs,
    films: Films,
    batch: Sequence[int],
    rng: np.random.Generator,
) -> Tensor:
    vectors, _ = network(*read.batches.padded(batch))
    pairs = [read.pairs[row] for row in batch]
    rows, candidates = _candidates(pairs, films, rng)
    place = {int(row): i for i, row in enumerate(rows)}
    scores = network.temperature.exp() * (vectors @ torch.from_numpy(candidates).T)
    barred, wanted = torch.zeros_like(scores), torch.zeros_like(scores)
    for i, pair in enumerate(pairs):
        answers = [place[r] for m in pair.films if (r := films.rows.get(m, -1)) in place]
        if answers:
            wanted[i, answers] = 1.0 / len(answers)
        gone = {films.rows[m] for m in pair.exclude if m in films.rows and m not in pair.films}
        barred[i, [place[row] for row in gone if row in place]] = FORBIDDEN
    answered = wanted.sum(-1).sum().clamp(min=1.0)
    return -(wanted * (scores + barred).log_softmax(-1)).sum() / answered


def _candidates(
    pairs: Sequence[Pair], films: Films, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Rows and vectors of the films to tell apart: every right answer, and others drawn."""
    right = {films.rows[m] for pair in pairs for m in pair.films if m in films.rows}
    drawn = rng.choice(len(films.vectors), min(NEGATIVES, len(films.vectors)), replace=False)
    rows = np.array(sorted({*right, *drawn.tolist()}))
    return rows, films.vectors[rows]


def enhanced_vectors(network: VectorNetwork, batches: TokenBatches) -> npt.NDArray[np.float32]:
    """(n, d)."""
    found = []
    with torch.no_grad():
        for start in range(0, len(batches.tokens), 128):
            rows = range(start, min(start + 128, len(batches.tokens)))
            found.append(network(*batches.padded(rows))[0].numpy())
    return np.concatenate(found)
