"""MinHash: from the shingles of a text to a signature, and from a signature to the keys of its bands.

Finds no duplicates: it makes what `curate.dedup` compares. The permutations are those of datasketch 2.x,
scheme "affine32" (github.com/ekzhu/datasketch, MIT).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.hashing import fmix64
from curate.kernels.shingles import CHUNK, LANES, Prepared, next_shingles, prepare
from curate.kernels.shingles import ShingleSets as ShingleSets
from curate.kernels.shingles import shingle_sets as shingle_sets
from curate.kernels.shingling import Shingling
from curate.kernels.short_texts import short_keys

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

EMPTY = 0xFFFFFFFF  # what every value of a signature is when there was no shingle
_BAND_SEED = np.uint64(0x9E3779B97F4A7C15)
_BAND_FACTOR = np.uint64(0x9FB21C651E98DF25)


class Sketches(NamedTuple):
    """What near-duplicates are found by; row d belongs to document d.

    `signatures` uint32 (n, bands * rows); `band_keys` uint64 (n, bands), 0 for a document without words;
    `shingle_count` uint32 (n,): shingles of the document, repeated ones counted again. `short_keys` uint64 (n,): a
    hash of all the words of a document that has fewer than a shingle needs, 0 for others and without words.
    """

    signatures: U32
    band_keys: U64
    shingle_count: U32
    short_keys: U64


def sketch(
    strings: Strings, *, ngram: int = 5, bands: int = 14, rows: int = 8, seed: int = 1, **options: Any
) -> Sketches:
    """Signatures of `bands * rows` permutations and their band keys, in one pass over each text.

    `options`: the fields of `Shingling`, which says what a shingle is.
    Raises ValueError for an n-gram length, a number of bands or of rows below 1, or an unknown option.
    """
    _check(bands=bands, rows=rows)
    texts = prepare(strings, Shingling(ngram, **options))
    found, count = _sign(texts, bands * rows, ngram, seed)
    return Sketches(found, band_keys(found, bands, rows), count, short_keys(texts, ngram, count))


def signatures(strings: Strings, *, num_perm: int, ngram: int, seed: int, **options: Any) -> tuple[U32, U32]:
    """MinHash signatures, uint32 (n, num_perm), and the number of shingles of each text, uint32 (n,).

    `options`: the fields of `Shingling`.
    Raises ValueError for a number of permutations or an n-gram length below 1, or an unknown option.
    """
    _check(num_perm=num_perm)
    return _sign(prepare(strings, Shingling(ngram, **options)), num_perm, ngram, seed)


def _sign(texts: Prepared, num_perm: int, ngram: int, seed: int) -> tuple[U32, U32]:
    a, b = permutations(num_perm, seed)
    n = len(texts.offsets) - 1
    out = np.full((n, num_perm), EMPTY, np.uint32)
    count = np.empty(n, np.uint32)
    _signatures(*texts, ngram, a, b, out, count)
    return out, count


def band_keys(signatures: U32, bands: int, rows: int) -> U64:
    """One key for each band of `rows` values: uint64 (n, bands).

    Equal keys in a column mean equal rows in that band; the band's number is mixed in, so keys of
    different bands may share a table. A signature without shingles has key 0 everywhere, no other has.
    Raises ValueError when the signatures are shorter than `bands * rows`.
    """
    _check(bands=bands, rows=rows)
    if signatures.shape[1] < bands * rows:
        raise ValueError(f"{bands} bands of {rows} rows need {bands * rows} values, got {signatures.shape[1]}")
    out = np.empty((len(signatures), bands), np.uint64)
    _band_keys(np.ascontiguousarray(signatures, np.uint32), rows, out)
    return out


@functools.lru_cache(maxsize=8)
def permutations(num_perm: int, seed: int) -> tuple[U32, U32]:
    """Factors (odd) and summands of `h -> a * h + b mod 2^32`, as datasketch draws them from `seed`."""
    generator = np.random.RandomState(seed)
    factors = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    summands = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return factors, summands


def _check(**sizes: int) -> None:
    for name, value in sizes.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


@njit(nogil=True, cache=True)
def _signatures(
    data: U8,
    offsets: I64,
    index: U16,
    flags: U16,
    lower: I32,
    case: np.uint64,
    characters: bool,
    ngram: int,
    a: U32,
    b: U32,
    out: U32,
    counts: U32,
) -> None:
    starts, ends = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    hashes, shingles = np.empty(CHUNK + ngram, np.uint64), np.empty(CHUNK + LANES, np.uint32)
    zero = np.uint64(0)
    for d in range(offsets.shape[0] - 1):
        end = offsets[d + 1]
        scan = (offsets[d], 0, zero, zero, zero)
        kept = total = 0
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
            _lower_row(a, b, shingles, _premix(shingles, count), out, d)
        counts[d] = total


@njit(nogil=True, cache=True)
def _premix(shingles: U32, count: int) -> int:
    """Apply MurmurHash3's 32-bit finaliser, as "affine32" asks; pad to whole lanes by repeating the last."""
    for s in range(count):
        h = shingles[s]
        h = np.uint32(h ^ (h >> np.uint32(16)))
        h = np.uint32(h * np.uint32(0x85EBCA6B))
        h = np.uint32(h ^ (h >> np.uint32(13)))
        h = np.uint32(h * np.uint32(0xC2B2AE35))
        shingles[s] = np.uint32(h ^ (h >> np.uint32(16)))
    padded = (count + LANES - 1) // LANES * LANES
    for s in range(count, padded):
        shingles[s] = shingles[count - 1]
    return padded


@njit(nogil=True, cache=True)
def _lower_row(a: U32, b: U32, mixed: U32, padded: int, rows: U32, d: int) -> None:
    """`rows[d, k] = min(rows[d, k], a[k] * h + b[k])` over all h, eight for each load of the row."""
    for s in range(0, padded, LANES):
        h0, h1, h2, h3 = mixed[s], mixed[s + 1], mixed[s + 2], mixed[s + 3]
        h4, h5, h6, h7 = mixed[s + 4], mixed[s + 5], mixed[s + 6], mixed[s + 7]
        for k in range(rows.shape[1]):
            factor, summand = a[k], b[k]
            low = min(np.uint32(factor * h0 + summand), np.uint32(factor * h1 + summand))
            low = min(low, min(np.uint32(factor * h2 + summand), np.uint32(factor * h3 + summand)))
            low = min(low, min(np.uint32(factor * h4 + summand), np.uint32(factor * h5 + summand)))
            low = min(low, min(np.uint32(factor * h6 + summand), np.uint32(factor * h7 + summand)))
            rows[d, k] = min(rows[d, k], low)


@njit(nogil=True, cache=True)
def _band_keys(signatures: U32, rows: int, out: U64) -> None:
    for d in range(out.shape[0]):
        empty = True
        for k in range(rows * out.shape[1]):
            empty = empty and signatures[d, k] == EMPTY
        for band in range(out.shape[1]):
            h = fmix64(np.uint64(band + 1) * _BAND_SEED)
            for k in range(band * rows, (band + 1) * rows):
                h = (h ^ np.uint64(signatures[d, k])) * _BAND_FACTOR
                h ^= h >> np.uint64(32)
            out[d, band] = np.uint64(0) if empty else max(fmix64(h), np.uint64(1))
