"""The n-gram model as one would write it down: a dictionary of counters."""

from __future__ import annotations

import math
from collections import Counter, defaultdict


class NaiveModel:
    """Interpolated Witten-Bell over byte contexts of 0 to `order` bytes."""

    def __init__(self, order: int, texts: list[bytes]) -> None:
        self.order = order
        self.followers: dict[bytes, Counter[int]] = defaultdict(Counter)
        for text in texts:
            for i, byte in enumerate(text):
                for o in range(min(order, i) + 1):
                    self.followers[text[i - o : i]][byte] += 1

    def probability(self, before: bytes, byte: int) -> float:
        p = 1 / 256
        for o in range(min(self.order, len(before)) + 1):
            counts = self.followers.get(before[len(before) - o :])
            if counts is None:
                break
            p = (counts[byte] + len(counts) * p) / (counts.total() + len(counts))
        return p

    def bits(self, text: bytes, first: int = 0) -> float:
        return -sum(math.log2(self.probability(text[:i], text[i])) for i in range(first, len(text)))
