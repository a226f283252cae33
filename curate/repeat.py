"""How often each document of a class is written, so that together they hold the tokens that the class gives.

Uniformly, in proportion to weights, or by a quality curve. How many tokens a class gives is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.recipe import Quality

Floats = npt.NDArray[np.float64]
Level = Callable[[float], Floats]

_STEPS = 64  # points of a bucket at which the curve is averaged
_STEEPEST = 60.0  # the largest power of the curve; nearly all of the budget is in the best bucket then
_FAR = 1e12  # more epochs than anybody asks for


@dataclass(frozen=True)
class Preference:
    """How documents of a class are preferred to one another.

    `bucket` int (n,) and `level`, a rising function from the epochs asked for to float64 (buckets,): how often each
    bucket is seen. `weight` float64 (n,) multiplies it. No document is seen more than `most` times.
    """

    bucket: npt.NDArray[np.int16]
    level: Level
    weight: Floats
    most: float

    def expected(self, epochs: float, at: slice | npt.NDArray[np.intp] = slice(None)) -> Floats:
        """Return how often the documents `at` are seen, as fractions."""
        seen: Floats = np.minimum(self.level(epochs)[self.bucket[at]] * self.weight[at], self.most)
        return seen


def no_preference(n: int) -> Preference:
    """Return the preference by which all documents are seen equally often."""
    return Preference(np.zeros(n, np.int16), lambda epochs: np.array([epochs]), np.ones(n), np.inf)


def quality_level(quality: Quality) -> Level:
    """Return the epochs of each bucket, worst first, as a function of the epochs of the whole class."""
    if quality.weights:
        weights = np.array(quality.weights)
        proportion = weights * len(weights) / weights.sum()

        def in_proportion(epochs: float) -> Floats:
            seen: Floats = proportion * epochs
            return seen

        return in_proportion
    return lambda epochs: quality_curve(epochs, quality)


def quality_curve(epochs: float, quality: Quality) -> Floats:
    """Return how often each bucket is seen, float64 (buckets,), worst first: OLMo 3's quality-aware upsampling.

    f(x) = 0 for x < a, C (x - a)^p e^(growth (x - a)) above, where x is the rank from 0 to 1 and a = `drop`. C makes
    the mean of f the epochs asked for; p is found so that the best bucket is seen `most` times on average. Where so
    many epochs are asked for that even p = 0 does not do, every bucket above a is seen up to `most` times.
    Source: Olmo 3 (2025, arXiv 2512.13961), quality-aware upsampling.
    """
    x = (np.arange(quality.buckets * _STEPS) + 0.5) / (quality.buckets * _STEPS) - quality.drop

    def buckets(power: float) -> Floats:
        inside = np.maximum(x, 1e-12)
        log = power * np.log(inside) + quality.growth * inside
        shape = np.where(x > 0, np.exp(log - log.max()), 0.0)
        mean: Floats = shape.reshape(quality.buckets, _STEPS).mean(axis=1)
        scaled: Floats = mean * (epochs / mean.mean())
        return scaled

    low, high = 0.0, _STEEPEST
    if buckets(low)[-1] >= quality.most:
        return _filled(buckets(low), quality.most)
    if buckets(high)[-1] <= quality.most:
        return buckets(high)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if buckets(middle)[-1] > quality.most else (middle, high)
    return np.minimum(buckets(low), quality.most)


def _filled(buckets: Floats, most: float) -> Floats:
    """Cap buckets, and raise the others in proportion so that the mean stays, as far as that goes."""
    total, full = buckets.sum(), buckets >= most
    while full.sum() < len(buckets):
        free = buckets[~full].sum()
        raised = np.where(full, most, buckets * (total - most * full.sum()) / free if free else 0.0)
        if not (raised > most * (1 + 1e-12)).any():
            return np.minimum(raised, most)
        full = full | (raised > most) & (buckets > 0)
    return np.where(full, most, 0.0)


def giving_most(tokens: npt.NDArray[np.int64], preference: Preference) -> float | None:
    """Return the tokens that documents can give however large the budget is; None when there is no limit."""
    if not np.isfinite(preference.most):
        return None
    return float((tokens * preference.expected(_FAR)).sum())


def copies(
    tokens: npt.NDArray[np.int64],
    doc: npt.NDArray[np.uint64],
    target: float,
    preference: Preference | None = None,
) -> npt.NDArray[np.int32]:
    """Return how often each document of a class is written so that they hold `target` tokens, int32 (n,).

    A document that should be seen x times is written floor(x + u) times, with u between 0 and 1 drawn by its number:
    the same documents for any order, and a larger target only adds to a smaller one. The epochs are the ones that
    come nearest to the target: within half a document, where no two documents have the same number.
    """
    if not len(tokens) or not tokens.any() or target <= 0:
        return np.zeros(len(tokens), np.int32)
    preference = preference or no_preference(len(tokens))
    u = (_scatter(doc) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def written(epochs: float, at: slice | npt.NDArray[np.intp] = slice(None)) -> npt.NDArray[np.int64]:
        return np.floor(preference.expected(epochs, at) + u[at]).astype(np.int64)

    low, high = 0.0, max(2 * target / float(tokens.sum()), 1.0)
    while high < _FAR and int((written(high) * tokens).sum()) < target:
        low, high = high, 2 * high
    below, above = written(low), written(high)
    for _ in range(200):
        open_at = np.flatnonzero(below != above)  # the number of copies of all others is settled
        middle = (low + high) / 2
        if (above - below).sum() <= 1 or not low < middle < high:
            break
        settled = int((below * tokens).sum()) - int((below[open_at] * tokens[open_at]).sum())
        tried = written(middle, open_at)
        if settled + int((tried * tokens[open_at]).sum()) < target:
            low = middle
            below[open_at] = tried
        else:
            high = middle
            above[open_at] = tried
    under, over = int((below * tokens).sum()), int((above * tokens).sum())
    nearest = above if over - target <= target - under or not under else below
    return nearest.astype(np.int32)


def _scatter(doc: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix document numbers so that drawing by them is independent of other uses of the same number."""
    mixed = (doc ^ (doc >> np.uint64(31))) * np.uint64(0x7FB5D329728EA185)
    return (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x81DADEF4BC2DD44D)
