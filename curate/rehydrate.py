"""Rehydration weights of the documents of a run: what the mix may repeat, by how many duplicates a document had.

The formula is in `curate.dedup.rehydration`; nothing is repeated here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curate.dedup.membership import join
from curate.dedup.rehydration import Rehydration, rehydration
from curate.recipe import Dedup, Step
from curate.steps import ALIVE, Standing


def of_standing(standing: Standing, steps: Sequence[Step]) -> Rehydration | None:
    """Return the weights by cluster size, from what the filters and tops after the last dedup step removed.

    None when nothing is deduplicated, or nothing filters what was kept: then no size is better than another.
    """
    last = max((number for number, step in enumerate(steps) if isinstance(step, Dedup)), default=len(steps))
    if last + 1 >= len(steps):
        return None
    kept = (standing.dropped_by == ALIVE) | (standing.dropped_by > last)
    # The mix comes after the last step: what it leaves out was not removed for being bad.
    removed = (standing.dropped_by[kept] > last) & (standing.dropped_by[kept] < len(steps))
    return rehydration(cluster_sizes(standing)[kept], removed)


def weights(standing: Standing, steps: Sequence[Step]) -> npt.NDArray[np.float64] | None:
    """Return the rehydration weight of every document, float64 (n,); None where `of_standing` is."""
    found = of_standing(standing, steps)
    return None if found is None else found.weights(cluster_sizes(standing))


def cluster_sizes(standing: Standing) -> npt.NDArray[np.int64]:
    """Return how many documents there were of each, int64 (n,): 1 without duplicates."""
    found = list(standing.duplicates.values())
    return join([d.dropped for d in found], [d.survivor for d in found]).sizes(len(standing.dropped_by))
