"""Token arrays of many requests, kept small, handed out as padded batches.

Knows padding and half precision. Does not know what is trained on them. Called by train_intents.py
and train_vectors.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from retrieval.enhancer_input import Tokens
from retrieval.jobs.enhancer_network import Tensor


@dataclass(frozen=True)
class TokenBatches:
    """Requests, already read by the encoder: its states are the same in every epoch."""

    tokens: Sequence[Tokens]

    @classmethod
    def of(cls, tokens: Sequence[Tokens]) -> "TokenBatches":
        """In half precision: 10,000 requests take 160 MB."""
        return cls(
            [
                Tokens(t.vectors.astype(np.float16), t.kinds, t.places, t.plain, t.char_offsets)
                for t in tokens
            ]
        )

    def padded(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Vectors (b, t, d), kinds, places, there (b, t) and plain vectors (b, d)."""
        chosen = [self.tokens[row] for row in rows]
        b, t = len(chosen), max(len(one.kinds) for one in chosen)
        d = chosen[0].vectors.shape[1]
        vectors = np.zeros((b, t, d), dtype=np.float32)
        kinds, places = np.zeros((b, t), np.int64), np.zeros((b, t), np.int64)
        there = np.zeros((b, t), np.bool_)
        for i, one in enumerate(chosen):
            n = len(one.kinds)
            vectors[i, :n], kinds[i, :n], places[i, :n] = one.vectors, one.kinds, one.places
            there[i, :n] = True
        plain = np.stack([one.plain for one in chosen])
        there_, plain_ = torch.from_numpy(there), torch.from_numpy(plain)
        arrays = (torch.from_numpy(vectors), torch.from_numpy(kinds), torch.from_numpy(places))
        return (*arrays, there_, plain_)


def shuffled(rows: Sequence[int], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Batches of one epoch, in random order."""
    order: npt.NDArray[np.int64] = rng.permutation(np.asarray(rows, dtype=np.int64))
    for start in range(0, len(order), size):
        yield order[start : start + size].tolist()
