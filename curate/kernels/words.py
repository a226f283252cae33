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

from curate.kernels.bytes import hash_spans, leading_letters
from curate.kernels.loads import load_u64
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
    # Arrays are not handed to small functions here: counting their references would take longer than the scan.
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    first, start, stop, position, chars, _, kinds = words[:7]
    flags, index = tables.flags, tables.index
    w = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        origin = i  # the place of the document's character p, were all before it one byte long, less p
        newlines = hashes = ellipses = 0
        first[d] = w
        starts = STARTS_LINE | STARTS_PARAGRAPH  # what a word starting here would start
        while True:
            breaks = 0
            while i < end:  # over white space
                kind = classes[data[i]]
                if kind == _NEWLINE:
                    breaks += 1
                elif kind == _WIDE:
                    cp, after = decode(data, i, end)
                    if not flags[place(index, cp)] & SPACE:
                        break
                    origin += after - i - 1
                    i = after - 1
                elif kind != _SPACE:
                    break
                i += 1
            newlines += breaks
            if i == end:
                break
            starts |= (STARTS_LINE if breaks else 0) | (STARTS_PARAGRAPH if breaks > 1 else 0)
            before = i - origin
            start[w], position[w] = i, before
            alpha = dots = 0
            while i < end:  # over the word
                letters = min(leading_letters(load_u64(data, i)), end - i) if i <= safe else 0
                if letters:
                    i += letters
                    alpha = HAS_ALPHA
                    dots = 0
                    if letters == 8 or i == end:
                        continue
                kind = classes[data[i]]
                if kind == _SPACE or kind == _NEWLINE:
                    break
                after = i + 1
                if kind == _WIDE:
                    cp, after = decode(data, i, end)
                    property = flags[place(index, cp)]
                    if property & SPACE:
                        break
                    if property & ALPHA:
                        alpha = HAS_ALPHA
                    ellipses += cp == 0x2026
                    origin += after - i - 1
                elif kind == _LETTER:
                    alpha = HAS_ALPHA
                elif kind == _HASH:
                    hashes += 1
                dots = dots + 1 if kind == _DOT else 0
                if dots == 3:
                    ellipses += 1
                    dots = 0
                i = after
            stop[w] = i
            chars[w] = i - origin - before
            kinds[w] = starts | alpha
            starts = 0
            w += 1
        words.characters[d], words.newlines[d] = end - origin, newlines
        words.hashes[d], words.ellipses[d] = hashes, ellipses
    first[offsets.shape[0] - 1] = w
    hash_spans(data, words.start[:w], stop[:w], words.hash)
    return w


class Blocks(NamedTuple):
    """Lines or paragraphs of a batch; those of document d are `first[d]:first[d + 1]`.

    A block runs from its first word to its last: white space around it is not part of it. `start`, `stop`
    uint32: place in the batch's bytes; `chars` int64: length in characters; `hash` uint64, of its bytes.
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    stop: npt.NDArray[np.uint32]
    chars: npt.NDArray[np.int64]
    hash: npt.NDArray[np.uint64]


def blocks(data: npt.NDArray[np.uint8], words: Words, boundary: int) -> Blocks:
    """Join words to lines (boundary STARTS_LINE) or paragraphs (STARTS_PARAGRAPH)."""
    count = np.count_nonzero(words.kind & np.uint8(boundary))
    found = Blocks(
        np.empty(len(words.first), np.int64),
        np.empty(count, np.uint32),
        np.empty(count, np.uint32),
        np.empty(count, np.int64),
        np.empty(count, np.uint64),
    )
    _blocks(data, words, np.uint8(boundary), found)
    return found


@njit(nogil=True, cache=True)
def _blocks(data, words, boundary, found):
    b = 0
    for d in range(words.first.shape[0] - 1):
        found.first[d] = b
        end = words.first[d + 1]
        for w in range(words.first[d], end):
            if words.kind[w] & boundary:
                found.start[b] = words.start[w]
                found.chars[b] = -np.int64(words.position[w])
                b += 1
            if w + 1 == end or words.kind[w + 1] & boundary:
                found.stop[b - 1] = words.stop[w]
                found.chars[b - 1] += np.int64(words.position[w]) + words.chars[w]
    found.first[words.first.shape[0] - 1] = b
    hash_spans(data, found.start, found.stop, found.hash)
