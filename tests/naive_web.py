"""The slow and obvious twins of the RefinedWeb, MADLAD-400 and RedPajama-V2 signals.

Follows the definitions in the registry and in the papers, not the kernels' code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from tests.naive import Value, ascii_lower, lines, ratio, share_of_lines

COUNTED = (
    "answer|bookmark|comment|download|downvote|favorite|favourite|follower|like|member|photo|point|post|quote|reaction|"
    "reader|repost|retweet|review|share|subscriber|upvote|view|visitor|vote"
)
COUNTER = re.compile(rf"\d[\d,.]*[kmb]?\s+((?:{COUNTED})s?|reply|replies)", re.ASCII)


def is_word(char: str) -> bool:
    """Letters, marks, digits and the underscore."""
    return char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"


def is_upper(line: str) -> bool:
    """More than half of the characters are upper case."""
    return sum(map(str.isupper, line)) > len(line) / 2


def is_numeric(line: str) -> bool:
    """Digits only."""
    return all(map(str.isdecimal, line))


def is_one_word(line: str) -> bool:
    """A single word."""
    return len(line.split()) == 1


def is_counter(line: str) -> bool:
    """A number and what it counts; marks around them do not matter."""
    wanted = [i for i, char in enumerate(line) if is_word(char)]
    if not wanted or len(line.split()) < 2:
        return False
    core = "".join("0" if char.isdecimal() else char for char in line[wanted[0] : wanted[-1] + 1])
    core = "".join(" " if char.isspace() else char for char in core)
    return COUNTER.fullmatch(ascii_lower(core)) is not None


def without_phrases(line: str) -> str:
    """A short line without what RefinedWeb removes from it."""
    if len(line.split()) > 10:
        return line
    kept = ""
    while (at := ascii_lower(line).find("items in cart")) >= 0:
        kept += line[: at - 1 if at and line[at - 1].isspace() else at]
        line = line[at + len("items in cart") :]
    line = kept + line
    if ascii_lower(line).endswith("read more..."):
        line = line[: -len("read more...")]
        line = line[:-1] if line[-1:].isspace() else line
    if ascii_lower(line).startswith("sign-in"):
        line = line[len("sign-in") :]
        line = line[1:] if line[:1].isspace() else line
    return line if line.strip() else ""


def removed_words(text: str) -> float:
    """Share of words that RefinedWeb's line rules remove."""
    gone = 0
    for line in lines(text):
        count = len(line.split())
        if is_upper(line) or is_numeric(line) or is_counter(line) or is_one_word(line):
            gone += count
        else:
            gone += count - len(without_phrases(line).split())
    return ratio(gone, len(text.split()))


SIGNALS: dict[str, Callable[[str], Value]] = {
    "refinedweb_upper_lines": lambda text: share_of_lines(text, is_upper),
    "refinedweb_numeric_lines": lambda text: share_of_lines(text, is_numeric),
    "refinedweb_counter_lines": lambda text: share_of_lines(text, is_counter),
    "refinedweb_one_word_lines": lambda text: share_of_lines(text, is_one_word),
    "refinedweb_removed_words": removed_words,
}
