"""Names and texts as they stand on the page: shortened, control characters made visible, tones of steps.

Escaping is the template's.
"""

from __future__ import annotations

from curate.report.numbers import count, short, size

UNITS = {"documents": count, "tokens": short, "bytes": size}
KINDS = {"filter": "Filters", "dedup": "Duplicates", "trim": "Trimmed text", "top": "Top share", "mix": "Mix sampling"}
MOST_ROWS = 100  # sources and domains on the page; report.json has all of them


def tone(kind: str) -> str:
    """Return the colour of a kind of step, as a class of the style sheet."""
    return kind if kind in KINDS else "other"


def shorten(text: str, longest: int) -> str:
    """Cut a name that nobody would read to its end.

    >>> shorten("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def visible(text: str) -> str:
    """Show control characters as the pictures that Unicode has for them; HTML allows none but line ends and tabs.

    >>> visible("a\\x00b\\n")
    'a␀b\\n'
    """
    return text.translate(_PICTURES)


_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
