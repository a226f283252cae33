"""Whether a text holds one of some phrases, or a character. Case is ignored for A to Z only.

Says yes or no, not where, and knows no characters beyond ASCII.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.bytes import HIGH, LOW
from curate.kernels.loads import load_u64


class Phrases(NamedTuple):
    """Phrases to look for all at once, after Wu and Manber 1994, "A fast algorithm for multi-pattern searching".

    `shift[a << 8 | b]` uint8: how far a window as long as the shortest phrase can move when it ends in bytes a
    and b. `text` uint8: the phrases (lower-case), phrase k in `text[first[k]:first[k + 1]]`.
    """

    shift: npt.NDArray[np.uint8]
    text: npt.NDArray[np.uint8]
    first: npt.NDArray[np.int64]


def phrases(wanted: Sequence[str]) -> Phrases:
    """Prepare lower-case ASCII phrases of at least two characters."""
    shortest = min(map(len, wanted))
    shift = np.full(1 << 16, shortest - 1, np.uint8)
    for phrase in wanted:
        for k in range(shortest - 1):
            for a, b in itertools.product(*({c, c.upper()} for c in phrase[k : k + 2])):
                pair = ord(a) << 8 | ord(b)
                shift[pair] = min(shift[pair], shortest - 2 - k)
    first = np.cumsum([0, *map(len, wanted)])
    return Phrases(shift, np.frombuffer("".join(wanted).encode(), np.uint8), first)


@njit(nogil=True, cache=True)
def contain_phrases(data, offsets, phrases, out):
    """Fill `out` bool (n, phrases): the document holds the phrase, in any case."""
    for d in range(offsets.shape[0] - 1):
        i = offsets[d]
        while i < offsets[d + 1]:
            i, p = next_phrase(data, i, offsets[d + 1], phrases)
            if p >= 0:
                out[d, p] = True


@njit(nogil=True, cache=True)
def holds_phrase(data, start, end, phrases):
    """Tell whether one of the phrases stands in `data[start:end]`, A to Z as a to z."""
    _, found = next_phrase(data, start, end, phrases)
    return found >= 0


@njit(nogil=True, cache=True)
def next_phrase(data, start, end, phrases):
    """Return where to look on after the first phrase in `data[start:end]`, A to Z as a to z, and which phrase it is.

    `end` and -1 when there is none. Phrases that begin at one place: the first of them.
    """
    shift, text, first = phrases
    shortest = 1 << 30
    for p in range(first.shape[0] - 1):
        shortest = min(shortest, first[p + 1] - first[p])
    i = start + shortest - 1  # the last byte of the window
    while i < end:
        step = shift[np.int64(data[i - 1]) << 8 | data[i]]
        if step:
            i += step
            continue
        begin = i - shortest + 1
        for p in range(first.shape[0] - 1):
            size = first[p + 1] - first[p]
            k = 0
            while k < size and begin + size <= end:
                c = data[begin + k]
                if (c | 32 if 65 <= c <= 90 else c) != text[first[p] + k]:
                    break
                k += 1
            if k == size:
                return begin + 1, p
        i += 1
    return end, -1


@njit(nogil=True, cache=True)
def contain_byte(data, offsets, byte, out):
    """Fill `out` bool (n,): the document holds the ASCII character `byte`."""
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        found = np.uint64(0)
        while i + 8 <= end:  # without a way out, this becomes vector code
            differs = load_u64(data, i) ^ (LOW * np.uint64(byte))
            found |= (differs - LOW) & ~differs & HIGH  # not 0 if a byte of `differs` is
            i += 8
        for k in range(i, end):
            found |= np.uint64(data[k] == byte)
        out[d] = found != 0
