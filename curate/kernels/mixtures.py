"""Mixtures of language models: what a weighted sum of their probabilities costs, and what each model adds to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@njit(nogil=True, cache=True)
def mixture(probabilities: F32, weights: F64, pull: F64) -> float:
    """Return the mean of -ln sum_k w_k p_ik over bytes i, for probabilities float32 (bytes, models), row by row.

    `pull` float64 (models,) is filled with the mean of p_ik / sum_k w_k p_ik: less one, how much the cost falls when a
    little weight is moved to model k. Its mean by `weights` is 1.
    """
    n, models = probabilities.shape
    pull[:] = 0.0
    cost, product = 0.0, 1.0
    for i in range(n):
        total = 0.0
        for k in range(models):
            total += weights[k] * probabilities[i, k]
        share = 1.0 / total
        for k in range(models):
            pull[k] += probabilities[i, k] * share
        product *= total
        if product < 1e-200:
            cost -= np.log(product)
            product = 1.0
    pull /= n
    return (cost - np.log(product)) / n
