"""Copying text while leaving things out: invisible characters, and lines by C4's rules.

Input must be valid UTF-8; so is the output, which is never longer. Which cleaner runs when is `curate.text`'s
business.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.lines import ends_with_ellipsis
from curate.kernels.unicode import CONTROL, RECOMPOSE, SPACE, decode, place

CLEAN, STRIP, NORMALISE = 0, 1, 2  # what a document needs; bits

C4_MIN_WORDS = 5  # words a line, JMLR version of the paper and released code
C4_MAX_WORD = 1000  # characters a word


@njit(nogil=True, cache=True)
def scan(data, offsets, tables, needs):
    """Fill `needs` uint8 (n,): STRIP where a document holds carriage returns or control characters,
    NORMALISE where it may not be in normal form C."""
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        state = 0
        while i < end:
            c = data[i]
            if c < 0x80:
                if c < 32 and c != 10 and c != 9 or c == 127:
                    state |= STRIP
                i += 1
                continue
            cp, i = decode(data, i, end)
            flags = tables.flags[place(tables.index, cp)]
            if flags & (CONTROL | RECOMPOSE):
                state |= STRIP if flags & CONTROL else 0
                state |= NORMALISE if flags & RECOMPOSE else 0
        needs[d] = state


@njit(nogil=True, cache=True)
def strip_controls(data, offsets, tables, out, out_offsets):
    """Copy all documents to `out` without control characters; `\\r\\n`, `\\r` become `\\n`. Fills `out_offsets`."""
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        while i < end:
            c = data[i]
            if c == 13:
                out[o] = 10
                o += 1
                i += 2 if i + 1 < end and data[i + 1] == 10 else 1
                continue
            cp, after = decode(data, i, end)
            if not tables.flags[place(tables.index, cp)] & CONTROL:
                for k in range(i, after):
                    out[o] = data[k]
                    o += 1
            i = after
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def _found(data, start, end, needle):
    m = needle.shape[0]
    for i in range(start, end - m + 1):
        k = 0
        while k < m and ((data[i + k] | 32) == needle[k] if needle[k] >= 97 else data[i + k] == needle[k]):
            k += 1
        if k == m:
            return True
    return False


@njit(nogil=True, cache=True)
def _citation(data, i, end, notes):
    """Return where a citation mark that begins at `data[i]` ends, or `i`: [12], [], [edit], [citation needed]."""
    k = i + 1
    while k < end and 48 <= data[k] <= 57:
        k += 1
    if k < end and data[k] == 93:
        return k + 1
    for note in notes:
        k = 0
        while k < note.shape[0] and i + k < end and data[i + k] == note[k]:
            k += 1
        if k == note.shape[0]:
            return i + k
    return i


@njit(nogil=True, cache=True)
def _keep_line(out, start, end, tables, needles):
    if end == start or ends_with_ellipsis(out, start, end):
        return False
    last = out[end - 1]
    if not (last == 46 or last == 63 or last == 33 or last == 34):
        return False
    words = 0
    inside = False
    i = start
    suspicious = False
    while i < end:
        cp, after = decode(out, i, end)
        space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
        words += inside and space
        inside = not space
        # First letters of the needles: javascript, policy phrases.
        suspicious |= (cp | 32) == 106 or (cp | 32) == 116 or (cp | 32) == 112 or (cp | 32) == 99 or (cp | 32) == 117
        i = after
    words += inside
    if words < C4_MIN_WORDS:
        return False
    if suspicious:
        for needle in needles:
            if _found(out, start, end, needle):
                return False
    return True


@njit(nogil=True, cache=True)
def c4_lines(data, offsets, tables, needles, notes, out, out_offsets):
    """Copy the lines that C4 keeps to `out`, stripped and without citation marks; fills `out_offsets`.

    A line goes when a word in it is longer than 1000 characters, when it does not end in . ? ! or ", when it
    ends in "...", has fewer than 5 words, or holds one of `needles` in any case.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        begin = o
        while i < end:
            line_end = i
            while line_end < end and data[line_end] != 10:
                line_end += 1
            # Copy from the first to the last character that is not white space, without citations.
            mark = o
            if mark > begin:
                out[o] = 10
                o += 1
            line = o
            solid = o
            run = 0
            longest = 0
            while i < line_end:
                if data[i] == 91:
                    after = _citation(data, i, line_end, notes)
                    if after > i:
                        i = after
                        continue
                cp, after = decode(data, i, line_end)
                space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
                if not (space and solid == line):
                    for k in range(i, after):
                        out[o] = data[k]
                        o += 1
                    if not space:
                        solid = o
                run = 0 if space else run + 1
                longest = max(longest, run)
                i = after
            o = solid
            if longest > C4_MAX_WORD or not _keep_line(out, line, o, tables, needles):
                o = mark
            i = line_end + 1
    out_offsets[offsets.shape[0] - 1] = o
    return o
