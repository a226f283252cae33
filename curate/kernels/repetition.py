"""How much of a document repeats itself: word n-grams, lines and paragraphs.

Works on the arrays of `curate.kernels.words`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TOP = (2, 3, 4)
DUPLICATE = (5, 6, 7, 8, 9, 10)


# Columns of `repeats`.
EVERY_COPY, EVERY_COPY_CHARS, LATER_COPIES, LATER_COPIES_CHARS = range(4)


@njit(nogil=True, cache=True, inline="always")
def mix(h):
    """Return a hash, uint64, whose bits all depend on all bits of `h`."""
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True)
def room(most):
    """Return the size of a hash table for `most` keys: a power of two, at least twice as large."""
    size = 16
    while size < 2 * most:
        size *= 2
    return size


@njit(nogil=True, cache=True)
def ngrams(first, chars, hashes, top, duplicate):
    """Fill `top` float32 (n, 3) and `duplicate` float32 (n, 6): shares of each document's word characters.

    `top[d, j]`: characters in all copies of the most frequent (2 + j)-gram, the longest of equally frequent
    ones; 0 when none occurs twice. `duplicate[d, j]`: characters of the words covered by any (5 + j)-gram that
    occurs more than once, each word counted once, first copies included.

    An n-gram can only repeat where both (n-1)-grams inside it repeat, so each length looks at what is left of
    the length before: exact, and most documents are through after the 2-grams.
    """
    most = 0
    for d in range(first.shape[0] - 1):
        most = max(most, first[d + 1] - first[d])
    size = room(most)
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    tags = np.zeros(size, np.int32)
    tag = np.int32(0)
    sieve = np.empty(4 * size, np.uint8)
    at = np.empty(most + 1, np.int64)  # word positions whose n-gram may repeat, ascending
    gram = np.empty(most + 1, np.uint64)  # hash of the n-gram at at[k]
    slot = np.empty(most + 1, np.int64)
    for d in range(first.shape[0] - 1):
        w0 = first[d]
        nw = first[d + 1] - w0
        total = np.int64(0)
        for k in range(nw):
            total += chars[w0 + k]
            at[k] = k
            gram[k] = hashes[w0 + k]
        live = nw
        for n in range(2, 11):
            # Extend every n-gram that has a live right neighbour by one word.
            kept = 0
            for k in range(live - 1):
                p = at[k]
                last = min(p + n, nw) - 1
                grown = mix(gram[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + last])
                at[kept], gram[kept] = p, grown
                kept += (at[k + 1] == p + 1) & (p + n <= nw)
            live = sift(kept, at, gram, sieve)
            if live < 2:
                break
            tag += np.int32(1)
            mask = np.uint64(room(live) - 1)
            best = 1
            for k in range(live):
                g = gram[k]
                s = g & mask
                while tags[s] == tag and keys[s] != g:
                    s = (s + np.uint64(1)) & mask
                if tags[s] != tag:
                    tags[s], keys[s], counts[s] = tag, g, 1
                else:
                    counts[s] += 1
                    best = max(best, counts[s])
                slot[k] = s
            if best < 2:
                break
            kept = 0
            covered = np.int64(0)
            longest = np.int64(0)
            reach = np.int64(0)  # words before this one are counted already
            for k in range(live):
                times = counts[slot[k]]
                if times < 2:
                    continue
                p = at[k]
                if n <= 4:
                    if times == best:
                        length = np.int64(0)
                        for q in range(p, p + n):
                            length += chars[w0 + q]
                        longest = max(longest, length)
                else:
                    for q in range(max(p, reach), p + n):
                        covered += chars[w0 + q]
                    reach = p + n
                at[kept] = p
                gram[kept] = gram[k]
                kept += 1
            live = kept
            if n <= 4:
                top[d, n - 2] = best * longest / total
            else:
                duplicate[d, n - 5] = covered / total


@njit(nogil=True, cache=True)
def sift(count, at, gram, sieve):
    """Move to the front the n-grams that may occur twice, leave out most that occur once; return how many stay.

    Without a branch that the processor could guess wrongly: that makes it cheaper than the table after it.
    """
    size = np.int64(4) * room(count)
    mask = np.uint64(size - 1)
    for k in range(size):
        sieve[k] = 0
    for k in range(count):
        s = gram[k] & mask
        sieve[s] = sieve[s] << 1 | 1  # 1 at the first visit, more at later ones
    kept = 0
    for k in range(count):
        p, g = at[k], gram[k]
        at[kept], gram[kept] = p, g
        kept += sieve[g & mask] > 1
    return kept


@njit(nogil=True, cache=True)
def repeats(first, chars, hashes, out):
    """Fill `out` int64 (n, 4): segments that occur more than once, every copy; their characters; second and later
    copies; their characters."""
    most = 0
    for d in range(first.shape[0] - 1):
        most = max(most, first[d + 1] - first[d])
    size = room(most)
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    tags = np.full(size, -1, np.int64)
    for d in range(first.shape[0] - 1):
        mask = np.uint64(room(first[d + 1] - first[d]) - 1)
        for b in range(first[d], first[d + 1]):
            h = hashes[b]
            s = h & mask
            while tags[s] == d and keys[s] != h:
                s = (s + np.uint64(1)) & mask
            if tags[s] != d:
                tags[s], keys[s], counts[s] = d, h, 1
                continue
            copies = 2 if counts[s] == 1 else 1  # now the first copy is known to be repeated
            counts[s] += 1
            out[d, EVERY_COPY] += copies
            out[d, EVERY_COPY_CHARS] += copies * chars[b]
            out[d, LATER_COPIES] += 1
            out[d, LATER_COPIES_CHARS] += chars[b]
