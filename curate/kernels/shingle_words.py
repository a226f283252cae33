"""The words that shingles are made of: where they stand in a text, and a 64-bit hash of each, lower-cased.

A word is a maximal run of letters, marks, digits and underscores; a character of a script written without
spaces (flag UNIT) is a word by itself. Not the words that quality rules count: those are in `words.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import load_partial
from curate.kernels.loads import load_u64, trailing_zeros, word_masks
from curate.kernels.unicode import UNIT, WORD, decode, place

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

# Where the scan of a text stands: next byte, whether a word is open (0 or 1), whether the byte before was in
# a word, and the word bytes and breaks that the last character before lays into the next block.
Scan = tuple[int, int, np.uint64, np.uint64, np.uint64]

FOLD_CASE = np.uint64(0x2020202020202020)  # the bit that lower-cases an ASCII letter, in each of 8 bytes
KEEP_CASE = np.uint64(0)
_SEED = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0x9FB21C651E98DF25)


@njit(nogil=True, cache=True)
def _span_masks(data: U8, i: int, end: int) -> tuple[np.uint64, np.uint64]:
    """`word_masks` of the bytes from i to end; bits at or beyond end are 0."""
    size = end - i
    if i + 64 <= data.shape[0]:
        word, other = word_masks(data, i)
        inside = ~np.uint64(0) if size >= 64 else (np.uint64(1) << np.uint64(size)) - np.uint64(1)
        return word & inside, other & inside
    word = np.uint64(0)
    other = np.uint64(0)
    for k in range(min(size, 64)):
        c = data[i + k]
        bit = np.uint64(1) << np.uint64(k)
        if c >= 0x80:
            other |= bit
        elif 0x61 <= (c | 0x20) <= 0x7A or 0x30 <= c <= 0x39 or c == 0x5F:
            word |= bit
    return word, other


@njit(nogil=True, cache=True)
def _wide_masks(
    data: U8, i: int, end: int, other: np.uint64, index: U16, flags: U16, lower: I32
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """What a block holds beyond ASCII: word bytes, word breaks, first bytes of upper-case letters.

    A break at a byte separates it from a word byte before it. Characters may reach into the next block:
    the last two results are its word bytes and breaks.
    """
    word = breaks = upper = next_word = next_breaks = np.uint64(0)
    one = np.uint64(1)
    while other != 0:
        first = trailing_zeros(other)
        cp, after = decode(data, i + first, end)
        last = after - i  # exclusive
        whole = (one << np.uint64(last - first)) - one
        at = place(index, cp)
        kind = flags[at]
        if kind & WORD:
            word |= whole << np.uint64(first)
            upper |= np.uint64(lower[at] != 0) << np.uint64(first)
            if last > 64:
                next_word |= whole >> np.uint64(64 - first)
            if kind & UNIT:
                breaks |= one << np.uint64(first)
                if last < 64:
                    breaks |= one << np.uint64(last)
                else:
                    next_breaks |= one << np.uint64(last - 64)
        other &= ~(whole << np.uint64(first))
    return word, breaks, upper, next_word, next_breaks


@njit(nogil=True, cache=True)
def find_words(
    data: U8, end: int, index: U16, flags: U16, lower: I32, scan: Scan, starts: I64, ends: I64
) -> tuple[Scan, int, int]:
    """Write starts and ends of words from where the scan stands, until the text ends or the arrays are full.

    A word with a letter beyond ASCII that lower-casing changes gets the complement of its start, `~start`.
    Returns where the scan stands, and the numbers of starts and ends: one more start if a word is still open,
    which is then to be moved to the front of `starts`.
    """
    one = np.uint64(1)
    i, n_starts, inside, next_word, next_breaks = scan
    n_ends = 0
    while i < end and n_starts + 64 <= starts.shape[0]:
        word, other = _span_masks(data, i, end)
        other &= ~next_word
        breaks = next_breaks
        word |= next_word
        upper = next_word = next_breaks = np.uint64(0)
        if other != 0:
            wide, wide_breaks, upper, next_word, next_breaks = _wide_masks(data, i, end, other, index, flags, lower)
            word |= wide
            breaks |= wide_breaks
        before = (word << one) | inside
        begin = word & (~before | breaks)
        finish = before & (~word | breaks)
        inside = word >> np.uint64(63)
        while begin != 0:
            starts[n_starts] = i + trailing_zeros(begin)
            n_starts += 1
            begin &= begin - one
        while upper != 0:
            w = n_starts - 1
            while starts[w] > i + trailing_zeros(upper):  # a complement is below every place
                w -= 1
            starts[w] = min(starts[w], ~starts[w])
            upper &= upper - one
        while finish != 0:
            ends[n_ends] = i + trailing_zeros(finish)
            n_ends += 1
            finish &= finish - one
        i += 64
    if i >= end and n_ends < n_starts:
        ends[n_ends] = end
        n_ends += 1
    return (i, n_starts - n_ends, inside, next_word, next_breaks), n_starts, n_ends


@njit(nogil=True, cache=True)
def hash_characters(
    data: U8, i: int, end: int, index: U16, lower: I32, hashes: U64, at: int, room: int
) -> tuple[int, int]:
    """64 bits of each character from byte i on, lower-cased by the table: at most `room` of them.

    Returns the next byte and how many there were.
    """
    count = 0
    while i < end and count < room:
        cp, i = decode(data, i, end)
        hashes[at + count] = _mix_word(_SEED, np.uint64(cp + lower[place(index, cp)]))
        count += 1
    return i, count


@njit(nogil=True, cache=True, inline="always")
def _mix_word(h: np.uint64, chunk: np.uint64) -> np.uint64:
    h = (h ^ chunk) * _FACTOR
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True)
def _hash_wide_word(data: U8, start: int, end: int, index: U16, lower: I32) -> np.uint64:
    """Hash a word by characters: each lower-cased, encoded, and packed as `hash_words` packs bytes."""
    h = _SEED
    chunk = np.uint64(0)
    filled = 0
    i = start
    while i < end:
        cp, i = decode(data, i, end)
        cp += lower[place(index, cp)]
        if cp < 0x80:
            code, size = cp | 0x20, 1
        elif cp < 0x800:
            code, size = (0xC0 | cp >> 6) | (0x80 | cp & 0x3F) << 8, 2
        elif cp < 0x10000:
            code, size = (0xE0 | cp >> 12) | (0x80 | cp >> 6 & 0x3F) << 8 | (0x80 | cp & 0x3F) << 16, 3
        else:
            code = (0xF0 | cp >> 18) | (0x80 | cp >> 12 & 0x3F) << 8
            code, size = code | (0x80 | cp >> 6 & 0x3F) << 16 | (0x80 | cp & 0x3F) << 24, 4
        chunk |= np.uint64(code) << np.uint64(8 * filled)
        filled += size
        if filled >= 8:
            h = _mix_word(h, chunk)
            filled -= 8
            chunk = np.uint64(code) >> np.uint64(8 * (size - filled))
    if filled > 0:
        h = _mix_word(h, chunk)
    return h


@njit(nogil=True, cache=True)
def hash_words(
    data: U8,
    starts: I64,
    ends: I64,
    count: int,
    index: U16,
    lower: I32,
    out: U64,
    at: int,
    case: np.uint64 = FOLD_CASE,
) -> None:
    """64 bits of each word: its lower-cased UTF-8 in chunks of 8 bytes, zero-padded, every ASCII byte | 0x20.

    That bit lower-cases letters, keeps digits, and moves the underscore to 0x7F, which no word contains.
    Words with an upper-case letter beyond ASCII (see `find_words`) are rare and take the long way.
    With `case` KEEP_CASE, and a table `lower` of zeros, the hash is that of the UTF-8 as it is.
    """
    for w in range(count):
        i, end = starts[w], ends[w]
        if i < 0:
            out[at + w] = _hash_wide_word(data, ~i, end, index, lower)
            continue
        h = _SEED
        while i + 8 < end:
            chunk = load_u64(data, i)
            h = _mix_word(h, chunk | ((~chunk >> np.uint64(2)) & case))
            i += 8
        chunk = load_u64(data, i) if i + 8 <= data.shape[0] else load_partial(data, i, end)
        mask = ~np.uint64(0) >> np.uint64(64 - 8 * (end - i))
        out[at + w] = _mix_word(h, (chunk | ((~chunk >> np.uint64(2)) & case)) & mask)
