"""Bytes eight at a time: what kinds there are, and hashes; and how many of each class a document holds.

Knows no characters beyond ASCII except by the length of their UTF-8, and no tokenizer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.hashing import load_partial
from curate.kernels.loads import load_u64, trailing_zeros

# The lowest and the highest bit of each of eight bytes.
LOW = np.uint64(0x0101010101010101)
HIGH = np.uint64(0x8080808080808080)

CLASSES = ("letter", "digit", "punctuation", "space", "two_byte", "three_byte", "four_byte")


def _class_of_byte() -> npt.NDArray[np.uint8]:
    table = np.full(256, 2, np.uint8)
    table[[*range(65, 91), *range(97, 123)]] = 0
    table[48:58] = 1
    table[[*range(9, 14), *range(28, 33)]] = 3
    table[0x80:0xC0] = 7  # continuation bytes: counted with their lead byte
    table[0xC0:0xE0], table[0xE0:0xF0], table[0xF0:] = 4, 5, 6
    return table


_TABLE = _class_of_byte()


def byte_classes(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return int64 (n, 7): characters of each of CLASSES; multi-byte characters by their length in UTF-8."""
    out = np.zeros((len(offsets) - 1, len(CLASSES) + 1), np.int64)
    _byte_classes(data, offsets, _TABLE, out)
    return out[:, :-1]


@njit(nogil=True, cache=True)
def _byte_classes(data, offsets, table, out):
    # Neighbours are counted in different rows: adding to a number just written would have to wait for it.
    counts = np.empty((4, out.shape[1]), np.int64)
    for d in range(offsets.shape[0] - 1):
        counts[:] = 0
        i, end = offsets[d], offsets[d + 1]
        while i + 4 <= end:
            counts[0, table[data[i]]] += 1
            counts[1, table[data[i + 1]]] += 1
            counts[2, table[data[i + 2]]] += 1
            counts[3, table[data[i + 3]]] += 1
            i += 4
        for k in range(i, end):
            counts[0, table[data[k]]] += 1
        for k in range(out.shape[1]):
            out[d, k] = counts[0, k] + counts[1, k] + counts[2, k] + counts[3, k]


@njit(nogil=True, cache=True)
def ones(x):
    """Return how many bits of a uint64 are set."""
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * LOW) >> np.uint64(56))


@njit(nogil=True, cache=True)
def holds_letter(x):
    """Tell whether one of eight bytes (`load_u64`) is an ASCII letter."""
    folded = (x | (LOW * np.uint64(0x20))) & ~HIGH  # letters of either case are now 0x61 to 0x7A
    from_a = folded + LOW * np.uint64(0x80 - 0x61)  # high bit: at least "a"
    beyond_z = folded + LOW * np.uint64(0x80 - 0x7B)  # high bit: beyond "z"
    return (from_a & ~beyond_z & ~x & HIGH) != 0


@njit(nogil=True, cache=True)
def leading_plain(x):
    """Return how many of eight bytes (`load_u64`) are printable ASCII or newlines, before the first that is not."""
    shifted = x ^ (LOW * np.uint64(10))
    newline = ~(((shifted & ~HIGH) + ~HIGH) | shifted)  # high bit: the byte is 10
    printable = (x & ~HIGH) + LOW * np.uint64(0x60)  # high bit: at least 32
    delete = (x & ~HIGH) + LOW  # high bit: 127
    return trailing_zeros((x | delete | ~(printable | newline)) & HIGH) >> 3


@njit(nogil=True, cache=True)
def _stir(h, chunk):
    h = (h ^ chunk) * np.uint64(0x9FB21C651E98DF25)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True)
def hash_spans(data, start, stop, out):
    """Fill `out` uint64 with a hash of each `data[start[k]:stop[k]]`, not empty: equal for equal bytes.

    Not stable between versions: to be compared, never stored.
    """
    for k in range(start.shape[0]):
        i, end = np.int64(start[k]), np.int64(stop[k])
        h = np.uint64(end - i) * np.uint64(0x9E3779B97F4A7C15)
        while i + 8 < end:
            h = _stir(h, load_u64(data, i))
            i += 8
        if i + 8 <= data.shape[0]:
            last = load_u64(data, i) & (~np.uint64(0) >> np.uint64(64 - 8 * (end - i)))
        else:
            last = load_partial(data, i, end)  # type: ignore[arg-type]
        out[k] = _stir(h, last)
