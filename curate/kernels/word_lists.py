"""Words and phrases of a list in the words of documents, by their hashes.

Which words there are is the business of `shingle_words.py`; lists are read elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import fmix64
from curate.kernels.unicode_words import UnicodeWords

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
BOOL = npt.NDArray[np.bool_]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Prefixes(NamedTuple):
    """A hash table of every beginning of every phrase, in words: `keys` (0: empty), and whether a phrase ends there.

    Both have the same size, a power of two, and at least one place is empty.
    """

    keys: U64
    ends: BOOL


def prefixes(phrases: UnicodeWords) -> Prefixes:
    """Return the table of the given phrases; those without words are left out."""
    size = 16
    while size < 2 * len(phrases.hash):
        size *= 2
    table = Prefixes(np.zeros(size, np.uint64), np.zeros(size, np.bool_))
    _insert(phrases.first, phrases.hash, table.keys, table.ends)
    return table


@njit(nogil=True, cache=True, inline="always")
def _grow(h: np.uint64, word: np.uint64) -> np.uint64:
    """The hash of a phrase and one more word; never 0."""
    return fmix64(h * _FACTOR + word) | np.uint64(1)


@njit(nogil=True, cache=True, inline="always")
def _slot(keys: U64, h: np.uint64) -> np.uint64:
    """Where `h` stands in the table, or the empty place where it would stand."""
    mask = np.uint64(keys.shape[0] - 1)
    s = (h >> np.uint64(1)) & mask
    while keys[s] != 0 and keys[s] != h:
        s = (s + np.uint64(1)) & mask
    return s


@njit(nogil=True, cache=True)
def _insert(first: I64, hashes: U64, keys: U64, ends: BOOL) -> None:
    for p in range(first.shape[0] - 1):
        h = np.uint64(0)
        for w in range(first[p], first[p + 1]):
            h = _grow(h, hashes[w])
            s = _slot(keys, h)
            keys[s] = h
            if w == first[p + 1] - 1:
                ends[s] = True


@njit(nogil=True, cache=True)
def listed_words(first: I64, hashes: U64, keys: U64, ends: BOOL, out: I64) -> None:
    """Fill `out` int64 (n, 2): occurrences of phrases of the list in each document, and the words that they cover.

    From left to right; where several phrases begin at a word the longest counts, and the next one begins after it.
    """
    for d in range(first.shape[0] - 1):
        found = covered = 0
        w, end = first[d], first[d + 1]
        while w < end:
            h = np.uint64(0)
            longest = 0
            k = w
            while k < end:
                h = _grow(h, hashes[k])
                s = _slot(keys, h)
                if keys[s] == 0:
                    break
                k += 1
                if ends[s]:
                    longest = k - w
            found += longest > 0
            covered += longest
            w += max(longest, 1)
        out[d, 0], out[d, 1] = found, covered
