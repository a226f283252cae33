"""Documents, bytes and tokens that came in, were kept and were lost, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from curate.errors import RunError

COUNTS = ("documents", "bytes", "tokens")
Sums = npt.NDArray[np.int64]  # one value for each of COUNTS


def none() -> Sums:
    """Return the sums of nothing."""
    return np.zeros(len(COUNTS), np.int64)


def totals(sums: Sums) -> dict[str, int]:
    """Name the three sums."""
    return {name: int(value) for name, value in zip(COUNTS, sums, strict=True)}


def add(sums: dict[str, Sums], name: str, amount: Sums) -> None:
    """Add to the sums of a name."""
    sums[name] = sums[name] + amount if name in sums else amount


def add_all(sums: dict[str, Sums], more: Mapping[str, Sums]) -> None:
    """Add the sums of every name."""
    for name, amount in more.items():
        add(sums, name, amount)


@dataclass
class Account:
    """What came in, was kept and was lost to each step, of one source."""

    input: Sums = field(default_factory=none)
    output: Sums = field(default_factory=none)
    lost: dict[str, Sums] = field(default_factory=dict)
    would_drop: dict[str, int] = field(default_factory=dict)  # documents, by filter
    domains: dict[str, Sums] = field(default_factory=dict)  # kept
    rejected: int = 0  # records that are no documents; not in `input`

    def merge(self, other: Account) -> None:
        """Add another account."""
        self.input += other.input
        self.output += other.output
        self.rejected += other.rejected
        add_all(self.lost, other.lost)
        add_all(self.domains, other.domains)
        for name, documents in other.would_drop.items():
            self.would_drop[name] = self.would_drop.get(name, 0) + documents

    def check(self, name: str) -> None:
        """Raise RunError unless what came in is what was kept or lost."""
        out = self.output + sum(self.lost.values(), none())
        if not np.array_equal(self.input, out):
            raise RunError(f"lost documents in {name}: {totals(self.input)} came in, {totals(out)} went out")
