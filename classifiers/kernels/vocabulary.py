"""Read a fastText dictionary from its bytes, and look words up in it.

`slots` is uint64 (2 * capacity): key and 1 + id of the word side by side, 0 where empty; capacity is a power of two.
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, uint64

from classifiers.kernels.hashing import KEY_START, key_end, key_step


@njit(nogil=True, cache=True)
def scan_entries(data, nwords, starts, lengths, counts):
    """Find `len(starts)` dictionary entries; return the bytes they take, or -1 when they are not sound.

    An entry is its text, a NUL, an int64 count and a byte: 0 for the first `nwords`, 1 for the labels after them.
    """
    at = 0
    for entry in range(len(starts)):
        starts[entry] = at
        while at < len(data) and data[at] != 0:
            at += 1
        lengths[entry] = at - starts[entry]
        if at + 10 > len(data):
            return -1
        count = uint64(0)
        for byte in range(8):
            count |= uint64(data[at + 1 + byte]) << uint64(8 * byte)
        counts[entry] = int64(count)
        if data[at + 9] != (0 if entry < nwords else 1):
            return -1
        at += 10
    return at


@njit(nogil=True, cache=True)
def build_slots(data, offsets, slots):
    """Enter every word; of equal words the first counts, as in fastText."""
    mask = uint64(len(slots) // 2 - 1)
    for word in range(len(offsets) - 1):
        key = uint64(KEY_START)
        for at in range(offsets[word], offsets[word + 1]):
            key = key_step(key, data[at])
        key = key_end(key)
        slot = int64(key & mask)
        while slots[2 * slot] != 0 and slots[2 * slot] != key:
            slot = int64(uint64(slot + 1) & mask)
        if slots[2 * slot] == 0:
            slots[2 * slot] = key
            slots[2 * slot + 1] = uint64(word + 1)


@njit(nogil=True, cache=True, inline="always")
def find_word(slots, key):
    """Return the id of the word with this key, -1 when there is none."""
    mask = uint64(len(slots) - 1)
    slot = (key << uint64(1)) & mask
    while slots[slot] != key:
        if slots[slot] == 0:
            return int64(-1)
        slot = (slot + uint64(2)) & mask
    return int64(slots[slot | uint64(1)]) - 1


def slots_for(count: int) -> np.ndarray:
    """Return empty slots for `count` words, at most half of them to be filled."""
    capacity = 1 << max(4, (2 * count).bit_length())
    return np.zeros(2 * capacity, np.uint64)
