"""MADLAD-400's questionable sentences (Kudugunta et al. 2023, section 2.3): which rules each sentence breaks.

Leaves out the rule that needs a language classifier (sentence and document disagree) and the one that needs a list of
"cursed" strings.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.unicode import SPACE, TERMINAL, UPPER, decode, place

SENTENCES, LIST_CASE, ABNORMAL_LENGTH, TECHNICAL, QUESTIONABLE = range(5)
COLUMNS = 5

LIST_CASE_WORDS, LIST_CASE_SHARE = 12, 0.5  # words that a list has at least; its words that begin in upper case
SHORTEST, LONGEST = 20, 500  # characters
TECHNICAL_CHARACTERS, TECHNICAL_SHARE = "0123456789{}+/()>", 0.2
CLOSERS = "\"')]’”»」』）"  # may stand between a terminal mark and the space after it

_NEWLINE, _SPACE, _TERMINAL, _CLOSER, _TECHNICAL = 1, 2, 4, 8, 16
_WIDE_CLOSERS = np.array([ord(char) for char in CLOSERS if char > "\x7f"], np.int64)


def _ascii_kinds() -> npt.NDArray[np.uint8]:
    table = np.zeros(128, np.uint8)
    for cp in range(128):
        char = chr(cp)
        table[cp] = (
            _NEWLINE * (char == "\n")
            | _SPACE * char.isspace()
            | _TERMINAL * (char in ".!?")
            | _CLOSER * (char in CLOSERS)
            | _TECHNICAL * (char in TECHNICAL_CHARACTERS)
        )
    return table


_ASCII = _ascii_kinds()


@njit(nogil=True, cache=True)
def _wide_kind(cp, tables):
    flags = tables.flags[place(tables.index, cp)]
    kind = _SPACE * ((flags & SPACE) != 0) | _TERMINAL * ((flags & TERMINAL) != 0)
    for closer in _WIDE_CLOSERS:
        kind |= _CLOSER * (cp == closer)
    return kind


@njit(nogil=True, cache=True)
def madlad_sentences(data, offsets, words, tables, out):
    """Fill `out` int64 (n, COLUMNS): sentences, those that break each of three rules, those that break any.

    `words` are the `UnicodeWords` of the batch. A sentence ends at a newline; at white space after a terminal mark
    (quotes and brackets may close in between); and right after a full-width mark. One without a word is none.
    """
    first, starts = words.first, words.start
    ascii_kinds = _ASCII
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        w, last_word = first[d], first[d + 1]
        chars = length = technical = 0  # characters since the first that is no space; until the last that is none
        marked = False
        while i <= end:
            done = wide_mark = False
            here = end
            if i < end:
                here = i
                cp = np.int64(data[i])
                if cp < 0x80:
                    kind = np.int64(ascii_kinds[cp])
                    i += 1
                else:
                    cp, i = decode(data, i, end)
                    kind = np.int64(_wide_kind(cp, tables))
                done = bool(kind & _NEWLINE) or (marked and bool(kind & _SPACE))
                if not done:
                    chars += chars > 0 or (kind & _SPACE) == 0
                    if not kind & _SPACE:
                        length = chars
                    technical += (kind & _TECHNICAL) != 0
                    marked = bool(kind & _TERMINAL) or (marked and bool(kind & _CLOSER))
                    wide_mark = bool(kind & _TERMINAL) and bool(0x3000 <= cp < 0x10000)
                    here = i
            else:
                done = True
                i += 1
            if done or wide_mark:
                count = upper = 0
                while w < last_word and starts[w] < here:
                    count += 1
                    upper += _begins_upper(data, np.int64(starts[w]), end, tables)
                    w += 1
                if count > 0:
                    _judge(count, upper, length, technical, out[d])
                chars = length = technical = 0
                marked = False


@njit(nogil=True, cache=True, inline="always")
def _begins_upper(data, start, end, tables):
    if data[start] < 0x80:
        return 65 <= data[start] <= 90
    cp, _ = decode(data, start, end)
    return (tables.flags[place(tables.index, cp)] & UPPER) != 0


@njit(nogil=True, cache=True)
def _judge(words, upper, length, technical, out):
    """Count one sentence in the columns of the rules that it breaks."""
    list_case = words >= LIST_CASE_WORDS and upper > LIST_CASE_SHARE * words
    abnormal = length < SHORTEST or length > LONGEST
    symbols = technical > TECHNICAL_SHARE * length
    out[SENTENCES] += 1
    out[LIST_CASE] += list_case
    out[ABNORMAL_LENGTH] += abnormal
    out[TECHNICAL] += symbols
    out[QUESTIONABLE] += list_case or abnormal or symbols
