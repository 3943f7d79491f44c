"""What the query enhancer reads: the tokens of a request and the films that stand behind it.

Knows the layout of the arrays, once, for training and serving. Does not know the network nor where
vectors come from. Called by enhancer.py and jobs/train_enhancer.py. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.encoder import FloatArray, TokenStates

TEXT, FRAME, SEED, NEAR, LIKE = range(5)
"""Kinds of tokens: a word piece, [CLS] or [SEP], a film named as an example, the mean of the films
that people name beside those, a film that the profile likes."""
KINDS = 5
PLACES = 64
"""Positions that are told apart; what lies beyond shares the last one."""
MAX_TEXT = 96
"""Word pieces read, the newest: a request has 30, five turns of one have 90."""
MAX_SEEDS = 8
MAX_LIKES = 8
NEAR_FILMS = 30
"""Best-voted films whose mean is the token `NEAR`."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Backing:
    """The films behind a request, as unit vectors; any part may be empty."""

    seeds: Sequence[FloatArray] = ()
    """The last named first."""
    near: FloatArray | None = None
    likes: Sequence[FloatArray] = ()
    """The best liked first."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One request as the network reads it."""

    vectors: FloatArray
    """(t, d)."""
    kinds: Ints
    """(t,)."""
    places: Ints
    """(t,): the position of a word piece, how many films ago a seed was named."""
    plain: FloatArray
    """(d,): the vector that the encoder alone gives."""
    char_offsets: Sequence[tuple[int, int]]
    """Of each token in the text; (0, 0) for whatever is no word piece."""


def tokens_of(read: TokenStates, backing: Backing) -> Tokens:
    """Lay the tokens out: first the text, then the films.

    States are scaled so that their mean has length one, as the vectors of films have.
    """
    mean = read.states.mean(axis=0)
    length = max(float(np.linalg.norm(mean)), 1e-9)
    plain = np.asarray(mean / length, dtype=np.float32)
    kept = slice(-MAX_TEXT, None)
    states = read.states[kept] / length
    text_kinds = np.where(read.mask[kept], TEXT, FRAME)
    near = [backing.near] if backing.near is not None else []
    films = [
        (SEED, backing.seeds[:MAX_SEEDS]),
        (NEAR, near),
        (LIKE, backing.likes[:MAX_LIKES]),
    ]
    stacked = [states, *(np.stack(vectors) for _, vectors in films if len(vectors))]
    kinds = [text_kinds, *(np.full(len(vectors), kind) for kind, vectors in films)]
    places = [np.arange(len(states)), *(np.arange(len(vectors)) for _, vectors in films)]
    count = sum(len(vectors) for _, vectors in films)
    return Tokens(
        np.concatenate(stacked).astype(np.float32),
        np.concatenate(kinds).astype(np.int64),
        np.minimum(np.concatenate(places), PLACES - 1).astype(np.int64),
        plain,
        [*read.char_offsets[kept], *([(0, 0)] * count)],
    )
