"""Divergence of a document's words from a reference distribution, in nats, corrected for the length of the document.

Llama 3 drops documents with many outlier tokens by the Kullback-Leibler divergence between the token distributions
of document and corpus (Grattafiori et al. 2024, section 3.1.1) and gives neither formula nor threshold. Here it is
KL(document || reference) over the most frequent words of the reference and 65,536 classes that all others share.
How a reference is learnt is the business of `curate.measure.references`; docs/word-lists-and-divergence.md derives
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.kernels.divergence import OTHERS, Classes, classes, document_sums
from curate.signals.documents import Documents

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

_SMOOTHING = 0.5  # added to the count of every class (Krichevsky and Trofimov)
_TWICE = 2  # words that occur once stand for those that the reference does not have (Good and Turing)
_EXACT = 512  # lengths up to here are summed over one by one
_CELLS = 16  # an octave, beyond


@dataclass(frozen=True)
class Reference:
    """How often words occur in a reference: `words` uint64 hashes, ascending, `counts` int64; `others` all the rest.

    `documents` is how many were counted.
    """

    words: U64
    counts: I64
    others: int
    documents: int

    @staticmethod
    def of_words(hashes: U64, vocabulary: int, documents: int) -> Reference:
        """Count words: the `vocabulary` most frequent of those that occur twice or more are classes of their own.

        Ties go to the smaller hash, so that the order of the words does not matter.
        """
        words, counts = np.unique(hashes, return_counts=True)
        chosen = np.lexsort((words, -counts))[:vocabulary]
        chosen = np.sort(chosen[counts[chosen] >= _TWICE])
        kept = counts[chosen].astype(np.int64)
        return Reference(words[chosen], kept, int(len(hashes) - kept.sum()), documents)

    @property
    def total(self) -> int:
        """Words counted."""
        return int(self.counts.sum()) + self.others

    @cached_property
    def q(self) -> F64:
        """Probability of each class; the last OTHERS, equally likely, are those of all other words."""
        smooth = np.append(self.counts, self.others) + _SMOOTHING
        smooth /= smooth.sum()
        return np.concatenate([smooth[:-1], np.full(OTHERS, smooth[-1] / OTHERS)])

    @cached_property
    def classes(self) -> Classes:
        """The table that kernels look words up in."""
        return classes(self.words, np.log(self.q))

    @cached_property
    def unseen(self) -> UnseenEntropy:
        """What is missing from the entropy of a document drawn from the reference."""
        return UnseenEntropy(self.q)


class UnseenEntropy:
    """The entropy, in nats, that n words drawn from `q` are expected not to show, for each class that occurs once.

    Sum over X/n (psi(n) - psi(X)) has the expectation sum over k < n of S(k)/k, where S(k) is the sum of q (1-q)^k;
    the entropy of q is that sum over all k. What is missing is the rest, B(n), and documents show how much of it is
    theirs by the classes that they have once, n q (1-q)^(n-1) of them expected (Good and Turing): B(n) by that number.
    """

    def __init__(self, q: F64) -> None:
        self._q, self._times = np.unique(q, return_counts=True)
        last = min(max(40 / self._q[0], 2.0 * _EXACT), 2.0**40)  # (1-q)^last is nothing then
        octaves = np.log2(last / _EXACT)
        self._grid = _EXACT * 2.0 ** np.linspace(0, octaves, 1 + int(np.ceil(octaves * _CELLS)))
        # Beyond _EXACT the sum over k is an integral from k - 1/2 on, over cells of the logarithm.
        edges = np.log(self._grid - 0.5)
        node, weight = np.polynomial.legendre.leggauss(3)
        half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        at = np.exp(middle[:, None] + half[:, None] * node)
        cells = (self._sum(at.ravel(), 1).reshape(at.shape) * weight).sum(axis=1) * half
        beyond = np.append(np.cumsum(cells[::-1])[::-1], 0.0)
        few = np.arange(1, _EXACT, dtype=np.float64)
        terms = self._sum(few, 1) / few
        hidden, few = np.cumsum(terms[::-1])[::-1] + beyond[0], few * self._sum(few - 1, 1)
        self._few = np.divide(hidden, few, out=np.zeros(len(few)), where=few > 0)
        once = self._grid * self._sum(self._grid - 1, 1)
        self._log_many = np.log(np.maximum(beyond, 1e-290)) - np.log(np.maximum(once, 1e-280))

    def _sum(self, k: F64, power: int) -> F64:
        """Sum over classes of q^power (1-q)^k, for every k."""
        weight = self._times * self._q**power
        log_miss = np.log1p(-np.minimum(self._q, 1 - 1e-16))
        return np.concatenate(
            [np.exp(np.outer(part, log_miss)) @ weight for part in np.array_split(k, len(k) // 64 + 1)]
        )

    def per_singleton(self, n: I64) -> F64:
        """Return the entropy to add for each class that occurs once in documents of `n` words, float64."""
        many = np.exp(np.interp(np.log(np.maximum(n, 1)), np.log(self._grid), self._log_many))
        few = self._few[np.clip(n, 1, _EXACT - 1) - 1]
        return np.asarray(np.where(n < _EXACT, few, np.where(n > self._grid[-1], 0.0, many)), np.float64)


def divergence(reference: Reference, documents: Documents) -> pa.Array:
    """Return float32 (n,): KL(document || reference) in nats, without the bias of short documents; null without words.

    The mean over documents drawn from the reference is 0 at every length, so that some are below 0.
    """
    sums = document_sums(documents.unicode_words, reference.classes)
    n = np.diff(documents.unicode_words.first)
    many = np.maximum(n, 1)
    entropy = sums[:, 2] - sums[:, 1] / many + sums[:, 3] * reference.unseen.per_singleton(n)
    return pa.array((-sums[:, 0] / many - entropy).astype(np.float32), mask=n == 0)
