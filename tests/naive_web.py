"""The slow and obvious twins of the RefinedWeb, MADLAD-400 and RedPajama-V2 signals.

Follows the definitions in the registry and in the papers, not the kernels' code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from tests.naive import CLOSERS, Value, ascii_lower, is_terminal, lines, ratio, share_of_lines
from tests.naive_words import unicode_words

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


def madlad_sentences(text: str) -> list[str]:
    """Stretches that end with a line, at a space after a mark, or after a full-width mark, and have a word."""
    found, sentence, marked = [], "", False
    for char in text:
        if char == "\n" or (marked and char.isspace()):
            found.append(sentence)
            sentence, marked = "", False
            continue
        sentence += char
        marked = is_terminal(char) or (marked and char in CLOSERS)
        if is_terminal(char) and "\u3000" <= char <= "\uffff":
            found.append(sentence)
            sentence, marked = "", False
    found.append(sentence)
    return [sentence.strip() for sentence in found if unicode_words(sentence)]


def is_list_case(sentence: str) -> bool:
    """Twelve words or more, most of them in title case."""
    words = unicode_words(sentence)
    return len(words) >= 12 and sum(word[0].isupper() for word in words) > len(words) / 2


def is_abnormal(sentence: str) -> bool:
    """Shorter than 20 or longer than 500 characters."""
    return not 20 <= len(sentence) <= 500


def is_technical(sentence: str) -> bool:
    """More than a fifth of the characters are digits or technical."""
    return 5 * sum(char in "0123456789{}+/()>" for char in sentence) > len(sentence)


def share_of_sentences(text: str, *rules: Callable[[str], bool]) -> float:
    """Share of sentences for which one of the rules holds."""
    found = madlad_sentences(text)
    return ratio(sum(any(rule(sentence) for rule in rules) for sentence in found), len(found))


SIGNALS: dict[str, Callable[[str], Value]] = {
    "refinedweb_upper_lines": lambda text: share_of_lines(text, is_upper),
    "refinedweb_numeric_lines": lambda text: share_of_lines(text, is_numeric),
    "refinedweb_counter_lines": lambda text: share_of_lines(text, is_counter),
    "refinedweb_one_word_lines": lambda text: share_of_lines(text, is_one_word),
    "refinedweb_removed_words": removed_words,
    "madlad_sentences": lambda text: len(madlad_sentences(text)),
    "madlad_list_case": lambda text: share_of_sentences(text, is_list_case),
    "madlad_abnormal_length": lambda text: share_of_sentences(text, is_abnormal),
    "madlad_technical": lambda text: share_of_sentences(text, is_technical),
    "madlad_questionable": lambda text: share_of_sentences(text, is_list_case, is_abnormal, is_technical),
}
