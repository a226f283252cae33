"""Words between Unicode's default word boundaries (UAX #29) that begin with a letter or number: what DCLM counts.

White-space words are in `curate.kernels.words`. Rules that only join emoji or spaces are left out: they make no word.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings
from curate.kernels import unicode
from curate.kernels.bytes import hash_spans
from curate.kernels.unicode import decode
from curate.kernels.words import Blocks

(OTHER, LETTER, HEBREW, NUMERIC, KATAKANA, JOINER, MID_LETTER, MID_NUMBER, MID_BOTH, SINGLE_QUOTE, DOUBLE_QUOTE, EXTEND,
 NEWLINE) = range(13)  # fmt: skip
ALNUM = 16  # a bit beside the class: `str.isalnum()`

_SIZE = 0x30000  # ideographs beyond are words by themselves, as Other

# Word_Break of Unicode 16 where general categories do not tell it.
_CLASSES = {
    NEWLINE: "A-D 85 2028-2029",
    DOUBLE_QUOTE: "22",
    SINGLE_QUOTE: "27",
    MID_NUMBER: "2C 3B 37E 589 60C-60D 66C 7F8 2044 FE50 FE54 FF0C FF1B",
    MID_BOTH: "2E 2018-2019 2024 FE52 FF07 FF0E",
    MID_LETTER: "3A B7 387 55F 5F4 2027 FE13 FE55 FF1A",
    JOINER: "5F 202F 203F-2040 2054 FE33-FE34 FE4D-FE4F FF3F",
    HEBREW: "5D0-5EA 5EF-5F2 FB1D FB1F-FB28 FB2A-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FB4F",
    KATAKANA: "3031-3035 309B-309C 30A0-30FA 30FC-30FF 31F0-31FF 32D0-32FE 3300-3357 FF66-FF9D 1AFF0-1AFF3 1AFF5-1AFFB "
    "1AFFD-1AFFE 1B000 1B120-1B122 1B155 1B164-1B167",
    EXTEND: "AD 61C 180E 200C-200F 202A-202E 2060-2064 2066-206F FEFF FF9E-FF9F FFF9-FFFB 13430-13440 13447-13455 "
    "1BCA0-1BCA3 1D173-1D17A 1F3FB-1F3FF",
    NUMERIC: "600-605 66B 6DD 890-891 8E2 19DA 110BD 110CD",
}
_LETTERS_BY_SHAPE = (
    "2C2-2C5 2D2-2D7 2DE-2DF 2E5-2EB 2ED 2EF-2FF 55A-55C 55E 58A 5F3 70F 16EE-16F0 2160-2182 2185-2188 24B6-24E9 "
    "A6E6-A6EF A708-A716 A720-A721 A789-A78A AB5B 10140-10174 10341 1034A 103D1-103D5 12400-1246E 1F130-1F149 "
    "1F150-1F169 1F170-1F189"
)
_WORDS_ALONE = (
    "E01-E30 E32-E33 E40-E46 E81-E82 E84 E86-E8A E8C-EA3 EA5 EA7-EB0 EB2-EB3 EBD EC0-EC4 EC6 EDC-EDF 1000-102A 103F "
    "1050-1055 105A-105D 1061 1065-1066 106E-1070 1075-1081 108E 1780-17B3 17D7 17DC 1950-196D 1970-1974 1980-19AB "
    "19B0-19C9 1A20-1A54 1AA7 3006 3041-3096 309D-309F 3400-4DBF 4E00-9FFF A9E0-A9E4 A9E6-A9EF A9FA-A9FE AA60-AA76 "
    "AA7A AA7E-AAAF AAB1 AAB5-AAB6 AAB9-AABD AAC0 AAC2 AADB-AADD F900-FA6D FA70-FAD9 11700-1171A 11740-11746 "
    "17000-187F7 18800-18CD5 18D00-18D08 1B001-1B11F 1B150-1B152 1B170-1B2FB 20000-2FFFF"
)
_OTHER_NUMBERS = (
    "B2-B3 B9 BC-BE 9F4-9F9 B72-B77 BF0-BF2 C78-C7E D58-D5E D70-D78 F2A-F33 1369-137C 16EE-16F0 17F0-17F9 19DA 2070 "
    "2074-2079 2080-2089 2150-2182 2185-2189 2460-249B 24EA-24FF 2776-2793 2CFD 3007 3021-3029 3038-303A 3192-3195 "
    "3220-3229 3248-324F 3251-325F 3280-3289 32B1-32BF A6E6-A6EF A830-A835 10107-10133 10140-10178 1018A-1018B "
    "102E1-102FB 10320-10323 10341 1034A 103D1-103D5 10858-1085F 10879-1087F 108A7-108AF 108FB-108FF 10916-1091B "
    "109BC-109BD 109C0-109CF 109D2-109FF 10A40-10A48 10A7D-10A7E 10A9D-10A9F 10AEB-10AEF 10B58-10B5F 10B78-10B7F "
    "10BA9-10BAF 10CFA-10CFF 10E60-10E7E 10F1D-10F26 10F51-10F54 10FC5-10FCB 11052-11065 111E1-111F4 1173A-1173B "
    "118EA-118F2 11C5A-11C6C 11FC0-11FD4 12400-1246E 16B5B-16B61 16E80-16E96 1D2E0-1D2F3 1D360-1D378 1E8C7-1E8CF "
    "1EC71-1ECAB 1ECAD-1ECAF 1ECB1-1ECB4 1ED01-1ED2D 1ED2F-1ED3D 1F100-1F10C"
)


@functools.cache
def classes() -> npt.NDArray[np.uint8]:
    """Return uint8 (_SIZE,): the class of a character, and ALNUM."""
    tables = unicode.tables()
    points = np.arange(_SIZE)
    flags = tables.flags[(tables.index[points >> 7].astype(np.int64) << 7) | (points & 127)]

    def among(ranges: str) -> npt.NDArray[np.bool_]:
        found = np.zeros(_SIZE, np.bool_)
        found[[cp for cp in unicode._points(ranges) if cp < _SIZE]] = True
        return found

    alpha, digit = (flags & unicode.ALPHA) != 0, (flags & unicode.DIGIT) != 0
    number = among(_OTHER_NUMBERS)
    found = np.zeros(_SIZE, np.uint8)
    found[((flags & unicode.WORD) != 0) & ~alpha & ~digit & ~number] = EXTEND  # marks
    found[(alpha & ~among(_WORDS_ALONE)) | among(_LETTERS_BY_SHAPE)] = LETTER
    found[digit] = NUMERIC
    for number_of_class, ranges in _CLASSES.items():
        found[among(ranges)] = number_of_class
    found[alpha | digit | number] |= ALNUM
    return found


def unicode_words(strings: Strings) -> Blocks:
    """Find the words of every document that begin with a letter or number."""
    n = len(strings)
    room = strings.nbytes // 2 + n + 1  # a word of one byte has another character after it
    first, chars = np.empty(n + 1, np.int64), np.empty(room, np.int64)
    start, stop = np.empty(room, np.uint32), np.empty(room, np.uint32)
    count = _find(strings.data, strings.offsets, classes(), first, start, stop, chars)
    start, stop = start[:count].copy(), stop[:count].copy()
    hashes = np.empty(count, np.uint64)
    hash_spans(strings.data, start, stop, hashes)
    return Blocks(first, start, stop, chars[:count].copy(), hashes)


@njit(nogil=True, cache=True, inline="always")
def _class(cp, classes):
    return classes[cp] if cp < _SIZE else np.uint8(ALNUM if cp < 0x323B0 else OTHER)


@njit(nogil=True, cache=True)
def _find(data, offsets, classes, first, start, stop, chars):
    count = 0
    for d in range(offsets.shape[0] - 1):
        first[d] = count
        i, end = offsets[d], offsets[d + 1]
        while i < end:
            begin = i
            cp, i = decode(data, i, end)
            kind = _class(cp, classes)
            size = 1
            before = kind & 15
            while i < end and before != NEWLINE:
                cp, following = decode(data, i, end)
                now = _class(cp, classes) & 15
                if now == EXTEND:
                    i = following
                    size += 1
                    continue
                if _joined(before, now):
                    before = now
                    i = following
                    size += 1
                    continue
                after, places, behind = _past_middle(data, following, end, before, now, classes)
                if after == OTHER:
                    if before == HEBREW and now == SINGLE_QUOTE:
                        i = following
                        size += 1
                        before = OTHER
                        continue
                    break
                before = after
                i = behind
                size += 1 + places
            if kind & ALNUM:
                start[count], stop[count], chars[count] = begin, i, size
                count += 1
    first[offsets.shape[0] - 1] = count
    return count


@njit(nogil=True, cache=True, inline="always")
def _joined(a, b):
    """Tell whether there is no boundary between characters of two classes, whatever stands around them."""
    letters_or_digits = 1 <= a <= 3 and 1 <= b <= 3
    return (
        letters_or_digits
        or (a == KATAKANA and b == KATAKANA)
        or (b == JOINER and 1 <= a <= 5)
        or (a == JOINER and 1 <= b <= 4)
    )


@njit(nogil=True, cache=True)
def _past_middle(data, i, end, before, middle, classes):
    """Return the class, characters and end of what a mark in the middle of a word leads to; OTHER if to nothing."""
    letter = before in (LETTER, HEBREW) and middle in (MID_LETTER, MID_BOTH, SINGLE_QUOTE)
    number = before == NUMERIC and middle in (MID_NUMBER, MID_BOTH, SINGLE_QUOTE)
    hebrew = before == HEBREW and middle == DOUBLE_QUOTE
    if not (letter or number or hebrew):
        return OTHER, 0, i
    places = 0
    while i < end:
        cp, i = decode(data, i, end)
        after = np.int64(_class(cp, classes) & 15)
        places += 1
        if after == EXTEND:
            continue
        fits = (letter and after in (LETTER, HEBREW)) or (number and after == NUMERIC)
        return (after if fits or (hebrew and after == HEBREW) else OTHER), places, i
    return OTHER, 0, i
