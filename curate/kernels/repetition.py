"""How much of a document repeats itself: word n-grams, lines and paragraphs.

Works on the arrays of `curate.kernels.words`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.words import STARTS_LINE, STARTS_PARAGRAPH

TOP = (2, 3, 4)
DUPLICATE = (5, 6, 7, 8, 9, 10)


@njit(nogil=True, cache=True, inline="always")
def _mix(h):
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True)
def _room(most):
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
    size = _room(most)
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    tags = np.zeros(size, np.int32)
    tag = np.int32(0)
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
                if at[k + 1] == at[k] + 1 and at[k] + n <= nw:
                    at[kept] = at[k]
                    gram[kept] = _mix(gram[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + at[k] + n - 1])
                    kept += 1
            live = kept
            if live < 2:
                break
            tag += np.int32(1)
            mask = np.uint64(_room(live) - 1)
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
def _block_hash(data, start, stop):
    h = np.uint64(0xCBF29CE484222325) ^ np.uint64(stop - start)
    for i in range(start, stop):
        h = (h ^ np.uint64(data[i])) * np.uint64(0x9FB21C651E98DF25)
    return _mix(h)


@njit(nogil=True, cache=True)
def blocks(data, words, boundary, out):
    """Fill `out` float64 (n, 5) with how much of a document's lines or paragraphs is repeated.

    `boundary` is STARTS_LINE or STARTS_PARAGRAPH. Columns: number of blocks; blocks that occur more than once
    (every copy); their characters; all characters of blocks; characters of second and later copies.
    A block runs from its first word to its last: surrounding white space is not part of it.
    """
    first, start, stop, position, chars, kind = (
        words.first, words.start, words.stop, words.position, words.chars, words.kind,
    )  # fmt: skip
    most = 0
    for d in range(first.shape[0] - 1):
        count = 0
        for w in range(first[d], first[d + 1]):
            if kind[w] & boundary:
                count += 1
        most = max(most, count)
    size = _room(most)
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    tags = np.full(size, -1, np.int64)
    length = np.empty(size, np.int64)
    for d in range(first.shape[0] - 1):
        w = first[d]
        count = 0
        for v in range(w, first[d + 1]):
            if kind[v] & boundary:
                count += 1
        mask = np.uint64(_room(count) - 1)
        while w < first[d + 1]:
            last = w
            while last + 1 < first[d + 1] and not kind[last + 1] & boundary:
                last += 1
            h = _block_hash(data, np.int64(start[w]), np.int64(stop[last]))
            size_in_chars = np.int64(position[last]) + np.int64(chars[last]) - np.int64(position[w])
            s = h & mask
            while tags[s] == d and keys[s] != h:
                s = (s + np.uint64(1)) & mask
            out[d, 0] += 1
            out[d, 3] += size_in_chars
            if tags[s] != d:
                tags[s], keys[s], counts[s], length[s] = d, h, 1, size_in_chars
            else:
                if counts[s] == 1:  # now the first copy is known to be repeated
                    out[d, 1] += 1
                    out[d, 2] += length[s]
                counts[s] += 1
                out[d, 1] += 1
                out[d, 2] += size_in_chars
                out[d, 4] += size_in_chars
            w = last + 1


__all__ = ["DUPLICATE", "STARTS_LINE", "STARTS_PARAGRAPH", "TOP", "blocks", "ngrams"]
