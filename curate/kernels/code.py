"""What source code looks like from outside: line lengths, letters, comment lines, encoded data, long strings.

Parses no programming language: everything is found by the bytes alone, so that any file can be measured.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.unicode import ALPHA, DIGIT, decode, place

CHARACTERS, LINES, NEWLINES, LONGEST, LETTERS, ALPHANUMERIC = range(6)
BASE64, HEX, ESCAPES, LONGEST_ENCODED = range(4)

# StarCoder2, section 4.1: how long a run of encoded data is at least, in characters or in units.
_BASE64_CHARACTERS = 64
_UNITS = 8
LONG_STRING = 100  # characters; ours

_IS_LETTER, _IS_ALNUM, _IS_BASE64, _IS_HEX, _IS_WORD, _IS_SPACE = 1, 2, 4, 8, 16, 32


def _kinds() -> npt.NDArray[np.uint8]:
    """Return what each byte is; bytes beyond ASCII are words' bytes."""
    table = np.zeros(256, np.uint8)
    for byte in range(128):
        char = chr(byte)
        table[byte] = (
            _IS_LETTER * char.isalpha()
            | _IS_ALNUM * char.isalnum()
            | _IS_BASE64 * (char.isalnum() or char in "+/=\n")
            | _IS_HEX * (char in "0123456789abcdefABCDEF")
            | _IS_WORD * (char.isalnum() or char == "_")
            | _IS_SPACE * (char in " \t\n\r\f\v")
        )
    table[128:] = _IS_WORD
    return table


_KIND = _kinds()
_HASH, _QUOTE, _APOSTROPHE, _BACKSLASH = 35, 34, 39, 92


@njit(nogil=True, cache=True)
def shape(data, offsets, tables, out):
    """Fill `out` int64 (n, 6): characters; lines (blank ones too, none after the last newline); newlines; characters
    of the longest line; letters; letters and digits."""
    kinds, index, flags = _KIND, tables.index, tables.flags
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        characters = letters = alphanumeric = lines = longest = line = 0
        while i < end:
            c = data[i]
            if c == 10:
                lines += 1
                longest = max(longest, line)
                line = -1
                i += 1
            elif c < 0x80:
                letters += kinds[c] & _IS_LETTER
                alphanumeric += (kinds[c] & _IS_ALNUM) >> 1
                i += 1
            else:
                cp, i = decode(data, i, end)
                kind = flags[place(index, cp)]
                letters += (kind & ALPHA) != 0
                alphanumeric += (kind & (ALPHA | DIGIT)) != 0
            line += 1
            characters += 1
        out[d, CHARACTERS] = characters
        out[d, LINES] = lines + (end > offsets[d] and data[end - 1] != 10)
        out[d, NEWLINES] = lines
        out[d, LONGEST] = max(longest, line)
        out[d, LETTERS], out[d, ALPHANUMERIC] = letters, alphanumeric


@njit(nogil=True, cache=True)
def encoded(data, offsets, out):
    """Fill `out` int64 (n, 4): characters in base64 runs, in hexadecimal sequences, in runs of \\uXXXX escapes, and
    the length of the longest of any of them. All such runs are ASCII, so that bytes are characters."""
    kinds = _KIND
    for d in range(offsets.shape[0] - 1):
        begin, end = offsets[d], offsets[d + 1]
        base64 = hexadecimal = escapes = longest = run = 0
        after_hex = after_escape = begin
        in_word = False  # whether the byte before belongs to a word
        for i in range(begin, end):
            c = data[i]
            kind = kinds[c]
            if kind & _IS_BASE64:
                run += 1
            else:
                if run >= _BASE64_CHARACTERS:
                    base64 += run
                    longest = max(longest, run)
                run = 0
            starts_unit = c == _BACKSLASH if in_word else (kind & _IS_HEX) != 0
            in_word = (kind & _IS_WORD) != 0
            if starts_unit and i >= after_hex:
                stop = _hex_run(data, i, begin, end)
                if stop > 0:
                    hexadecimal += stop - i
                    longest = max(longest, stop - i)
                    after_hex = stop
            if c == _BACKSLASH and i >= after_escape:
                stop = _escape_run(data, i, end)
                if stop - i >= 6 * _UNITS:
                    escapes += stop - i
                    longest = max(longest, stop - i)
                after_escape = max(stop, i)
        if run >= _BASE64_CHARACTERS:
            base64 += run
            longest = max(longest, run)
        out[d, BASE64], out[d, HEX], out[d, ESCAPES], out[d, LONGEST_ENCODED] = base64, hexadecimal, escapes, longest


@njit(nogil=True, cache=True)
def _hex_run(data, i, begin, end):
    """Return where a sequence of at least 8 hexadecimal units that begins at i ends, 0 when there is none."""
    units = 0
    stop = _hex_unit(data, i, begin, end)
    while stop > 0:
        units += 1
        i = stop
        stop = _hex_unit(data, i, begin, end)
    return i if units >= _UNITS else np.int64(0)


@njit(nogil=True, cache=True)
def _hex_unit(data, i, begin, end):
    """Return where the unit at i ends, 0 when there is none: \\b, 0x or \\x or neither, two digits, a comma or a \\b
    and white space."""
    kinds = _KIND
    if i + 1 >= end:
        return np.int64(0)
    before = i > begin and (kinds[data[i - 1]] & _IS_WORD) != 0
    if before == ((kinds[data[i]] & _IS_WORD) != 0):
        return np.int64(0)
    if data[i + 1] == 120 and (data[i] == 48 or data[i] == _BACKSLASH):
        i += 2
    if i + 2 > end or not (kinds[data[i]] & kinds[data[i + 1]] & _IS_HEX):
        return np.int64(0)
    i += 2
    if i < end and data[i] == 44:
        return i + 1
    if i < end and kinds[data[i]] & _IS_WORD:
        return np.int64(0)
    while i < end and kinds[data[i]] & _IS_SPACE:
        i += 1
    return i


@njit(nogil=True, cache=True)
def _escape_run(data, i, end):
    """Return where the run of \\uXXXX that begins at i ends; i when there is none."""
    kinds = _KIND
    while i + 6 <= end and data[i] == _BACKSLASH and data[i + 1] == 117:
        for k in range(2, 6):
            if not kinds[data[i + k]] & _IS_HEX:
                return i
        i += 6
    return i


@njit(nogil=True, cache=True)
def long_strings(data, offsets, out):
    """Fill `out` int64 (n,): characters between quotes, of strings on one line with more than 100 characters.

    A string begins at " or ` anywhere, at ' where no word character stands before it, and ends at the same mark;
    a backslash takes the next character with it. What is not closed on its line is no string, and no other string with
    that mark begins there, so that no text takes more than three passes.
    """
    kinds = _KIND
    for d in range(offsets.shape[0] - 1):
        begin, end = offsets[d], offsets[d + 1]
        total = 0
        i = begin
        open_quote = open_apostrophe = open_tick = begin  # up to here no string with that mark begins
        while i < end:
            mark = data[i]
            opens = (mark == _QUOTE and i >= open_quote) or (mark == 96 and i >= open_tick)
            if mark == _APOSTROPHE and i >= open_apostrophe:
                opens = i == begin or not kinds[data[i - 1]] & _IS_WORD
            i += 1
            if not opens:
                continue
            k = i
            length = 0
            while k < end and data[k] != mark and data[k] != 10:
                if data[k] == _BACKSLASH and k + 1 < end and data[k + 1] != 10:
                    k += 1
                    length += 1
                length += (data[k] & 0xC0) != 0x80
                k += 1
            while k < end and data[k] & 0xC0 == 0x80:  # the rest of a character after a backslash
                k += 1
            if k < end and data[k] == mark:
                total += length * (length > LONG_STRING)
                i = k + 1
            elif mark == _QUOTE:
                open_quote = k
            elif mark == _APOSTROPHE:
                open_apostrophe = k
            else:
                open_tick = k
        out[d] = total


_NO_BLOCK, _STAR, _MARKUP, _QUOTES, _APOSTROPHES = range(5)


@njit(nogil=True, cache=True)
def comments(data, lines, out):
    """Fill `out` int64 (n, 2): characters of comment lines, and of all lines, from the Blocks `lines`.

    A comment line begins with //, # (not before an ASCII letter), -- (before white space or the end), % or ;, or
    stands in a block from a line that begins with /*, <!--, three " or three ' to the first line that holds its end.
    """
    for d in range(lines.first.shape[0] - 1):
        block = _NO_BLOCK
        commented = total = 0
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            total += lines.chars[b]
            if block == _NO_BLOCK:
                block, begin = _opens(data, begin, end)
                if block == _NO_BLOCK:
                    commented += lines.chars[b] * _is_comment(data, begin, end)
                    continue
            commented += lines.chars[b]
            if _closes(data, begin, end, block):
                block = _NO_BLOCK
        out[d, 0], out[d, 1] = commented, total


@njit(nogil=True, cache=True)
def _opens(data, i, end):
    """Return (the block comment that begins at i, where to look for its end)."""
    if i + 2 <= end and data[i] == 47 and data[i + 1] == 42:
        return _STAR, i + 2
    if i + 4 <= end and data[i] == 60 and data[i + 1] == 33 and data[i + 2] == 45 and data[i + 3] == 45:
        return _MARKUP, i + 4
    is_quote = data[i] == _QUOTE or data[i] == _APOSTROPHE
    if is_quote and i + 3 <= end and data[i + 1] == data[i] and data[i + 2] == data[i]:
        return (_QUOTES if data[i] == _QUOTE else _APOSTROPHES), i + 3
    return _NO_BLOCK, i


@njit(nogil=True, cache=True)
def _closes(data, i, end, block):
    while i < end:
        a = data[i]
        b = data[i + 1] if i + 1 < end else np.uint8(0)
        c = data[i + 2] if i + 2 < end else np.uint8(0)
        if block == _STAR:
            if a == 42 and b == 47:
                return True
        elif block == _MARKUP:
            if a == 45 and b == 45 and c == 62:
                return True
        else:
            mark = _QUOTE if block == _QUOTES else _APOSTROPHE
            if a == mark and b == mark and c == mark:
                return True
        i += 1
    return False


@njit(nogil=True, cache=True)
def _is_comment(data, i, end):
    a = data[i]
    b = data[i + 1] if i + 1 < end else np.uint8(32)
    if a == 47 and b == 47:
        return True
    if a == _HASH:
        return not _KIND[b] & _IS_LETTER
    if a == 45 and b == 45:
        return i + 2 >= end or (_KIND[data[i + 2]] & _IS_SPACE) != 0
    return a == 37 or a == 59
