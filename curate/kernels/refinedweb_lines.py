"""Copying the lines that RefinedWeb's line-wise rules leave, without the phrases that they take out of short lines.

What a rule says of one line is in `refinedweb.py`.
"""

from __future__ import annotations

from numba import njit

from curate.kernels.lines import strip
from curate.kernels.refinedweb import copy_line, line_kind
from curate.kernels.unicode import SPACE, decode, place


@njit(nogil=True, cache=True)
def _count_words(data, start, stop, tables):
    words = 0
    inside = False
    i = start
    while i < stop:
        cp, i = decode(data, i, stop)
        space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
        words += not space and not inside
        inside = not space
    return words


@njit(nogil=True, cache=True)
def refinedweb_lines(data, offsets, tables, counted, out, out_offsets):
    """Copy what the line rules leave of each document to `out`; fills `out_offsets`, returns its last entry.

    Empty lines stay, lines of white space go; a line that no rule touches is copied as it is, white space around it
    included; a document is stripped. `counted`: `curate.kernels.refinedweb.COUNTED`.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        begin = o
        first = True
        while i < end:
            stop = i
            while stop < end and data[stop] != 10:
                stop += 1
            start, last = strip(data, i, stop, tables)
            line, i = i, stop + 1
            room = o + (not first)
            written = room
            if last > start:
                words = _count_words(data, start, last, tables)
                if line_kind(data, start, last, words, tables, counted):
                    continue
                written = copy_line(data, start, last, words, tables, out, room)
                if written == room:
                    continue
                if written - room == last - start:  # untouched
                    written = room
                    for k in range(line, stop):
                        out[written] = data[k]
                        written += 1
            elif stop > line:
                continue
            if not first:
                out[o] = 10
            first = False
            o = written
        start, last = strip(out, begin, o, tables)
        for k in range(start, last):
            out[begin + k - start] = out[k]
        o = begin + last - start
    out_offsets[offsets.shape[0] - 1] = o
    return o
