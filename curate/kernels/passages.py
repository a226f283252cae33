"""Runs of n words as hashes, and the stretches of a document that flagged runs cover.

Words are those of `curate.kernels.words`: white space between them does not count. Compares nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import fmix64
from curate.kernels.text_lines import Ranges
from curate.kernels.words import Words

_BASE = 0xD6E8FEB86659FD93  # odd: multiplying loses nothing
_NEWLINE = 10


def passages(words: Words, n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Hash every run of n words of every document.

    Returns int64 (documents + 1,), the first run of each document, and uint64, one hash a run. Equal runs have
    equal hashes; two that differ have the same one with a chance of about 2^-57 at most.
    """
    per_document = np.maximum(np.diff(words.first) - (n - 1), 0)
    first = np.concatenate([[0], np.cumsum(per_document)]).astype(np.int64)
    out = np.empty(first[-1], np.uint64)
    _passages(words.first, words.hash, n, first, out)
    return first, out


@njit(nogil=True, cache=True)
def _passages(word_first, word_hash, n, first, out):
    base = np.uint64(_BASE)
    top = np.uint64(1)  # base to the power of n: what the word that leaves was multiplied with
    for _ in range(n):
        top *= base
    for d in range(first.shape[0] - 1):
        h = np.uint64(0)
        begin = word_first[d]
        for w in range(begin, word_first[d + 1] if first[d] < first[d + 1] else begin):
            h = h * base + word_hash[w]
            if w - begin >= n:
                h -= word_hash[w - n] * top
            if w - begin >= n - 1:
                out[first[d] + w - begin - (n - 1)] = fmix64(h)


class Winnowed(NamedTuple):
    """Shorter runs that stand for the runs of n words around them.

    `hash` uint64: of the runs selected, in order. `of_run` int64: for each run of n words, its place in `hash`.
    """

    hash: npt.NDArray[np.uint64]
    of_run: npt.NDArray[np.int64]


def winnow(words: Words, first: npt.NDArray[np.int64], n: int) -> Winnowed:
    """Select, of the runs of n // 2 words inside each run of n words, the one with the smallest hash.

    `first` is that of `passages(words, n)`. Equal runs of n words select equal shorter ones, so a run can only stand
    somewhere else if what it selects is selected somewhere else. Of random text about 4 / n of all places are
    selected. Source: Schleimer, Wilkerson, Aiken 2003, "Winnowing: Local Algorithms for Document Fingerprinting".
    """
    short = n // 2
    short_first, hashes = passages(words, short)
    of_run = np.empty(int(first[-1]), np.int64)
    selected = np.empty(int(first[-1]), np.int64)
    count = _winnow(first, short_first, hashes, n - short + 1, of_run, selected)
    return Winnowed(hashes[selected[:count]], of_run)


@njit(nogil=True, cache=True)
def _winnow(first, short_first, hashes, window, of_run, selected):
    count = 0
    for d in range(first.shape[0] - 1):
        least = short_first[d] - 1
        for k in range(first[d], first[d + 1]):
            begin = short_first[d] + k - first[d]  # the first short run of this window
            before = least
            if least < begin:
                least = begin
                for s in range(begin + 1, begin + window):
                    if hashes[s] <= hashes[least]:
                        least = s
            elif hashes[begin + window - 1] <= hashes[least]:
                least = begin + window - 1
            if least != before:
                selected[count] = least
                count += 1
            of_run[k] = count - 1
    return count


def coverage(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    words: Words,
    first: npt.NDArray[np.int64],
    flags: npt.NDArray[np.uint8],
    n: int,
) -> tuple[Ranges, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Join flagged runs of n words that touch to spans, with the white space on one side.

    Of the white space before and after a span that with fewer newlines goes with it, the one after if they have
    as many. Returns the spans as bytes of each document; int64, the first run of each span; and int64
    (documents,), the words covered.
    """
    room = int(np.count_nonzero(flags))
    documents = len(offsets) - 1
    ranges = Ranges(np.zeros(documents + 1, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
    runs, covered = np.empty(room, np.int64), np.zeros(documents, np.int64)
    count = _coverage(data, offsets, words.first, words.start, words.stop, first, flags, n, runs, covered, *ranges)
    return Ranges(ranges.first, ranges.start[:count], ranges.stop[:count]), runs[:count], covered


@njit(nogil=True, cache=True)
def _coverage(
    data, offsets, word_first, word_start, word_stop, first, flags, n, runs, covered, out_first, out_start, out_stop
):
    count = 0
    for d in range(offsets.shape[0] - 1):
        out_first[d] = count
        k = first[d]
        while k < first[d + 1]:
            if not flags[k]:
                k += 1
                continue
            opening = k
            last = k  # the last flagged run of the span
            while k < first[d + 1] and k <= last + n:
                if flags[k]:
                    last = k
                k += 1
            begin = word_first[d] + opening - first[d]
            end = word_first[d] + last - first[d] + n  # the first word after the span
            covered[d] += end - begin
            low = np.int64(word_start[begin])
            high = np.int64(word_stop[end - 1])
            before = np.int64(word_stop[begin - 1]) if begin > word_first[d] else offsets[d]
            after = np.int64(word_start[end]) if end < word_first[d + 1] else offsets[d + 1]
            if begin == word_first[d] or (
                end < word_first[d + 1] and _newlines(data, high, after) <= _newlines(data, before, low)
            ):
                high = after
            else:
                low = before
                if end == word_first[d + 1]:
                    high = after
            if begin == word_first[d]:
                low = before
            out_start[count], out_stop[count] = low - offsets[d], high - offsets[d]
            runs[count] = opening
            count += 1
    out_first[offsets.shape[0] - 1] = count
    return count


@njit(nogil=True, cache=True)
def _newlines(data, start, stop):
    found = 0
    for i in range(start, stop):
        found += data[i] == _NEWLINE
    return found
