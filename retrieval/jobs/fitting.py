"""One way to fit a network: AdamW under a one-cycle pace, gradients clipped, a line per epoch.

Knows steps and epochs. Does not know losses or data. Called by train_intents.py and
train_vectors.py; needs the extra `train`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from retrieval.jobs.enhancer_network import Tensor
from retrieval.jobs.token_batches import shuffled

CLIP = 1.0
"""Longest gradient: the first steps are the steepest."""
Report = Callable[[str], None]


@dataclass(frozen=True)
class Pace:
    """How long and how fast."""

    epochs: int
    batch: int
    rate: float
    """Its highest; it rises to it and falls."""
    decay: float


def fit(
    network: Tensor,
    rows_of_epoch: Callable[[], Sequence[int]],
    loss_of: Callable[[Sequence[int]], Tensor],
    pace: Pace,
    rng: np.random.Generator,
    report: Report,
) -> None:
    """Fit, and leave the network in evaluation mode. Every epoch has equally many rows."""
    rows = rows_of_epoch()
    steps = pace.epochs * -(-len(rows) // pace.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=pace.rate, weight_decay=pace.decay)
    speed = torch.optim.lr_scheduler.OneCycleLR(optimiser, pace.rate, total_steps=steps)
    for epoch in range(pace.epochs):
        network.train()
        rows = rows_of_epoch() if epoch else rows
        total = 0.0
        for batch in shuffled(rows, pace.batch, rng):
            loss = loss_of(batch)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            speed.step()
            total += loss.item() * len(batch)
        report(f"epoch {epoch + 1} of {pace.epochs}, loss {total / len(rows):.4f}")
    network.eval()
