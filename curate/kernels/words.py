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

from curate.kernels.unicode import ALPHA, SPACE, Tables, decode, place

HAS_ALPHA = 1  # the word holds a letter
STARTS_LINE = 2  # the first word of a line
STARTS_PARAGRAPH = 4  # the first word of a line that follows a blank line, or of the document

# What the byte of an ASCII character means to the scan.
_PLAIN, _LETTER, _SPACE, _NEWLINE, _WIDE, _DOT, _HASH = range(7)


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


def _classes() -> npt.NDArray[np.uint8]:
    classes = np.full(256, _PLAIN, np.uint8)
    classes[[*range(65, 91), *range(97, 123)]] = _LETTER
    classes[[*range(9, 14), *range(28, 33)]] = _SPACE
    classes[10], classes[46], classes[35] = _NEWLINE, _DOT, _HASH
    classes[128:] = _WIDE
    return classes


_CLASSES = _classes()


def segment(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], tables: Tables) -> Words:
    """Find the words of every document `data[offsets[d]:offsets[d + 1]]` (valid UTF-8)."""
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


@njit(nogil=True, cache=True)
def _segment(data, offsets, tables, classes, words):
    w = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        chars = newlines = hashes = ellipses = dots = 0
        fresh = STARTS_LINE | STARTS_PARAGRAPH  # what a word starting here would start
        seen_newline = False
        words.first[d] = w
        inside = False
        alpha = 0
        h = np.uint64(0)
        while True:
            # One character a turn; a space or the end of the document closes the word.
            step = 1
            if i < end:
                c = data[i]
                kind = classes[c]
                if kind == _WIDE:
                    cp, after = decode(data, i, end)
                    flags = tables.flags[place(tables.index, cp)]
                    step = after - i
                    kind = _SPACE if flags & SPACE else (_LETTER if flags & ALPHA else _PLAIN)
                    if cp == 0x2026:
                        ellipses += 1
            else:
                kind = _SPACE
            if kind == _SPACE or kind == _NEWLINE:
                if inside:
                    inside = False
                    words.stop[w] = i
                    words.chars[w] = chars - words.position[w]
                    words.hash[w] = h ^ (h >> np.uint64(29))
                    words.kind[w] = fresh | alpha
                    fresh = 0
                    seen_newline = False
                    w += 1
                if i >= end:
                    break
                dots = 0
                if kind == _NEWLINE:
                    newlines += 1
                    fresh |= STARTS_LINE
                    if seen_newline:
                        fresh |= STARTS_PARAGRAPH
                    seen_newline = True
            else:
                if not inside:
                    inside = True
                    words.start[w] = i
                    words.position[w] = chars
                    alpha = 0
                    h = np.uint64(0xCBF29CE484222325)
                for k in range(step):
                    h = (h ^ np.uint64(data[i + k])) * np.uint64(0x9FB21C651E98DF25)
                if kind == _LETTER:
                    alpha = HAS_ALPHA
                    dots = 0
                elif kind == _DOT:
                    dots += 1
                    if dots == 3:
                        ellipses += 1
                        dots = 0
                else:
                    dots = 0
                    if kind == _HASH:
                        hashes += 1
            i += step
            chars += 1
        words.characters[d], words.newlines[d] = chars, newlines
        words.hashes[d], words.ellipses[d] = hashes, ellipses
    words.first[offsets.shape[0] - 1] = w
    return w
