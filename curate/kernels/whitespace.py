"""Copying text with less white space: inside lines, behind them, and between them.

Looks at no words. Input must be valid UTF-8; so is the output, which is never longer.
"""

from __future__ import annotations

from numba import njit

from curate.kernels.unicode import SPACE, decode, place

MOST_NEWLINES = 2  # one blank line


@njit(nogil=True, cache=True)
def _space(data, i, end, tables):
    """Return where the white-space character at i ends; i if there is none, or one that ends a line."""
    c = data[i]
    if c < 0x80:
        return i + 1 if c == 32 or c == 9 else i
    cp, after = decode(data, i, end)
    if not tables.flags[place(tables.index, cp)] & SPACE or cp == 0x85 or cp == 0x2028 or cp == 0x2029:
        return i
    return after


@njit(nogil=True, cache=True)
def tidy(data, offsets, tables, out, out_offsets):
    """Copy all documents to `out` with tidy white space; fills `out_offsets`, returns its last entry.

    Inside a line two or more white-space characters become one space; none stay before a newline; more than two
    newlines become two. White space that begins a line stays.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        newlines = 0
        begins = True  # a line
        while i < end:
            if data[i] == 10:
                newlines += 1
                if newlines <= MOST_NEWLINES:
                    out[o] = 10
                    o += 1
                begins = True
                i += 1
                continue
            start = i
            count = 0
            after = _space(data, i, end, tables)
            while after > i:
                i = after
                count += 1
                after = _space(data, i, end, tables) if i < end else i
            if count and (i == end or data[i] == 10):
                continue
            newlines = 0
            if count > 1 and not begins:
                out[o] = 32
                o += 1
            else:
                for k in range(start, i):
                    out[o] = data[k]
                    o += 1
            begins = False
            while i < end and data[i] != 32 and data[i] != 9 and data[i] != 10:
                if data[i] >= 0x80 and _space(data, i, end, tables) > i:
                    break
                out[o] = data[i]
                o += 1
                i += 1
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def cap_newlines(data, offsets, out, out_offsets):
    """Copy all documents to `out`, more than two newlines in a row as two; as `tidy` otherwise."""
    o = 0
    for d in range(offsets.shape[0] - 1):
        out_offsets[d] = o
        newlines = 0
        for i in range(offsets[d], offsets[d + 1]):
            newlines = newlines + 1 if data[i] == 10 else 0
            if newlines <= MOST_NEWLINES:
                out[o] = data[i]
                o += 1
    out_offsets[offsets.shape[0] - 1] = o
    return o
