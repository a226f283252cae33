"""Every signal and cleaner once more, the slow and obvious way: what the kernels are compared with.

Follows the definitions in the registry and in the papers, not the kernels' code.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from curate.kernels import unicode
from curate.signals.tokens import TOKENS_PER_CHARACTER

Value = float | int | bool
Blocks = list[str]

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
BULLETS = ("•", "‣", "●", "*", "-")
CLOSERS = "\"')]’”»」』）"


def flags(char: str) -> int:
    """Flag word of a character in the shipped table."""
    index, words, _ = unicode.tables()
    return int(words[(int(index[ord(char) >> 7]) << 7) | (ord(char) & 127)])


def is_terminal(char: str) -> bool:
    """Whether the character has the Unicode property Sentence_Terminal, which Python does not know."""
    return bool(flags(char) & unicode.TERMINAL)


def lines(text: str) -> Blocks:
    """What stands between newlines, stripped; blank ones left out."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def paragraphs(text: str) -> Blocks:
    """What stands between blank lines, stripped."""
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            blocks[-1].append(line)
        else:
            blocks.append([])
    return ["\n".join(block).strip() for block in blocks if block]


def ratio(part: float, whole: float) -> float:
    """The quotient; 0 of nothing is 0."""
    return part / whole if whole else 0.0


def share_of_words(text: str, wanted: Callable[[str], bool]) -> float:
    """Share of words that are wanted."""
    words = text.split()
    return ratio(sum(map(wanted, words)), len(words))


def share_of_lines(text: str, wanted: Callable[[str], bool]) -> float:
    """Share of lines that are wanted."""
    found = lines(text)
    return ratio(sum(map(wanted, found)), len(found))


def repeated(blocks: Blocks) -> Blocks:
    """Every copy of the blocks that occur more than once."""
    times = Counter(blocks)
    return [block for block in blocks if times[block] > 1]


def characters(blocks: Blocks) -> int:
    """Characters of all blocks."""
    return sum(map(len, blocks))


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    """Word n-grams in order."""
    words = text.split()
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def top_ngram(text: str, n: int) -> float:
    """Characters of all copies of the most frequent n-gram by characters of words; 0 if none repeats."""
    times = Counter(ngrams(text, n))
    most = max(times.values(), default=0)
    if most < 2:
        return 0.0
    longest = max(characters(list(gram)) for gram, count in times.items() if count == most)
    return most * longest / characters(text.split())


def duplicate_ngrams(text: str, n: int) -> float:
    """Characters of words in n-grams that occur more than once by characters of words."""
    grams, words = ngrams(text, n), text.split()
    times = Counter(grams)
    covered = {i + k for i, gram in enumerate(grams) if times[gram] > 1 for k in range(n)}
    return ratio(sum(len(words[i]) for i in covered), characters(words))


def later_copies(blocks: Blocks) -> Blocks:
    """Blocks that have occurred before."""
    return [block for i, block in enumerate(blocks) if block in blocks[:i]]


def sentences(text: str) -> int:
    """Stretches that end with a terminal mark (closing quotes and brackets may follow) or with their line.

    A mark ends a sentence at the end of a word; a full-width one anywhere. Marks and closers alone are none.
    """
    count = 0
    for line in lines(text):
        content = False
        for word in line.split():
            last = ""  # last character that is no closer
            for char in word:
                if is_terminal(char) and 0x3000 <= ord(char) < 0x10000:
                    count += content
                    content, last = False, ""
                elif char not in CLOSERS:
                    content |= not is_terminal(char)
                    last = char
            if last and is_terminal(last) and content:
                count += 1
                content = False
        count += content
    return count


def tokens(text: str) -> int:
    """Characters by class, each class with its weight, rounded; at least 1 if there is text."""

    def kind(char: str) -> str:
        size = len(char.encode())
        if size > 1:
            return ("two_byte", "three_byte", "four_byte")[size - 2]
        if char.isspace():
            return "space"
        return "letter" if char.isalpha() else "digit" if char.isdigit() else "punctuation"

    hundredths = sum(round(100 * TOKENS_PER_CHARACTER[kind(char)]) for char in text)
    return max((hundredths + 50) // 100, int(text != ""))


SIGNALS: dict[str, Callable[[str], Value]] = {
    "byte_count": lambda text: len(text.encode()),
    "char_count": len,
    "word_count": lambda text: len(text.split()),
    "mean_word_length": lambda text: ratio(characters(text.split()), len(text.split())),
    "line_count": lambda text: len(lines(text)),
    "token_count": tokens,
    "gopher_hash_ratio": lambda text: ratio(text.count("#"), len(text.split())),
    "gopher_ellipsis_ratio": lambda text: ratio(text.count("...") + text.count("…"), len(text.split())),
    "gopher_bullet_lines": lambda text: share_of_lines(text, lambda line: line.startswith(BULLETS)),
    "gopher_ellipsis_lines": lambda text: share_of_lines(text, lambda line: line.endswith(("...", "…"))),
    "gopher_alpha_words": lambda text: share_of_words(text, lambda word: any(map(str.isalpha, word))),
    "gopher_stop_words": lambda text: len(STOP_WORDS & {ascii_lower(word) for word in text.split()}),
    "fineweb_line_punct_ratio": lambda text: share_of_lines(text, lambda line: is_terminal(line[-1])),
    "fineweb_short_line_ratio": lambda text: share_of_lines(text, lambda line: len(line) <= 30),
    "fineweb_char_dup_ratio": lambda text: ratio(characters(later_copies(lines(text))), characters(lines(text))),
    "fineweb_newline_ratio": lambda text: ratio(text.count("\n"), len(text.split())),
    "c4_sentences": sentences,
    "c4_curly_bracket": lambda text: "{" in text,
    "c4_lorem_ipsum": lambda text: "lorem ipsum" in ascii_lower(text),
    "c4_javascript": lambda text: "javascript" in ascii_lower(text),
}
for _name, _split in (("line", lines), ("paragraph", paragraphs)):
    SIGNALS[f"gopher_dup_{_name}s"] = lambda text, split=_split: ratio(len(repeated(split(text))), len(split(text)))
    SIGNALS[f"gopher_dup_{_name}_chars"] = lambda text, split=_split: ratio(
        characters(repeated(split(text))), characters(split(text))
    )
for _n in (2, 3, 4):
    SIGNALS[f"gopher_top_{_n}gram"] = lambda text, n=_n: top_ngram(text, n)
for _n in (5, 6, 7, 8, 9, 10):
    SIGNALS[f"gopher_dup_{_n}gram"] = lambda text, n=_n: duplicate_ngrams(text, n)


def ascii_lower(text: str) -> str:
    """Lower-case A to Z only: "K" (the Kelvin sign) is no "k" to the rules."""
    return text.translate({upper: upper + 32 for upper in range(65, 91)})


def clean_unicode(text: str) -> str:
    """White-space controls as \\n, other control and invisible characters removed, normal form C."""
    text = re.sub("\r\n|[\r\v\f\x1c-\x1f\x85]", "\n", text)
    return unicodedata.normalize("NFC", "".join(char for char in text if not is_removed(char)))


def is_removed(char: str) -> bool:
    """Control characters except tab and newline, and formatting characters except joiners, visible signs, tags."""
    kept = {0x09, 0x0A, 0x200C, 0x200D, 0x6DD, 0x70F, 0x8E2, 0x110BD, 0x110CD, 0x890, 0x891}
    kept |= {*range(0x600, 0x606), *range(0xE0020, 0xE0080)}
    return unicodedata.category(char) in ("Cc", "Cf") and ord(char) not in kept


CITATION = re.compile(r"\[[0-9]*\]|\[edit\]|\[citation needed\]")
PHRASES = ["javascript", "terms of use", "privacy policy", "cookie policy"]
PHRASES += ["uses cookies", "use of cookies", "use cookies"]


def without_citations(line: str) -> str:
    """The line without citation marks, and without those that removing one makes."""
    while (shorter := CITATION.sub("", line)) != line:
        line = shorter
    return line


def clean_c4_lines(text: str) -> str:
    """The lines that C4 keeps, stripped and without citation marks."""
    kept = []
    for line in text.split("\n"):
        line = without_citations(line).strip()
        words = line.split()
        good = line.endswith((".", "?", "!", '"')) and not line.endswith("...")
        good = good and len(words) >= 5 and max(map(len, words)) <= 1000
        if good and not any(phrase in ascii_lower(line) for phrase in PHRASES):
            kept.append(line)
    return "\n".join(kept)


def _profiles() -> None:
    """Add the twins of what other toolkits count."""
    from tests.signals import profile_twins

    SIGNALS.update(profile_twins.SIGNALS)


_profiles()
