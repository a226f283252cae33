"""Shingles: a 32-bit hash of every n consecutive words or characters, and the set of them that a text has.

Estimates nothing; `minhash.py` makes sketches of shingles. Definitions are in docs/deduplication.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.hashing import fmix64
from curate.kernels.normalising import normalised
from curate.kernels.shingle_words import FOLD_CASE, KEEP_CASE, Scan, find_words, hash_characters, hash_words
from curate.kernels.shingling import Shingling
from curate.kernels.unicode import tables

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

CHUNK = 4096  # words held at a time: spans, hashes and shingles then stay in the first two caches
LANES = 8  # free places behind a chunk of shingles, for a consumer that takes this many at a time
_FACTOR = np.uint64(0xD6E8FEB86659FD93)


class ShingleSets(NamedTuple):
    """Distinct shingles: those of document d are `values[offsets[d]:offsets[d + 1]]`, uint32, ascending."""

    values: U32
    offsets: I64


class Prepared(NamedTuple):
    """Texts and tables as the kernels want them for a Shingling.

    `lower` is all zeros where case is kept; `case` does the same for ASCII letters in words.
    """

    data: U8
    offsets: I64
    index: U16  # type: ignore[assignment]  # hides tuple.index
    flags: U16
    lower: I32
    case: np.uint64
    characters: bool


def prepare(strings: Strings, how: Shingling) -> Prepared:
    """Normalise texts as far as the kernels do not do it themselves: they lower-case on their way."""
    how.check()
    strings = normalised(strings, fold=how.normalise == "fineweb", numbers=how.fold_numbers)
    index, flags, lower = tables()
    keep = how.normalise == "none"
    if keep:
        lower = np.zeros_like(lower)
    case = KEEP_CASE if keep else FOLD_CASE
    return Prepared(strings.data, strings.offsets, index, flags, lower, case, how.shingle == "char")


def shingle_sets(strings: Strings, ngram: int = 5, **options: Any) -> ShingleSets:
    """The distinct 32-bit shingle hashes of every text, sorted; `options` are the fields of `Shingling`.

    Raises ValueError for an n-gram length below 1 or an unknown option.
    """
    texts = prepare(strings, Shingling(ngram, **options))
    size = int(texts.offsets[-1] - texts.offsets[0])
    offsets = np.zeros(len(strings) + 1, np.int64)
    # A word takes 2 bytes with its gap, a character 1.
    values = np.empty((size if texts.characters else size // 2) + len(strings), np.uint32)
    used = _shingle_sets(*texts, ngram, values, offsets)
    return ShingleSets(values[:used].copy(), offsets)


@njit(nogil=True, cache=True, inline="always")
def next_shingles(
    data: U8,
    end: int,
    ngram: int,
    index: U16,
    flags: U16,
    lower: I32,
    case: np.uint64,
    characters: bool,
    starts: I64,
    ends: I64,
    hashes: U64,
    shingles: U32,
    scan: Scan,
    kept: int,
    total: int,
) -> tuple[Scan, int, int]:
    """Put the shingles of the next chunk of a text into `shingles`.

    Returns the scan, the words (or characters) kept for the next chunk (in `hashes`), and the number of shingles.
    """
    if characters:
        i, n_ends = hash_characters(data, scan[0], end, index, lower, hashes, kept, CHUNK)
        scan = (i, scan[1], scan[2], scan[3], scan[4])
    else:
        scan, n_starts, n_ends = find_words(data, end, index, flags, lower, scan, starts, ends)
        hash_words(data, starts, ends, n_ends, index, lower, hashes, kept, case)
        if n_starts > n_ends:
            starts[0] = starts[n_ends]
    words = kept + n_ends
    if scan[0] >= end and total == 0 and 0 < words < ngram:
        ngram = words  # a text shorter than an n-gram is one shingle
    count = _roll(hashes, words, ngram, shingles)
    kept = min(words, ngram - 1)
    for w in range(kept):
        hashes[w] = hashes[words - kept + w]
    return scan, kept, count


@njit(nogil=True, cache=True)
def _roll(hashes: U64, words: int, ngram: int, out: U32) -> int:
    """Hash each `ngram` consecutive words: a polynomial in the word hashes, mixed, upper 32 of 64 bits."""
    if words < ngram:
        return 0
    total = np.uint64(0)
    leaving = np.uint64(1)
    for w in range(ngram):
        total = total * _FACTOR + hashes[w]
        leaving *= _FACTOR
    out[0] = np.uint32(fmix64(total) >> np.uint64(32))
    for w in range(ngram, words):
        total = total * _FACTOR + (hashes[w] - hashes[w - ngram] * leaving)
        out[w - ngram + 1] = np.uint32(fmix64(total) >> np.uint64(32))
    return words - ngram + 1


@njit(nogil=True, cache=True)
def _shingle_sets(
    data: U8,
    offsets: I64,
    index: U16,
    flags: U16,
    lower: I32,
    case: np.uint64,
    characters: bool,
    ngram: int,
    values: U32,
    out_offsets: I64,
) -> int:
    starts, ends = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    hashes, shingles = np.empty(CHUNK + ngram, np.uint64), np.empty(CHUNK + LANES, np.uint32)
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    spare = np.empty((longest if characters else longest // 2) + 1, np.uint32)
    zero = np.uint64(0)
    used = 0
    for d in range(offsets.shape[0] - 1):
        end = offsets[d + 1]
        scan = (offsets[d], 0, zero, zero, zero)
        kept = total = 0
        first = used
        while scan[0] < end:
            scan, kept, count = next_shingles(
                data,
                end,
                ngram,
                index,
                flags,
                lower,
                case,
                characters,
                starts,
                ends,
                hashes,
                shingles,
                scan,
                kept,
                total,
            )
            total += count
            for s in range(count):
                values[used + s] = shingles[s]
            used += count
        _sort(values, first, used, spare)
        distinct = first
        for s in range(first, used):
            if distinct == first or values[s] != values[distinct - 1]:
                values[distinct] = values[s]
                distinct += 1
        used = distinct
        out_offsets[d + 1] = used
    return used


@njit(nogil=True, cache=True)
def _sort(values: U32, first: int, end: int, spare: U32) -> None:
    """Sort `values[first:end]`: by insertion if short, else by its four bytes; `spare` needs as much room."""
    size = end - first
    if size < 48:
        for i in range(first + 1, end):
            value = values[i]
            k = i
            while k > first and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
        return
    places = np.zeros((4, 256), np.int64)
    for i in range(first, end):
        for byte in range(4):
            places[byte, (values[i] >> np.uint32(8 * byte)) & np.uint32(255)] += 1
    for byte in range(4):
        total = 0
        for digit in range(256):
            here = places[byte, digit]
            places[byte, digit] = total
            total += here
    for byte in range(4):
        for i in range(size):
            value = values[first + i] if byte % 2 == 0 else spare[i]
            digit = (value >> np.uint32(8 * byte)) & np.uint32(255)
            target = places[byte, digit]
            places[byte, digit] = target + 1
            if byte % 2 == 0:
                spare[target] = value
            else:
                values[first + target] = value
