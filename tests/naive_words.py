"""The slow and obvious twins of the signals about Unicode words, stop words, kinds of characters and scripts.

Follows the definitions in the registry, not the kernels' code.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache, lru_cache

from curate.kernels import unicode
from curate.signals.stop_words import stop_words
from tests.naive import Value, flags, ratio

SCRIPTS = ["latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "bengali", "tamil", "telugu", "thai"]
SCRIPTS += ["georgian", "armenian", "hangul", "kana", "han", "other"]
SCRIPT_OF_NAME = {"hiragana": "kana", "katakana": "kana", "hentaigana": "kana", "cjk": "han", "ideographic": "han"}
SCRIPT_OF_NAME |= {"feminine": "latin", "masculine": "latin", "roman": "latin"}
URL = re.compile(r"(?:(?:https?|ftp)://|(?<![0-9a-z])www\.)[!#-;=?-~]+", re.ASCII | re.IGNORECASE)


def is_mark(char: str) -> bool:
    """Unicode category M."""
    return unicodedata.category(char)[0] == "M"


@cache
def kind(char: str) -> str:
    """What a character is to a word."""
    found = flags(char)
    return "unit" if found & unicode.UNIT else "run" if found & unicode.WORD else ""


@lru_cache(maxsize=10_000)
def unicode_words(text: str) -> list[str]:
    """Runs of letters, marks, digits and underscores; characters of scripts without spaces, with their marks."""
    pieces = []  # words and what stands between them
    for char in text:
        if kind(char) == "run" and pieces and pieces[-1][1] == "run":
            pieces[-1][0] += char
        else:
            pieces.append([char, kind(char)])
    words: list[str] = []
    after_word = False
    for piece, of_kind in pieces:
        if of_kind and after_word and all(map(is_mark, piece)):
            words[-1] += piece
        elif of_kind:
            words.append(piece)
        after_word = bool(of_kind)
    return words


def lower(word: str) -> str:
    """Lower-cased character by character; a character that would become two stays as it is."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in word)


def best_fit(text: str) -> tuple[int, int]:
    """Stop words, and different ones, of the language that has the most of them."""
    found = Counter(lower(word) for word in unicode_words(text))
    fits = [[found[word] for word in words if word in found] for words in stop_words().values()]
    return max((sum(fit), len(fit)) for fit in fits)


def share(text: str, wanted: Callable[[str], bool]) -> float:
    """Share of characters that are wanted."""
    return ratio(sum(map(wanted, text)), len(text))


def in_category(*categories: str) -> Callable[[str], bool]:
    """Whether a character's general category begins with one of some."""
    return lambda char: unicodedata.category(char).startswith(categories)


@cache
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
    "unicode_word_count": lambda text: len(unicode_words(text)),
    "stop_word_ratio": lambda text: ratio(best_fit(text)[0], len(unicode_words(text))),
    "stop_words_distinct": lambda text: best_fit(text)[1],
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
