"""How many words of a document are stop words of each language, and which language fits best.

Looks words up by their hash; the lists are in `curate/signals/stop_words.txt`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.bytes import ones


class StopWords(NamedTuple):
    """A hash table: `key[slot]` uint64 (0: empty) is a word; it is a stop word of the languages
    `language[first[slot]:first[slot] + count[slot]]` (int64), in each of which it has its own `bit` (uint64).
    """

    key: npt.NDArray[np.uint64]
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count
    language: npt.NDArray[np.int64]
    bit: npt.NDArray[np.uint64]


@njit(nogil=True, cache=True)
def find_slot(key, word):
    """Return where the word stands in the table, or the empty slot where it would."""
    mask = np.uint64(key.shape[0] - 1)
    slot = word & mask
    while key[slot] != 0 and key[slot] != word:
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(nogil=True, cache=True)
def stop_word_counts(firsts, hashes, table, languages, out):
    """Fill `out` int64 (n, 3) for the best-fitting of the `languages`: its stop words, how many different, its number.

    It is the language with the most words of the document among its stop words; of equals, with more different ones;
    of equals, the first in the file. Words of document d have `hashes[firsts[d]:firsts[d + 1]]`.
    """
    key, first, count, language, bit = table
    words = np.empty(languages, np.int64)
    seen = np.empty(languages, np.uint64)
    for d in range(firsts.shape[0] - 1):
        words[:] = 0
        seen[:] = 0
        for w in range(firsts[d], firsts[d + 1]):
            slot = find_slot(key, hashes[w])
            if key[slot] == 0:
                continue
            for k in range(first[slot], first[slot] + count[slot]):
                words[language[k]] += 1
                seen[language[k]] |= bit[k]
        best = 0
        for k in range(1, languages):
            if words[k] > words[best] or (words[k] == words[best] and ones(seen[k]) > ones(seen[best])):
                best = k
        out[d, 0], out[d, 1], out[d, 2] = words[best], ones(seen[best]), best
