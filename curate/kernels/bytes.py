"""How many bytes of each class a document holds, for estimating tokens. Knows no tokenizer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

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
    for d in range(offsets.shape[0] - 1):
        for i in range(offsets[d], offsets[d + 1]):
            out[d, table[data[i]]] += 1
