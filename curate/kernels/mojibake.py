"""Which documents may hold mojibake: UTF-8 that was read in a single-byte encoding.

Repairs nothing and misses nothing that ftfy repairs; it spares ftfy all other documents.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels.loads import load_u64
from curate.kernels.unicode import decode

LEAD, CONTINUATION, CONTROL = 1, 2, 4  # bits of a character in `table()`

# The encodings in which UTF-8 is misread often enough for ftfy to look for it.
_ENCODINGS = ("latin-1", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp437")
_LEADS, _CONTINUATIONS = range(0xC2, 0xF5), range(0x80, 0xC0)
# A continuation byte may have been lost: 0xA0 as a space, any as the replacement character or a question mark.
_LOST = " ?\x1a\ufffd"
_HIGH = np.uint64(0x8080808080808080)


@functools.cache
def table() -> npt.NDArray[np.uint8]:
    """Return uint8 (65536,): what each character of the basic plane can be a misreading of."""
    bits = np.zeros(0x10000, np.uint8)
    for encoding in _ENCODINGS:
        for kind, span in ((LEAD, _LEADS), (CONTINUATION, _CONTINUATIONS)):
            for byte in span:
                # A byte without a meaning in the encoding is read as the control character of its number.
                char = bytes([byte]).decode(encoding, errors="ignore") or chr(byte)
                bits[ord(char)] |= kind
    bits[[ord(char) for char in _LOST]] |= CONTINUATION
    bits[0x80:0xA0] |= CONTROL
    return bits


@njit(nogil=True, cache=True)
def suspects(data, offsets, table, out):
    """Fill `out` bool (n,): documents with a LEAD before a CONTINUATION, or with a CONTROL."""
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        before = 0
        found = False
        while i < end and not found:
            if before & LEAD == 0 and i <= safe and load_u64(data, i) & _HIGH == 0:
                i += 8  # perhaps beyond the end
                continue
            cp, i = decode(data, i, end)
            here = np.int64(table[cp]) if cp < 0x10000 else 0
            found = (here & CONTROL) != 0 or (before & LEAD != 0 and here & CONTINUATION != 0)
            before = here
        out[d] = found
