"""Signals of source code: those of StarCoder's and StarCoder2's filters, comment lines and long strings.

Found by bytes alone, whatever the programming language; thresholds are in the groups of filters `starcoder`,
`santacoder` and `starcoder2`.
"""

from __future__ import annotations

import numpy as np

from curate.kernels import code
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Shares, ratio

_BASIC = "Li et al. 2023 (StarCoder), section 3; bigcode-dataset, preprocessing, basic filter"
_ENCODED = "Lozhkov et al. 2024 (StarCoder2), section 4.1, encoded data filter"


def _share(column: int) -> Compute:
    return lambda d: ratio(d.code_shape[:, column], d.code_shape[:, code.CHARACTERS])


def _encoded_share(column: int) -> Compute:
    return lambda d: ratio(d.encoded_data[:, column], d.code_shape[:, code.CHARACTERS])


def _mean_line_length(documents: Documents) -> Shares:
    shape = documents.code_shape
    return ratio(shape[:, code.CHARACTERS] - shape[:, code.NEWLINES], shape[:, code.LINES])


def _comment_ratio(documents: Documents) -> Shares:
    out = np.zeros((len(documents), 2), np.int64)
    code.comments(documents.strings.data, documents.lines, out)
    return ratio(out[:, 0], out[:, 1])


def _long_string_ratio(documents: Documents) -> Shares:
    out = np.zeros(len(documents), np.int64)
    code.long_strings(documents.strings.data, documents.strings.offsets, out)
    return ratio(out, documents.code_shape[:, code.CHARACTERS])


SIGNALS = (
    Signal("code_max_line_length", "int64", "characters", "Characters of the longest line, white space included.",
           _BASIC, lambda d: d.code_shape[:, code.LONGEST], ("if x:\n    return y\n", 12)),
    Signal("code_mean_line_length", "float32", "characters",
           "Characters of all lines, white space included, by number of lines, blank ones included.", _BASIC,
           _mean_line_length, ("if x:\n\n    return y\n", 5.667)),
    Signal("code_alnum_ratio", "float32", "share of characters", "Letters and decimal digits.", _BASIC,
           _share(code.ALPHANUMERIC), ("x1 = [2]", 0.375), high=1),
    Signal("code_alpha_ratio", "float32", "share of characters", "Letters.",
           "Guo et al. 2024 (DeepSeek-Coder), section 2.1; StarCoder2, alpha filter", _share(code.LETTERS),
           ("x1 = [2]", 0.125), high=1),
    Signal("code_comment_ratio", "float32", "share of characters",
           "Characters of comment lines by those of all lines, both stripped: lines that begin with //, # (but not "
           '"#" and an ASCII letter), "-- ", % or ;, and lines from one that begins with /*, <!--, """ or '
           "''' to the one that holds its end.",
           "after Ben Allal et al. 2023 (SantaCoder), section 4.2, which parses Python, Java and JavaScript",
           _comment_ratio, ("# add\na = b + c", 0.357), high=1),
    Signal("code_long_string_ratio", "float32", "share of characters",
           f"Characters in quoted strings of one line with more than {code.LONG_STRING} characters (quotes \", ' "
           "and `; a backslash takes the next character with it).",
           "curate", _long_string_ratio, (f'key = "{"spam" * 30}"', 0.938), high=1),
    Signal("code_base64_ratio", "float32", "share of characters",
           "Characters in runs of at least 64 of A-Z, a-z, 0-9, +, /, = and newline.", _ENCODED,
           _encoded_share(code.BASE64), (f"data: {'QUJD' * 16}", 0.914), high=1),
    Signal("code_hex_ratio", "float32", "share of characters",
           r"Characters in sequences of at least 8 pairs of hexadecimal digits, each with 0x or \x before it or not, "
           "divided by a comma, white space, or by what else divides words (characters beyond ASCII do not).",
           _ENCODED, _encoded_share(code.HEX), ("bytes: de ad be ef 00 11 22 33", 0.767), high=1),
    Signal("code_unicode_escape_ratio", "float32", "share of characters",
           r"Characters in runs of at least 8 escapes of the form \uXXXX.", _ENCODED, _encoded_share(code.ESCAPES),
           ("s = " + "\\u0041" * 8, 0.923), high=1),
    Signal("code_longest_encoded", "int64", "characters",
           r"Characters of the longest base64 run, hexadecimal sequence or run of \uXXXX escapes.", _ENCODED,
           lambda d: d.encoded_data[:, code.LONGEST_ENCODED], ("bytes: de ad be ef 00 11 22 33", 23)),
)  # fmt: skip
