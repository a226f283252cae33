"""Words and lines as dolma's Gopher and C4 taggers count them, beyond what curate counts for itself.

Works on the arrays of `curate.kernels.words` and `curate.kernels.segments`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.hashing import load_partial
from curate.kernels.lines import STOP_WORDS, last_char, strip
from curate.kernels.unicode import SPACE, decode, place

SYMBOLS, REQUIRED, JAVASCRIPT = range(3)
BULLETS, ELLIPSES, UNPUNCTUATED, FEW_WORDS = range(4)

_FEWEST_WORDS = 3
_STOP = np.array(sorted(int.from_bytes(word.encode(), "little") for word in STOP_WORDS), np.uint64)
_JAVASCRIPT = np.frombuffer(b"javascript", np.uint8)


@njit(nogil=True, cache=True)
def word_counts(data, words, out):
    """Fill `out` int64 (n, 3): words that hold "#" or "…"; occurrences of the stop words, lower-case ones only;
    words that are "javascript", in any case."""
    first, start, stop = words.first, words.start, words.stop
    for d in range(first.shape[0] - 1):
        for w in range(first[d], first[d + 1]):
            begin, end = np.int64(start[w]), np.int64(stop[w])
            symbol = False
            for i in range(begin, end):
                symbol |= data[i] == 35
                if data[i] == 0xE2 and i + 2 < end:
                    symbol |= data[i + 1] == 0x80 and data[i + 2] == 0xA6
            out[d, SYMBOLS] += symbol
            if 2 <= end - begin <= 4:
                packed = load_partial(data, begin, end)  # type: ignore[arg-type]
                for known in _STOP:
                    out[d, REQUIRED] += known == packed
            elif end - begin == 10:
                same = True
                for k in range(10):
                    same &= (data[begin + k] | 0x20) == _JAVASCRIPT[k]
                out[d, JAVASCRIPT] += same


@njit(nogil=True, cache=True)
def median_chars(words, out):
    """Fill `out` float64 (n,): the median length of words in characters, the mean of the two in the middle."""
    first, chars = words.first, words.chars
    counts = np.zeros(64, np.int64)  # of words by length
    for d in range(first.shape[0] - 1):
        n = first[d + 1] - first[d]
        if n == 0:
            continue
        counts[:] = 0
        long = 0
        for w in range(first[d], first[d + 1]):
            if chars[w] < 64:
                counts[chars[w]] += 1
            else:
                long += 1
        if 2 * long + 2 > n:  # the middle may be among the long words
            lengths = np.sort(chars[first[d] : first[d + 1]])
            out[d] = (np.float64(lengths[(n - 1) // 2]) + np.float64(lengths[n // 2])) / 2
            continue
        low = high = -1
        reached = 0
        for length in range(64):
            reached += counts[length]
            if low < 0 and reached > (n - 1) // 2:
                low = length
            if reached > n // 2:
                high = length
                break
        out[d] = (low + high) / 2


@njit(nogil=True, cache=True)
def line_counts(data, lines, tables, out):
    """Fill `out` int64 (n, 4) from unstripped lines: those that start with "*" or "-"; that end in "…"; whose last
    character, white space aside, is none of . ? ! \"; that have fewer than three words."""
    for d in range(lines.first.shape[0] - 1):
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            if begin < end:
                out[d, BULLETS] += data[begin] == 42 or data[begin] == 45
                cp, _ = decode(data, last_char(data, begin, end), end)
                out[d, ELLIPSES] += cp == 0x2026
            begin, end = strip(data, begin, end, tables)
            last = data[end - 1] if begin < end else 0
            out[d, UNPUNCTUATED] += not (last == 46 or last == 63 or last == 33 or last == 34)
            words = 0
            inside = False
            while begin < end and words < _FEWEST_WORDS:
                cp, begin = decode(data, begin, end)
                space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
                words += inside == space and not space
                inside = not space
            out[d, FEW_WORDS] += words < _FEWEST_WORDS
