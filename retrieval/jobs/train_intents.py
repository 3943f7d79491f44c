"""Trains the intent reader: five intents and the weight of every word, on synthetic requests.

Knows the losses. Does not know where requests come from (make_requests.py) nor files. Called by
train_enhancer.py; needs the extra `train`. The same requests and seed give the same network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from retrieval.encoder import Encoder
from retrieval.enhancer_input import TEXT, Backing, tokens_of
from retrieval.jobs.enhancer_network import IntentNetwork, Tensor
from retrieval.jobs.fitting import Pace, Report, fit
from retrieval.jobs.make_requests import INTENTS, LabelledRequest
from retrieval.jobs.read_states import states_of
from retrieval.jobs.token_batches import TokenBatches

PACE = Pace(epochs=10, batch=48, rate=1.5e-3, decay=0.05)
SMOOTHING = 0.04
"""Labels are .04 and .96: templates are surer of themselves than people are."""
NOISE = 0.15
"""Added to token states, relative to their size: against learning templates by heart."""
WORD_WEIGHT = 0.5
"""Of the loss over words beside that over intents."""


@dataclass(frozen=True)
class ReadRequests:
    """Requests as the network reads them, with what it should say."""

    batches: TokenBatches
    intents: npt.NDArray[np.float32]
    """(n, 5)."""
    telling: Sequence[npt.NDArray[np.float32]]
    """Of each request, per token: 1 for a piece of a telling word."""


def read_requests(
    requests: Sequence[LabelledRequest], encoder: Encoder, folder: Path
) -> ReadRequests:
    """Encode once; states are kept in `folder`."""
    texts = [one.text for one in requests]
    tokens = [tokens_of(states, Backing()) for states in states_of(texts, encoder, folder)]
    labels = [[float(intent in one.intents) for intent in INTENTS] for one in requests]
    telling = [_telling(one, read.char_offsets) for one, read in zip(requests, tokens, strict=True)]
    return ReadRequests(TokenBatches.of(tokens), np.asarray(labels, dtype=np.float32), telling)


def _telling(one: LabelledRequest, offsets: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
    spans = [
        found.span()
        for word in one.marked
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", one.text)
    ]
    inside = [any(a < end and start < b for a, b in spans) for start, end in offsets]
    return np.asarray(inside, dtype=np.float32)


def train_intents(read: ReadRequests, seed: int, report: Report) -> IntentNetwork:
    """Fit and return the network, in evaluation mode."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = IntentNetwork()
    rows = range(len(read.intents))

    def tell(line: str) -> None:
        report(f"intents: {line}")

    fit(network, lambda: rows, lambda batch: _loss(network, read, batch), PACE, rng, tell)
    return network


def _loss(network: IntentNetwork, read: ReadRequests, batch: Sequence[int]) -> Tensor:
    vectors, kinds, places, there, _ = read.batches.padded(batch)
    vectors = vectors + NOISE * vectors.std() * torch.randn_like(vectors)
    intents, weights = network(vectors, kinds, places, there)
    wanted = torch.from_numpy(read.intents[batch])
    smooth = wanted * (1 - 2 * SMOOTHING) + SMOOTHING
    telling = torch.zeros_like(weights)
    for row, one in enumerate(batch):
        telling[row, : len(read.telling[one])] = torch.from_numpy(read.telling[one])
    words = there & (kinds == TEXT)
    loss = nn.functional.binary_cross_entropy_with_logits
    return loss(intents, smooth) + WORD_WEIGHT * loss(weights[words], telling[words])


def intent_logits(network: IntentNetwork, batches: TokenBatches) -> npt.NDArray[np.float32]:
    """(n, 5) before calibration."""
    found = []
    with torch.no_grad():
        for start in range(0, len(batches.tokens), 128):
            rows = range(start, min(start + 128, len(batches.tokens)))
            vectors, kinds, places, there, _ = batches.padded(rows)
            found.append(network(vectors, kinds, places, there)[0].numpy())
    return np.concatenate(found)
