"""The slow and obvious twins of the signals about Unicode words, stop words, kinds of characters and scripts.

Follows the definitions in the registry, not the kernels' code.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from tests.naive import Value, ratio

SCRIPTS = (
    "latin cyrillic greek arabic hebrew devanagari bengali tamil telugu thai georgian armenian hangul kana han other"
).split()
SCRIPT_OF_NAME = {"hiragana": "kana", "katakana": "kana", "hentaigana": "kana", "cjk": "han", "ideographic": "han"}
SCRIPT_OF_NAME |= {"feminine": "latin", "masculine": "latin", "roman": "latin"}
URL = re.compile(r"(?:(?:https?|ftp)://|(?<![0-9a-z])www\.)[!#-;=?-~]+", re.ASCII | re.IGNORECASE)


def share(text: str, wanted: Callable[[str], bool]) -> float:
    """Share of characters that are wanted."""
    return ratio(sum(map(wanted, text)), len(text))


def in_category(*categories: str) -> Callable[[str], bool]:
    """Whether a character's general category begins with one of some."""
    return lambda char: unicodedata.category(char).startswith(categories)


def script(char: str) -> str:
    """Script of a letter, by its name."""
    canonical = unicodedata.normalize("NFD", char)
    if len(canonical) == 1:
        char = canonical
    name = unicodedata.name(char, "").lower()
    first = re.split("[ -]", re.sub("^(half|full)width ", "", name))[0]
    found = SCRIPT_OF_NAME.get(first, first)
    return found if found in SCRIPTS else "other"


def scripts(text: str) -> Counter[str]:
    """Letters of each script."""
    return Counter(script(char) for char in text if char.isalpha())


def script_count(text: str) -> int:
    """Scripts of at least one letter in a hundred."""
    found = scripts(text)
    return sum(100 * count >= found.total() for count in found.values())


SIGNALS: dict[str, Callable[[str], Value]] = {
    "digit_ratio": lambda text: share(text, in_category("Nd")),
    "upper_case_ratio": lambda text: share(text, str.isupper),
    "punctuation_ratio": lambda text: share(text, in_category("P")),
    "bracket_ratio": lambda text: share(text, in_category("Ps", "Pe")),
    "whitespace_ratio": lambda text: share(text, str.isspace),
    "url_ratio": lambda text: ratio(sum(len(url) for url in URL.findall(text)), len(text)),
    "script_count": script_count,
}
for _script in SCRIPTS:
    SIGNALS[f"script_{_script}"] = lambda text, name=_script: ratio(scripts(text)[name], scripts(text).total())
