"""The networks of the query enhancer, in torch: one that moves the vector, one that reads intents.

Knows layers, masks and how both become one ONNX graph. Does not know data, losses or files. Called
by jobs/train_*.py; needs the extra `train`. Serving runs the exported graph (enhancer.py).

Both look at token states, never at a pooled vector: attention over a single one is an identity.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from retrieval.enhancer_input import KINDS, PLACES, TEXT

WIDTH = 128
HEADS = 4
Tensor = Any  # torch is not in the lock, so its types are unknown to mypy there


class SelfAttention(nn.Module):  # type: ignore[misc] # torch is not in the lock
    """One layer of multi-head self-attention with a feed-forward part, norms first."""

    def __init__(self, width: int = WIDTH, dropout: float = 0.1) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Of x (b, t, w); there (b, t) is true where there is a token."""
        b, t, w = x.shape
        q, k, v = self.qkv(self.first(x)).view(b, t, 3, HEADS, w // HEADS).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(w // HEADS)
        weights = scores.masked_fill(~there[:, None, None, :], -1e9).softmax(-1)
        heard = (weights @ v).transpose(1, 2).reshape(b, t, w)
        x = x + self.drop(self.out(heard))
        return x + self.drop(self.narrow(nn.functional.gelu(self.wide(self.second(x)))))


class Trunk(nn.Module):  # type: ignore[misc]
    """Tokens, narrowed, with kind and place, through layers of self-attention."""

    def __init__(self, dimension: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.narrow = nn.Linear(dimension, WIDTH)
        self.kind, self.place = nn.Embedding(KINDS, WIDTH), nn.Embedding(PLACES, WIDTH)
        nn.init.normal_(self.kind.weight, std=0.02)
        nn.init.normal_(self.place.weight, std=0.02)
        self.layers = nn.ModuleList(SelfAttention(dropout=dropout) for _ in range(layers))
        self.last = nn.LayerNorm(WIDTH)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, kinds: Tensor, places: Tensor, there: Tensor) -> Tensor:
        x = self.drop(self.narrow(tokens) + self.kind(kinds) + self.place(places))
        for layer in self.layers:
            x = layer(x, there)
        return self.last(x)


class VectorNetwork(nn.Module):  # type: ignore[misc]
    """The plain vector plus a gated step: a blend of the tokens, a correction, a constant.

    The gate starts at zero, so that an untrained network gives the plain vector exactly.
    """

    def __init__(self, dimension: int = 384, layers: int = 1, dropout: float = 0.2) -> None:
        super().__init__()
        self.trunk = Trunk(dimension, layers, dropout)
        self.attend = nn.Linear(WIDTH, 1)
        self.strength = nn.Parameter(torch.tensor([0.5, 0.0, 1.0, 1.0, 0.3]))
        self.share = nn.Linear(WIDTH, KINDS)
        self.correct = nn.Linear(WIDTH, dimension)
        self.popular = nn.Parameter(torch.zeros(dimension))
        self.gate = nn.Parameter(torch.zeros(()))
        self.sure = nn.Linear(WIDTH, 1)
        for layer in (self.attend, self.correct, self.share, self.sure):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.temperature = nn.Parameter(torch.tensor(math.log(20.0)))

    def forward(
        self, tokens: Tensor, kinds: Tensor, places: Tensor, there: Tensor, plain: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Unit vectors (b, d), and how far each step was trusted (b,), 0-1."""
        x = self.trunk(tokens, kinds, places, there)
        logits = self.attend(x).squeeze(-1)
        whole = logits.masked_fill(~there, -1e9).softmax(-1)
        pooled = (whole[:, None, :] @ x).squeeze(1)
        shares = self.strength * (1 + self.share(pooled).tanh())
        step = self.correct(pooled) + self.popular
        for kind in range(KINDS):
            of = there & (kinds == kind)
            weights = logits.masked_fill(~of, -1e9).softmax(-1) * of
            step = step + shares[:, kind : kind + 1] * (weights[:, None, :] @ tokens).squeeze(1)
        sure = torch.sigmoid(self.sure(pooled) + 2.0)
        return nn.functional.normalize(plain + self.gate * sure * step, dim=-1), sure.squeeze(-1)


class IntentNetwork(nn.Module):  # type: ignore[misc]
    """Five independent intents and the weight of every word piece, from the text alone."""

    def __init__(self, dimension: int = 384, layers: int = 1, dropout: float = 0.2) -> None:
        super().__init__()
        self.trunk = Trunk(dimension, layers, dropout)
        self.look, self.say = nn.Linear(WIDTH, 5), nn.Linear(WIDTH, 5)
        self.whole = nn.Linear(WIDTH, 5)
        self.weigh = nn.Linear(WIDTH, 1)

    def forward(
        self, tokens: Tensor, kinds: Tensor, places: Tensor, there: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of the intents (b, 5), logits of the word pieces (b, t)."""
        text = there & (kinds <= TEXT + 1)
        x = self.trunk(tokens, kinds, places, text)
        words = text & (kinds == TEXT)
        look = self.look(x).masked_fill(~words[:, :, None], -1e9).softmax(1)
        mean = (x * words[:, :, None]).sum(1) / words.sum(1, keepdim=True).clamp(min=1)
        intents = (look * self.say(x)).sum(1) + self.whole(mean)
        return intents, self.weigh(x).squeeze(-1).masked_fill(~words, -30.0)


class Enhancer(nn.Module):  # type: ignore[misc]
    """Both, for one request: the graph that is exported. What several readers say is averaged."""

    def __init__(self, vector: VectorNetwork, readers: Sequence[IntentNetwork]) -> None:
        super().__init__()
        self.vector, self.readers = vector, nn.ModuleList(readers)

    def forward(
        self, tokens: Tensor, kinds: Tensor, places: Tensor, plain: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(t, d), (t,), (t,), (d,) to vector (d,), trust (), intent logits (5,), weights (t,)."""
        batch = (tokens[None], kinds[None], places[None])
        there = torch.ones_like(batch[1], dtype=torch.bool)
        moved, sure = self.vector(*batch, there, plain[None])
        read = [reader(*batch, there) for reader in self.readers]
        intents = torch.stack([one[0] for one, _ in read]).mean(0)
        weights = torch.stack([one[0] for _, one in read]).mean(0)
        return moved[0], sure[0], intents, weights.sigmoid()
