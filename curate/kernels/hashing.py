"""MurmurHash3 (x64, 128 bits, seed 0) of strings, as they are or with their white space normalised.

Does not choose what a hash is used for, and offers no other hash family.
Source: Austin Appleby's MurmurHash3.cpp (public domain); results equal `mmh3.hash64(..., signed=False)`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels.loads import load_u64, space_masks, store_u64, trailing_zeros

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)


def murmur3(strings: Strings) -> U64:
    """Hash every string: uint64 (n, 2), the first and the second half of the 128 bits."""
    out = np.empty((len(strings), 2), np.uint64)
    _murmur3_each(strings.data, strings.offsets, out)
    return out


def text_hash(strings: Strings) -> U64:
    """Hash every text with its white space normalised: uint64 (n, 2).

    Each run of white space (characters for which `str.isspace` holds) counts as one space and
    white space at both ends as none, so the hash is that of `" ".join(text.split())`.
    """
    out = np.empty((len(strings), 2), np.uint64)
    _text_hash_each(strings.data, strings.offsets, out)
    return out


def text_hash_of_words(strings: Strings, first: I64, start: U32, stop: U32) -> U64:
    """`text_hash` of texts whose white-space words are known already (`curate.kernels.words`): faster, the same.

    Word w of text d, `first[d] <= w < first[d + 1]`, is `strings.data[start[w]:stop[w]]`.
    """
    out = np.empty((len(strings), 2), np.uint64)
    _text_hash_of_words(strings.data, strings.offsets, first, start, stop, out)
    return out


@njit(nogil=True, cache=True, inline="always")
def fmix64(h: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser: a bijection in which every bit of the input reaches every bit."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@njit(nogil=True, cache=True, inline="always")
def _rotate(x: np.uint64, bits: int) -> np.uint64:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@njit(nogil=True, cache=True)
def load_partial(data: U8, start: int, end: int) -> np.uint64:
    """Bytes start to end - 1 (at most 8) as one little-endian integer; safe at the end of the array."""
    value = np.uint64(0)
    for i in range(start, end):
        value |= np.uint64(data[i]) << np.uint64(8 * (i - start))
    return value


@njit(nogil=True, cache=True)
def murmur3_bytes(data: U8, start: int, end: int) -> tuple[np.uint64, np.uint64]:
    """The 128-bit hash of `data[start:end]`."""
    h1 = np.uint64(0)
    h2 = np.uint64(0)
    size = end - start
    i = start
    while i + 16 <= end:
        h1 ^= _rotate(load_u64(data, i) * _C1, 31) * _C2
        h1 = (_rotate(h1, 27) + h2) * np.uint64(5) + np.uint64(0x52DCE729)
        h2 ^= _rotate(load_u64(data, i + 8) * _C2, 33) * _C1
        h2 = (_rotate(h2, 31) + h1) * np.uint64(5) + np.uint64(0x38495AB5)
        i += 16
    if i + 8 < end:
        h2 ^= _rotate(load_partial(data, i + 8, end) * _C2, 33) * _C1
    if i < end:
        h1 ^= _rotate(load_partial(data, i, min(i + 8, end)) * _C1, 31) * _C2
    h1 ^= np.uint64(size)
    h2 ^= np.uint64(size)
    h1 += h2
    h2 += h1
    h1 = fmix64(h1)
    h2 = fmix64(h2)
    h1 += h2
    h2 += h1
    return h1, h2


@njit(nogil=True, cache=True)
def _murmur3_each(data: U8, offsets: I64, out: U64) -> None:
    for i in range(offsets.shape[0] - 1):
        out[i, 0], out[i, 1] = murmur3_bytes(data, offsets[i], offsets[i + 1])


@njit(nogil=True, cache=True)
def space_length(data: U8, i: int, end: int) -> int:
    """Bytes of the white-space character (`str.isspace`) at i, or 0 if there is none."""
    byte = data[i]
    if byte < 0x80:
        return 1 if byte == 0x20 or 0x09 <= byte <= 0x0D or 0x1C <= byte <= 0x1F else 0
    if byte == 0xC2 and i + 1 < end:
        return 2 if data[i + 1] == 0x85 or data[i + 1] == 0xA0 else 0  # next line, no-break space
    if byte < 0xE1 or byte > 0xE3 or i + 2 >= end:
        return 0
    rest = (np.int64(data[i + 1]) << 8) | np.int64(data[i + 2])
    if byte == 0xE2:  # U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F
        found = 0x8080 <= rest <= 0x808A or 0x80A8 <= rest <= 0x80A9 or rest == 0x80AF or rest == 0x819F
    elif byte == 0xE1:
        found = rest == 0x9A80  # U+1680
    else:
        found = rest == 0x8080  # U+3000
    return 3 if found else 0


@njit(nogil=True, cache=True)
def normalise_spaces(data: U8, start: int, end: int, out: U8) -> int:
    """Copy `data[start:end]` with white space collapsed and trimmed; return the number of bytes written.

    `out` needs room for end - start + 72 bytes.
    """
    written = 0
    after_space = True  # so that leading white space leaves nothing
    i = start
    while i < end:
        run = 0  # bytes from i on that are copied as they are
        if i + 66 <= data.shape[0]:
            plain, other = space_masks(data, i)
            doubled = plain & ((plain << np.uint64(1)) | np.uint64(after_space))
            run = min(trailing_zeros(other | doubled), end - i)
            for k in range(0, run, 8):
                store_u64(out, written + k, load_u64(data, i + k))
            if run > 0:
                i += run
                written += run
                after_space = data[i - 1] == 0x20
            if run == 64 or i == end:
                continue
        space = space_length(data, i, end)
        if space == 0:
            out[written] = data[i]
            written += 1
            i += 1
        else:
            if not after_space:
                out[written] = 0x20
                written += 1
            i += space
        after_space = space > 0
    if written > 0 and after_space:
        written -= 1
    return written


@njit(nogil=True, cache=True)
def _text_hash_each(data: U8, offsets: I64, out: U64) -> None:
    longest = 0
    for i in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    text = np.empty(longest + 72, np.uint8)
    for i in range(offsets.shape[0] - 1):
        size = normalise_spaces(data, offsets[i], offsets[i + 1], text)
        out[i, 0], out[i, 1] = murmur3_bytes(text, 0, size)


@njit(nogil=True, cache=True)
def _text_hash_of_words(data, offsets, first, start, stop, out):
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    text = np.empty(longest + 9, np.uint8)  # what follows a word is copied with it, and written over
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    for d in range(offsets.shape[0] - 1):
        size = np.int64(0)
        for w in range(first[d], first[d + 1]):
            begin, end = np.int64(start[w]), np.int64(stop[w])
            for i in range(begin, end, 8):
                if i <= safe:
                    store_u64(text, size + i - begin, load_u64(data, i))
                else:
                    for k in range(i, end):
                        text[size + k - begin] = data[k]
                    break
            size += end - begin
            text[size] = 0x20
            size += 1
        size -= size > 0  # the last space
        out[d, 0], out[d, 1] = murmur3_bytes(text, 0, size)  # type: ignore[arg-type]
