"""The most similar of some given documents, for each of many: shingle by shingle, or by signatures.

Chooses no candidates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.survivors import shared, wanted_shared

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


@njit(nogil=True, cache=True)
def best_matches(
    values: U32,
    offsets: I64,
    other_offsets: I64,
    starts: I64,
    candidates: I64,
    threshold: float,
    containment: bool,
    best: I64,
    similarity: F32,
) -> None:
    """Write the most similar candidate of each document to `best`, -1 before, if it reaches the threshold.

    `values` holds the sets of the documents, between `offsets`, and those of the candidates, between
    `other_offsets`; they are distinct and ascending. The candidates of document i are
    `candidates[starts[i]:starts[i + 1]]`; of equals the first is taken.
    """
    for i in range(offsets.shape[0] - 1):
        size = offsets[i + 1] - offsets[i]
        best_share = 0.0
        for c in range(starts[i], starts[i + 1]):
            o = candidates[c]
            other = other_offsets[o + 1] - other_offsets[o]
            wanted = wanted_shared(size, other, max(threshold, best_share), containment)
            common = shared(values, offsets[i], offsets[i + 1], other_offsets[o], other_offsets[o + 1], wanted)
            if common < 0:
                continue
            whole = size if containment else size + other - common
            share = common / whole if whole else 1.0  # they share a key, so without words their texts are equal
            if share >= threshold and share > best_share:
                best[i], similarity[i], best_share = o, share, share


@njit(nogil=True, cache=True)
def best_estimates(
    values: U32,
    offsets: I64,
    other_offsets: I64,
    starts: I64,
    candidates: I64,
    threshold: float,
    best: I64,
    similarity: F32,
) -> None:
    """Like `best_matches`, for signatures: the similarity is the share of places with equal values."""
    for i in range(offsets.shape[0] - 1):
        size = offsets[i + 1] - offsets[i]
        best_share = 0.0
        for c in range(starts[i], starts[i + 1]):
            o = candidates[c]
            equal = 0
            for k in range(size):
                equal += values[offsets[i] + k] == values[other_offsets[o] + k]
            share = equal / size
            if share >= threshold and share > best_share:
                best[i], similarity[i], best_share = o, share, share
