"""RefinedWeb's line-wise rules: which lines go, and what goes from lines that stay (Penedo et al. 2023, appendix G.2).

Looks at one stripped line at a time; neither cuts texts into lines nor decides about documents.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.phrases import Phrases, phrases
from curate.kernels.unicode import DIGIT, SPACE, UPPER, WORD, decode, place

UPPER_LINE, NUMERIC_LINE, COUNTER_LINE, ONE_WORD_LINE = 1, 2, 4, 8
SHORT_LINE = 10  # words: only lines up to this length lose phrases

# What a counter counts. The paper gives "3 likes" as its example and no list: these are ours.
_COUNTED = (
    "answer bookmark comment download downvote favorite favourite follower like member photo point post quote reaction "
    "reader repost retweet review share subscriber upvote view visitor vote"
)
COUNTED: Phrases = phrases(sorted([*(word + s for word in _COUNTED.split() for s in ("", "s")), "reply", "replies"]))
ANYWHERE, AT_END, AT_START = b"items in cart", b"read more...", b"sign-in"
_ANYWHERE, _AT_END, _AT_START = (np.frombuffer(phrase, np.uint8) for phrase in (ANYWHERE, AT_END, AT_START))


@njit(nogil=True, cache=True)
def line_kind(data, start, stop, words, tables, counted):
    """Return UPPER_LINE | NUMERIC_LINE | COUNTER_LINE | ONE_WORD_LINE for the stripped line `data[start:stop]`.

    `words`: white-space words in it; `counted`: COUNTED. A line for which this is 0 stays. Upper: more than half of
    its characters are upper case. Numeric: all of them are digits. Counter: a number and what it counts, "3 likes".
    """
    chars = upper = digits = 0
    i = start
    while i < stop:
        c = data[i]
        if c < 0x80:
            upper += 65 <= c <= 90
            digits += 48 <= c <= 57
            i += 1
        else:
            cp, i = decode(data, i, stop)
            flags = tables.flags[place(tables.index, cp)]
            upper += (flags & UPPER) != 0
            digits += (flags & DIGIT) != 0
        chars += 1
    kind = UPPER_LINE * (2 * upper > chars) | NUMERIC_LINE * (digits == chars) | ONE_WORD_LINE * (words < 2)
    if digits > 0 and words >= 2 and _is_counter(data, start, stop, tables, counted):
        kind |= COUNTER_LINE
    return kind


@njit(nogil=True, cache=True)
def _skip(data, i, stop, tables, flag, wanted):
    """Return the first place from i on whose character has `flag` (wanted) or has it not (not wanted)."""
    while i < stop:
        cp, after = decode(data, i, stop)
        if ((tables.flags[place(tables.index, cp)] & flag) != 0) == wanted:
            break
        i = after
    return i


@njit(nogil=True, cache=True)
def _is_counter(data, start, stop, tables, counted):
    """Tell whether the line is a number (1,234 or 1.2K), white space, and a counted thing, nothing but marks around."""
    i = _skip(data, start, stop, tables, WORD, True)
    if _skip(data, i, stop, tables, DIGIT, False) == i:
        return False
    while i < stop:
        after = _skip(data, i, stop, tables, DIGIT, False)
        if after < stop and (data[after] == 44 or data[after] == 46):
            after += 1
        if after == i:
            break
        i = after
    if i < stop and (data[i] | 32 == 107 or data[i] | 32 == 109 or data[i] | 32 == 98):  # k, m, b
        i += 1
    begin = _skip(data, i, stop, tables, SPACE, False)
    if begin == i:
        return False
    end = _skip(data, begin, stop, tables, WORD, False)
    if _skip(data, end, stop, tables, WORD, True) < stop:
        return False
    for p in range(counted.first.shape[0] - 1):
        size = counted.first[p + 1] - counted.first[p]
        if size == end - begin and _same(data, begin, counted.text, counted.first[p], size):
            return True
    return False


@njit(nogil=True, cache=True)
def _same(data, at, phrase, first, size):
    """Tell whether `data` from `at` on equals a lower-case ASCII phrase, A to Z as a to z."""
    for k in range(size):
        c = data[at + k]
        if (c | 32 if 65 <= c <= 90 else c) != phrase[first + k]:
            return False
    return True


@njit(nogil=True, cache=True)
def copy_line(data, start, stop, words, tables, out, at):
    """Copy what stays of a line to `out` from `at` on; return the place after it (`at`: nothing stays).

    A line of at most SHORT_LINE words loses "items in cart" anywhere, "read more..." at its end and "sign-in" at its
    beginning, in any case, each with one white-space character before it (after it, at the beginning). The result
    is not stripped again. `out` has room for `stop - start` bytes.
    """
    begin = at
    if words > SHORT_LINE:
        for k in range(start, stop):
            out[at] = data[k]
            at += 1
        return at
    size = _ANYWHERE.shape[0]
    behind = begin  # what stands before this has been next to a phrase already
    i = start
    while i < stop:
        if i + size <= stop and _same(data, i, _ANYWHERE, 0, size):
            at = _without_last_space(out, behind, at, tables)
            behind = at
            i += size
        else:
            out[at] = data[i]
            at += 1
            i += 1
    size = _AT_END.shape[0]
    if at - begin >= size and _same(out, at - size, _AT_END, 0, size):
        at = _without_last_space(out, begin, at - size, tables)
    size = _AT_START.shape[0]
    if at - begin >= size and _same(out, begin, _AT_START, 0, size):
        i = begin + size
        if i < at:
            cp, after = decode(out, i, at)
            if tables.flags[place(tables.index, cp)] & SPACE:
                i = after
        for k in range(i, at):
            out[begin + k - i] = out[k]
        at = begin + at - i
    return at if _skip(out, begin, at, tables, SPACE, False) < at else begin


@njit(nogil=True, cache=True)
def _without_last_space(out, begin, at, tables):
    """Return `at`, or the place of the white-space character that ends there."""
    last = at - 1
    while last > begin and out[last] & 0xC0 == 0x80:
        last -= 1
    if last >= begin:
        cp, _ = decode(out, last, at)
        if tables.flags[place(tables.index, cp)] & SPACE:
            return last
    return at


@njit(nogil=True, cache=True)
def line_rules(data, words, lines, tables, counted, out):
    """Fill `out` int64 (n, 5): lines that are mostly upper case, numeric, a counter, one word; words that go.

    `words` and `lines` as in `curate.kernels.words`. Words that go are those of lines that go, and those that short
    lines lose.
    """
    first, start = words.first, words.start
    room = np.empty(4096, np.uint8)
    for d in range(lines.first.shape[0] - 1):
        w = first[d]
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            before = w
            while w < first[d + 1] and start[w] < end:
                w += 1
            count = w - before
            kind = line_kind(data, begin, end, count, tables, counted)
            out[d, 0] += (kind & UPPER_LINE) != 0
            out[d, 1] += (kind & NUMERIC_LINE) != 0
            out[d, 2] += (kind & COUNTER_LINE) != 0
            out[d, 3] += (kind & ONE_WORD_LINE) != 0
            if kind:
                out[d, 4] += count
            elif count <= SHORT_LINE:
                if end - begin > room.shape[0]:
                    room = np.empty(2 * (end - begin), np.uint8)
                stop = copy_line(data, begin, end, count, tables, room, 0)
                if stop < end - begin:
                    out[d, 4] += count - _count_words(room, stop, tables)


@njit(nogil=True, cache=True)
def _count_words(text, stop, tables):
    count = 0
    inside = False
    i = 0
    while i < stop:
        cp, i = decode(text, i, stop)
        space = (tables.flags[place(tables.index, cp)] & SPACE) != 0
        count += inside == space and not space
        inside = not space
    return count
