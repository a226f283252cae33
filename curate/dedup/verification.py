"""What is said of one partition of duplicate candidates, in a task of its own: who is dropped for whom, how similar.

Holds one partition and returns a few numbers a document. The comparing itself is in `curate.dedup.survivors`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.dedup.survivors import Measure, Verified, similarity_of_pairs, verify

if TYPE_CHECKING:
    from curate.dedup.candidates import Candidates

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Verification:
    """Decides about the documents of a partition; see `verify`. Picklable."""

    threshold: float
    measure: Measure

    def __call__(self, candidates: Candidates) -> tuple[I64, Verified]:
        """Return the number of each document, and what was decided, with survivors by their numbers too."""
        numbers = candidates.doc.astype(np.int64)
        found = verify(
            candidates.cluster,
            candidates.rank,
            candidates.band_keys,
            candidates.values,
            candidates.offsets,
            self.threshold,
            self.measure,
            candidates.protected,
            candidates.sets,
        )
        return numbers, replace(found, survivor=np.where(found.survivor < 0, -1, numbers[found.survivor]))


@dataclass(frozen=True)
class Likeness:
    """Compares the documents of a partition with the one whose number is the label of their cluster. Picklable."""

    measure: Measure

    def __call__(self, candidates: Candidates) -> tuple[I64, F32]:
        """Return the numbers of all documents but those, and the similarity of each to its own."""
        numbers, heads = candidates.doc.astype(np.int64), candidates.cluster.astype(np.int64)
        order = np.argsort(numbers)
        here = np.flatnonzero(numbers != heads)
        right = order[np.searchsorted(numbers, heads[here], sorter=order)]
        left, right = candidates.sets[here], candidates.sets[right]
        return numbers[here], similarity_of_pairs(candidates.values, candidates.offsets, left, right, self.measure)
