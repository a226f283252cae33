"""Bits per byte with 95% intervals: a bootstrap over documents and seeds, paired between the arms of an audit.

Every draw takes the same documents and seeds for every arm, so that what is hard to predict for all cancels in a
difference. Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 13 (percentiles).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

DRAWS = 1000


class Bootstrap:
    """Draws of documents and seeds.

    `groups` int64 (n,): the reference of each document, 0 to k - 1, inside which documents are drawn; `weights`
    float64 (n,): what each counts (its bytes). `seeds`: how many models there are of each arm.
    """

    def __init__(self, groups: I64, weights: F64, seeds: int, draws: int = DRAWS) -> None:
        source = np.random.default_rng(0)
        self._members = [np.flatnonzero(groups == group) for group in range(int(groups.max(initial=-1)) + 1)]
        self._weights = weights
        self._counts = []
        for members in self._members:
            n = len(members)
            self._counts.append(source.multinomial(n, np.full(n, 1 / n), draws).astype(np.float64))
        self._seeds = source.multinomial(seeds, np.full(seeds, 1 / seeds), draws) / seeds

    def ratios(self, values: F64) -> tuple[F64, F64]:
        """Return sum of values / sum of weights: float64 (k,), and (draws, k).

        `values` float64 (seeds, n). Seeds are averaged.
        """
        points, drawn = [], []
        for members, counts in zip(self._members, self._counts, strict=True):
            of, weights = values[:, members], self._weights[members]
            points.append(of.sum() / len(values) / weights.sum())
            drawn.append(((counts @ of.T) * self._seeds).sum(axis=1) / (counts @ weights))
        return np.array(points), np.stack(drawn, axis=1)


def interval(draws: F64) -> list[float]:
    """Return the 2.5% and the 97.5% quantile of draws."""
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    return [low, high]


def figures(
    names: Sequence[str], point: F64, drawn: F64, against: tuple[F64, F64] | None, *, digits: int = 6
) -> dict[str, Any]:
    """Return {"references": {name: figure}, "mean": figure}, the mean being that of all references alike.

    A figure is {"value", "interval"}, with "difference" and "difference_interval" from `against` where there is one.
    """

    def one(value: Any, draws: F64, other: Any, other_draws: F64 | None) -> dict[str, Any]:
        found = {"value": round(float(value), digits), "interval": _rounded(interval(draws), digits)}
        if other_draws is not None:
            found["difference"] = round(float(value - other), digits)
            found["difference_interval"] = _rounded(interval(draws - other_draws), digits)
        return found

    base, base_draws = against if against else (point, None)
    return {
        "references": {
            name: one(point[k], drawn[:, k], base[k], None if base_draws is None else base_draws[:, k])
            for k, name in enumerate(names)
        },
        "mean": one(point.mean(), drawn.mean(axis=1), base.mean(), None if base_draws is None else base_draws.mean(1)),
    }


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(value, digits) for value in values]
