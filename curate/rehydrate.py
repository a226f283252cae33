"""Rehydration weights of the documents of a run: what the mix may repeat, by how many duplicates a document had.

The formula is in `curate.dedup.rehydration`; nothing is repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from curate.dedup.membership import join
from curate.dedup.rehydration import Rehydration, rehydration
from curate.errors import RecipeError
from curate.recipe import Dedup, Recipe, Step
from curate.steps import ALIVE, Standing

Numbers = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


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


def for_mix(recipe: Recipe, found: Rehydration | None, sizes: Callable[[], Numbers]) -> F64 | None:
    """Return the weight of every document, float64 (n,), if the recipe's mix rehydrates, else None.

    `sizes` gives the cluster size of every document. RecipeError when the recipe cannot know the weights.
    """
    if not recipe.mix.rehydrate:
        return None
    if found is None:
        raise RecipeError(
            f'recipe "{recipe.name}": rehydrate weighs documents by what filters remove of each cluster size, so it '
            "needs a dedup step and at least one filter or top after it"
        )
    return found.weights(sizes())


def cluster_sizes(standing: Standing) -> Numbers:
    """Return how many documents there were of each, int64 (n,): 1 without duplicates."""
    found = list(standing.duplicates.values())
    return join([d.dropped for d in found], [d.survivor for d in found]).sizes(len(standing.dropped_by))
