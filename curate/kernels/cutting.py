"""Ranges cut out of documents: texts without them, and what later cuts mean in the text before earlier ones.

Knows not why something is cut. Ranges of document d are `first[d]:first[d + 1]`, ascending and apart; their
bytes count from the beginning of the document.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def cut(data, offsets, first, start, stop, out, out_offsets):
    """Copy every document without its ranges to `out`; fills `out_offsets`; returns the bytes written."""
    o = 0
    for d in range(offsets.shape[0] - 1):
        out_offsets[d] = o
        at = offsets[d]
        for r in range(first[d], first[d + 1] + 1):
            end = offsets[d] + start[r] if r < first[d + 1] else offsets[d + 1]
            out[o : o + end - at] = data[at:end]
            o += end - at
            if r < first[d + 1]:
                at = offsets[d] + stop[r]
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def compose(first, start, stop, new_first, new_start, new_stop, out_first, out_start, out_stop):
    """Join ranges with ranges of the texts that they leave; all of `out` count in the text before either.

    Touching ranges become one. `out` needs room for as many as both have. Returns how many there are.
    """
    count = np.int64(0)
    for d in range(first.shape[0] - 1):
        out_first[d] = count
        old = first[d]
        shift = np.int64(0)  # bytes that the old ranges passed so far take out
        for r in range(new_first[d], new_first[d + 1]):
            while old < first[d + 1] and start[old] - shift <= new_start[r]:
                count = _append(start[old], stop[old], out_first[d], out_start, out_stop, count)
                shift += stop[old] - start[old]
                old += 1
            begin = new_start[r] + shift
            while old < first[d + 1] and start[old] - shift < new_stop[r]:
                shift += stop[old] - start[old]
                old += 1
            count = _append(begin, new_stop[r] + shift, out_first[d], out_start, out_stop, count)
        while old < first[d + 1]:
            count = _append(start[old], stop[old], out_first[d], out_start, out_stop, count)
            old += 1
    out_first[first.shape[0] - 1] = count
    return count


@njit(nogil=True, cache=True)
def _append(start, stop, begin, out_start, out_stop, count):
    if count > begin and out_stop[count - 1] == start:
        out_stop[count - 1] = stop
        return count
    out_start[count], out_stop[count] = start, stop
    return count + 1
