"""Symbols, lines and stop words as DCLM's filters count them, beyond what curate counts for itself.

Works on the arrays of `curate.kernels.words`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.hashing import load_partial
from curate.kernels.lines import STOP_WORDS, ends_with_ellipsis
from curate.kernels.unicode import decode

BULLETS, ELLIPSES = range(2)

_STOP = np.array([int.from_bytes(word.encode(), "little") for word in STOP_WORDS], np.uint64)


@njit(nogil=True, cache=True)
def stop_words(data, words, out):
    """Fill `out` int64 (n,): occurrences of Gopher's stop words as white-space words, in any case."""
    first, start, stop = words.first, words.start, words.stop
    for d in range(first.shape[0] - 1):
        for w in range(first[d], first[d + 1]):
            begin, end = np.int64(start[w]), np.int64(stop[w])
            if 2 <= end - begin <= 4:
                size = np.uint64(8 * (end - begin))
                folded = load_partial(data, begin, end) | (  # type: ignore[arg-type]
                    np.uint64(0x20202020) & ((np.uint64(1) << size) - np.uint64(1))
                )
                for known in _STOP:
                    out[d] += known == folded


@njit(nogil=True, cache=True)
def spaced_ellipses(data, offsets, out):
    """Fill `out` int64 (n,): how often ". . ." stands in a document, copies that overlap left out."""
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        while i + 5 <= end:
            if data[i] == 46 and _spaced_ellipsis(data, i):
                out[d] += 1
                i += 5
            else:
                i += 1


@njit(nogil=True, cache=True)
def _spaced_ellipsis(data, i):
    return data[i] == 46 and data[i + 1] == 32 and data[i + 2] == 46 and data[i + 3] == 32 and data[i + 4] == 46


@njit(nogil=True, cache=True)
def line_counts(data, lines, out):
    """Fill `out` int64 (n, 2) from stripped lines: those that begin with ● • * -, and that end in "...", ". . ." or
    "…"."""
    for d in range(lines.first.shape[0] - 1):
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            cp, _ = decode(data, begin, end)
            out[d, BULLETS] += cp == 0x25CF or cp == 0x2022 or cp == 42 or cp == 45
            spaced = end - begin >= 5 and _spaced_ellipsis(data, end - 5)
            out[d, ELLIPSES] += spaced or ends_with_ellipsis(data, begin, end)
