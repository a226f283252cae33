"""Rehydration: how often a document deserves to be repeated, judged by how many duplicates it had.

Repeats nothing: the mix may use the weights. Source: Penedo et al. 2025, FineWeb2, "rehydration".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.errors import RecipeError

Numbers = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

MOST = 10.0  # weight of the cluster size that filters take least of; FineWeb2's number
LEAST_DOCUMENTS = 100  # documents from which on a removal rate is believed; ours, so that no single document gets MOST


@dataclass(frozen=True, slots=True)
class Rehydration:
    """Weights by cluster size; entry i of every array is about the sizes `smallest[i]` to `largest[i]`.

    `documents` and `removed` int64: documents that deduplication kept, and those that filters then removed.
    `rate` and `weight` float64. `overall`: the share of all documents that filters removed.
    """

    smallest: Numbers
    largest: Numbers
    documents: Numbers
    removed: Numbers
    rate: F64
    weight: F64
    overall: float

    def weights(self, cluster_size: npt.ArrayLike) -> F64:
        """Return the weight of each cluster size, float64; sizes beyond those seen count as the largest one."""
        sizes = np.asarray(cluster_size, np.int64)
        if not len(self.smallest):
            return np.ones(sizes.shape)
        place = np.clip(np.searchsorted(self.smallest, sizes, side="right") - 1, 0, len(self.weight) - 1)
        return self.weight[place]

    @staticmethod
    def of_table(table: dict[str, Any]) -> Rehydration:
        """Rebuild the weights from what `table` returned."""

        def whole(name: str) -> Numbers:
            return np.array([row[name] for row in table["sizes"]], np.int64)

        def share(name: str) -> F64:
            return np.array([row[name] for row in table["sizes"]], np.float64)

        return Rehydration(
            smallest=whole("from"),
            largest=whole("to"),
            documents=whole("documents"),
            removed=whole("removed"),
            rate=share("removal_rate"),
            weight=share("weight"),
            overall=table["removal_rate"],
        )

    def table(self) -> dict[str, Any]:
        """Return the weights as JSON: the overall removal rate, and one row a range of sizes."""
        columns = (self.smallest, self.largest, self.documents, self.removed, self.rate, self.weight)
        names = ("from", "to", "documents", "removed", "removal_rate", "weight")
        rows = [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in columns), strict=True)]
        return {"removal_rate": self.overall, "sizes": rows}


def rehydration(
    cluster_size: npt.ArrayLike,
    removed: npt.ArrayLike,
    most: float = MOST,
    least_documents: int = LEAST_DOCUMENTS,
) -> Rehydration:
    """Return the weight that each cluster size deserves.

    `cluster_size` int (n,) and `removed` bool (n,): of every document that deduplication kept, how many there were
    of it, and whether filters removed it afterwards. With r the removal rate of a size, R that of all documents
    and r0 the lowest rate of any size, the weight is 1 + (most - 1) * (R - r) / (R - r0) where r < R, and 1 for
    every size with r >= R: `most` for the size that filters find best, 1 for all that are no better than average.
    Neighbouring sizes share a rate until they have `least_documents` documents.
    Source: Penedo et al. 2025 (FineWeb2), section on rehydration: `most` is 10 there. Pooling sizes is ours.
    Raises RecipeError for arrays of different length, sizes below 1 or `most` below 1.
    """
    sizes, gone = np.asarray(cluster_size, np.int64), np.asarray(removed, np.bool_)
    if sizes.shape != gone.shape or sizes.ndim != 1:
        raise RecipeError(f"rehydration: {sizes.size} cluster sizes need as many flags, got {gone.size}")
    if len(sizes) and sizes.min() < 1:
        raise RecipeError(f"rehydration: a cluster has at least one document, not {sizes.min()}")
    if not most >= 1:
        raise RecipeError(f"rehydration: the largest weight must be at least 1, not {most:g}")
    values, place = np.unique(sizes, return_inverse=True)
    cuts = _pooled(np.bincount(place, minlength=len(values)), least_documents)
    documents = np.add.reduceat(np.bincount(place, minlength=len(values)), cuts[:-1]) if len(values) else values
    lost = np.add.reduceat(np.bincount(place[gone], minlength=len(values)), cuts[:-1]) if len(values) else values
    rate = lost / np.maximum(documents, 1)
    overall = float(gone.mean()) if len(gone) else 0.0
    lowest = float(rate.min(initial=overall))
    better = np.clip((overall - rate) / (overall - lowest), 0, 1) if overall > lowest else np.zeros(len(rate))
    largest = values[np.asarray(cuts[1:], np.int64) - 1] if len(values) else values
    smallest = values[np.asarray(cuts[:-1], np.int64)] if len(values) else values
    return Rehydration(smallest, largest, documents, lost, rate, 1 + (most - 1) * better, overall)


def _pooled(documents: Numbers, least: int) -> list[int]:
    """Return where to cut sizes (ascending) so that every piece has `least` documents; a rest joins the last."""
    cuts, held = [0], 0
    for place, count in enumerate(documents.tolist()):
        held += count
        if held >= least:
            cuts.append(place + 1)
            held = 0
    if held and len(cuts) > 1:
        cuts.pop()
    if cuts[-1] != len(documents):
        cuts.append(len(documents))
    return cuts
