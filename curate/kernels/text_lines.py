"""Lines of documents as they stand, code blocks told from prose, and which bytes go when some lines are removed.

Compares nothing with other documents; what is removed is decided elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import murmur3_bytes, space_length

BLANK, TEXT, CODE = 0, 1, 2  # kinds of lines

_TAB, _NEWLINE, _SPACE, _BACKTICK, _TILDE = 9, 10, 32, 96, 126
_FENCE = 3  # marks that open a fenced code block (CommonMark 4.5)
_INDENT = 4  # columns that make a line after a blank one code (CommonMark 4.4)


class Lines(NamedTuple):
    """Lines of a batch, blank ones too; those of document d are `first[d]:first[d + 1]`.

    `start` int64: place of its first byte in the batch's bytes; it ends where the next one starts, newline
    included. `begin`, `end` int64: what is left when white space at both ends is stripped. `chars` int64: its
    characters. `hash` uint64: the first half of its MurmurHash3, 0 for lines that are not TEXT. `kind` uint8.
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    chars: npt.NDArray[np.int64]
    hash: npt.NDArray[np.uint64]
    kind: npt.NDArray[np.uint8]


def text_lines(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Lines:
    """Find the lines of every document `data[offsets[d]:offsets[d + 1]]` (valid UTF-8)."""
    n = len(offsets) - 1
    room = int(np.count_nonzero(data[offsets[0] : offsets[-1]] == _NEWLINE)) + n
    lines = Lines(
        first=np.zeros(n + 1, np.int64),
        start=np.zeros(room, np.int64),
        begin=np.zeros(room, np.int64),
        end=np.zeros(room, np.int64),
        chars=np.zeros(room, np.int64),
        hash=np.zeros(room, np.uint64),
        kind=np.zeros(room, np.uint8),
    )
    count = _find(data, offsets, *lines)
    return lines._replace(**{name: getattr(lines, name)[:count] for name in Lines._fields[1:]})


@njit(nogil=True, cache=True)
def _find(data, offsets, first, start, begin, end, chars, hashes, kind):
    count = 0
    for d in range(offsets.shape[0] - 1):
        first[d] = count
        stop = offsets[d + 1]
        i = offsets[d]
        fence, length = 0, 0  # the mark of the open code block, and how many opened it
        loose = True  # an indented line here would be code: the line before is blank, indented code, or none
        while i < stop:
            after = i
            while after < stop and data[after] != _NEWLINE:
                after += 1
            low, high = _strip(data, i, after)
            start[count], begin[count], end[count] = i, low, high
            if low == high:
                kind[count] = CODE if fence else BLANK
                loose = True
            else:
                mark = data[low]
                run = 0
                if mark in (_BACKTICK, _TILDE):
                    while low + run < high and data[low + run] == mark:
                        run += 1
                if fence:
                    kind[count] = CODE
                    if mark == fence and run >= length and low + run == high:
                        fence = 0
                    loose = True
                elif run >= _FENCE and not _holds(data, low + run, high, _BACKTICK):
                    kind[count] = CODE
                    fence, length = mark, run
                elif loose and _columns(data, i, low) >= _INDENT:
                    kind[count] = CODE
                else:
                    kind[count] = TEXT
                    loose = False
                    hashes[count] = murmur3_bytes(data, low, high)[0]
                    for k in range(low, high):
                        chars[count] += (data[k] & 0xC0) != 0x80
            count += 1
            i = after + 1
    first[offsets.shape[0] - 1] = count
    return count


@njit(nogil=True, cache=True)
def _strip(data, start, stop):
    """Return where `data[start:stop]` begins and ends without white space."""
    while start < stop:
        size = space_length(data, start, stop)
        if size == 0:
            break
        start += size
    while start < stop:
        last = stop - 1
        while last > start and data[last] & 0xC0 == 0x80:
            last -= 1
        size = space_length(data, last, stop)
        if size == 0 or last + size != stop:
            break
        stop = last
    return start, stop


@njit(nogil=True, cache=True)
def _holds(data, start, stop, byte):
    found = False
    for k in range(start, stop):
        found |= data[k] == byte
    return found


@njit(nogil=True, cache=True)
def _columns(data, start, stop):
    """Return how far `data[start:stop]`, white space, indents: a tab goes to the next multiple of four."""
    columns = 0
    for k in range(start, stop):
        if data[k] == _TAB:
            columns += _INDENT - columns % _INDENT
        elif data[k] == _SPACE:
            columns += 1
    return columns


class Spans(NamedTuple):
    """What is compared: lines, paragraphs or runs of lines. One entry each.

    `document`, `first`, `last` int64: its document, and its first and last line in `Lines`. `hash` uint64.
    """

    document: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    hash: npt.NDArray[np.uint64]


def line_spans(lines: Lines, size: int, min_length: int) -> Spans:
    """Return every run of `size` TEXT lines, blank ones between them skipped, code never crossed.

    `size` 0 stands for paragraphs: as many TEXT lines as follow each other without a blank one. Spans with
    fewer than `min_length` characters in their lines are left out.
    """
    room = len(lines.start)
    spans = Spans(
        document=np.empty(room, np.int64),
        first=np.empty(room, np.int64),
        last=np.empty(room, np.int64),
        hash=np.empty(room, np.uint64),
    )
    count = _spans(lines.first, lines.chars, lines.hash, lines.kind, size, min_length, *spans)
    return spans._replace(**{name: getattr(spans, name)[:count] for name in Spans._fields})


@njit(nogil=True, cache=True)
def _spans(first, chars, line_hash, kind, size, min_length, document, span_first, span_last, span_hash):
    count = 0
    recent = np.zeros(max(size, 1), np.int64)  # the last lines that can be in a span, a ring
    for d in range(first.shape[0] - 1):
        held = 0
        opening = first[d] - 1  # first line of the open paragraph, less than first[d] where none is open
        for k in range(first[d], first[d + 1] + 1):
            inside = k < first[d + 1] and kind[k] == TEXT
            if size == 0:
                if inside and opening < first[d]:
                    opening = k
                if not inside and opening >= first[d]:
                    count += _add(d, opening, k - 1, chars, line_hash, kind, min_length,
                                  document, span_first, span_last, span_hash, count)  # fmt: skip
                    opening = first[d] - 1
            elif inside:
                recent[held % size] = k
                held += 1
                if held >= size:
                    count += _add(d, recent[held % size], k, chars, line_hash, kind, min_length,
                                  document, span_first, span_last, span_hash, count)  # fmt: skip
            elif k < first[d + 1] and kind[k] == CODE:
                held = 0
    return count


@njit(nogil=True, cache=True)
def _add(d, begin, end, chars, line_hash, kind, min_length, document, span_first, span_last, span_hash, count):
    """Write the span of lines `begin` to `end` at `count` if it is long enough; return 1 or 0."""
    total = np.int64(0)
    h = np.uint64(0)
    for k in range(begin, end + 1):
        if kind[k] == TEXT:
            total += chars[k]
            h = (h ^ (h >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + line_hash[k]
    if total < min_length:
        return 0
    document[count], span_first[count], span_last[count], span_hash[count] = d, begin, end, h
    return 1


def removal(lines: Lines, offsets: npt.NDArray[np.int64], spans: Spans, flags: npt.NDArray[np.uint8]) -> Ranges:
    """Return the bytes that go when the TEXT lines of the flagged spans go.

    With a line goes its newline; of the blank lines on both sides of what goes, those before it stay. Nothing
    that is white space is left behind at the end of a document that loses its end.
    """
    room = len(lines.start)
    ranges = Ranges(np.zeros(len(offsets), np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
    counts = np.zeros(len(offsets) - 1, np.int64)
    gone = np.zeros(room, np.uint8)
    count = _removal(
        lines.first, lines.start, lines.end, lines.kind, offsets, spans.first, spans.last, flags, gone, counts, *ranges
    )
    return Ranges(ranges.first, ranges.start[:count], ranges.stop[:count])


class Ranges(NamedTuple):
    """Stretches of documents; those of document d are `first[d]:first[d + 1]`, ascending, apart from each other.

    `start`, `stop` int64: bytes from the beginning of the document.
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]


@njit(nogil=True, cache=True)
def _removal(
    first, start, end, kind, offsets, span_first, span_last, flags, gone, counts, out_first, out_start, out_stop
):
    for s in range(span_first.shape[0]):
        if flags[s]:
            for k in range(span_first[s], span_last[s] + 1):
                if kind[k] == TEXT:
                    gone[k] = 1
    count = 0
    for d in range(offsets.shape[0] - 1):
        out_first[d] = count
        origin = offsets[d]
        gap = True  # a blank line stands before, or nothing
        cutting = False  # the line before goes
        kept_end = origin  # end of the last text that stays
        for k in range(first[d], first[d + 1]):
            after = start[k + 1] if k + 1 < first[d + 1] else offsets[d + 1]
            goes = gone[k] == 1 or (kind[k] == BLANK and cutting and gap)
            if goes:
                if cutting:
                    out_stop[count - 1] = after - origin
                else:
                    out_start[count], out_stop[count] = start[k] - origin, after - origin
                    count += 1
            else:
                gap = kind[k] == BLANK
                if not gap:
                    kept_end = end[k]
            cutting = goes
        if count > out_first[d] and out_stop[count - 1] == offsets[d + 1] - origin:
            # The end goes: so does the white space before it, and cuts inside that.
            while count > out_first[d] and out_start[count - 1] >= kept_end - origin:
                count -= 1
            out_start[count], out_stop[count] = kept_end - origin, offsets[d + 1] - origin
            count += 1
    out_first[offsets.shape[0] - 1] = count
    return count
