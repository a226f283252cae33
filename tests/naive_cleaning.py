"""Cleaners in plain Python: the slow, obvious twins of the kernels, and what they take away."""

from __future__ import annotations

import re
from collections.abc import Callable

import ftfy

from tests import naive, naive_web

# White space inside a line: what `str.isspace` holds for, except characters that end a line or divide records.
_INSIDE = "".join(
    char
    for char in map(chr, range(0x10000))
    if char.isspace() and char not in "\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
)


def whitespace(text: str) -> str:
    """Two or more spaces inside a line as one, none at its end, at most one blank line; indentation stays."""
    lines = []
    for line in text.split("\n"):
        line = line.rstrip(_INSIDE)
        body = line.lstrip(_INSIDE)
        lines.append(line[: len(line) - len(body)] + re.sub(f"[{_INSIDE}]{{2,}}", " ", body))
    return newlines("\n".join(lines))


def newlines(text: str) -> str:
    """More than two newlines as two."""
    return re.sub("\n{3,}", "\n\n", text)


def citations(text: str) -> str:
    """Without citation marks, and without those that removing one makes."""
    return naive.without_citations(text)


def repair(text: str) -> str:
    """What ftfy does to encodings, on the whole text, whatever a pre-check says."""
    nothing_else = dict.fromkeys(
        ("unescape_html", "remove_terminal_escapes", "fix_latin_ligatures", "fix_character_width", "uncurl_quotes",
         "fix_line_breaks", "fix_surrogates", "remove_control_chars"), False,
    )  # fmt: skip
    return ftfy.fix_text(text, normalization=None, **nothing_else)


def refinedweb_lines(text: str) -> str:
    """RefinedWeb's line rules, then its phrases, each line looked at once."""
    kept = []
    for raw in text.split("\n"):
        line = raw.strip()
        if not raw:
            kept.append(raw)
        rules = (naive_web.is_one_word, naive_web.is_numeric, naive_web.is_upper, naive_web.is_counter)
        if line and not any(rule(line) for rule in rules):
            shorter = naive_web.without_phrases(line)
            if shorter:
                kept.append(raw if shorter == line else shorter)
    return "\n".join(kept).strip()


def amounts(text: str) -> tuple[int, int, int]:
    """Characters, lines that are not blank, words."""
    return len(text), len(naive.lines(text)), len(text.split())


CLEANERS = {
    "unicode": naive.clean_unicode,
    "ftfy": repair,
    "whitespace": whitespace,
    "newlines": newlines,
    "citations": citations,
    "c4_lines": naive.clean_c4_lines,
    "refinedweb_lines": refinedweb_lines,
}


def taken(text: str, cleaner: str, kind: str) -> int:
    """What a cleaner takes away from a text: "chars", "lines" or "words"."""
    column = ("chars", "lines", "words").index(kind)
    return max(0, amounts(text)[column] - amounts(CLEANERS[cleaner](text))[column])


# All that a cleaner takes away on purpose.
_TAKES = {
    "unicode": ("chars", "lines", "words"),
    "ftfy": ("chars",),
    "whitespace": ("chars",),
    "newlines": ("chars",),
    "citations": ("chars", "lines", "words"),
    "c4_lines": ("chars", "lines", "words"),
    "refinedweb_lines": ("chars", "lines", "words"),
}
SIGNALS: dict[str, Callable[[str], naive.Value]] = {
    f"cleaned_{cleaner}_{kind}": lambda text, cleaner=cleaner, kind=kind: taken(text, cleaner, kind)
    for cleaner, kinds in _TAKES.items()
    for kind in kinds
}
