"""Whether a word is a URL, a host name or an e-mail address to spaCy, which then keeps it whole.

An approximation of its pattern by hand: scheme, user, host with a lower-case last part or an IP address, port, path.
"""

from __future__ import annotations

from numba import njit

from curate.kernels.spacy_rules import LOWER, TABLE_SIZE


@njit(nogil=True, cache=True)
def is_url(cps, a, b, classes):
    """Tell whether `cps[a:b]` is a URL, with or without a scheme, or an address."""
    dotted = False
    for i in range(a, b):
        dotted |= cps[i] == 46
    if not dotted:
        return False
    if _host(cps, a, b, classes):
        return True
    i = a
    while i < b and _in_scheme(cps[i]):
        i += 1
    scheme = i - a >= 2 and i + 3 < b and cps[i] == 58 and cps[i + 1] == 47 and cps[i + 2] == 47
    found = scheme and _host(cps, i + 3, b, classes)
    for i in range(a + 1, b - 1):
        found = found or (cps[i] == 64 and _host(cps, i + 1, b, classes))
    return found


@njit(nogil=True, cache=True)
def _in_scheme(c):
    return _plain(c) or c == 95 or c == 43 or c == 45 or c == 46


@njit(nogil=True, cache=True)
def _plain(c):
    return 48 <= c <= 57 or 97 <= c <= 122 or 65 <= c <= 90


@njit(nogil=True, cache=True)
def _outer(c):
    """Whether a part of a host name may begin or end with it."""
    return _plain(c) or 0xA1 <= c <= 0xFFFF


@njit(nogil=True, cache=True)
def _host(cps, a, b, classes):
    """Tell whether `cps[a:b]` is a host, then perhaps a port, then perhaps a path."""
    i = part = a  # part: where the last part of the name begins
    while i < b and (_outer(cps[i]) or cps[i] == 45 or cps[i] == 95 or cps[i] == 46):
        if cps[i] == 46:
            if i == part or i - part > 64 or not _outer(cps[part]) or not _outer(cps[i - 1]):
                return False
            part = i + 1
        i += 1
    if part == a:
        return False
    named = 2 <= i - part <= 63
    for k in range(part, i):
        named &= cps[k] < TABLE_SIZE and (classes[cps[k]] & LOWER) != 0
    if not named and not _is_address(cps, a, i):
        return False
    if i < b and cps[i] == 58:  # a port
        digits = 0
        i += 1
        while i < b and 48 <= cps[i] <= 57:
            digits += 1
            i += 1
        if digits < 2 or digits > 5:
            return False
    return i == b or cps[i] == 47 or cps[i] == 63 or cps[i] == 35


@njit(nogil=True, cache=True)
def _is_address(cps, a, b):
    """Tell whether `cps[a:b]` is four numbers that name a public machine."""
    if b - a > 15:
        return False
    first = second = -1
    value = digits = dots = 0
    for i in range(a, b + 1):
        if i < b and 48 <= cps[i] <= 57:
            value = 10 * value + cps[i] - 48
            digits += 1
            continue
        if digits == 0 or digits > 3 or value > 255 or (i < b and cps[i] != 46):
            return False
        if dots == 0:
            first = value
        elif dots == 1:
            second = value
        elif dots == 3 and (value == 0 or value == 255):
            return False
        dots += 1
        value = digits = 0
    if dots != 4 or first < 1 or first > 223 or first == 10 or first == 127:
        return False
    private = (first == 169 and second == 254) or (first == 192 and second == 168)
    return not private and not (first == 172 and 16 <= second <= 31)
