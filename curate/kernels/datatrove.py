"""Tokens and lines as datatrove's filters count them; and the lines that its C4 filter would keep.

Works on the arrays of `curate.kernels.spacy_words` and `curate.kernels.segments`; knows no thresholds but those of
C4's line rules.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.bytes import ones
from curate.kernels.lines import ends_with_ellipsis, last_char, strip
from curate.kernels.phrases import holds_phrase
from curate.kernels.spacy_words import ALL_PUNCTUATION, ENDS_SENTENCE, HAS_CONTENT, HAS_LETTER
from curate.kernels.unicode import DIGIT, SPACE, TERMINAL, decode, place

CONTENT, CONTENT_CHARS, LETTERS, STOPS = range(4)
BULLETS, ELLIPSES = range(2)
LINES, TERMINALS, SHORT = range(3)

_SHORT_LINE = 30
_LONGEST_WORD = 1000
_FEWEST_WORDS = 3
_NOTES = (b"[edit]", b"[citation needed]")


@njit(nogil=True, cache=True)
def token_counts(first, chars, kind, stop, out):
    """Fill `out` int64 (n, 4): tokens that are not all symbols; their characters; tokens with a letter; distinct stop
    words in lower case."""
    for d in range(first.shape[0] - 1):
        seen = np.uint64(0)
        for t in range(first[d], first[d + 1]):
            if kind[t] & HAS_CONTENT:
                out[d, CONTENT] += 1
                out[d, CONTENT_CHARS] += chars[t]
            out[d, LETTERS] += (kind[t] & HAS_LETTER) != 0
            seen |= np.uint64(stop[t])
        out[d, STOPS] = ones(seen)


@njit(nogil=True, cache=True)
def line_counts(data, lines, tables, out):
    """Fill `out` int64 (n, 2): lines that begin with "•" or "-", and that end in an ellipsis, white space aside."""
    for d in range(lines.first.shape[0] - 1):
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = strip(data, np.int64(lines.start[b]), np.int64(lines.stop[b]), tables)
            if begin < end:
                cp, _ = decode(data, begin, end)
                out[d, BULLETS] += cp == 0x2022 or cp == 45
                out[d, ELLIPSES] += ends_with_ellipsis(data, begin, end)


@njit(nogil=True, cache=True)
def filled_lines(data, lines, tables, filled, out):
    """Mark in `filled` bool the lines that are more than white space, and fill `out` int64 (n, 3): how many they are;
    those whose very last character ends a sentence; those of at most 30 characters, white space included."""
    for d in range(lines.first.shape[0] - 1):
        for b in range(lines.first[d], lines.first[d + 1]):
            start, stop = np.int64(lines.start[b]), np.int64(lines.stop[b])
            begin, end = strip(data, start, stop, tables)
            filled[b] = begin < end
            if begin == end:
                continue
            cp, _ = decode(data, last_char(data, start, stop), stop)
            out[d, LINES] += 1
            terminal = (tables.flags[place(tables.index, cp)] & TERMINAL) != 0
            out[d, TERMINALS] += terminal or cp == 0x17D6 or cp == 0x17D9 or cp == 0x17DA
            out[d, SHORT] += lines.chars[b] <= _SHORT_LINE


@njit(nogil=True, cache=True)
def third_longest(lines, out):
    """Fill `out` int64 (n,): characters of the third longest line, 0 where there are fewer than three."""
    for d in range(lines.first.shape[0] - 1):
        a = b = c = np.int64(0)
        for k in range(lines.first[d], lines.first[d + 1]):
            size = lines.chars[k]
            if size > a:
                a, b, c = size, a, b
            elif size > b:
                b, c = size, b
            elif size > c:
                c = size
        out[d] = c


@njit(nogil=True, cache=True)
def c4_lines(data, lines, tables, lorem, javascript, policies, text, offsets, first, flags):
    """Copy the lines that datatrove's C4 filter keeps, without citation marks, to `text`.

    `offsets` int64: where each kept line begins; `first` int64 (n + 1,): which ones are of a document; `flags` bool
    (n, 2): a line that reached the rule holds "lorem ipsum", or "{". Return how many lines there are.
    """
    size = count = 0
    for d in range(lines.first.shape[0] - 1):
        first[d] = count
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = strip(data, np.int64(lines.start[b]), np.int64(lines.stop[b]), tables)
            words, longest = _words(data, begin, end, tables)
            if words < _FEWEST_WORDS or longest > _LONGEST_WORD:
                continue
            offsets[count] = stop = size
            while begin < end:
                mark = _citation_length(data, begin, end, tables) if data[begin] == 91 else 0
                if mark:
                    begin += mark
                    continue
                text[stop] = data[begin]
                stop += 1
                begin += 1
            last = text[stop - 1] if stop > size else 0
            dots = stop - size >= 3 and text[stop - 3] == 46 and text[stop - 2] == 46 and last == 46
            if dots or not (last == 46 or last == 63 or last == 33 or last == 34 or last == 39):
                continue
            flags[d, 0] |= holds_phrase(text, size, stop, lorem)
            if holds_phrase(text, size, stop, javascript):
                continue
            for i in range(size, stop):
                flags[d, 1] |= text[i] == 123
            if holds_phrase(text, size, stop, policies):
                continue
            count += 1
            size = stop
    first[lines.first.shape[0] - 1] = count
    offsets[count] = size
    return count


@njit(nogil=True, cache=True)
def _citation_length(data, begin, end, tables):
    """Return the bytes of the citation mark at `begin` ([12], [], [edit], [citation needed]), 0 if it is none."""
    for note in _NOTES:
        if begin + len(note) <= end:
            k = 0
            while k < len(note) and data[begin + k] == note[k]:
                k += 1
            if k == len(note):
                return k
    i = begin + 1
    while i < end and data[i] != 93:
        cp, i = decode(data, i, end)
        if not tables.flags[place(tables.index, cp)] & DIGIT:
            return 0
    return i + 1 - begin if i < end else 0


@njit(nogil=True, cache=True)
def _words(data, begin, end, tables):
    """Return how many white-space words there are, and the characters of the longest."""
    count = size = longest = 0
    while begin < end:
        cp, begin = decode(data, begin, end)
        if tables.flags[place(tables.index, cp)] & SPACE:
            size = 0
            continue
        count += size == 0
        size += 1
        longest = max(longest, size)
    return count, longest


@njit(nogil=True, cache=True)
def sentences(first, kind, spaced, out):
    """Fill `out` int64 (n,): sentences of each text as spaCy's rule-based splitter ends them.

    After a mark that ends a sentence the next token that is no punctuation begins one, and so does white space that
    is more than one blank, whatever follows it.
    """
    for d in range(first.shape[0] - 1):
        count = 0
        ended = False
        for t in range(first[d], first[d + 1]):
            begins = ended and (spaced[t] or not kind[t] & (ALL_PUNCTUATION | ENDS_SENTENCE))
            if begins or t == first[d]:
                count += 1
                ended = False
            ended |= (kind[t] & ENDS_SENTENCE) != 0
        out[d] = count
