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

# The encodings in which UTF-8 is misread often enough for ftfy to look for it: bit e of each group of bits below.
_ENCODINGS = ("latin-1", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp437")
_WIDTH = len(_ENCODINGS)
_GROUP = (1 << _WIDTH) - 1
# Groups: a byte that begins two, three or four bytes of UTF-8; one that goes on; one after which one may be lost.
_TWO, _THREE, _FOUR, _ON, _LOSSY = (_WIDTH * group for group in range(5))
_CONTROL = 1 << 63
_HIGH = np.uint64(0x8080808080808080)


@functools.cache
def table() -> npt.NDArray[np.uint64]:
    """Return uint64 (65536,): what each character of the basic plane can be a misreading of."""
    bits = [0] * 0x10000
    groups = (
        (range(0xC2, 0xE0), _TWO),
        (range(0xE0, 0xF0), _THREE),
        (range(0xF0, 0xF5), _FOUR),
        (range(0x80, 0xC0), _ON),
    )
    for number, encoding in enumerate(_ENCODINGS):
        for span, group in groups:
            for byte in span:
                # A byte without a meaning in the encoding is read as the control character of its number.
                char = bytes([byte]).decode(encoding, errors="ignore") or chr(byte)
                bits[ord(char)] |= 1 << (group + number)
        # A continuation byte may have been lost: 0xA0 as a space, any as a replacement character or a question mark.
        for byte in (0xC2, 0xC3, *range(0xE0, 0xF5)):
            bits[ord(bytes([byte]).decode(encoding, errors="ignore") or chr(byte))] |= 1 << (_LOSSY + number)
    for char in "\x1a\ufffd":
        bits[ord(char)] |= _GROUP << _ON
    for control in range(0x80, 0xA0):
        bits[control] |= _CONTROL
    return np.array(bits, np.uint64)


@njit(nogil=True, cache=True)
def suspects(data, offsets, table, out):
    """Fill `out` bool (n,): documents with characters in a row that can be one of UTF-8, or with a C1 control."""
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    leads = np.uint64(_GROUP << _TWO | _GROUP << _THREE | _GROUP << _FOUR)
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        found = False
        while i < end and not found:
            if i <= safe and load_u64(data, i) & _HIGH == 0:
                i += 8  # perhaps beyond the end
                continue
            cp, i = decode(data, i, end)
            bits = table[cp] if 0x80 <= cp < 0x10000 else np.uint64(0)
            found = bits >> np.uint64(63) != 0 or (bits & leads != 0 and _goes_on(data, i, end, table, cp, bits))
        out[d] = found


@njit(nogil=True, cache=True)
def _goes_on(data, i, end, table, lead, bits):
    """Tell whether the characters from i on can complete, in one encoding, the UTF-8 that `lead` can begin."""
    group = np.uint64(_GROUP)
    two, three, four = bits & group, bits >> np.uint64(_THREE) & group, bits >> np.uint64(_FOUR) & group
    lossy = bits >> np.uint64(_LOSSY) & group
    for k in range(3):
        if i >= end:
            return False
        cp, i = decode(data, i, end)
        if cp == 32 or cp == 63:
            # Two bytes of which the second is a space are suspect after A with circumflex or tilde only.
            on = lossy
            if k == 0 and cp == 32 and lead != 0xC2 and lead != 0xC3:
                two = np.uint64(0)
        else:
            on = table[cp] >> np.uint64(_ON) & group if cp < 0x10000 else np.uint64(0)
        if (k == 0 and two & on != 0) or (k == 1 and three & on != 0) or (k == 2 and four & on != 0):
            return True
        three &= on
        four &= on
        if three == 0 and four == 0:
            return False
    return False
