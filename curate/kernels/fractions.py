"""How many characters of a document are of a kind: white space, digits, upper case, marks, brackets, scripts, URLs.

Counts only; what they are divided by is up to the caller. A class of bytes for tokens is in `bytes.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.bytes import HIGH
from curate.kernels.characters import BRACKET, SCRIPTS
from curate.kernels.loads import load_u64
from curate.kernels.unicode import ALPHA, DIGIT, PUNCT, SPACE, UPPER, decode, place

SPACES, DIGITS, UPPERS, PUNCTUATION, BRACKETS, CHARACTERS, SCRIPT = range(7)
COLUMNS = SCRIPT + len(SCRIPTS)  # one column a script, from SCRIPT on

_LATIN = SCRIPT + SCRIPTS.index("latin")
_LOWER_LETTER, _UPPER_LETTER, _DIGIT, _BRACKET, _PUNCTUATION, _SPACE, _OTHER = range(7)


def _ascii_classes() -> npt.NDArray[np.uint8]:
    table = np.full(256, _OTHER, np.uint8)
    for cp in range(128):
        char = chr(cp)
        if char in "()[]{}":
            table[cp] = _BRACKET
        elif char in "!\"#%&'*,-./:;?@\\_":  # Unicode category P; $ + < = > ^ ` | ~ are symbols
            table[cp] = _PUNCTUATION
        elif char.isspace():
            table[cp] = _SPACE
        elif char.isdigit():
            table[cp] = _DIGIT
        elif char.isalpha():
            table[cp] = _UPPER_LETTER if char.isupper() else _LOWER_LETTER
    return table


_TABLE = _ascii_classes()


@njit(nogil=True, cache=True)
def character_counts(data, offsets, tables, characters, out):
    """Fill `out` int64 (n, COLUMNS): characters of each kind, all characters, and letters of each script.

    Kinds are Python's `str.isspace`, Unicode category Nd, `str.isupper`, category P, categories Ps and Pe; letters
    are `str.isalpha`.
    """
    table = _TABLE
    # Neighbours are counted in different rows: adding to a number just written would have to wait for it.
    counts = np.empty((4, 7), np.int64)
    for d in range(offsets.shape[0] - 1):
        counts[:] = 0
        i, end = offsets[d], offsets[d + 1]
        wide = 0
        while i < end:
            while i + 8 <= end and not load_u64(data, i) & HIGH:
                for k in range(0, 8, 4):
                    counts[0, table[data[i + k]]] += 1
                    counts[1, table[data[i + k + 1]]] += 1
                    counts[2, table[data[i + k + 2]]] += 1
                    counts[3, table[data[i + k + 3]]] += 1
                i += 8
            if i == end:
                break
            if data[i] < 0x80:
                counts[0, table[data[i]]] += 1
                i += 1
                continue
            cp, i = decode(data, i, end)
            wide += 1
            at = place(tables.index, cp)
            flags = tables.flags[at]
            there = place(characters.index, cp)
            if flags & ALPHA:
                out[d, SCRIPT + np.int64(characters.script[there])] += 1
                out[d, UPPERS] += (flags & UPPER) != 0
            else:
                out[d, SPACES] += (flags & SPACE) != 0
                out[d, DIGITS] += (flags & DIGIT) != 0
                out[d, UPPERS] += (flags & UPPER) != 0  # Ⓐ and Ⅷ are upper case and no letters
                out[d, PUNCTUATION] += (flags & PUNCT) != 0
                out[d, BRACKETS] += (characters.kind[there] & BRACKET) != 0
        for row in range(1, 4):
            for k in range(7):
                counts[0, k] += counts[row, k]
        brackets = counts[0, _BRACKET]
        out[d, SPACES] += counts[0, _SPACE]
        out[d, DIGITS] += counts[0, _DIGIT]
        out[d, UPPERS] += counts[0, _UPPER_LETTER]
        out[d, PUNCTUATION] += counts[0, _PUNCTUATION] + brackets
        out[d, BRACKETS] += brackets
        out[d, _LATIN] += counts[0, _UPPER_LETTER] + counts[0, _LOWER_LETTER]
        out[d, CHARACTERS] = wide + counts[0].sum()


def _url_bytes() -> npt.NDArray[np.bool_]:
    table = np.zeros(256, np.bool_)
    table[0x21:0x7F] = True
    table[[ord(char) for char in '"<>']] = False
    return table


_IN_URL = _url_bytes()


@njit(nogil=True, cache=True, inline="always")
def _is(data, i, lower):
    """Tell whether `data[i]` is an ASCII letter, given in lower case, in either case."""
    return (data[i] | 32) == lower


@njit(nogil=True, cache=True)
def _url_start(data, i, begin, end):
    """Return where a URL whose "://" or "www." stands at i begins, or -1; `begin`: where it may begin."""
    if data[i] == 58:
        if i + 3 >= end or data[i + 1] != 47 or data[i + 2] != 47:
            return -1
        k = i - (i > begin and _is(data, i - 1, 115))  # without the s of https
        if k - 3 < begin or not _is(data, k - 1, 112) or not _is(data, k - 2, 116):
            return -1
        if k - 4 >= begin and _is(data, k - 3, 116) and _is(data, k - 4, 104):
            return k - 4  # http
        return k - 3 if k == i and _is(data, k - 3, 102) else -1  # ftp
    if i + 4 >= end or data[i + 3] != 46 or not (_is(data, i + 1, 119) and _is(data, i + 2, 119)):
        return -1
    if i > begin:
        before = data[i - 1]
        if 48 <= before <= 57 or 97 <= (before | 32) <= 122:
            return -1
    return i


@njit(nogil=True, cache=True)
def url_characters(data, offsets, out):
    """Fill `out` int64 (n,): characters in URLs of each document.

    A URL begins with http://, https://, ftp:// or www. (not after an ASCII letter or digit), in any case, and goes on
    to the next white space, double quote, angle bracket or character beyond ASCII.
    """
    inside = _IN_URL
    for d in range(offsets.shape[0] - 1):
        begin, end = offsets[d], offsets[d + 1]
        i = begin
        found = np.int64(0)
        while i < end:
            c = data[i]
            if c == 58 or c | 32 == 119:
                start = _url_start(data, i, begin, end)
                body = i + (3 if c == 58 else 4)
                if start >= 0 and inside[data[body]]:
                    i = body
                    while i < end and inside[data[i]]:
                        i += 1
                    found += i - start
                    begin = i
                    continue
            i += 1
        out[d] = found
