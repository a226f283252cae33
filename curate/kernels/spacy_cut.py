"""How one word falls into tokens as spaCy's blank English tokenizer cuts it: marks off both ends, then infixes.

The characters, contractions and abbreviations that it knows are in `curate.kernels.spacy_rules`, URLs in
`curate.kernels.spacy_urls`; batches of documents in `curate.kernels.spacy_words`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from curate.kernels.spacy_rules import (
    BEFORE_DOT,
    CURRENCY,
    LONGEST,
    LOWER,
    MARK,
    OPENS,
    QUOTE,
    TABLE_SIZE,
    UPPER,
    appended,
    code,
)
from curate.kernels.spacy_urls import is_url


@njit(nogil=True, cache=True, inline="always")
def bits(cp, classes):
    """Return the bits of a character."""
    return classes[cp] if cp < TABLE_SIZE else np.uint8(0)


@njit(nogil=True, cache=True)
def _is_digit(cp):
    return 48 <= cp <= 57


@njit(nogil=True, cache=True)
def _exception(cps, a, b, rules):
    """Return the place of the word `cps[a:b]` among the exceptions, -1 if it is none."""
    if b - a > LONGEST or b <= a:
        return -1
    return _place(rules.keys, code(cps, a, b))


@njit(nogil=True, cache=True)
def _place(keys, key):
    """Return the place of a key in a hash table, -1 if it is not there."""
    at = np.int64(key & np.uint64(keys.shape[0] - 1))
    while keys[at] != 0:
        if keys[at] == key:
            return at
        at = (at + 1) & (keys.shape[0] - 1)
    return -1


@njit(nogil=True, cache=True)
def _dots_after(cps, a, b):
    i = a
    while i < b and cps[i] == 46:
        i += 1
    return i - a


@njit(nogil=True, cache=True)
def prefix(cps, a, b, classes):
    """Return how many characters split off at the beginning of `cps[a:b]`."""
    c = cps[a]
    if c == 46:
        dots = _dots_after(cps, a, b)
        return dots if dots > 1 else 0
    if c == 43:  # +
        return 0 if a + 1 < b and _is_digit(cps[a + 1]) else 1
    if bits(c, classes) & (MARK | OPENS):
        return 1
    if c == 85 and a + 2 < b and cps[a + 1] == 83 and cps[a + 2] == 36:  # US$
        return 3
    return 2 if (c == 65 or c == 67) and a + 1 < b and cps[a + 1] == 36 else 0  # A$ C$


@njit(nogil=True, cache=True)
def suffix(cps, a, b, rules):
    """Return how many characters split off at the end of `cps[a:b]`."""
    if b <= a:
        return 0
    c = cps[b - 1]
    before = cps[b - 2] if b - 2 >= a else -1
    if c == 46:
        return _dot_suffix(cps, a, b, rules.classes)
    if (c == 115 or c == 83) and (before == 39 or before == 0x2019):  # 's
        return 2
    if c == 0x2026 and before == 0x2026:
        return 2
    if c == 36 and b - 2 >= a and not _is_digit(before):  # $
        if b - 4 >= a and cps[b - 3] == 85 and before == 83 and _is_digit(cps[b - 4]):
            return 3
        return 2 if (before == 65 or before == 67) and b - 3 >= a and _is_digit(cps[b - 3]) else 0
    marks = bits(c, rules.classes)
    if _is_digit(before) and (c == 43 or marks & CURRENCY):
        return 1
    if marks & MARK:
        return 1
    for size in range(1, min(6, b - a)):  # a unit after a digit
        if _is_digit(cps[b - size - 1]):
            return size if _place(rules.units, code(cps, b - size, b)) >= 0 else 0
    return 0


@njit(nogil=True, cache=True)
def _dot_suffix(cps, a, b, classes):
    dots = 1
    while b - 1 - dots >= a and cps[b - 1 - dots] == 46:
        dots += 1
    if dots > 1:
        return dots
    if b - 2 < a:
        return 0
    before = cps[b - 2]
    marks = bits(before, classes)
    if marks & BEFORE_DOT:
        return 1
    if marks & UPPER and b - 3 >= a:
        if bits(cps[b - 3], classes) & UPPER:
            return 1
        return 1 if cps[b - 3] == 0xB0 and (before == 70 or before == 67 or before == 75) else 0  # °F. °C. °K.
    return 0


@njit(nogil=True, cache=True)
def infix(cps, i, a, b, classes):
    """Return how many characters from i on split `cps[a:b]` in two, 0 where none do."""
    c = cps[i]
    marks = bits(c, classes)
    if c == 46:
        dots = _dots_after(cps, i, b)
        if dots > 1:
            return dots
    if c == 0x2026 or (marks & MARK and _is_icon(c, marks)):
        return 1
    if i == a or i + 1 >= b:
        return 0
    before, after = bits(cps[i - 1], classes), bits(cps[i + 1], classes)
    digit_before = _is_digit(cps[i - 1])
    sign = c == 43 or c == 45 or c == 42 or c == 94  # + - * ^
    if digit_before and sign and (_is_digit(cps[i + 1]) or cps[i + 1] == 45):
        return 1
    if c == 46:
        return 1 if before & (LOWER | QUOTE) and after & (UPPER | QUOTE) else 0
    letter_before, letter_after = before & (LOWER | UPPER), after & (LOWER | UPPER)
    if c == 44:
        return 1 if letter_before and letter_after else 0
    if not letter_before and not digit_before:
        return 0
    if c == 45 or c == 0x2013 or c == 0x2014 or c == 126:  # - – — ~
        if letter_after:
            return 1
        most = 3 if c == 45 else (2 if c == 0x2014 else 1)
        for size in range(2, most + 1):
            if i + size >= b or cps[i + size - 1] != c:
                return 0
            if bits(cps[i + size], classes) & (LOWER | UPPER):
                return size
        return 0
    return 1 if letter_after and (c == 58 or 60 <= c <= 62 or c == 47) else 0  # : < = > /


@njit(nogil=True, cache=True)
def _is_icon(c, marks):
    """Tell whether a mark is one of the symbols: not punctuation, not a quote, not a dash."""
    if c < 0xA6 or marks & QUOTE:
        return False
    return not (
        c == 0xBF or c == 0xA1 or c == 0xB7 or c == 0x61F or c == 0x60C or c == 0x61B or c == 0x66A or c == 0x6D4
        or c == 0x964 or c == 0x2013 or c == 0x2014 or c == 0x3001 or c == 0x3002 or c == 0xFF01 or c == 0xFF0C
        or c == 0xFF1A or c == 0xFF1B or c == 0xFF1F or c == 0xFF5E
    )  # fmt: skip


@njit(nogil=True, cache=True)
def cut(cps, m, rules, ends, spare):
    """Cut the word `cps[:m]` (m > 0): fill `ends` with where its tokens end, return how many there are.

    Marks come off both ends until an exception, or nothing more, is left; what is left and is no URL falls apart
    at its infixes. `spare` int64 is as long as `ends`.
    """
    a, b = 0, m
    count = tail = 0  # tokens from the front, and marks from the end
    if _plain(cps, m) and _exception(cps, 0, m, rules) < 0:  # most words
        ends[0] = m
        return 1
    while a < b and _exception(cps, a, b, rules) < 0:
        front = prefix(cps, a, b, rules.classes)
        if front and _exception(cps, a + front, b, rules) >= 0:
            a += front
            ends[count] = a
            count += 1
            break
        back = suffix(cps, a + front, b, rules)
        if back and _exception(cps, a, b - back, rules) >= 0:
            spare[tail] = b
            tail += 1
            b -= back
            break
        if front == 0 and back == 0:
            break
        if front:
            a += front
            ends[count] = a
            count += 1
        if back:
            spare[tail] = b
            tail += 1
            b -= back
    if a < b:
        known = _exception(cps, a, b, rules)
        if known >= 0:
            count = _attach_parts(rules.parts[known], a, ends, count)
        elif is_url(cps, a, b, rules.classes):
            ends[count] = b
            count += 1
        else:
            count = _split_infixes(cps, a, b, rules.classes, ends, count)
    for k in range(tail):
        ends[count] = spare[tail - 1 - k]
        count += 1
    return _join_exceptions(cps, rules, ends, count)


@njit(nogil=True, cache=True)
def _plain(cps, m):
    """Tell whether there are only letters of ASCII."""
    plain = True
    for i in range(m):
        plain &= 97 <= cps[i] <= 122 or 65 <= cps[i] <= 90
    return plain


@njit(nogil=True, cache=True)
def _attach_parts(parts, a, ends, count):
    for k in range(parts[0]):
        a += parts[1 + k]
        ends[count] = a
        count += 1
    return count


@njit(nogil=True, cache=True)
def _split_infixes(cps, a, b, classes, ends, count):
    i = opening = a
    while i < b:
        size = infix(cps, i, a, b, classes)
        if size == 0 or i == a:
            i += max(size, 1)
            continue
        if i > opening:
            ends[count] = i
            count += 1
        i += size
        ends[count] = opening = i
        count += 1
    if opening < b:
        ends[count] = b
        count += 1
    return count


@njit(nogil=True, cache=True)
def _join_exceptions(cps, rules, ends, count):
    """Tokens in a row that make an exception together become it: ":" and ")" after a word are one face."""
    if count < 2:
        return count
    kept = k = a = 0
    while k < count:
        joined = -1
        last = k
        h = code(cps, a, ends[k]) if ends[k] - a <= LONGEST else np.uint64(0)
        for j in range(k + 1, count):
            if ends[j] - a > LONGEST:
                break
            for i in range(ends[j - 1], ends[j]):
                h = appended(h, cps[i])
            known = _place(rules.keys, h)
            if known >= 0 and rules.parts[known, 4] and rules.parts[known, 0] <= j - k + 1:
                joined, last = known, j
        end = ends[last]
        if joined >= 0:
            kept = _attach_parts(rules.parts[joined], a, ends, kept)
        else:
            ends[kept] = end
            kept += 1
        a = end
        k = last + 1
    return kept
