"""Connected components of documents that share a band key or a hash: the candidate clusters.

Compares no texts and drops nothing; `curate.dedup.survivors` does.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from curate.kernels import clusters as kernel

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


def candidate_clusters(band_keys_by_band: Iterable[U64], n: int) -> U32:
    """Label every document with the smallest number of a document in its component: uint32 (n,).

    `band_keys_by_band` yields the keys of one band at a time, uint64 (n,), so that one band is in memory;
    key 0 (a document without shingles) links to nothing. Beyond the keys this takes 4 bytes a document
    and a table of at most 256 MB. The labels depend neither on the order of the bands nor on hashing.
    Raises ValueError when a band has not n keys.
    """
    parents = np.arange(n, dtype=np.uint32)
    table = kernel.table_for(n)
    for keys in band_keys_by_band:
        column = _column(keys, n)
        kernel.link_equal(column, column, True, table, parents)
    kernel.flatten(parents)
    return parents


def exact_clusters(hash_hi: U64, hash_lo: U64) -> U32:
    """Label every document with the smallest number of a document with the same 128-bit hash: uint32 (n,)."""
    n = len(hash_hi)
    parents = np.arange(n, dtype=np.uint32)
    kernel.link_equal(_column(hash_lo, n), _column(hash_hi, n), False, kernel.table_for(n), parents)
    kernel.flatten(parents)
    return parents


def keys_within(keys: U64, groups: npt.NDArray[np.integer]) -> U64:
    """Make keys of different groups differ, so that no component crosses groups.

    Two keys of different groups collide with a chance of 2^-64; key 0 stays 0.
    """
    salt = (groups.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    salt = (salt ^ (salt >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    salted = np.maximum(keys ^ (salt ^ (salt >> np.uint64(32))), np.uint64(1))
    return np.where(keys == 0, np.uint64(0), salted)


def _column(keys: U64, n: int) -> U64:
    if len(keys) != n:
        raise ValueError(f"expected {n} keys, one a document, got {len(keys)}")
    column = np.ascontiguousarray(keys, np.uint64).view()
    column.flags.writeable = False  # one type, so one compiled kernel, whether the array is ours or Arrow's
    return column
