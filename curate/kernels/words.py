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

from curate.kernels.bytes import LOW, hash_spans, ones
from curate.kernels.loads import load_u64, space_masks, trailing_zeros, word_masks

STARTS_LINE = 1  # the first word of a line
STARTS_PARAGRAPH = 2  # the first word of a line that follows a blank line, or of the document


class Words(NamedTuple):
    """Words of a batch; those of document d are `first[d]:first[d + 1]`.

    `start`, `stop` uint32: place in the batch's bytes. `position` uint32: characters of the document before the
    word; `chars` uint32: its length in characters. `hash` uint64. `kind` uint8: STARTS_LINE | STARTS_PARAGRAPH.
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


def segment(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Words:
    """Find the words of every document `data[offsets[d]:offsets[d + 1]]` (valid UTF-8, less than 4 GiB)."""
    n = len(offsets) - 1
    room = int(offsets[-1] - offsets[0]) // 2 + n + 1  # a word and the space after it take two bytes at least
    words = Words(
        first=np.zeros(n + 1, np.int64),
        start=np.empty(room, np.uint32),
        stop=np.empty(room, np.uint32),
        position=np.empty(room, np.uint32),
        chars=np.empty(room, np.uint32),
        hash=np.empty(room, np.uint64),
        kind=np.zeros(room, np.uint8),
        characters=np.zeros(n, np.int64),
        newlines=np.zeros(n, np.int64),
        hashes=np.zeros(n, np.int64),
        ellipses=np.zeros(n, np.int64),
    )
    count = _segment(data, offsets, words)
    return words._replace(**{name: getattr(words, name)[:count] for name in _PER_WORD})


_PER_WORD = ("start", "stop", "position", "chars", "hash", "kind")
_ONE, _ALL = np.uint64(1), ~np.uint64(0)


@njit(nogil=True, cache=True)
def _segment(data, offsets, words):
    """Fill the arrays of `words`; return how many words there are. Looks at up to 64 bytes at a time."""
    # Local names: taking an array from the tuple, or handing one to a function, counts references each time.
    first, start, stop, position, chars, _, kind = words[:7]
    safe = data.shape[0] - 66  # the last place from which masks can be made
    tail = np.zeros(132, np.uint8)  # the last bytes of `data`, with room after them
    for k in range(max(safe, 0), data.shape[0]):
        tail[k - safe if safe > 0 else k] = data[k]
    w = stopped = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        origin = i  # where the document would begin if all its characters so far had one byte
        newlines = hashes = ellipses = dots = 0
        last_dot = i - 2
        line = np.int64(-1)  # the word before which the last newline stands
        inside = np.uint64(0)  # 1: the byte before belongs to a word
        first[d] = w
        kind[w] = STARTS_LINE | STARTS_PARAGRAPH
        while i < end:
            size = min(end - i, 64)
            if i + size < end:
                while size > 61 and data[i + size] & 0xC0 == 0x80:  # do not cut a character
                    size -= 1
            if i <= safe:
                space, other = space_masks(data, i)
                letters, wide = word_masks(data, i)
            else:
                space, other = space_masks(tail, i - max(safe, 0))
                letters, wide = word_masks(tail, i - max(safe, 0))
            block = _ALL >> np.uint64(64 - size)
            rest = block & ~(space | other | letters | wide)  # ASCII punctuation
            space &= block
            wide &= block
            follow = np.uint64(0)  # bytes of a character after its first
            breaks = other & block & ~wide
            space |= breaks
            while wide:
                at = trailing_zeros(wide)
                lead = data[i + at]
                length = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
                character = ((_ONE << np.uint64(length)) - _ONE) << np.uint64(at)
                follow |= character & (character - _ONE) & wide
                if other & (_ONE << np.uint64(at)):
                    space |= character
                ellipses += lead == 0xE2 and size > at + 2 and data[i + at + 1] == 0x80 and data[i + at + 2] == 0xA6
                wide &= ~character
            solid = block & ~space
            before = (solid << _ONE) | inside
            begin = solid & ~before
            finish = block & ~solid & before
            inside = (solid >> np.uint64(size - 1)) & _ONE
            while rest:
                at = i + trailing_zeros(rest)
                rest &= rest - _ONE
                hashes += data[at] == 35
                if data[at] == 46:
                    dots = dots + 1 if at == last_dot + 1 else 1
                    last_dot = at
                    if dots == 3:
                        ellipses += 1
                        dots = 0
            while breaks:
                at = trailing_zeros(breaks)
                breaks &= breaks - _ONE
                if data[i + at] == 10:
                    newlines += 1
                    coming = w + ones(begin & ((_ONE << np.uint64(at)) - _ONE))
                    kind[coming] |= STARTS_LINE | (STARTS_PARAGRAPH if coming == line else 0)
                    line = coming
            while begin:
                at = trailing_zeros(begin)
                start[w] = i + at
                position[w] = i + at - origin - ones(follow & (begin ^ (begin - _ONE)))
                begin &= begin - _ONE
                w += 1
            while finish:
                at = trailing_zeros(finish)
                stop[stopped] = i + at
                chars[stopped] = i + at - origin - ones(follow & (finish ^ (finish - _ONE))) - position[stopped]
                finish &= finish - _ONE
                stopped += 1
            origin += ones(follow)
            i += size
        if stopped < w:
            stop[stopped] = end
            chars[stopped] = end - origin - position[stopped]
            stopped += 1
        words.characters[d], words.newlines[d] = end - origin, newlines
        words.hashes[d], words.ellipses[d] = hashes, ellipses
    first[offsets.shape[0] - 1] = w
    hash_spans(data, start[:w], stop[:w], words.hash)
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
    start, stop, position, chars, kind = words.start, words.stop, words.position, words.chars, words.kind
    eight = LOW * np.uint64(boundary)  # most words begin nothing: eight of them at once
    b = 0
    for d in range(words.first.shape[0] - 1):
        found.first[d] = b
        opening, end = words.first[d], words.first[d + 1]
        w = opening
        while w < end:
            w += 1
            while w + 8 <= end and load_u64(kind, w) & eight == 0:
                w += 8
            if w == end or kind[w] & boundary:
                found.start[b], found.stop[b] = start[opening], stop[w - 1]
                found.chars[b] = np.int64(position[w - 1]) + chars[w - 1] - position[opening]
                opening = w
                b += 1
    found.first[words.first.shape[0] - 1] = b
    hash_spans(data, found.start, found.stop, found.hash)
