"""Keys of texts with fewer words (or characters) than a shingle needs: all of their words, hashed as one.

Texts long enough for a shingle are compared by signatures instead; what becomes of short ones is a step's policy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import fmix64
from curate.kernels.shingle_words import find_words, hash_characters, hash_words
from curate.kernels.shingles import CHUNK, Prepared

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0xD6E8FEB86659FD93)


def short_keys(texts: Prepared, ngram: int, shingles: U32) -> U64:
    """Return uint64 (n,): a hash of all words of each text that has some, but fewer than `ngram`; 0 for the others.

    `shingles` uint32 (n,): how many each text has; one with two is not short, one without has no words to hash.
    """
    keys = np.zeros(len(shingles), np.uint64)
    _short_keys(*texts, ngram, shingles, keys)
    return keys


@njit(nogil=True, cache=True)
def _short_keys(
    data: U8,
    offsets: I64,
    index: U16,
    flags: U16,
    lower: I32,
    case: np.uint64,
    characters: bool,
    ngram: int,
    shingles: U32,
    keys: U64,
) -> None:
    starts, ends, hashes = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64), np.empty(CHUNK, np.uint64)
    zero = np.uint64(0)
    for d in range(offsets.shape[0] - 1):
        if shingles[d] != 1:
            continue
        end = offsets[d + 1]
        scan = (offsets[d], 0, zero, zero, zero)
        total = zero
        units = 0
        while scan[0] < end:
            if characters:
                i, count = hash_characters(data, scan[0], end, index, lower, hashes, 0, CHUNK)
                scan = (i, 0, zero, zero, zero)
            else:
                scan, n_starts, count = find_words(data, end, index, flags, lower, scan, starts, ends)
                hash_words(data, starts, ends, count, index, lower, hashes, 0, case)
                if n_starts > count:
                    starts[0] = starts[count]
            for w in range(count):
                total = total * _FACTOR + hashes[w]
            units += count
        if units < ngram:
            keys[d] = max(fmix64(total + np.uint64(units)), np.uint64(1))
