"""What the words and lines of a document look like: counts that Gopher, C4 and FineWeb's rules read.

Works on the arrays of `curate.kernels.words`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.unicode import TERMINAL, decode, place
from curate.kernels.words import HAS_ALPHA, STARTS_LINE

LINES, BULLETS, ELLIPSES, TERMINALS, SHORT = range(5)

# The eight words of Gopher's rule as little-endian ASCII: the be to of and that have with.
_STOP_WORDS = tuple(int.from_bytes(w.encode(), "little") for w in "the be to of and that have with".split())
SHORT_LINE = 30  # FineWeb: characters


@njit(nogil=True, cache=True)
def word_counts(data, first, start, stop, chars, kind, out):
    """Fill `out` int64 (n, 3): characters in words; words with a letter; distinct Gopher stop words (any case)."""
    for d in range(first.shape[0] - 1):
        total = np.int64(0)
        alpha = 0
        seen = 0
        for w in range(first[d], first[d + 1]):
            total += chars[w]
            alpha += kind[w] & HAS_ALPHA
            size = stop[w] - start[w]
            if 2 <= size <= 4:
                packed = np.uint64(0)
                for k in range(size):
                    packed |= np.uint64(data[start[w] + k] | 32) << np.uint64(8 * k)
                for s in range(len(_STOP_WORDS)):
                    if packed == np.uint64(_STOP_WORDS[s]) and kind[w] & HAS_ALPHA:
                        seen |= 1 << s
        distinct = 0
        while seen:
            distinct += seen & 1
            seen >>= 1
        out[d, 0], out[d, 1], out[d, 2] = total, alpha, distinct


@njit(nogil=True, cache=True, inline="always")
def _last_char(data, start, stop):
    """Return where the last character of `data[start:stop]` begins."""
    i = stop - 1
    while i > start and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(nogil=True, cache=True, inline="always")
def ends_with_ellipsis(data, start, stop):
    """Tell whether `data[start:stop]` ends in "..." or "…"."""
    if stop - start < 3:
        return False
    a, b, c = data[stop - 3], data[stop - 2], data[stop - 1]
    return (a == 46 and b == 46 and c == 46) or (a == 0xE2 and b == 0x80 and c == 0xA6)


@njit(nogil=True, cache=True)
def line_counts(data, words, tables, out):
    """Fill `out` int64 (n, 5): lines, and those that start with a bullet (• ‣ ● * -), end in an ellipsis, end in
    a terminal mark, are at most 30 characters long."""
    first, start, stop, position, chars, kind = (
        words.first, words.start, words.stop, words.position, words.chars, words.kind,
    )  # fmt: skip
    for d in range(first.shape[0] - 1):
        w = first[d]
        while w < first[d + 1]:
            last = w
            while last + 1 < first[d + 1] and not kind[last + 1] & STARTS_LINE:
                last += 1
            begin, end = np.int64(start[w]), np.int64(stop[last])
            cp, _ = decode(data, begin, end)
            out[d, LINES] += 1
            out[d, BULLETS] += cp == 0x2022 or cp == 0x2023 or cp == 0x25CF or cp == 0x2A or cp == 0x2D
            out[d, ELLIPSES] += ends_with_ellipsis(data, begin, end)
            cp, _ = decode(data, _last_char(data, begin, end), end)
            out[d, TERMINALS] += (tables.flags[place(tables.index, cp)] & TERMINAL) != 0
            size = np.int64(position[last]) + np.int64(chars[last]) - np.int64(position[w])
            out[d, SHORT] += size <= SHORT_LINE
            w = last + 1


@njit(nogil=True, cache=True)
def sentences(data, words, tables, out):
    """Fill `out` int64 (n,): sentences of each document.

    A sentence ends at a word whose last character, quotes and brackets aside, is a terminal mark, or with a
    line; a mark inside scripts without spaces ends one too. Stands in for the sentence splitters (nltk, spaCy)
    that others call, which need models.
    """
    first, start, stop, kind = words.first, words.start, words.stop, words.kind
    for d in range(first.shape[0] - 1):
        open_sentence = False
        for w in range(first[d], first[d + 1]):
            if kind[w] & STARTS_LINE and open_sentence:
                out[d] += 1
                open_sentence = False
            begin, end = np.int64(start[w]), np.int64(stop[w])
            i = begin
            marked = False
            while i < end:
                cp, after = decode(data, i, end)
                terminal = (tables.flags[place(tables.index, cp)] & TERMINAL) != 0
                if terminal and cp >= 0x3000 and cp < 0x10000:  # 。！？ need no space after them
                    out[d] += open_sentence or i > begin
                    open_sentence = False
                    marked = False
                elif terminal:
                    marked = True
                elif not (cp == 34 or cp == 39 or cp == 41 or cp == 93 or cp == 0x2019 or cp == 0x201D or cp == 0xBB):
                    marked = False
                    open_sentence = True
                i = after
            if marked and open_sentence:
                out[d] += 1
                open_sentence = False
        out[d] += open_sentence


@njit(nogil=True, cache=True)
def contains(data, offsets, needle, out):
    """Fill `out` bool (n,): the document holds `needle` (lower-case ASCII bytes), in any case."""
    m = needle.shape[0]
    skip = np.full(256, m, np.int64)  # Horspool: how far the last byte lets the needle move
    for k in range(m - 1):
        skip[needle[k]] = m - 1 - k
        if 97 <= needle[k] <= 122:
            skip[needle[k] - 32] = m - 1 - k
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out[d] = False
        while i + m <= end:
            k = m - 1
            while k >= 0:
                c = data[i + k]
                if 65 <= c <= 90:
                    c |= 32
                if c != needle[k]:
                    break
                k -= 1
            if k < 0:
                out[d] = True
                break
            i += skip[data[i + m - 1]]
