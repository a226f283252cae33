"""Bits per byte with 95% intervals: a bootstrap over documents, and the spread over seeds; paired between arms.

Every draw takes the same documents for every arm, and the models of one seed saw the same documents as far as their
arms have them, so what is hard to predict for all cancels in a difference. Three seeds are too few to resample: their
mean is off by its standard error times a draw from Student's distribution.
Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 13 (percentiles); Student 1908.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

DRAWS = 1000


@dataclass(frozen=True)
class Ratios:
    """Ratios of k groups: `by_seed` float64 (seeds, k), and `drawn` (draws, k), of resampled documents."""

    by_seed: F64
    drawn: F64


class Bootstrap:
    """Draws of documents.

    `groups` int64 (n,): the reference of each document, 0 to k - 1, inside which documents are drawn; `weights`
    float64 (n,): what each counts (its bytes).
    """

    def __init__(self, groups: I64, weights: F64, draws: int = DRAWS) -> None:
        source = np.random.default_rng(0)
        self._members = [np.flatnonzero(groups == group) for group in range(int(groups.max(initial=-1)) + 1)]
        self._weights = weights
        self._counts = []
        for members in self._members:
            n = len(members)
            self._counts.append(source.multinomial(n, np.full(n, 1 / n), draws).astype(np.float64))

    def ratios(self, values: F64) -> Ratios:
        """Return sum of values / sum of weights of each group; `values` float64 (seeds, n)."""
        by_seed, drawn = [], []
        for members, counts in zip(self._members, self._counts, strict=True):
            of, weights = values[:, members], self._weights[members]
            by_seed.append(of.sum(axis=1) / weights.sum())
            drawn.append((counts @ of.mean(axis=0)) / (counts @ weights))
        return Ratios(np.stack(by_seed, axis=1), np.stack(drawn, axis=1))


def interval(by_seed: F64, drawn: F64) -> list[float]:
    """Return the 2.5% and the 97.5% quantile of draws, widened by how much seeds (float64 (seeds,)) differ."""
    seeds = len(by_seed)
    if seeds > 1:
        error = by_seed.std(ddof=1) / np.sqrt(seeds)
        drawn = drawn + error * np.random.default_rng(1).standard_t(seeds - 1, len(drawn))
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return [low, high]


def figures(names: Sequence[str], found: Ratios, against: Ratios | None, *, digits: int = 6) -> dict[str, Any]:
    """Return {"references": {name: figure}, "mean": figure}, the mean being that of all references alike.

    A figure is {"value", "interval"}, with "difference" and "difference_interval" from `against` where there is one.
    """

    def one(columns: slice) -> dict[str, Any]:
        by_seed, drawn = found.by_seed[:, columns].mean(axis=1), found.drawn[:, columns].mean(axis=1)
        figure = {"value": round(float(by_seed.mean()), digits), "interval": rounded(interval(by_seed, drawn))}
        if against is not None:
            by_seed = by_seed - against.by_seed[:, columns].mean(axis=1)
            drawn = drawn - against.drawn[:, columns].mean(axis=1)
            figure["difference"] = round(float(by_seed.mean()), digits)
            figure["difference_interval"] = rounded(interval(by_seed, drawn))
        return figure

    def rounded(values: Sequence[float]) -> list[float]:
        return [round(value, digits) for value in values]

    every = {name: one(slice(k, k + 1)) for k, name in enumerate(names)}
    return {"references": every, "mean": one(slice(None))}
