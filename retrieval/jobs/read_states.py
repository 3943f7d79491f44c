"""Token states of many texts, read once and kept on disk: what a killed training continues from.

Knows files and half precision. Does not know what is trained. Called by train_intents.py and
train_vectors.py.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from retrieval.encoder import Encoder, TokenStates

CHUNK = 500
"""Texts of one file: two seconds of reading, 6 MB."""


def states_of(texts: Sequence[str], encoder: Encoder, folder: Path) -> Iterator[TokenStates]:
    """The states of each text, in order."""
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        said = "\0".join([encoder.identity.sha, *chunk])
        file = folder / f"states-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npz"
        if not file.exists():
            _write(file, [encoder.tokens(text) for text in chunk])
        yield from _read(file)


def _write(file: Path, read: Sequence[TokenStates]) -> None:
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part.npz")
    np.savez(
        unfinished,
        lengths=np.array([len(one.mask) for one in read]),
        states=np.concatenate([one.states for one in read]).astype(np.float16),
        mask=np.concatenate([one.mask for one in read]),
        offsets=np.concatenate([np.array(one.char_offsets) for one in read]),
    )
    unfinished.rename(file)


def _read(file: Path) -> Iterator[TokenStates]:
    with np.load(file, allow_pickle=False) as kept:
        lengths, states, mask = kept["lengths"], kept["states"], kept["mask"]
        offsets = kept["offsets"]
    end = 0
    for length in lengths.tolist():
        start, end = end, end + length
        pairs = [(int(a), int(b)) for a, b in offsets[start:end]]
        yield TokenStates(states[start:end].astype(np.float32), mask[start:end], pairs)
