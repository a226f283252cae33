"""The slow and obvious twins of RedPajama-V2's quality signals, from its published definitions."""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable

from tests.naive import Value, ratio

RAW_WORD = re.compile(r"\w+|[^\w\s]+")
SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> list[str]:
    """Words without ASCII punctuation, lower-cased, in normal form D."""
    text = text.translate(WITHOUT_PUNCTUATION).replace("Σ", "σ").lower()  # every Σ alike: not Python's final sigma
    return unicodedata.normalize("NFD", text).split()


def raw_lines(text: str) -> list[str]:
    """Lines with their newlines, blank ones too."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def share_of_raw_words(text: str, wanted: Callable[[str], object]) -> float:
    """Share of raw words that are wanted."""
    found = RAW_WORD.findall(text)
    return ratio(sum(bool(wanted(word)) for word in found), len(found))


def line_mean(text: str, value: Callable[[str], float]) -> float:
    """Mean of a value over all lines."""
    return ratio(sum(map(value, raw_lines(text))), len(raw_lines(text)))


def entropy(words: list[str]) -> float:
    """Entropy in nats."""
    return -sum(n / len(words) * math.log(n / len(words)) for n in Counter(words).values())


def numeric_share(line: str) -> float:
    """Share of numeric characters in a normalised line."""
    text = " ".join(normalised(line))
    return ratio(sum(map(str.isnumeric, text)), len(text))


def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    """Word n-grams in order."""
    return list(zip(*(words[k:] for k in range(n)), strict=False))


def first_top_ngram(text: str, n: int) -> float:
    """Characters in all copies of the first most frequent n-gram; 0 when none occurs twice."""
    words = normalised(text)
    [(gram, count)] = Counter(grams(words, n)).most_common(1) or [((), 0)]
    return count * sum(map(len, gram)) / sum(map(len, words)) if count > 1 else 0


def dupe_ngrams(text: str, n: int) -> float:
    """Characters of words in n-grams that occur twice or more."""
    words = normalised(text)
    found = grams(words, n)
    times = Counter(found)
    covered = {k + i for k, gram in enumerate(found) if times[gram] > 1 for i in range(n)}
    return ratio(sum(len(words[k]) for k in covered), sum(map(len, words)))


SIGNALS: dict[str, Callable[[str], Value]] = {
    "rps_doc_word_count": lambda text: len(normalised(text)),
    "rps_doc_mean_word_length": lambda text: ratio(sum(map(len, normalised(text))), len(normalised(text))),
    "rps_doc_frac_unique_words": lambda text: ratio(len(set(normalised(text))), len(normalised(text))),
    "rps_doc_unigram_entropy": lambda text: entropy(normalised(text)),
    "rps_doc_frac_all_caps_words": lambda text: share_of_raw_words(text, str.isupper),
    "rps_doc_frac_no_alph_words": lambda text: share_of_raw_words(text, lambda word: not re.search("[a-zA-Z]", word)),
    "rps_doc_symbol_to_word_ratio": lambda text: ratio(
        sum(map(text.count, ("#", "...", "…"))), len(RAW_WORD.findall(text))
    ),
    "rps_doc_num_sentences": lambda text: len(SENTENCE.findall(text)),
    "rps_doc_curly_bracket": lambda text: ratio(text.count("{") + text.count("}"), len(text)),
    "rps_doc_lorem_ipsum": lambda text: ratio(
        " ".join(normalised(text)).count("lorem ipsum"), len(" ".join(normalised(text)))
    ),
    "rps_doc_frac_lines_end_with_ellipsis": lambda text: line_mean(
        text, lambda line: line.rstrip().endswith(("...", "…"))
    ),
    "rps_lines_ending_with_terminal_punctution_mark": lambda text: line_mean(
        text, lambda line: line.rstrip().endswith(tuple(".!?”"))
    ),
    "rps_lines_start_with_bulletpoint": lambda text: line_mean(
        text, lambda line: line.lstrip().startswith(tuple("•‣▶◀◦■□▪▫–"))
    ),
    "rps_lines_num_words": lambda text: line_mean(text, lambda line: len(normalised(line))),
    "rps_lines_numerical_chars_fraction": lambda text: line_mean(text, numeric_share),
    "rps_lines_uppercase_letter_fraction": lambda text: line_mean(
        text, lambda line: ratio(sum(map(str.isupper, line)), len(line))
    ),
    "rps_lines_javascript_counts": lambda text: normalised(text).count("javascript"),
}
for _n in (2, 3, 4):
    SIGNALS[f"rps_doc_frac_chars_top_{_n}gram"] = lambda text, n=_n: first_top_ngram(text, n)
for _n in (5, 6, 7, 8, 9, 10):
    SIGNALS[f"rps_doc_frac_chars_dupe_{_n}grams"] = lambda text, n=_n: dupe_ngrams(text, n)
