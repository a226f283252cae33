"""What the deduplication kernels compute, written the slow and obvious way."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from curate.kernels.unicode import UNIT, WORD, tables

_MASK = (1 << 64) - 1


def _flags(char: str) -> int:
    index, flags, _ = tables()
    return int(flags[(int(index[ord(char) >> 7]) << 7) | (ord(char) & 127)])


def lower_cased(text: str) -> str:
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def normalised(text: str, normalise: str = "lower", fold_numbers: bool = False) -> str:
    """The text as it is shingled: numbers as 0, then lower case, or FineWeb's folding."""
    if fold_numbers:
        text = re.sub(r"\d+(?:[.,]\d+)*", "0", text)
    if normalise == "fineweb":
        return re.sub(" +", " ", "".join(map(_folded, text))).strip(" ")
    return lower_cased(text) if normalise == "lower" else text


def _folded(char: str) -> str:
    if not _flags(char) & WORD or char == "_":
        return " "
    base = "".join(part for part in unicodedata.normalize("NFD", char) if unicodedata.category(part) != "Mn")
    return lower_cased(base if len(base) < 2 else char)


def words(text: str) -> list[str]:
    """Maximal runs of word characters; some characters are words by themselves."""
    found: list[str] = []
    inside = False
    for char in text:
        flags = _flags(char)
        if not flags & WORD:
            inside = False
        elif flags & UNIT or not inside:
            found.append(char)
            inside = not flags & UNIT
        else:
            found[-1] += char
    return found


def word_hash(word: str, fold_case: bool = True) -> int:
    packed = bytes(byte | 0x20 if byte < 0x80 and fold_case else byte for byte in word.encode())
    h = 0x9E3779B97F4A7C15
    for i in range(0, len(packed), 8):
        h = ((h ^ int.from_bytes(packed[i : i + 8], "little")) * 0x9FB21C651E98DF25) & _MASK
        h ^= h >> 32
    return h


def fmix64(h: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = ((h ^ (h >> 33)) * factor) & _MASK
    return h ^ (h >> 33)


def character_hash(char: str) -> int:
    h = ((0x9E3779B97F4A7C15 ^ ord(char)) * 0x9FB21C651E98DF25) & _MASK
    return h ^ (h >> 32)


def units(text: str, shingle: str = "word", normalise: str = "lower", fold_numbers: bool = False) -> list[str]:
    """The words or characters that shingles are made of."""
    text = normalised(text, normalise, fold_numbers)
    return words(text) if shingle == "word" else list(text)


def shingles(
    text: str, ngram: int, shingle: str = "word", normalise: str = "lower", fold_numbers: bool = False
) -> list[int]:
    """Every shingle hash of the text, in order, repeats included."""
    found_units = units(text, shingle, normalise, fold_numbers)
    if shingle == "char":
        hashes = [character_hash(char) for char in found_units]
    else:
        hashes = [word_hash(word, normalise != "none") for word in found_units]
    size = min(ngram, len(hashes))
    found = []
    for i in range(len(hashes) - size + 1 if hashes else 0):
        total = 0
        for h in hashes[i : i + size]:
            total = (total * 0xD6E8FEB86659FD93 + h) & _MASK
        found.append(fmix64(total) >> 32)
    return found


def components(columns: list[list[int]], n: int, skip_zero: bool = True) -> list[int]:
    """Smallest member of each document's component, by relabelling until nothing changes."""
    labels = list(range(n))
    changed = True
    while changed:
        changed = False
        for column in columns:
            smallest: dict[int, int] = {}
            for i, key in enumerate(column):
                smallest[key] = min(labels[i], smallest.get(key, n))
            for i, key in enumerate(column):
                if not (skip_zero and key == 0) and labels[i] != smallest[key]:
                    labels[i], changed = smallest[key], True
    return labels


def verify(
    labels: list[int],
    ranks: list[int],
    keys: np.ndarray,
    sets: list[set[int]],
    threshold: float,
    containment: bool,
    protected: list[bool] | None = None,
    most: int = 1 << 30,
) -> list[int]:
    """Survivor of each document, -1 for itself: the most similar of the better ranked that share a key.

    Of each key only the `most` best ranked survivors count.
    """
    survivor = [-1] * len(labels)
    for i in sorted(range(len(labels)), key=lambda i: (labels[i], ranks[i], i)):
        if protected and protected[i]:
            continue
        best, best_share = -1, 0.0
        better = [s for s in range(len(labels)) if survivor[s] < 0 and (ranks[s], s) < (ranks[i], i)]
        better = sorted((s for s in better if labels[s] == labels[i]), key=lambda s: (ranks[s], s))
        buckets = [[s for s in better if key and keys[s, band] == key][:most] for band, key in enumerate(keys[i])]
        for s in better:
            if not any(s in bucket for bucket in buckets):
                continue
            whole = len(sets[i]) if containment else len(sets[i] | sets[s])
            share = len(sets[i] & sets[s]) / whole
            if share >= threshold and share > best_share:
                best, best_share = s, share
        survivor[i] = best
    return survivor
