"""How large the transformer proxy is. Plain numbers, which need no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Shape of the network, the tokens that it looks back on, and the learning rate at its peak."""

    layers: int
    width: int
    heads: int
    context: int
    rate: float

    @property
    def parameters(self) -> int:
        """Parameters of the blocks, without the embedding of tokens."""
        return self.layers * 12 * self.width**2


# 1M is the size of RegMix's proxies (Liu et al. 2025), 5M to 30M those of DataDecide's smallest and OLMo 3's models.
# Rates fall with the width, as is usual; they were not tuned.
SIZES = {
    "100k": Size(layers=2, width=64, heads=2, context=128, rate=4e-3),
    "1M": Size(layers=5, width=128, heads=4, context=256, rate=3e-3),
    "5M": Size(layers=6, width=256, heads=4, context=256, rate=2e-3),
    "10M": Size(layers=8, width=320, heads=5, context=512, rate=1.5e-3),
    "30M": Size(layers=10, width=512, heads=8, context=512, rate=1e-3),
}
DEFAULT_SIZE = "5M"
