"""Words in every language: where the letters, marks and digits of a batch stand, and a hash of each word, lower-cased.

The segmentation is that of shingles (`shingle_words.py`), with one difference: in scripts without spaces a mark belongs
to the character before it, so that units are what a reader sees as one character. Counts nothing, knows no language.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.characters import MARK, characters
from curate.kernels.shingle_words import FOLD_CASE, find_words, hash_words
from curate.kernels.unicode import decode, place, tables

_CHUNK = 4096  # words at a time


class UnicodeWords(NamedTuple):
    """Words of a batch; those of document d are `first[d]:first[d + 1]`.

    `start`, `stop` uint32: place in the batch's bytes. `hash` uint64: equal for words that are equal in lower case; not
    stable between versions.
    """

    first: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    stop: npt.NDArray[np.uint32]
    hash: npt.NDArray[np.uint64]


def unicode_words(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> UnicodeWords:
    """Find the words of every document `data[offsets[d]:offsets[d + 1]]` (valid UTF-8, less than 4 GiB)."""
    n = len(offsets) - 1
    room = int(offsets[-1] - offsets[0]) // 2 + n + 1  # a word takes two bytes at least, but the last of a document
    words = UnicodeWords(
        np.zeros(n + 1, np.int64), np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint64)
    )
    count = _unicode_words(data, offsets, tables(), characters(), words)
    return UnicodeWords(words.first, words.start[:count], words.stop[:count], words.hash[:count])


def words_of(strings: Strings) -> UnicodeWords:
    """Find the words of some texts."""
    return unicode_words(strings.data, strings.offsets)


@njit(nogil=True, cache=True)
def _unicode_words(data, offsets, tables, characters, words):
    """Fill the arrays of `words`; return how many words there are."""
    first, start, stop, hashes = words
    index, flags, lower = tables
    starts, ends = np.empty(_CHUNK, np.int64), np.empty(_CHUNK, np.int64)
    ready, until = np.empty(_CHUNK + 1, np.int64), np.empty(_CHUNK + 1, np.int64)  # words that have their marks
    zero = np.uint64(0)
    w = 0
    for d in range(offsets.shape[0] - 1):
        first[d] = w
        end = offsets[d + 1]
        scan = (offsets[d], 0, zero, zero, zero)
        held = 0  # 1: the last word of the chunk before, which a mark may follow
        while scan[0] < end:
            scan, n_starts, n_ends = find_words(data, end, index, flags, lower, scan, starts, ends)
            count = held
            for k in range(n_ends):
                begin = starts[k]
                if count > 0 and begin == until[count - 1] and _only_marks(data, begin, ends[k], characters):
                    until[count - 1] = ends[k]
                else:
                    ready[count], until[count] = begin, ends[k]
                    count += 1
            if n_starts > n_ends:
                starts[0] = starts[n_ends]
            held = 1 if scan[0] < end and count > 0 else 0
            done = count - held
            hash_words(data, ready, until, done, index, lower, hashes, w, FOLD_CASE)
            for k in range(done):
                start[w + k] = ready[k] if ready[k] >= 0 else ~ready[k]
                stop[w + k] = until[k]
            w += done
            if held:
                ready[0], until[0] = ready[done], until[done]
    first[offsets.shape[0] - 1] = w
    return w


@njit(nogil=True, cache=True)
def _only_marks(data, start, stop, characters):
    if data[start] < 0x80:
        return False
    i = start
    while i < stop:
        cp, i = decode(data, i, stop)
        if not characters.kind[place(characters.index, cp)] & MARK:
            return False
    return True
