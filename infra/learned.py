"""The learned parts that ship: encoder, query enhancer, ranker, each loaded when it is wanted.

Knows what happens when an artifact is missing or refused: without the encoder nothing starts, the
other two are left out, and `usher doctor` says why. Does not know how any of them works. Called by
wiring.py, cli_doctor.py and cli_index.py, and by evals.
"""

import os
from typing import TYPE_CHECKING

from infra.settings import Settings

if TYPE_CHECKING:
    from retrieval.encoder import Encoder, EncoderIdentity
    from retrieval.enhancer import Enhancer
    from retrieval.ranker import Ranker


def load_encoder(settings: Settings) -> "Encoder":
    """The encoder that ships, or the one in `USHER_ENCODER_DIR`. Raises: EncoderError."""
    from retrieval.encoder import OnnxEncoder

    return OnnxEncoder.load(settings.encoder_dir)


def load_build_encoder(settings: Settings) -> "Encoder":
    """The same for many texts at once: one on each core. Raises: EncoderError."""
    from retrieval.encoder import OnnxEncoder

    return OnnxEncoder.load(settings.encoder_dir, threads=os.cpu_count() or 1)


def load_enhancer(encoder: "EncoderIdentity") -> "Enhancer":
    """The query enhancer that ships. Raises: EnhancerRefused."""
    from retrieval.enhancer import Enhancer

    return Enhancer.shipped(encoder)


def usable_enhancer(encoder: "EncoderIdentity") -> "Enhancer | None":
    """The one that ships; None leaves queries their plain vectors."""
    from retrieval.enhancer import EnhancerRefused

    try:
        return load_enhancer(encoder)
    except EnhancerRefused:
        return None


def usable_ranker() -> "Ranker | None":
    """The ranker that ships; None leaves the ranking to the fixed weights."""
    from retrieval.ranker import Ranker, RankerRefused

    try:
        return Ranker.load()
    except RankerRefused:
        return None
