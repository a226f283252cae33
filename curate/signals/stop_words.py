"""The stop words of each language, derived from reference text by `benchmarks/derive_stop_words.py`.

Ready for `curate.kernels.stop_words`; nothing here decides which language a document is in.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from classifiers.arrow import as_strings
from curate.kernels.stop_words import StopWords, find_slot
from curate.kernels.unicode_words import unicode_words

MOST_WORDS = 60  # of a language: at most 64, one bit each

_FILE = Path(__file__).with_name("stop_words.txt")


@functools.cache
def stop_words() -> dict[str, tuple[str, ...]]:
    """Return the stop words by language (ISO 639-1, with a script where there are two), most frequent first."""
    lines = [line.split() for line in _FILE.read_text(encoding="utf-8").splitlines()]
    return {language: tuple(words) for language, *words in lines}


@functools.cache
def table() -> StopWords:
    """Return the hash table that `stop_word_counts` looks words up in."""
    lists = stop_words()
    different = list(dict.fromkeys(word for words in lists.values() for word in words))
    strings = as_strings(different)
    found = unicode_words(strings.data, strings.offsets)
    if len(found.hash) != len(different):
        raise ValueError(f"{_FILE}: every stop word has to be one Unicode word")
    hashes = dict(zip(different, found.hash, strict=True))
    size = 1 << (4 * len(different)).bit_length()
    key, first, count = np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(size, np.int64)
    users: dict[str, list[tuple[int, int]]] = {}
    for number, words in enumerate(lists.values()):
        for place, word in enumerate(words):
            users.setdefault(word, []).append((number, place))
    language: list[int] = []
    bit: list[int] = []
    for word, uses in users.items():
        slot = find_slot(key, hashes[word])
        key[slot], first[slot], count[slot] = hashes[word], len(language), len(uses)
        language += [number for number, _ in uses]
        bit += [1 << place for _, place in uses]
    return StopWords(key, first, count, np.array(language, np.int64), np.array(bit, np.uint64))
