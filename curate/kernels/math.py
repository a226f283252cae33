"""Which lines of a document hold mathematics: LaTeX, equations, mathematical signs.

Looks at bytes, line by line; knows no macro by name and parses no formula.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

_LETTER, _DIGIT, _SPACE, _OPERAND_END, _OPERAND_START, _OPERATOR, _NO_EQUALS, _IN_DOLLARS = (1 << k for k in range(8))
_EQUALS, _DOLLAR, _BACKSLASH = 61, 36, 92


def _kinds() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for byte in range(128):
        char = chr(byte)
        table[byte] = (
            _LETTER * char.isalpha()
            | _DIGIT * char.isdigit()
            | _SPACE * (char in " \t\n\r\f\v")
            | _OPERAND_END * (char.isalnum() or char in ")]}|'")
            | _OPERAND_START * (char.isalnum() or char in "([{|+-.\\$")
            | _OPERATOR * (char.isdigit() or char in "+-*/^")
            | _NO_EQUALS * (char in "=!<>:+-*/&|%^~")
            | _IN_DOLLARS * (char in "\\^_=+-<>{}")
        )
    table[128:] = _OPERAND_END | _OPERAND_START
    return table


_KIND = _kinds()


@njit(nogil=True, cache=True)
def math_lines(data, lines, out):
    """Fill `out` int64 (n, 2) from the Blocks `lines`: lines with LaTeX; lines with LaTeX, an equation or a sign of
    the Unicode block Mathematical Operators."""
    for d in range(lines.first.shape[0] - 1):
        latex = either = 0
        for b in range(lines.first[d], lines.first[d + 1]):
            begin, end = np.int64(lines.start[b]), np.int64(lines.stop[b])
            found, other = _line(data, begin, end)
            latex += found
            either += found or other
        out[d, 0], out[d, 1] = latex, either


@njit(nogil=True, cache=True)
def _line(data, begin, end):
    """Return (whether the line holds LaTeX, whether it holds another sign of mathematics)."""
    kinds = _KIND
    equals = operators = query = False
    rounds = squares = np.int64(-1)  # where the last \\) and \\] stand, once they are asked for
    for i in range(begin, end):
        c = data[i]
        query = (query or c == 63 or c == 38) and not kinds[c] & _SPACE  # the word is part of an address
        if c == _BACKSLASH:
            after = data[i + 1] if i + 1 < end else np.uint8(0)
            if after == 40:
                rounds = rounds if rounds >= 0 else _last_closing(data, i, end, 41)
            elif after == 91:
                squares = squares if squares >= 0 else _last_closing(data, i, end, 93)
            if _is_command(data, i, begin, end, rounds if after == 40 else squares):
                return True, False
        elif c == _DOLLAR:
            if (i == begin or data[i - 1] != _BACKSLASH) and _is_formula(data, i, end):
                return True, False
        elif c == _EQUALS:
            equals = equals or (not query and _is_equals(data, i, begin, end))
        elif c == 0xE2:
            if i + 2 < end and 0x88 <= data[i + 1] <= 0x8B:  # U+2200 to U+22FF
                operators = equals = True
        elif c == 0xC3:
            operators |= i + 1 < end and (data[i + 1] == 0x97 or data[i + 1] == 0xB7)  # times, divided by
        operators |= (kinds[c] & _OPERATOR) != 0
    return False, equals and operators


@njit(nogil=True, cache=True)
def _is_command(data, i, begin, end, closing):
    r"""Tell whether LaTeX begins at the backslash i: \( or \[, or a command of two letters and more.

    A command has no letter, digit, colon, quote or backslash before it (paths, escapes in strings, regular
    expressions) and no underscore, dot, digit or backslash after it (paths); before \( and \[ stands no backslash.
    """
    kinds = _KIND
    before = data[i - 1] if i > begin else np.uint8(32)
    after = data[i + 1] if i + 1 < end else np.uint8(32)
    if before == _BACKSLASH:
        return False
    if after == 40 or after == 91:  # needs its end on the line
        return closing >= i + 2
    if kinds[before] & (_LETTER | _DIGIT) or before == 58 or before == 34 or before == 39:
        return False
    k = i + 1
    while k < end and kinds[data[k]] & _LETTER:
        k += 1
    if k < i + 3:
        return False
    return k == end or not (data[k] == 46 and k + 1 < end and kinds[data[k + 1]] & _LETTER)


@njit(nogil=True, cache=True)
def _last_closing(data, i, end, mark):
    """Return where the last backslash before `mark` stands from i on; i when there is none."""
    k = end - 2
    while k > i and not (data[k] == _BACKSLASH and data[k + 1] == mark):
        k -= 1
    return k if k > i else i


@njit(nogil=True, cache=True)
def _is_formula(data, i, end):
    """Tell whether a formula between dollars begins at i: no white space inside the marks, no digit after them
    (pandoc's rule, which spares prices), and one of \\ ^ _ = + - < > { } between; or $$ and $$ on the line."""
    kinds = _KIND
    double = i + 1 < end and data[i + 1] == _DOLLAR
    k = i + 1 + double
    if k >= end or (not double and kinds[data[k]] & _SPACE):
        return False
    mathematical = False
    first = k
    while k < end and data[k] != _DOLLAR:
        mathematical |= (kinds[data[k]] & _IN_DOLLARS) != 0
        k += 2 if data[k] == _BACKSLASH else 1
    if k >= end or k == first or not mathematical:
        return False
    if double:
        return k + 1 < end and data[k + 1] == _DOLLAR
    return not kinds[data[k - 1]] & _SPACE and not (k + 1 < end and kinds[data[k + 1]] & _DIGIT)


@njit(nogil=True, cache=True)
def _is_equals(data, i, begin, end):
    """Tell whether the = at i stands between two operands: no part of another operator."""
    kinds = _KIND
    if i == begin or i + 1 == end:
        return False
    if kinds[data[i - 1]] & _NO_EQUALS or data[i + 1] == _EQUALS or data[i + 1] == 62 or data[i + 1] == 126:
        return False
    left, right = i - 1, i + 1
    while left > begin and kinds[data[left]] & _SPACE:
        left -= 1
    while right < end - 1 and kinds[data[right]] & _SPACE:
        right += 1
    return (kinds[data[left]] & _OPERAND_END) != 0 and (kinds[data[right]] & _OPERAND_START) != 0
