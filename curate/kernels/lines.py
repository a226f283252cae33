"""What the words and lines of a document look like: counts that Gopher, C4 and FineWeb's rules read.

Works on the arrays of `curate.kernels.words`; knows no thresholds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.bytes import holds_letter, ones
from curate.kernels.hashing import load_partial
from curate.kernels.loads import load_u64
from curate.kernels.unicode import ALPHA, SPACE, TERMINAL, decode, place
from curate.kernels.words import STARTS_LINE

LINES, BULLETS, ELLIPSES, TERMINALS, SHORT = range(5)

SHORT_LINE = 30  # FineWeb: characters

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # of Gopher's rule
_ALL = ~np.uint64(0)
_STOP_FACTOR = 0x9E3779B97F4A7C15  # sends each stop word to a place of its own among 64


def _stop_table() -> npt.NDArray[np.uint64]:
    """Return each stop word, as little-endian ASCII, at its place: the upper 6 bits of its product."""
    table = np.zeros(64, np.uint64)
    for word in STOP_WORDS:
        packed = int.from_bytes(word.encode(), "little")
        table[(packed * _STOP_FACTOR & 0xFFFFFFFFFFFFFFFF) >> 58] = packed
    return table


_STOP_TABLE = _stop_table()


@njit(nogil=True, cache=True)
def word_counts(data, words, tables, out):
    """Fill `out` int64 (n, 3): characters in words; words with a letter; distinct Gopher stop words (any case)."""
    first, start, stop, chars = words.first, words.start, words.stop, words.chars
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    for d in range(first.shape[0] - 1):
        total = np.int64(0)
        alpha = 0
        seen = np.uint64(0)  # bit: place of a stop word
        for w in range(first[d], first[d + 1]):
            begin, end = np.int64(start[w]), np.int64(stop[w])
            total += chars[w]
            head_end = end if end - begin < 8 else begin + 8
            head_bytes = _ALL >> np.uint64(64 - 8 * (head_end - begin))
            if begin <= safe:
                head = load_u64(data, begin) & head_bytes
            else:
                head = load_partial(data, begin, head_end)  # type: ignore[arg-type]
            if holds_letter(head):
                alpha += 1
                lower = (head | np.uint64(0x20202020)) & head_bytes
                at = (lower * np.uint64(_STOP_FACTOR)) >> np.uint64(58)
                seen |= np.uint64((_STOP_TABLE[at] == lower) & (end - begin <= 4)) << at
            elif chars[w] < end - begin or end - begin > 8:
                alpha += _holds_letter(data, begin, end, tables)
        out[d, 0], out[d, 1], out[d, 2] = total, alpha, ones(seen)


@njit(nogil=True, cache=True)
def _holds_letter(data, begin, end, tables):
    i = begin
    while i < end:
        cp, i = decode(data, i, end)
        if tables.flags[place(tables.index, cp)] & ALPHA:
            return True
    return False


@njit(nogil=True, cache=True)
def last_char(data, start, stop):
    """Return where the last character of `data[start:stop]` begins."""
    i = stop - 1
    while i > start and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(nogil=True, cache=True, inline="always")
def ends_with_ellipsis(data, start, stop):
    """Tell whether `data[start:stop]` ends in "..." or "…"."""
    if stop - start < 3:
        return False
    a, b, c = data[stop - 3], data[stop - 2], data[stop - 1]
    return (a == 46 and b == 46 and c == 46) or (a == 0xE2 and b == 0x80 and c == 0xA6)


@njit(nogil=True, cache=True)
def line_counts(data, lines, tables, out):
    """Fill `out` int64 (n, 5) from the Blocks `lines`: lines, and those that start with a bullet (• ‣ ● * -), end
    in an ellipsis, end in a terminal mark, are at most 30 characters long."""
    for d in range(lines.first.shape[0] - 1):
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            cp, _ = decode(data, begin, end)
            out[d, LINES] += 1
            out[d, BULLETS] += cp == 0x2022 or cp == 0x2023 or cp == 0x25CF or cp == 0x2A or cp == 0x2D
            out[d, ELLIPSES] += ends_with_ellipsis(data, begin, end)
            cp, _ = decode(data, last_char(data, begin, end), end)
            out[d, TERMINALS] += (tables.flags[place(tables.index, cp)] & TERMINAL) != 0
            out[d, SHORT] += lines.chars[b] <= SHORT_LINE


# What an ASCII character means to a sentence.
_CONTENT, _CLOSER, _MARK = range(3)
_IN_SENTENCE = np.zeros(128, np.uint8)
_IN_SENTENCE[[ord(c) for c in "\"')]"]] = _CLOSER
_IN_SENTENCE[[ord(c) for c in ".!?"]] = _MARK


@njit(nogil=True, cache=True)
def sentences(data, words, tables, out):
    """Fill `out` int64 (n,): sentences of each document.

    A sentence ends at a word whose last character, quotes and brackets aside, is a terminal mark, or with a
    line; a mark inside scripts without spaces ends one too. Marks alone are no sentence. Stands in for the
    sentence splitters (nltk, spaCy) that others call, which need models.
    """
    first, start, stop, chars, kind = words.first, words.start, words.stop, words.chars, words.kind
    meaning = _IN_SENTENCE
    for d in range(first.shape[0] - 1):
        count = 0
        is_open = False  # something other than marks stands in the sentence
        for w in range(first[d], first[d + 1]):
            count += is_open & kind[w] & STARTS_LINE
            is_open &= (kind[w] & STARTS_LINE) == 0
            begin, end = np.int64(start[w]), np.int64(stop[w])
            if chars[w] < end - begin:  # not ASCII
                found, is_open = _wide_word(data, begin, end, tables, is_open)
                count += found
                continue
            last = end - 1
            if meaning[data[last]] == _CONTENT:  # most words
                is_open = True
                continue
            while last > begin and meaning[data[last]] == _CLOSER:
                last -= 1
            marked = meaning[data[last]] == _MARK
            while last > begin and meaning[data[last]] != _CONTENT:
                last -= 1
            is_open |= meaning[data[last]] == _CONTENT
            if marked:
                count += is_open
                is_open = False
        out[d] = count + is_open


@njit(nogil=True, cache=True)
def _wide_word(data, begin, end, tables, is_open):
    """Return (sentences that end in or with the word, whether one is open after it)."""
    count = 0
    marked = False
    i = begin
    while i < end:
        cp, i = decode(data, i, end)
        if tables.flags[place(tables.index, cp)] & TERMINAL:
            marked = True
            if 0x3000 <= cp < 0x10000:  # 。！？ need no space after them
                count += is_open
                is_open = False
        elif not (
            (cp < 128 and _IN_SENTENCE[cp] == _CLOSER)
            or cp == 0x2019 or cp == 0x201D or cp == 0xBB  # ’ ” »
            or cp == 0x300D or cp == 0x300F or cp == 0xFF09  # 」 』 ）
        ):  # fmt: skip
            marked = False
            is_open = True
    if marked:
        return count + is_open, False
    return count, is_open


@njit(nogil=True, cache=True)
def strip(data, start, stop, tables):
    """Return (start, stop) of `data[start:stop]` without white space at its ends."""
    while start < stop:
        cp, following = decode(data, start, stop)
        if not tables.flags[place(tables.index, cp)] & SPACE:
            break
        start = following
    while start < stop:
        at = last_char(data, start, stop)
        cp, _ = decode(data, at, stop)
        if not tables.flags[place(tables.index, cp)] & SPACE:
            break
        stop = at
    return start, stop
