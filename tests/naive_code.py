"""Signals of code, mathematics, compression and repetition within lines, the slow and obvious way.

Follows the definitions in the registry; regular expressions where the kernels look at bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

from tests.naive import characters, duplicate_ngrams, lines, ratio, share_of_lines

BASE64 = re.compile(r"[a-zA-Z0-9+/\n=]{64,}")
# As the paper writes it, but \b as between ASCII words where every character beyond ASCII belongs to one.
_BOUNDARY = r"(?:(?<=[\w\x80-\U0010ffff])(?![\w\x80-\U0010ffff])|(?<![\w\x80-\U0010ffff])(?=[\w\x80-\U0010ffff]))"
HEX = re.compile(rf"(?:{_BOUNDARY}(?:0x|\\x)?[0-9a-fA-F]{{2}}(?:,|{_BOUNDARY}[ \t\n\r\f\v]*)){{8,}}", re.ASCII)
ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}")
BLOCKS = {"/*": "*/", "<!--": "-->", '"""': '"""', "'''": "'''"}


def matched(pattern: re.Pattern[str], text: str) -> list[int]:
    """Lengths of all matches."""
    return [len(match.group()) for match in pattern.finditer(text)]


def all_lines(text: str) -> list[str]:
    """Every line, blank ones too; a newline at the end begins none."""
    return text.removesuffix("\n").split("\n") if text else []


def long_strings(text: str) -> int:
    """Characters in long quoted strings; a mark that is not closed on its line begins no other string there."""
    total = 0
    for line in text.split("\n"):
        closed = {'"', "'", "`"}
        at = 0
        while at < len(line):
            mark = line[at]
            if mark in closed and not (mark == "'" and re.match(r"[\w\x80-\U0010ffff]", line[at - 1 : at], re.ASCII)):
                found = re.compile(rf"((?:\\.|\\$|[^{mark}\\])*){mark}", re.DOTALL).match(line, at + 1)
                if found:
                    total += len(found.group(1)) * (len(found.group(1)) > 100)
                    at = found.end()
                    continue
                closed.discard(mark)
            at += 1
    return total


def comment_lines(text: str) -> list[str]:
    """Lines that are comments."""
    found, closer = [], ""
    for line in lines(text):
        rest = line
        if not closer:
            opener = next((mark for mark in BLOCKS if line.startswith(mark)), "")
            closer, rest = BLOCKS.get(opener, ""), line[len(opener) :]
        if closer:
            found.append(line)
            if closer in rest:
                closer = ""
        elif re.match(r"//|#(?![A-Za-z])|--(?=[ \t\n\r\f\v]|$)|%|;", line):
            found.append(line)
    return found


COMMAND = re.compile(r"""(?<![A-Za-z0-9:"'\\])\\[A-Za-z]{2,}(?![A-Za-z])(?!\.[A-Za-z])""")
ROUND = re.compile(r"(?<!\\)\\\(.*?\\\)|(?<!\\)\\\[.*?\\\]", re.DOTALL)


def formula_at(line: str, at: int) -> bool:
    """Whether a formula between dollars begins at the dollar `at`."""
    marks = 2 if line.startswith("$$", at) else 1
    first = k = at + marks
    if k >= len(line) or (marks == 1 and line[k] in " \t\n\r\f\v"):
        return False
    while k < len(line) and line[k] != "$":
        k += 2 if line[k] == "\\" else 1
    if k >= len(line) or k == first or not set(line[first:k]) & set("\\^_=+-<>{}"):
        return False
    if marks == 2:
        return line.startswith("$$", k)
    return line[k - 1] not in " \t\n\r\f\v" and not re.match(r"[0-9]", line[k + 1 : k + 2])


def has_latex(line: str) -> bool:
    """Whether a line holds LaTeX."""
    dollars = (k for k, char in enumerate(line) if char == "$" and line[k - 1 : k] != "\\")
    return bool(COMMAND.search(line) or ROUND.search(line)) or any(formula_at(line, k) for k in dollars)


def has_equation(line: str) -> bool:
    """Whether a line holds an equation."""
    if not re.search(r"[0-9+\-*/^×÷\u2200-\u22ff]", line):
        return False
    for match in re.finditer("=", line):
        left, right = line[: match.start()], line[match.end() :]
        if not left or not right or left[-1] in "=!<>:+-*/&|%^~" or right[0] in "=>~":
            continue
        word = re.search(r"[^ \t\n\r\f\v]*\Z", left)
        assert word
        left, right = left.rstrip(" \t\n\r\f\v"), right.lstrip(" \t\n\r\f\v")
        operands = re.search(r"[A-Za-z0-9)\]}|'\x80-\U0010ffff]\Z", left) and re.match(
            r"[A-Za-z0-9(\[{|+\-.\\$\x80-\U0010ffff]", right
        )
        if operands and not set(word.group()) & {"?", "&"}:
            return True
    return False


def has_math(line: str) -> bool:
    """Whether a line holds LaTeX, an equation or a mathematical sign."""
    return has_latex(line) or has_equation(line) or re.search("[\u2200-\u22ff]", line) is not None


def compression(text: str) -> float:
    """Size after zstd by size before."""
    raw = text.encode()
    codec = pa.Codec("zstd", compression_level=1)
    return len(codec.compress(raw, asbytes=True)) / len(raw) if raw else 0.0


def covered_in_lines(text: str, n: int) -> float:
    """Characters of words in n-grams repeated within their line, by those of all words."""
    covered = sum(duplicate_ngrams(line, n) * characters(line.split()) for line in lines(text))
    return ratio(covered, characters(text.split()))


SIGNALS: dict[str, Callable[[str], float | int | bool]] = {
    "code_max_line_length": lambda text: max(map(len, all_lines(text)), default=0),
    "code_mean_line_length": lambda text: ratio(characters(all_lines(text)), len(all_lines(text))),
    "code_alnum_ratio": lambda text: ratio(sum(c.isalpha() or c.isdecimal() for c in text), len(text)),
    "code_alpha_ratio": lambda text: ratio(sum(map(str.isalpha, text)), len(text)),
    "code_comment_ratio": lambda text: ratio(characters(comment_lines(text)), characters(lines(text))),
    "code_long_string_ratio": lambda text: ratio(long_strings(text), len(text)),
    "code_base64_ratio": lambda text: ratio(sum(matched(BASE64, text)), len(text)),
    "code_hex_ratio": lambda text: ratio(sum(matched(HEX, text)), len(text)),
    "code_unicode_escape_ratio": lambda text: ratio(sum(matched(ESCAPES, text)), len(text)),
    "code_longest_encoded": lambda text: max(
        [*matched(BASE64, text), *matched(HEX, text), *matched(ESCAPES, text)], default=0
    ),
    "math_latex_lines": lambda text: share_of_lines(text, has_latex),
    "math_lines": lambda text: share_of_lines(text, has_math),
    "compression_ratio": compression,
}
for _n in (5, 6, 7, 8, 9, 10):
    SIGNALS[f"llama3_line_dup_{_n}gram"] = lambda text, n=_n: covered_in_lines(text, n)
