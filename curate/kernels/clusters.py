"""Union-find over equal keys: links documents without sorting them, in a hash table of bounded size.

Knows nothing of what the keys mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

_LARGEST_TABLE = 1 << 25  # entries of 8 bytes; more documents take more passes over the keys, not more memory


def table_for(n: int) -> U64:
    """Return a hash table for `link_equal` over n keys: twice as many entries, or the most allowed."""
    return np.empty(min(1 << max(2 * n - 1, 1).bit_length(), _LARGEST_TABLE), np.uint64)


@njit(nogil=True, cache=True, inline="always")
def _mix(key: np.uint64) -> np.uint64:
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@njit(nogil=True, cache=True, inline="always")
def _root(parents: U32, i: np.uint32) -> np.uint32:
    while parents[i] != i:
        parents[i] = parents[parents[i]]  # path halving
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def link_equal(keys: U64, others: U64, skip_zero: bool, table: U64, parents: U32) -> None:
    """Link all documents i with equal (keys[i], others[i]) in `parents`; the smaller number becomes the root.

    A table entry is 0 or holds 32 bits of the mixed key and the number, plus one, of the first document that
    had the key; its slot comes from the other bits. Keys are taken in as many passes as keep the table half
    empty, each pass a share of the key space. Needs fewer than 2^32 - 1 documents.
    """
    n, slots = keys.shape[0], table.shape[0]
    passes = 1 + max(2 * n - 1, 0) // slots
    low = np.uint64(0xFFFFFFFF)
    for number in range(passes):
        table[:] = 0
        for i in range(n):
            if skip_zero and keys[i] == 0:
                continue
            mixed = _mix(keys[i])
            turn = np.int64(((mixed >> np.uint64(40)) * np.uint64(passes)) >> np.uint64(24))
            if turn != number:
                continue
            mark = (mixed >> np.uint64(8)) & low
            slot = np.int64((mixed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (slots - 1)
            while table[slot] != 0:
                first = np.uint32((table[slot] & low) - np.uint64(1))
                alike = (table[slot] >> np.uint64(32)) == mark
                if alike and keys[first] == keys[i] and others[first] == others[i]:
                    mine, theirs = _root(parents, np.uint32(i)), _root(parents, first)
                    parents[max(mine, theirs)] = min(mine, theirs)
                    break
                slot = (slot + 1) & (slots - 1)
            if table[slot] == 0:
                table[slot] = (mark << np.uint64(32)) | np.uint64(i + 1)


@njit(nogil=True, cache=True)
def flatten(parents: U32) -> None:
    """Make every document point at its root; ascending, so that a parent is finished before its children."""
    for i in range(parents.shape[0]):
        parents[i] = parents[parents[i]]
