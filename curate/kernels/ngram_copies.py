"""How much n-grams repeat, as dolma and datatrove count it: by occurrences, or along a greedy walk.

The paper's counting (every word once) is in `curate.kernels.repetition`. Knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.repetition import DUPLICATE, TOP, mix, room, sift

COUNT, CHARS = range(2)  # of the first of the most frequent n-grams


@njit(nogil=True, cache=True)
def top_ngrams(first, chars, hashes, out):
    """Fill `out` int64 (n, 3, 2): how often the most frequent (2 + j)-gram occurs, and the characters of its words.

    Of equally frequent ones the first in the document; 0 and 0 where the document has fewer words.
    """
    most = _longest(first)
    keys, counts, tags = _table(most)
    at, gram = np.empty(most + 1, np.int64), np.empty(most + 1, np.uint64)
    slot, sieve = np.empty(most + 1, np.int64), np.empty(4 * room(most), np.uint8)
    tag = np.int32(0)
    for d in range(first.shape[0] - 1):
        w0, nw = first[d], first[d + 1] - first[d]
        for j in range(min(len(TOP), nw - 1)):  # the answer where none occurs twice
            out[d, j, COUNT] = 1
            for q in range(j + 2):
                out[d, j, CHARS] += chars[w0 + q]
        live = max(nw - 1, 0)
        for k in range(live):
            at[k], gram[k] = k, hashes[w0 + k]
        for j in range(len(TOP)):
            for k in range(live):
                gram[k] = mix(gram[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + at[k] + j + 1])
            live = sift(live, at, gram, sieve)
            tag += np.int32(1)
            mask = np.uint64(room(live) - 1)
            best = 1
            for k in range(live):
                slot[k], times = _visit(gram[k], mask, keys, counts, tags, tag)
                best = max(best, times)
            if best < 2:
                break
            kept = 0
            for k in range(live):  # a longer n-gram repeats only where this one does
                times = counts[slot[k]]
                if times == best and out[d, j, COUNT] < best:  # the first of them
                    out[d, j, COUNT], out[d, j, CHARS] = best, 0
                    for q in range(j + 2):
                        out[d, j, CHARS] += chars[w0 + at[k] + q]
                if times > 1 and at[k] + j + 2 < nw:
                    at[kept], gram[kept] = at[k], gram[k]
                    kept += 1
            live = kept


@njit(nogil=True, cache=True)
def repeated_ngrams(first, chars, hashes, out):
    """Fill `out` int64 (n, 6, 2) for 5..10-grams: characters of all occurrences of n-grams that occur more than
    once, and of all n-grams; overlapping ones count in full on both sides."""
    most = _longest(first)
    keys, counts, tags = _table(most)
    at, gram = np.empty(most + 1, np.int64), np.empty(most + 1, np.uint64)
    slot = np.empty(most + 1, np.int64)
    before = np.zeros(most + 1, np.int64)  # characters of the words before
    tag = np.int32(0)
    for d in range(first.shape[0] - 1):
        w0, nw = first[d], first[d + 1] - first[d]
        for k in range(nw):
            before[k + 1] = before[k] + chars[w0 + k]
        live = 0
        for k in range(nw - 4):
            at[k], gram[k] = k, hashes[w0 + k]
            for q in range(1, 5):
                gram[k] = mix(gram[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + k + q])
            live += 1
        for n in range(5, 11):
            for k in range(nw - n + 1):
                out[d, n - 5, 1] += before[k + n] - before[k]
            tag += np.int32(1)
            mask = np.uint64(room(live) - 1)
            for k in range(live):
                slot[k], _ = _visit(gram[k], mask, keys, counts, tags, tag)
            kept = 0
            for k in range(live):  # a longer n-gram repeats only where this one does
                if counts[slot[k]] > 1:
                    p = at[k]
                    out[d, n - 5, 0] += before[p + n] - before[p]
                    if p + n < nw:
                        at[kept] = p
                        gram[kept] = mix(gram[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + p + n])
                        kept += 1
            live = kept


@njit(nogil=True, cache=True)
def greedy_ngrams(first, chars, hashes, base, out):
    """Fill `out` int64 (n, 6) for 5..10-grams: characters of the n-grams that were seen before on a walk over the
    words, which goes on behind an n-gram that was seen and one word on otherwise.

    N-grams are compared joined, without what stands between their words: `hashes` are polynomials in `base` over the
    characters of a word.
    """
    most = _longest(first)
    keys, counts, tags = _table(most)
    tag = np.int32(0)
    at, gram = np.empty(most + 1, np.int64), np.empty(most + 1, np.uint64)
    sieve = np.empty(4 * room(most), np.uint8)
    joined = np.zeros(most + 1, np.uint64)  # of the words before
    before = np.zeros(most + 1, np.int64)
    powers = np.ones(256, np.uint64)
    for k in range(1, 256):
        powers[k] = powers[k - 1] * base
    for d in range(first.shape[0] - 1):
        w0, nw = first[d], first[d + 1] - first[d]
        for k in range(nw):
            joined[k + 1] = joined[k] * _power(powers, chars[w0 + k]) + hashes[w0 + k]
            before[k + 1] = before[k] + chars[w0 + k]
        for j in range(len(DUPLICATE)):
            n = j + 5
            live = max(nw - n + 1, 0)
            for k in range(live):
                at[k] = k
                gram[k] = mix(joined[k + n] - joined[k] * _power(powers, before[k + n] - before[k]))
            live = sift(live, at, gram, sieve)
            tag += np.int32(1)
            mask = np.uint64(room(live) - 1)
            reach = 0
            for k in range(live):  # what occurs once is never seen before
                p = at[k]
                if p < reach:
                    continue
                _, times = _visit(gram[k], mask, keys, counts, tags, tag)
                if times > 1:
                    out[d, j] += before[p + n] - before[p]
                    reach = p + n


@njit(nogil=True, cache=True, inline="always")
def _power(powers, exponent):
    """Return a power of the base, of which the first 256 are given."""
    if exponent < 256:
        return powers[exponent]
    found, square = np.uint64(1), powers[1]
    while exponent:
        if exponent & 1:
            found *= square
        square *= square
        exponent >>= 1
    return found


@njit(nogil=True, cache=True)
def _longest(first):
    most = 0
    for d in range(first.shape[0] - 1):
        most = max(most, first[d + 1] - first[d])
    return most


@njit(nogil=True, cache=True)
def _table(most):
    """Return (keys, counts, tags) of a hash table; an entry counts only under the tag of its round."""
    size = room(most)
    return np.empty(size, np.uint64), np.empty(size, np.int32), np.zeros(size, np.int32)


@njit(nogil=True, cache=True, inline="always")
def _visit(key, mask, keys, counts, tags, tag):
    """Count a key; return (its place, how often it was counted)."""
    s = key & mask
    while tags[s] == tag and keys[s] != key:
        s = (s + np.uint64(1)) & mask
    if tags[s] != tag:
        tags[s], keys[s], counts[s] = tag, key, 0
    counts[s] += 1
    return np.int64(s), np.int64(counts[s])
