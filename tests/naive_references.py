"""Word lists and divergence, the slow and obvious way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tests.dedup.dedup_naive import fmix64, word_hash
from tests.naive_words import lower, unicode_words

__all__ = ["listed", "plug_in_divergence", "words"]


def words(text: str) -> list[str]:
    """The Unicode words of a text in lower case."""
    return [lower(word) for word in unicode_words(text)]


def listed(phrases: Sequence[str], text: str) -> tuple[int, float]:
    """Occurrences of the phrases from left to right, the longest first, and the share of words that they cover."""
    wanted = {tuple(words(phrase)) for phrase in phrases}
    found = words(text)
    count = covered = at = 0
    while at < len(found):
        sizes = [len(phrase) for phrase in wanted if tuple(found[at : at + len(phrase)]) == phrase]
        count += bool(sizes)
        covered += max(sizes, default=0)
        at += max(sizes, default=1)
    return count, covered / len(found) if found else 0.0


OTHERS = 65_536  # classes of all words that have none of their own


def probabilities(reference: Sequence[str], vocabulary: int) -> tuple[dict[str, float], float]:
    """Probability of each word that has a class of its own, and of each class of all others. Wants no ties."""
    times = Counter(word for text in reference for word in words(text))
    chosen = {word: count for word, count in times.most_common(vocabulary) if count > 1}
    total = sum(times.values()) + 0.5 * (len(chosen) + 1)
    q = {word: (count + 0.5) / total for word, count in chosen.items()}
    return q, (sum(times.values()) - sum(chosen.values()) + 0.5) / total / OTHERS


def class_counts(q: dict[str, float], text: str) -> Counter[str | int]:
    """How many words fall into each class: words, and numbers of the classes of others."""
    return Counter(word if word in q else fmix64(word_hash(word)) >> 48 for word in words(text))


def plug_in_divergence(q: dict[str, float], others: float, text: str) -> float:
    """KL(document || reference) as the definition has it, without correction."""
    times = class_counts(q, text)
    n = sum(times.values())
    parts = ((count / n, q[item] if isinstance(item, str) else others) for item, count in times.items())
    return sum(share * math.log(share / likely) for share, likely in parts)


Classes = Sequence[tuple[float, int]]  # a probability, and how many classes have it


def hidden_entropy(q: Classes, n: int) -> float:
    """The entropy of q less what n draws are expected to show, exactly: a sum over k < n."""
    whole = -sum(times * p * math.log(p) for p, times in q)
    return whole - sum(sum(times * p * (1 - p) ** k for p, times in q) / k for k in range(1, n))


def expected_singletons(q: Classes, n: int) -> float:
    """How many classes n draws are expected to have once."""
    return sum(times * n * p * (1 - p) ** (n - 1) for p, times in q)
