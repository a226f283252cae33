"""Which documents a model must not be trained on, because they hold a text that it is asked to predict.

Compares shingles, as deduplication does (`curate.dedup`), exactly and without bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.kernels.shingles import ShingleSets, shingle_sets

CONTAINMENT = 0.5  # share of the shorter one's shingles that two texts have in common when one leaks the other
_BUCKETS = 1 << 24

I64 = npt.NDArray[np.int64]


class LeakFinder:
    """Shingles of reference texts, to compare training documents with."""

    def __init__(self, references: Sequence[Strings]) -> None:
        """Take the texts of each reference."""
        sets = [shingle_sets(texts) for texts in references]
        sizes = np.concatenate([np.zeros(0, np.int64), *(np.diff(one.offsets) for one in sets)])
        owner = np.repeat(np.arange(len(sizes)), sizes)
        values = np.concatenate([np.zeros(0, np.uint32), *(one.values for one in sets)])
        order = np.argsort(values, kind="stable")
        self._values, self._owner, self._sizes = values[order], owner[order], sizes
        self._reference = np.repeat(np.arange(len(sets)), [len(one.offsets) - 1 for one in sets])
        self._seen = np.zeros(_BUCKETS, np.bool_)  # a first look that spares most of the search
        self._seen[self._values >> np.uint32(8)] = True

    def find(self, texts: Strings) -> I64:
        """Return int64 (n,): the number of the reference that each text leaks, -1 for none.

        A text leaks a document of a reference when they share half of the shingles (runs of five words) of the one
        that has fewer: it is a near-duplicate, an excerpt, or a page that quotes it whole.
        """
        sets: ShingleSets = shingle_sets(texts)
        sizes = np.diff(sets.offsets)
        chosen = np.flatnonzero(self._seen[sets.values >> np.uint32(8)])
        asked, document = sets.values[chosen], np.searchsorted(sets.offsets, chosen, side="right") - 1
        low, high = (np.searchsorted(self._values, asked, side=side) for side in ("left", "right"))
        times = high - low
        pairs_of = np.repeat(document, times)
        at = np.repeat(low - (np.cumsum(times) - times), times) + np.arange(times.sum())
        pair, common = np.unique(pairs_of * len(self._sizes) + self._owner[at], return_counts=True)
        left, right = pair // max(len(self._sizes), 1), pair % max(len(self._sizes), 1)
        near = common >= CONTAINMENT * np.minimum(sizes[left], self._sizes[right])
        found = np.full(len(texts), -1, np.int64)
        found[left[near][::-1]] = self._reference[right[near]][::-1]
        return found

    def without_leaks(self, texts: Strings) -> tuple[Strings, int]:
        """Return the texts that leak no reference, and how many do."""
        leaks = self.find(texts) >= 0
        return as_strings(to_array(texts).filter(pa.array(~leaks))), int(leaks.sum())
