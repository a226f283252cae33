"""How much text there is: characters, lines and words of each document, in one light pass.

Compares nothing; `curate.cleaning.removed` takes the difference of before and after.
"""

from __future__ import annotations

from numba import njit

from curate.kernels.unicode import SPACE, decode, place


@njit(nogil=True, cache=True)
def amounts(data, offsets, tables, out):
    """Fill `out` int64 (n, 3): characters; lines that hold more than white space; white-space words."""
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        chars = lines = words = 0
        inside = False
        blank = True  # of the line so far
        while i < end:
            c = data[i]
            if c < 0x80:
                space = c == 32 or 9 <= c <= 13 or 28 <= c <= 31
                i += 1
                if c == 10:
                    blank = True
            else:
                cp, i = decode(data, i, end)
                space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
            chars += 1
            if not space:
                words += not inside
                lines += blank
                blank = False
            inside = not space
        out[d, 0], out[d, 1], out[d, 2] = chars, lines, words
