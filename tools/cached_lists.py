"""How ranked lists lie in the cache: pairs of a query vector and its list, in few bytes.

Knows the byte form and its limits. Does not know keys, thresholds or stores (semantic_cache.py,
which alone calls this). Only the list that is asked for is unpacked: the rest of a full value costs
nothing but its reading.

A value: format, number of pairs and dimension; a vector (float16) and a length per pair; the packed
lists, newest first. A list: JSON of ids, leg names and sources, then columns of numbers, deflated.
"""

import json
import struct
import zlib
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from retrieval.movie import Evidence

MAX_PAIRS = 32
MAX_BYTES = 300 * 1024
"""The limit of the cache port; the oldest pairs go first."""
_FORMAT = 1
_HEAD = struct.Struct("<BHH")
_LENGTH = struct.Struct("<I")
_EVIDENCE = np.dtype(
    [("row", "<u2"), ("leg", "<u1"), ("rank", "<u2"), ("source", "<u2"), ("score", "<f4")]
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate of a list: everything about it but the movie."""

    movie_id: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A query vector of shape (d,), d = 0 for a query without words, and its packed list."""

    vector: np.ndarray
    packed: bytes


def pack(ranked: Sequence[Ranked]) -> bytes:
    """A list as bytes; scores are kept as float32."""
    legs: dict[str, int] = {}
    sources: dict[str, int] = {}
    rows = [
        (
            row,
            legs.setdefault(piece.leg, len(legs)),
            piece.rank,
            sources.setdefault(piece.source, len(sources)),
            piece.score,
        )
        for row, one in enumerate(ranked)
        for piece in one.evidence
    ]
    names = json.dumps([[one.movie_id for one in ranked], [*legs], [*sources]]).encode()
    scores = np.array([one.score for one in ranked], dtype="<f4").tobytes()
    evidence = np.array(rows, dtype=_EVIDENCE).tobytes()
    return zlib.compress(_LENGTH.pack(len(names)) + names + scores + evidence, level=6)


def unpack(packed: bytes, k: int, gone: Set[str] = frozenset()) -> tuple[list[Ranked], int]:
    """The best `k` of a packed list that are not gone, and how long the whole list is."""
    content = zlib.decompress(packed)
    (length,) = _LENGTH.unpack_from(content)
    at = _LENGTH.size + length
    ids, legs, sources = json.loads(content[_LENGTH.size : at])
    scores = np.frombuffer(content, "<f4", len(ids), at)
    left = [row for row, movie_id in enumerate(ids) if movie_id not in gone][:k]
    pieces = np.frombuffer(content, _EVIDENCE, offset=at + 4 * len(ids))
    evidence: dict[int, list[Evidence]] = {row: [] for row in left}
    for row, leg, rank, source, score in pieces[np.isin(pieces["row"], left)].tolist():
        evidence[row].append(Evidence(legs[leg], rank, score, sources[source]))
    ranked = [Ranked(ids[row], float(scores[row]), tuple(evidence[row])) for row in left]
    return ranked, len(ids)


def write(pairs: Sequence[Pair]) -> bytes:
    """The pairs, newest first, as one value; the oldest are left out where there are too many."""
    dimension = len(pairs[0].vector)
    size, kept = _HEAD.size, list[Pair]()
    for pair in pairs[:MAX_PAIRS]:
        size += 2 * dimension + _LENGTH.size + len(pair.packed)
        if size > MAX_BYTES:
            break
        kept.append(pair)
    vectors = b"".join(
        pair.vector.astype("<f2").tobytes() + _LENGTH.pack(len(pair.packed)) for pair in kept
    )
    head = _HEAD.pack(_FORMAT, len(kept), dimension)
    return head + vectors + b"".join(pair.packed for pair in kept)


def read(value: bytes) -> list[Pair]:
    """What `write` made; nothing when an older Usher wrote it."""
    if not value or value[0] != _FORMAT:
        return []
    _, count, dimension = _HEAD.unpack_from(value)
    at, step = _HEAD.size, 2 * dimension + _LENGTH.size
    start, pairs = at + count * step, []
    for _ in range(count):
        vector = np.frombuffer(value, "<f2", dimension, at).astype(np.float32)
        (length,) = _LENGTH.unpack_from(value, at + 2 * dimension)
        pairs.append(Pair(vector, value[start : start + length]))
        at, start = at + step, start + length
    return pairs
