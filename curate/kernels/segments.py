"""Pieces of text between newlines as other toolkits cut them: not stripped, blank ones kept, in four ways.

The lines and paragraphs of curate's own definitions are in `curate.kernels.words`; nothing here knows a threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.bytes import hash_spans
from curate.kernels.lines import strip
from curate.kernels.unicode import Tables
from curate.kernels.words import Blocks

EVERY_NEWLINE, NEWLINE_RUNS, BLANK_LINES, LINE_BOUNDARIES = range(4)
"""`text.split("\\n")`; split at `\\n+`; the stripped text at `\\n{2,}`; `text.splitlines()`."""


def segments(strings: Strings, way: int, tables: Tables) -> Blocks:
    """Cut every document into segments, empty ones too, in one of the four ways."""
    n = len(strings)
    first, (start, stop, chars) = np.empty(n + 1, np.int64), _spans(_most_segments(strings.data, strings.offsets, way))
    count = _cut(strings.data, strings.offsets, way, tables, first, start, stop, chars)
    start, stop, chars = start[:count].copy(), stop[:count].copy(), chars[:count].copy()
    return Blocks(first, start, stop, chars, _hashes(strings.data, start, stop))


def stripped(data: npt.NDArray[np.uint8], found: Blocks, tables: Tables) -> Blocks:
    """Return the segments without white space around them, and without those that it leaves empty."""
    first, start, stop = found.first.copy(), found.start.copy(), found.stop.copy()
    chars = found.chars.copy()
    count = _strip_each(data, found.first, tables, first, start, stop, chars)
    start, stop, chars = start[:count], stop[:count], chars[:count]
    return Blocks(first, start, stop, chars, _hashes(data, start, stop))


def _spans(
    count: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    return np.empty(count, np.uint32), np.empty(count, np.uint32), np.empty(count, np.int64)


def _hashes(
    data: npt.NDArray[np.uint8], start: npt.NDArray[np.uint32], stop: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint64]:
    hashes = np.zeros(len(start), np.uint64)
    filled = stop > start  # an empty span has no bytes to hash
    some = np.empty(np.count_nonzero(filled), np.uint64)
    hash_spans(data, start[filled], stop[filled], some)
    hashes[filled] = some
    return hashes


@njit(nogil=True, cache=True)
def _most_segments(data, offsets, way):
    """Return a number of segments that is not exceeded."""
    ends = 0
    if way == LINE_BOUNDARIES:
        for i in range(offsets[0], offsets[-1]):
            c = data[i]
            ends += (c >= 10) & (c <= 30) | (c == 0x85) | (c == 0xA8) | (c == 0xA9)
    else:
        for i in range(offsets[0], offsets[-1]):
            ends += data[i] == 10
    return ends + offsets.shape[0]


@njit(nogil=True, cache=True)
def _break_length(data, i, end):
    """Return the bytes of the line boundary (`str.splitlines`) at i, 0 if there is none."""
    c = data[i]
    if c == 13:
        return 2 if i + 1 < end and data[i + 1] == 10 else 1
    if 10 <= c <= 12 or 28 <= c <= 30:
        return 1
    if c == 0xC2 and i + 1 < end and data[i + 1] == 0x85:  # U+0085
        return 2
    if c == 0xE2 and i + 2 < end and data[i + 1] == 0x80 and (data[i + 2] == 0xA8 or data[i + 2] == 0xA9):
        return 3  # U+2028, U+2029
    return 0


@njit(nogil=True, cache=True)
def _cut(data, offsets, way, tables, first, start, stop, chars):
    """Fill the arrays; return how many segments there are."""
    least = 2 if way == BLANK_LINES else 1
    together = way in (NEWLINE_RUNS, BLANK_LINES)
    boundaries = way == LINE_BOUNDARIES
    count = 0
    for d in range(offsets.shape[0] - 1):
        first[d] = count
        i, end = offsets[d], offsets[d + 1]
        if way == BLANK_LINES:
            i, end = strip(data, i, end, tables)
        opening = i
        while i < end:
            while i < end and not _may_break(data[i], boundaries):
                i += 1
            if i == end:
                break
            size = _break_length(data, i, end) if boundaries else 1
            while together and i + size < end and data[i + size] == 10:
                size += 1
            if size == 0 or size < least:
                i += max(size, 1)
                continue
            start[count], stop[count] = opening, i
            count += 1
            i += size
            opening = i
        if not boundaries or opening < end:
            start[count], stop[count] = opening, end
            count += 1
    first[offsets.shape[0] - 1] = count
    for s in range(count):
        size = np.int64(0)
        for i in range(start[s], stop[s]):
            size += (data[i] & 0xC0) != 0x80
        chars[s] = size
    return count


@njit(nogil=True, cache=True, inline="always")
def _may_break(c, boundaries):
    return c == 10 or (boundaries and ((c > 10 and c <= 30) or c == 0xC2 or c == 0xE2))


@njit(nogil=True, cache=True)
def _strip_each(data, old_first, tables, first, start, stop, chars):
    count = 0
    for d in range(old_first.shape[0] - 1):
        first[d] = count
        for s in range(old_first[d], old_first[d + 1]):
            begin, end = strip(data, np.int64(start[s]), np.int64(stop[s]), tables)
            if begin == end:
                continue
            size = np.int64(0)
            for i in range(begin, end):
                size += data[i] & 0xC0 != 0x80
            start[count], stop[count], chars[count] = begin, end, size
            count += 1
    first[old_first.shape[0] - 1] = count
    return count
