"""How often each word and each short n-gram of a document occurs: different words, entropy, the first most frequent.

Works on hashes of words; `repetition.py` has the n-grams of Gopher, where of equally frequent ones the longest counts.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.hashing import fmix64


@njit(nogil=True, cache=True)
def _room(items):
    """Return a power of two with room for a hash table of `items`."""
    size = np.int64(16)
    while size < 2 * items:
        size *= 2
    return size


@njit(nogil=True, cache=True)
def _count(grams, size, table, tags, tag, counts, order):
    """Count equal values of `grams[:size]`; `order[:k]` are places of their first copies, `counts` in the same order.

    Returns k. `table` int64 holds places in `order`; `tags` tells which of its slots belong to this call.
    """
    mask = np.uint64(_room(size) - 1)
    different = 0
    for w in range(size):
        g = grams[w]
        slot = g & mask
        while tags[slot] == tag and grams[order[table[slot]]] != g:
            slot = (slot + np.uint64(1)) & mask
        if tags[slot] != tag:
            tags[slot], table[slot] = tag, different
            order[different], counts[different] = w, 0
            different += 1
        counts[table[slot]] += 1
    return different


@njit(nogil=True, cache=True)
def word_frequencies(first, chars, hashes, distinct, entropy, top):
    """Fill `distinct` int64 (n,): different words; `entropy` float64 (n,): of their frequencies, in nats; `top` float64
    (n, 3): characters in all copies of the first most frequent 2-, 3- and 4-gram, by characters of words, 0 when none
    occurs twice.
    """
    most = 0
    for d in range(first.shape[0] - 1):
        most = max(most, first[d + 1] - first[d])
    table, tags = np.empty(_room(most), np.int64), np.zeros(_room(most), np.int64)
    grams = np.empty(most, np.uint64)
    counts, order = np.empty(most, np.int64), np.empty(most, np.int64)
    tag = 0
    for d in range(first.shape[0] - 1):
        begin = first[d]
        words = first[d + 1] - begin
        total = np.int64(0)
        for w in range(words):
            grams[w] = hashes[begin + w]
            total += chars[begin + w]
        for n in range(1, 5):
            size = words - n + 1
            if size < 1:
                break
            if n > 1:
                for w in range(size):
                    grams[w] = fmix64(grams[w] * np.uint64(0x9E3779B97F4A7C15) + hashes[begin + w + n - 1])
            tag += 1
            different = _count(grams, size, table, tags, tag, counts, order)
            if n == 1:
                distinct[d] = different
                for k in range(different):
                    share = counts[k] / words
                    entropy[d] -= share * np.log(share)
                continue
            best = 0
            for k in range(1, different):
                best = k if counts[k] > counts[best] else best
            if counts[best] < 2:
                break
            length = np.int64(0)
            for w in range(begin + order[best], begin + order[best] + n):
                length += chars[w]
            top[d, n - 2] = counts[best] * length / total
