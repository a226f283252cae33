"""Counting 64-bit keys in open-addressing tables that grow, and flags for the occurrences that are too many.

Knows not what a key stands for. A table has a power of two of slots, at most half of them taken; slot key 0 is
empty, so key 0 counts as key 1. Occurrences come as slices `keys[begin[s]:end[s]]` in the order of the corpus.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NOBODY = np.uint32(0xFFFFFFFF)
_ONE, _TWO = np.uint32(1), np.uint32(2)


@njit(nogil=True, cache=True)
def divide(keys, partitions, part, sizes):
    """Fill `part` int64 with the partition of each key, by its upper half, and add to `sizes` int64 (partitions,)."""
    for k in range(keys.shape[0]):
        p = np.int64(((keys[k] >> np.uint64(32)) * np.uint64(partitions)) >> np.uint64(32))
        part[k] = p
        sizes[p] += 1


@njit(nogil=True, cache=True)
def arrange(part, sizes, order):
    """Fill `order` int64 with the places of all keys by partition, in their own order inside each."""
    at = np.zeros(sizes.shape[0], np.int64)
    for p in range(1, sizes.shape[0]):
        at[p] = at[p - 1] + sizes[p - 1]
    for k in range(part.shape[0]):
        order[at[part[k]]] = k
        at[part[k]] += 1


@njit(nogil=True, cache=True, inline="always")
def _slot(table, key):
    """Return the slot that holds a key, or where it would go."""
    mask = np.uint64(table.shape[0] - 1)
    slot = (key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20) & mask
    while table[slot] != 0 and table[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(nogil=True, cache=True)
def count(keys, ranks, gone, begin, end, at, table, best, counts):
    """Count keys from slice `at[0]`, occurrence `at[1]` on; `at[2]` is how many slots are taken.

    `best` keeps the smallest rank among the occurrences of a key; those with a rank that is `gone` do not
    count. Without ranks (none given) every occurrence counts. Returns True at the end, False when the table
    has to grow first: `at` then says where to go on.
    """
    ranked = ranks.shape[0] > 0
    room = table.shape[0] // 2
    for s in range(at[0], begin.shape[0]):
        k = begin[s] if s > at[0] else max(begin[s], at[1])
        while k < end[s]:
            if at[2] >= room:
                at[0], at[1] = s, k
                return False
            key = max(keys[k], np.uint64(1))
            rank = ranks[k] if ranked else np.uint32(0)
            if not ranked or not gone[rank]:
                slot = _slot(table, key)
                if table[slot] == 0:
                    table[slot], best[slot] = key, NOBODY
                    at[2] += 1
                if counts[slot] != NOBODY:
                    counts[slot] += _ONE
                best[slot] = min(best[slot], rank)
            k += 1
    at[0], at[1] = 0, 0
    return True


@njit(nogil=True, cache=True)
def grow(table, best, counts, new_table, new_best, new_counts):
    """Copy a table into a larger, empty one."""
    for s in range(table.shape[0]):
        if table[s] != 0:
            slot = _slot(new_table, table[s])
            new_table[slot], new_best[slot], new_counts[slot] = table[s], best[s], counts[s]


@njit(nogil=True, cache=True)
def flag_frequent(keys, begin, end, table, counts, more_than, flags):
    """Flag every occurrence of a key that occurs more than `more_than` times."""
    for s in range(begin.shape[0]):
        for k in range(begin[s], end[s]):
            flags[k] = counts[_slot(table, max(keys[k], np.uint64(1)))] > more_than


@njit(nogil=True, cache=True)
def flag_copies(keys, ranks, gone, begin, end, table, best, counts, flags):
    """Flag every occurrence of a key but its first one in the best ranked place; none with a rank that is `gone`.

    `best` is used up: where the first one was met it becomes NOBODY.
    """
    for s in range(begin.shape[0]):
        for k in range(begin[s], end[s]):
            if gone[ranks[k]]:
                flags[k] = 0
                continue
            slot = _slot(table, max(keys[k], np.uint64(1)))
            first = best[slot] == ranks[k]
            if first:
                best[slot] = NOBODY
            flags[k] = not first
