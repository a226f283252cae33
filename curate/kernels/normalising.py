"""Texts made alike before they are shingled: numbers as 0, and FineWeb's folding of case, accents and punctuation.

Changes nothing that is written to a mix. The table ships as a file, so that results do not depend on the Unicode
version of the running Python; `python -m curate.kernels.normalising` rebuilds it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.unicode import DIGIT, WORD, decode, place, tables

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

_FILE = Path(__file__).with_name("folding.npz")
_SPACE = 1 << 29  # in the table: the character counts as white space
_GONE = 1 << 30  # a mark that folding removes
_GAP, _RARE = -1, -2


def normalised(strings: Strings, *, fold: bool, numbers: bool) -> Strings:
    """Return the texts with each number as `0` if `numbers`, then folded as FineWeb does if `fold`.

    A number is a maximal run of decimal digits of any script; a `.` or `,` between two digits belongs to it.
    Folding: characters other than letters, marks and numbers count as white space, runs of which become one
    space, none at both ends; canonical decomposition without nonspacing marks (category Mn); lower case.
    Source: datatrove's `simplify_text` as FineWeb used it (Penedo et al. 2024, appendix E.1).
    """
    if not fold and not numbers:
        return strings
    # Folding makes a character at most half as long again: U+023A has 2 bytes, its lower case 3.
    out, offsets = np.empty(strings.nbytes * 3 // 2 + 8, np.uint8), np.zeros_like(strings.offsets)
    index, flags, _ = tables()
    size = _normalise(strings.data, strings.offsets, index, flags, *folding(), fold, numbers, out, offsets)
    return Strings(out[:size], offsets)


class Folding(NamedTuple):
    """`delta[place(blocks, cp)]` is what to add to code point `cp` to fold it, or _SPACE or _GONE.

    `blocks` uint16 (8704,), `delta` int32 (blocks * 128,).
    """

    blocks: U16
    delta: I32


@functools.cache
def folding() -> Folding:
    """Return the table that `build` derived."""
    with np.load(_FILE) as stored:
        return Folding(*(np.ascontiguousarray(stored[name]) for name in Folding._fields))


@njit(nogil=True, cache=True, inline="always")
def _encode(out: U8, at: int, cp: int) -> int:
    """Write a code point as UTF-8; return where the next one goes."""
    if cp < 0x80:
        out[at] = cp
        return at + 1
    if cp < 0x800:
        out[at], out[at + 1] = 0xC0 | cp >> 6, 0x80 | cp & 0x3F
        return at + 2
    if cp < 0x10000:
        out[at], out[at + 1], out[at + 2] = 0xE0 | cp >> 12, 0x80 | cp >> 6 & 0x3F, 0x80 | cp & 0x3F
        return at + 3
    out[at], out[at + 1] = 0xF0 | cp >> 18, 0x80 | cp >> 12 & 0x3F
    out[at + 2], out[at + 3] = 0x80 | cp >> 6 & 0x3F, 0x80 | cp & 0x3F
    return at + 4


@njit(nogil=True, cache=True)
def _after_number(data: U8, i: int, end: int, index: U16, flags: U16) -> int:
    """Where the number that has a digit before i ends."""
    while i < end:
        c = data[i]
        skip = 1 if (c == 0x2E or c == 0x2C) and i + 1 < end else 0
        cp, after = decode(data, i + skip, end)
        if not flags[place(index, cp)] & DIGIT:
            break
        i = after
    return i


@njit(nogil=True, cache=True)
def _plain(index: U16, flags: U16, blocks: U16, delta: I32, fold: bool, numbers: bool) -> npt.NDArray[np.int16]:
    """What each ASCII byte becomes: a byte, _GAP for white space, or _RARE where the next ones matter."""
    plain = np.arange(128).astype(np.int16)
    for c in range(128):
        if numbers and flags[place(index, c)] & DIGIT:
            plain[c] = _RARE
        elif fold:
            change = delta[place(blocks, c)]
            plain[c] = _GAP if change == _SPACE else c + change
    return plain


@njit(nogil=True, cache=True)
def _normalise(
    data: U8,
    offsets: I64,
    index: U16,
    flags: U16,
    blocks: U16,
    delta: I32,
    fold: bool,
    numbers: bool,
    out: U8,
    out_offsets: I64,
) -> int:
    plain = _plain(index, flags, blocks, delta, fold, numbers)
    written = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        first = written
        gap = False  # white space that waits for a character
        while i < end:
            if data[i] < 0x80 and plain[data[i]] != _RARE:
                byte = plain[data[i]]
                i += 1
                if byte == _GAP:
                    gap = True
                    continue
                if gap and written > first:
                    out[written] = 0x20
                    written += 1
                gap = False
                out[written] = byte
                written += 1
                continue
            cp, after = decode(data, i, end)
            change = 0
            if numbers and flags[place(index, cp)] & DIGIT:
                after = _after_number(data, after, end, index, flags)
                cp = 0x30
            elif fold:
                change = delta[place(blocks, cp)]
            else:
                for k in range(i, after):  # as they are, bytes that are not UTF-8 too
                    out[written + k - i] = data[k]
                written += after - i
                change = _GONE
            i = after
            if change == _SPACE:
                gap = True
            elif change != _GONE:
                if gap and written > first:
                    out[written] = 0x20
                    written += 1
                gap = False
                written = _encode(out, written, cp + change)
        out_offsets[d + 1] = written
    return written


def build() -> Folding:
    """Derive the table from this Python's `unicodedata`."""
    import unicodedata

    index, flags, lower = tables()

    def at(cp: int) -> int:
        return (int(index[cp >> 7]) << 7) | (cp & 127)

    def change(cp: int) -> int:
        ch = chr(cp)
        if not flags[at(cp)] & WORD or ch == "_":
            return _SPACE
        base = [part for part in unicodedata.normalize("NFD", ch) if unicodedata.category(part) != "Mn"]
        if not base:
            return _GONE
        # More than one is left of Hangul syllables and of vowels made of two spacing marks: they stay whole.
        kept = ord(base[0]) if len(base) == 1 else cp
        return kept + int(lower[at(kept)]) - cp

    changes = np.full(0x110000, _SPACE, np.int32)
    for cp in range(0x110000):
        if not 0xD800 <= cp < 0xE000:
            changes[cp] = change(cp)
    delta, blocks = np.unique(changes.reshape(-1, 128), axis=0, return_inverse=True)
    return Folding(blocks.ravel().astype(np.uint16), delta.ravel().astype(np.int32))


if __name__ == "__main__":
    np.savez_compressed(_FILE, **build()._asdict())
