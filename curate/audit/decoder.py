"""The network of the transformer proxy: a decoder with rotary positions, and nothing that is not in most of today's.

Needs PyTorch. Training it and asking it for bits are in `curate.audit.transformer`.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from curate.audit.sizes import Size

_BASE = 10_000.0  # of the rotary frequencies (Su et al. 2021, RoFormer)
_SPREAD = 0.02  # standard deviation of weights before training (Radford et al. 2019, GPT-2)


class Decoder(nn.Module):
    """Predicts each token from those before it; the output shares its weights with the embedding of tokens."""

    def __init__(self, vocabulary: int, size: Size) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.RMSNorm(size.width)
        pairs = size.width // size.heads // 2
        angles = torch.outer(torch.arange(size.context), _BASE ** (-torch.arange(pairs) / pairs))
        self.register_buffer("rotation", torch.stack([angles.cos(), angles.sin()]), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                # What a block adds is scaled down with the number of blocks, so that their sum is not.
                depth = (2 * size.layers) ** 0.5 if name.endswith("out.weight") else 1.0
                nn.init.normal_(weight, std=_SPREAD / depth)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (rows, length, vocabulary) for tokens int64 (rows, length)."""
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.rotation[:, : tokens.shape[1]])
        return f.linear(self.norm(x), self.embedding.weight)


class Block(nn.Module):
    """Attention to earlier tokens, then a layer of GELUs four times as wide; both add to what came in."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.attention = _layers(size.width, 3 * size.width, size.width)
        self.hidden = _layers(size.width, 4 * size.width, 4 * size.width)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Return x (rows, length, width) with what the block adds."""
        rows, length, width = x.shape
        parts = self.attention["into"](self.attention["norm"](x)).view(rows, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = f.scaled_dot_product_attention(_rotated(query, rotation), _rotated(key, rotation), value, is_causal=True)
        x = x + self.attention["out"](seen.transpose(1, 2).reshape(rows, length, width))
        return x + self.hidden["out"](f.gelu(self.hidden["into"](self.hidden["norm"](x))))


def _layers(width: int, into: int, out: int) -> nn.ModuleDict:
    layers: dict[str, Any] = {
        "norm": nn.RMSNorm(width),
        "into": nn.Linear(width, into, bias=False),
        "out": nn.Linear(out, width, bias=False),
    }
    return nn.ModuleDict(layers)


def _rotated(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn pairs of numbers by an angle that grows with the position."""
    cos, sin = rotation
    one, other = x.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1).to(x.dtype)
