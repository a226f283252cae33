"""How the words of a document fall into the classes of a reference distribution: the sums that entropies need.

The estimate made of them, and its correction, are in `curate.signals.divergence`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import fmix64
from curate.kernels.unicode_words import UnicodeWords

U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

OTHERS = 1 << 16  # classes that words without one of their own share, by 16 bits of their hash
HARMONIC = 4096  # from here on three terms of the series are exact to the last bit


class Classes(NamedTuple):
    """A hash table from words to classes: `keys` with `classes`; -1 marks an empty place, a power of two of them.

    `log_q` float64 (V + OTHERS,): logarithm of the probability of each class; other words share the last OTHERS.
    """

    keys: U64
    classes: I32
    log_q: F64


def classes(words: U64, log_q: F64) -> Classes:
    """Return the table that gives `words[c]` class c."""
    size = 16
    while size < 2 * len(words):
        size *= 2
    keys, found = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    _insert(words, keys, found)
    return Classes(keys, found, log_q)


@njit(nogil=True, cache=True)
def _insert(words: U64, keys: U64, found: I32) -> None:
    mask = np.uint64(keys.shape[0] - 1)
    for c in range(words.shape[0]):
        s = words[c] & mask
        while found[s] >= 0:
            s = (s + np.uint64(1)) & mask
        keys[s], found[s] = words[c], c


def _harmonic() -> F64:
    """psi(k) for k below HARMONIC: the sum of 1/j for j < k, less Euler's constant; entry 0 has no meaning."""
    sums = np.cumsum(1.0 / np.arange(1, HARMONIC - 1))
    table: F64 = np.concatenate([[0.0, 0.0], sums]) - np.euler_gamma
    return table


_PSI = _harmonic()


@njit(nogil=True, cache=True)
def digamma(k: int) -> float:
    """psi(k), the derivative of the logarithm of the gamma function, for an integer k > 0."""
    if k < HARMONIC:
        return _PSI[k]
    x = float(k)
    return np.log(x) - 1 / (2 * x) - 1 / (12 * x * x)


@njit(nogil=True, cache=True)
def class_sums(first: I64, hashes: U64, keys: U64, found: I32, log_q: F64, out: F64) -> None:
    """Fill `out` float64 (n, 4) for the words of each document, of which X fall into class c: sum of X log q(c); sum
    of X psi(X); psi(n) of all n words, 0 for none; number of classes with X = 1."""
    others = log_q.shape[0] - OTHERS
    mask = np.uint64(keys.shape[0] - 1)
    counts = np.zeros(log_q.shape[0], np.int64)
    touched = np.empty(log_q.shape[0] + 1, np.int64)  # one more: the place after the last is written to as well
    for d in range(first.shape[0] - 1):
        seen = 0
        for w in range(first[d], first[d + 1]):
            h = hashes[w]
            s = h & mask
            while found[s] >= 0 and keys[s] != h:
                s = (s + np.uint64(1)) & mask
            c = np.int64(found[s]) if found[s] >= 0 else others + np.int64(fmix64(h) >> np.uint64(48))
            touched[seen] = c
            seen += counts[c] == 0
            counts[c] += 1
        cross = psi = 0.0
        once = 0
        for k in range(seen):
            c = touched[k]
            cross += counts[c] * log_q[c]
            psi += counts[c] * digamma(counts[c])
            once += counts[c] == 1
            counts[c] = 0
        n = first[d + 1] - first[d]
        out[d, 0], out[d, 1], out[d, 2], out[d, 3] = cross, psi, digamma(n) if n > 0 else 0.0, once


def document_sums(words: UnicodeWords, table: Classes) -> F64:
    """Return `class_sums` of documents."""
    out = np.zeros((len(words.first) - 1, 4), np.float64)
    class_sums(words.first, words.hash, table.keys, table.classes, table.log_q, out)
    return out
