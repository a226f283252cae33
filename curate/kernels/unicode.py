"""What a kernel knows about a character: one flag word and one lower-case offset for every code point.

The tables are two-stage (128 code points a block) and ship as a file, so that results do not depend on the
Unicode version of the running Python; `python -m curate.kernels.unicode` rebuilds them. Says nothing of
normalisation itself: a document that may need it is only flagged.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

SPACE = 1  # str.isspace()
ALPHA = 2  # str.isalpha()
WORD = 4  # letters, marks, digits and underscore: \w plus combining marks
TERMINAL = 8  # ends a sentence: Unicode property Sentence_Terminal
UNIT = 16  # a word by itself: scripts written without spaces between words
UPPER = 32  # str.isupper()
PUNCT = 64  # Unicode category P*
RECOMPOSE = 128  # NFC quick check is not "yes": the document has to be normalised
DIGIT = 256  # Unicode category Nd
CONTROL = 512  # control and invisible formatting characters that cleaning removes

_FILE = Path(__file__).with_name("unicode.npz")


class Tables(NamedTuple):
    """`index[cp >> 7] * 128 + (cp & 127)` is the place of code point `cp` in `flags` and `lower`.

    `index` uint16 (8704,), `flags` uint16 (blocks * 128,), `lower` int32 (blocks * 128,): what to add to `cp`
    to get its simple lower-case mapping.
    """

    index: npt.NDArray[np.uint16]  # type: ignore[assignment]  # hides tuple.index
    flags: npt.NDArray[np.uint16]
    lower: npt.NDArray[np.int32]


@functools.cache
def tables() -> Tables:
    """Return the tables that every kernel taking `tables` expects."""
    with np.load(_FILE) as stored:
        return Tables(*(np.ascontiguousarray(stored[name]) for name in Tables._fields))


@njit(nogil=True, cache=True, inline="always")
def place(index, cp):
    """Return where the flags and lower-case offset of code point `cp` stand."""
    return (np.int64(index[cp >> 7]) << 7) | (cp & 127)


@njit(nogil=True, cache=True, inline="always")
def decode(data, i, end):
    """Return (code point, index of the next character) of the UTF-8 character at `data[i]`, `i < end`.

    Never reads at or beyond `end`; bytes that are not UTF-8 count as one character each (U+FFFD).
    """
    c = np.int64(data[i])
    if c < 0x80:
        return c, i + 1
    if c < 0xE0:
        if c >= 0xC0 and i + 1 < end:
            return ((c & 0x1F) << 6) | (np.int64(data[i + 1]) & 0x3F), i + 2
        return np.int64(0xFFFD), i + 1
    if c < 0xF0:
        if i + 2 < end:
            cp = ((c & 0x0F) << 12) | ((np.int64(data[i + 1]) & 0x3F) << 6) | (np.int64(data[i + 2]) & 0x3F)
            return cp, i + 3
        return np.int64(0xFFFD), i + 1
    if c < 0xF5 and i + 3 < end:
        cp = (
            ((c & 0x07) << 18)
            | ((np.int64(data[i + 1]) & 0x3F) << 12)
            | ((np.int64(data[i + 2]) & 0x3F) << 6)
            | (np.int64(data[i + 3]) & 0x3F)
        )
        return (cp if cp < 0x110000 else np.int64(0xFFFD)), i + 4
    return np.int64(0xFFFD), i + 1


# Ranges of Sentence_Terminal in Unicode 16 (PropList.txt); unicodedata does not have the property.
_TERMINAL = (
    "21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 "
    "17D4-17D5 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 203C-203D "
    "2047-2049 2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 "
    "AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89 "
    "11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 "
    "1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C "
    "11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F 1DA88"
)
# Blocks of scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, ideographs.
_UNIT = (
    "E00-E7F E80-EFF 1000-109F 1780-17FF 19E0-19FF 3005-3007 3021-3029 3041-3096 309D-309F 30A1-30FA 30FC-30FF "
    "31F0-31FF 3400-4DBF 4E00-9FFF A9E0-A9FF AA60-AA7F F900-FAFF FF66-FF9F 1B000-1B16F 20000-323AF"
)


def _points(ranges: str) -> set[int]:
    pairs = [item.split("-") for item in ranges.split()]
    return {cp for pair in pairs for cp in range(int(pair[0], 16), int(pair[-1], 16) + 1)}


def build() -> Tables:
    """Derive the tables from this Python's `unicodedata`."""
    import sys
    import unicodedata

    def decomposition(cp: int) -> list[int]:
        mapping = unicodedata.decomposition(chr(cp))
        return [] if mapping.startswith("<") else [int(part, 16) for part in mapping.split()]

    size = sys.maxunicode + 1
    terminal, unit = _points(_TERMINAL), _points(_UNIT)
    composes_backwards = {parts[1] for cp in range(size) if len(parts := decomposition(cp)) == 2}
    composes_backwards |= set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))  # Hangul vowels and finals
    keep_invisible = {0x09, 0x0A, 0x200C, 0x200D}  # tab, newline; joiners carry meaning in Indic and emoji
    keep_invisible |= _points("600-605 6DD 70F 890-891 8E2 110BD 110CD E0020-E007F")  # visible signs; emoji flags
    flags = np.zeros(size, np.uint16)
    lower = np.zeros(size, np.int32)
    for cp in range(size):
        ch = chr(cp)
        category = unicodedata.category(ch)
        word = ch.isalnum() or ch == "_" or category[0] == "M"
        surrogate = category == "Cs"
        flags[cp] = (
            SPACE * ch.isspace()
            | ALPHA * ch.isalpha()
            | WORD * word
            | TERMINAL * (cp in terminal)
            | UNIT * (word and cp in unit)
            | UPPER * ch.isupper()
            | PUNCT * (category[0] == "P")
            | RECOMPOSE
            * (
                not surrogate
                and (
                    unicodedata.combining(ch) != 0
                    or cp in composes_backwards
                    or not unicodedata.is_normalized("NFC", ch)
                )
            )
            | DIGIT * (category == "Nd")
            | CONTROL * (category == "Cc" or (category == "Cf" and not ch.isspace())) * (cp not in keep_invisible)
        )
        if len(ch.lower()) == 1:
            lower[cp] = ord(ch.lower()) - cp
    blocks: dict[bytes, int] = {}
    index = np.zeros(size >> 7, np.uint16)
    for block in range(size >> 7):
        part = slice(block << 7, (block + 1) << 7)
        index[block] = blocks.setdefault(flags[part].tobytes() + lower[part].tobytes(), len(blocks))
    first = [int(np.flatnonzero(index == number)[0]) for number in range(len(blocks))]
    rows = (np.asarray(first)[:, None] * 128 + np.arange(128)).ravel()
    return Tables(index, flags[rows], lower[rows])


if __name__ == "__main__":
    np.savez_compressed(_FILE, **build()._asdict())
