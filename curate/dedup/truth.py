"""Brute force: the exact similarity of every pair of a sample of documents, with what the bands made of it.

Takes shingle sets and band keys; draws no sample and judges nothing.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.errors import CurateError
from curate.kernels import pairs as kernel

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

MAX_DOCUMENTS = 50_000  # 1.25 billion pairs: minutes, and the limit of what a person wants to wait for
MAX_PAIRS = 100_000_000  # pairs that are kept, 24 bytes each
HISTOGRAM_BINS = 100
_PLACES = 1 << 20  # pairs that one task has room for


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a sample that are similar enough or are candidates; entry k of every array is one pair.

    `left` < `right` int32: places in the sample. `similarity` float64: exact Jaccard. `matches` uint16: bands in
    which they agree. `drawn` bool: whether the first band is one of these. `histogram` int64 (100,): pairs by
    similarity in hundredths, those without a common shingle left out. `compared`: all pairs of the sample that are
    in one scope.
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float64]
    matches: npt.NDArray[np.uint16]
    drawn: npt.NDArray[np.bool_]
    histogram: I64
    compared: int


def all_pairs(
    values: npt.NDArray[np.uint32],
    offsets: I64,
    keys: U64,
    *,
    floor: float,
    groups: U64 | None = None,
    threads: int | None = None,
) -> Pairs:
    """Compare every pair of n documents exactly; keep those of `floor` and more, and all candidates.

    `values`, `offsets`: shingle sets, as `shingle_sets` makes them. `keys`: uint64 (n, bands), 0 where a document
    has none; (n, 0) when only the truth is wanted. `groups`: uint64 (n,), pairs are looked for inside one.
    The time grows with n squared, and with how many documents share a shingle. Raises CurateError for more than
    50,000 documents, or when more than 100 million pairs are to be kept.
    """
    n = len(offsets) - 1
    if n > MAX_DOCUMENTS:
        raise CurateError(
            f"a sample of {n:,} documents has {n * (n - 1) // 2:,} pairs, and all are compared; "
            f"the most is {MAX_DOCUMENTS:,}: take a smaller --sample"
        )
    scope = np.zeros(n, np.uint64) if groups is None else np.ascontiguousarray(groups, np.uint64)
    posting, first = _inverted(values, offsets)
    keys = np.ascontiguousarray(keys, np.uint64)

    def rows(cut: tuple[int, int]) -> tuple[list[npt.NDArray[Any]], I64]:
        begin, end = cut
        room = (end - begin) * end
        kinds = (np.int32, np.int32, np.float64, np.uint16, np.uint16)
        found: list[npt.NDArray[Any]] = [np.empty(room, kind) for kind in kinds]
        histogram = np.zeros(HISTOGRAM_BINS, np.int64)
        written = kernel.pairs_of_rows(
            begin, end, offsets, posting, first, scope, keys, float(floor), histogram, *found
        )
        return [array[:written].copy() for array in found], histogram

    parts: list[list[npt.NDArray[Any]]] = []
    histogram = np.zeros(HISTOGRAM_BINS, np.int64)
    kept = 0
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        for arrays, counts in pool.map(rows, _cuts(n)):
            parts.append(arrays)
            histogram += counts
            kept += len(arrays[0])
            if kept > MAX_PAIRS:
                pool.shutdown(cancel_futures=True)
                raise CurateError(f"more than {MAX_PAIRS:,} pairs of {floor:g} and more; take a smaller --sample")
    empty = [np.empty(0, kind) for kind in (np.int32, np.int32, np.float64, np.uint16, np.uint16)]
    left, right, similarity, matches, drawn = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    order = np.lexsort((right, left))
    sizes = np.unique(scope, return_counts=True)[1]
    return Pairs(
        left[order],
        right[order],
        similarity[order],
        matches[order],
        drawn[order] > 0,
        histogram,
        int((sizes * (sizes - 1) // 2).sum()),
    )


def _inverted(values: npt.NDArray[np.uint32], offsets: I64) -> tuple[npt.NDArray[np.int32], I64]:
    """Return the documents by shingle, ascending, and for every flat position where its shingle's begin."""
    owner = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[begins, len(ordered)])
    first = np.empty(len(values), np.int64)
    first[order] = np.repeat(begins, lengths)
    return owner[order], first


def _cuts(n: int) -> list[tuple[int, int]]:
    """Cut the rows of the triangle of pairs so that no task needs room for more than about `_PLACES` of them."""
    cuts, begin = [], 0
    while begin < n:
        end = begin + 1
        while end < n and (end + 1 - begin) * (end + 1) <= _PLACES:
            end += 1
        cuts.append((begin, end))
        begin = end
    return cuts
