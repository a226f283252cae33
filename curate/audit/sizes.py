"""How large the transformer proxy is, and how long it is trained. Plain numbers, which need no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Shape of the network, tokens that it looks back on, tokens of a training step, learning rate at its peak."""

    layers: int
    width: int
    heads: int
    context: int
    batch: int
    rate: float

    @property
    def parameters(self) -> int:
        """Parameters of the blocks, without the embedding of tokens."""
        return self.layers * 12 * self.width**2


# 1M is the size of RegMix's proxies (Liu et al. 2025), 5M to 30M those of DataDecide's smallest and OLMo 3's models.
# Rates fall with the width, as is usual. Steps are small, as there are few: at 100k 240 steps of 1,024 bytes came to
# 3.54 bits per byte of a textbook after novels, 60 of 4,096 in as much time to 4.45.
SIZES = {
    "100k": Size(layers=2, width=64, heads=2, context=128, batch=1024, rate=4e-3),
    "1M": Size(layers=5, width=128, heads=4, context=256, batch=1024, rate=3e-3),
    "5M": Size(layers=6, width=256, heads=4, context=256, batch=2048, rate=2e-3),
    "10M": Size(layers=8, width=320, heads=5, context=512, batch=4096, rate=1.5e-3),
    "30M": Size(layers=10, width=512, heads=8, context=512, batch=8192, rate=1e-3),
}
DEFAULT_SIZE, STEPS = "5M", 1000
