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
def _count(grams, size, table, tags, tag, counts, order, which):
    """Count equal values of `grams[:size]`; return how many different ones there are.

    `order` int64: place of the first copy of each, ascending; `counts` in that order; `which[k]`: which of them
    `grams[k]` is. `table` int64 holds places in `order`; `tags` tells which of its slots belong to this call.
    """
    mask = np.uint64(_room(size) - 1)
    different = 0
    for k in range(size):
        g = grams[k]
        slot = (g ^ (g >> np.uint64(32))) & mask
        while tags[slot] == tag and grams[order[table[slot]]] != g:
            slot = (slot + np.uint64(1)) & mask
        if tags[slot] != tag:
            tags[slot], table[slot] = tag, different
            order[different], counts[different] = k, 0
            different += 1
        which[k] = table[slot]
        counts[which[k]] += 1
    return different


@njit(nogil=True, cache=True)
def word_frequencies(first, chars, hashes, distinct, entropy, top):
    """Fill `distinct` int64 (n,): different words; `entropy` float64 (n,): of their frequencies, in nats; `top` float64
    (n, 3): characters in all copies of the first most frequent 2-, 3- and 4-gram, by characters of words, 0 when none
    occurs twice.

    An n-gram can only repeat where both (n-1)-grams inside it do: each length looks at what the one before has left.
    """
    most = 0
    for d in range(first.shape[0] - 1):
        most = max(most, first[d + 1] - first[d])
    table, tags = np.empty(_room(most), np.int64), np.zeros(_room(most), np.int64)
    grams, at = np.empty(most, np.uint64), np.empty(most, np.int64)  # n-grams that may repeat, and where they stand
    counts, order, which = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    tag = 0
    for d in range(first.shape[0] - 1):
        begin = first[d]
        words = first[d + 1] - begin
        total = np.int64(0)
        for w in range(words):
            grams[w], at[w] = hashes[begin + w], w
            total += chars[begin + w]
        live = words
        for n in range(1, 5):
            tag += 1
            different = _count(grams, live, table, tags, tag, counts, order, which)
            best = 0
            for k in range(different):
                best = k if counts[k] > counts[best] else best
            if n == 1:
                distinct[d] = different
                for k in range(different):
                    share = counts[k] / words
                    entropy[d] -= share * np.log(share)
            elif different > 0 and counts[best] > 1:
                length = np.int64(0)
                for w in range(begin + at[order[best]], begin + at[order[best]] + n):
                    length += chars[w]
                top[d, n - 2] = counts[best] * length / total
            if different == 0 or counts[best] < 2:
                break
            kept = 0
            for k in range(live - 1):
                w = at[k]
                both = (at[k + 1] == w + 1) & (counts[which[k]] > 1) & (counts[which[k + 1]] > 1)
                grown = grams[k]
                if both:
                    grown = fmix64(grown * np.uint64(0x9E3779B97F4A7C15) + hashes[begin + w + n])
                at[kept], grams[kept] = w, grown
                kept += both
            live = kept
