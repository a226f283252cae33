"""How much n-grams repeat, as dolma and datatrove count it: by occurrences, or along a greedy walk.

The paper's counting (every word once) is in `curate.kernels.repetition`. Knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.repetition import DUPLICATE, TOP
from curate.kernels.repetition import _mix as mix
from curate.kernels.repetition import _room as room

COUNT, CHARS = range(2)  # of the first of the most frequent n-grams


@njit(nogil=True, cache=True)
def top_ngrams(first, chars, hashes, out):
    """Fill `out` int64 (n, 3, 2): how often the most frequent (2 + j)-gram occurs, and the characters of its words.

    Of equally frequent ones the first in the document; 0 and 0 where the document has fewer words.
    """
    most = _longest(first)
    keys, counts, tags = _table(most)
    slot = np.empty(most + 1, np.int64)
    tag = np.int32(0)
    for d in range(first.shape[0] - 1):
        w0, nw = first[d], first[d + 1] - first[d]
        mask = np.uint64(room(nw) - 1)
        for j in range(len(TOP)):
            n = j + 2
            if nw < n:
                break
            tag += np.int32(1)
            best = 0
            for k in range(nw - n + 1):
                gram = hashes[w0 + k]
                for q in range(1, n):
                    gram = mix(gram * np.uint64(0x9E3779B97F4A7C15) + hashes[w0 + k + q])
                s, times = _visit(gram, mask, keys, counts, tags, tag)
                slot[k] = s
                best = max(best, times)
            for k in range(nw - n + 1):
                if counts[slot[k]] == best:
                    out[d, j, COUNT] = best
                    for q in range(n):
                        out[d, j, CHARS] += chars[w0 + k + q]
                    break


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
def greedy_ngrams(first, chars, hashes, powers, out):
    """Fill `out` int64 (n, 6) for 5..10-grams: characters of the n-grams that were seen before on a walk over the
    words, which goes on behind an n-gram that was seen and one word on otherwise.

    N-grams are compared joined, without what stands between their words: `hashes` are polynomials over the bytes
    of a word, `powers` what a hash is multiplied by when the word is appended to something.
    """
    most = _longest(first)
    keys, counts, tags = _table(most)
    tag = np.int32(0)
    joined = np.zeros(most + 1, np.uint64)  # of the words before
    before = np.zeros(most + 1, np.int64)
    for d in range(first.shape[0] - 1):
        w0, nw = first[d], first[d + 1] - first[d]
        for k in range(nw):
            joined[k + 1] = joined[k] * powers[w0 + k] + hashes[w0 + k]
            before[k + 1] = before[k] + chars[w0 + k]
        mask = np.uint64(room(nw) - 1)
        for j in range(len(DUPLICATE)):
            n = j + 5
            if nw < n:
                break
            tag += np.int32(1)
            power = np.uint64(1)
            for q in range(n):
                power *= powers[w0 + q]
            k = at = 0  # at: where `power` stands for the words at:at + n
            while k < nw - n + 1:
                if k != at:
                    power = np.uint64(1)
                    for q in range(k, k + n):
                        power *= powers[w0 + q]
                    at = k
                _, times = _visit(mix(joined[k + n] - joined[k] * power), mask, keys, counts, tags, tag)
                if times > 1:
                    out[d, j] += before[k + n] - before[k]
                    k += n
                else:
                    k += 1


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
