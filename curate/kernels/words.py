"""One pass over the bytes of every document: its words, and the lines that they stand in.

A word is a maximal run of characters that are not white space (`str.split()`); a line is what stands between
two `\\n`, stripped, and is left out when nothing remains. Everything that counts words or compares lines reads
these arrays instead of the text. Word segmentation for scripts without spaces is not done here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.bytes import hash_bytes, leading_letters
from curate.kernels.unicode import ALPHA, SPACE, Tables, decode, place

HAS_ALPHA = 1  # the word holds a letter
STARTS_LINE = 2  # the first word of a line
STARTS_PARAGRAPH = 4  # the first word of a line that follows a blank line, or of the document

class Words(NamedTuple):
    """Words of a batch; those of document d are `first[d]:first[d + 1]`.

    `start`, `stop` uint32: place in the batch's bytes. `position` uint32: characters of the document before the
    word; `chars` uint32: its length in characters. `hash` uint64. `kind` uint8: HAS_ALPHA | STARTS_LINE |
    STARTS_PARAGRAPH.
    `characters`, `newlines`, `hashes` ("#"), `ellipses` ("..." and "…") int64: counts for each document.
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    stop: npt.NDArray[np.uint32]
    position: npt.NDArray[np.uint32]
    chars: npt.NDArray[np.uint32]
    hash: npt.NDArray[np.uint64]
    kind: npt.NDArray[np.uint8]
    characters: npt.NDArray[np.int64]
    newlines: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.int64]
    ellipses: npt.NDArray[np.int64]


def segment(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], tables: Tables) -> Words:
    """Find the words of every document `data[offsets[d]:offsets[d + 1]]` (valid UTF-8, less than 4 GiB)."""
    n = len(offsets) - 1
    room = int(offsets[-1] - offsets[0]) // 2 + n + 1  # a word and the space after it take two bytes at least
    words = Words(
        np.zeros(n + 1, np.int64),
        *(np.empty(room, np.uint32) for _ in range(4)),
        np.empty(room, np.uint64),
        np.empty(room, np.uint8),
        *(np.zeros(n, np.int64) for _ in range(4)),
    )
    count = _segment(data, offsets, tables, _CLASSES, words)
    return words._replace(**{name: getattr(words, name)[:count] for name in _PER_WORD})


_PER_WORD = ("start", "stop", "position", "chars", "hash", "kind")

# What the byte of an ASCII character means to the scan; bytes of longer characters are _WIDE.
_PLAIN, _LETTER, _SPACE, _NEWLINE, _WIDE, _DOT, _HASH = range(7)


def _classes() -> npt.NDArray[np.uint8]:
    classes = np.full(256, _PLAIN, np.uint8)
    classes[[*range(65, 91), *range(97, 123)]] = _LETTER
    classes[[*range(9, 14), *range(28, 33)]] = _SPACE
    classes[10], classes[46], classes[35] = _NEWLINE, _DOT, _HASH
    classes[128:] = _WIDE
    return classes


_CLASSES = _classes()


@njit(nogil=True, cache=True)
def _segment(data, offsets, tables, classes, words):
    w = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        origin = i  # the place of character p, as long as characters have one byte, is origin + p
        newlines = hashes = ellipses = 0
        words.first[d] = w
        starts = STARTS_LINE | STARTS_PARAGRAPH  # what a word starting here would start
        while True:
            i, wide, breaks = _skip_space(data, i, end, tables, classes)
            origin += wide
            newlines += breaks
            if i >= end:
                break
            if breaks:
                starts |= STARTS_LINE
            if breaks > 1:
                starts |= STARTS_PARAGRAPH
            begin = i
            words.start[w] = begin
            words.position[w] = begin - origin
            alpha = 0
            dots = 0
            while i < end:
                letters = leading_letters(data, i, end)
                if letters:
                    alpha = HAS_ALPHA
                    dots = 0
                    i += letters
                    if letters == 8 or i == end:
                        continue
                kind = classes[data[i]]
                if kind == _SPACE or kind == _NEWLINE:
                    break
                if kind == _DOT:
                    dots += 1
                    if dots == 3:
                        ellipses += 1
                        dots = 0
                    i += 1
                    continue
                dots = 0
                if kind == _WIDE:
                    cp, after = decode(data, i, end)
                    flags = tables.flags[place(tables.index, cp)]
                    if flags & SPACE:
                        break
                    if flags & ALPHA:
                        alpha = HAS_ALPHA
                    ellipses += cp == 0x2026
                    origin += after - i - 1
                    i = after
                else:
                    hashes += kind == _HASH
                    i += 1
            words.stop[w] = i
            words.chars[w] = i - origin - words.position[w]
            words.hash[w] = hash_bytes(data, begin, i)
            words.kind[w] = starts | alpha
            starts = 0
            w += 1
        words.characters[d], words.newlines[d] = end - origin, newlines
        words.hashes[d], words.ellipses[d] = hashes, ellipses
    words.first[offsets.shape[0] - 1] = w
    return w


@njit(nogil=True, cache=True)
def _skip_space(data, i, end, tables, classes):
    """Return (next place that is not white space, bytes passed beyond one a character, newlines passed)."""
    wide = breaks = 0
    while i < end:
        kind = classes[data[i]]
        if kind == _NEWLINE:
            breaks += 1
        elif kind == _WIDE:
            cp, after = decode(data, i, end)
            if not tables.flags[place(tables.index, cp)] & SPACE:
                break
            wide += after - i - 1
            i = after - 1
        elif kind != _SPACE:
            break
        i += 1
    return i, wide, breaks
