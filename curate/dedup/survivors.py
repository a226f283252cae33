"""Who stays of a cluster of duplicates: the best ranked, or all that no better ranked one is similar to.

Finds no candidates: every array has one entry for each of m documents of candidate clusters, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from curate.kernels import survivors as kernel

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

Measure = Literal["jaccard", "containment"]

MOST_COMPARED = 1000  # survivors of one bucket that a document is compared with, the best ranked


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification decided for m documents.

    `survivor` int64 (m,): place of the document that this one is a duplicate of; -1 if it survives.
    `similarity` float32 (m,): to that survivor, exactly; NaN if it survives.
    `near` float32 (m,): for a document that was compared and found not similar enough, its best similarity among
    the first few survivors that it was compared with; NaN for all others.
    `pairs_compared`: pairs of documents whose shingles were compared.
    `spared`: documents that the candidate clusters alone would have dropped and verification keeps.
    `protected`: documents, other than the first of each cluster, that were kept because they are protected.
    `crowded`: of the spared those that share a band key with more survivors than they were compared with, and
    `uncompared`: how many those were, counted for each such key.
    """

    survivor: I64
    similarity: F32
    near: F32
    pairs_compared: int
    spared: int
    protected: int
    crowded: int
    uncompared: int


def best_of_clusters(cluster_labels: U32, ranks: I64, protected: Bools | None = None) -> I64:
    """Keep the best ranked document of each cluster and all that are `protected` (bool (m,)), unverified.

    `ranks` is the position in the keep order, 0 the best; equal ranks go to the document that comes first.
    Returns int64 (m,): the place of the survivor that each document is dropped for; -1 if it survives. Takes 8 bytes
    for each label from 0 to the largest.
    """
    best = np.full(int(cluster_labels.max(initial=0)) + 1, -1, np.int64)
    kernel.best_of_cluster(_frozen(cluster_labels, np.uint32), _frozen(ranks, np.int64), best)
    survivor = best[cluster_labels]
    survivor[survivor == np.arange(len(survivor))] = -1
    if protected is not None:
        survivor[protected] = -1
    return survivor


def verify(
    cluster_labels: U32,
    ranks: I64,
    band_keys: U64,
    values: U32,
    offsets: I64,
    threshold: float,
    measure: Measure = "jaccard",
    protected: Bools | None = None,
    sets: I64 | None = None,
    most: int = MOST_COMPARED,
) -> Verified:
    """Keep every document that is not similar enough to a better one that is kept.

    Inside a cluster documents are taken by rank. Each is compared, shingle by shingle, with the survivors so
    far that share at least one of its `band_keys` (uint64 (m, bands)); it is dropped for the most similar if
    that reaches `threshold`, and otherwise survives. So a chain A ~ B ~ C never drops C for A unless they are
    similar themselves, and every dropped document is similar to the very document that stands for it.

    In a bucket, the documents with one band key, only the `most` best ranked survivors are compared with; what that
    leaves out is counted. Without it a bucket of documents that are not similar takes the square of their number.

    The shingles of document i are `values[offsets[i]:offsets[i + 1]]`, distinct and ascending; with `sets` (int64 (m,))
    those of set `sets[i]`, and so are the band keys: documents of one cluster with equal shingles may share a set.
    `measure`: "jaccard" is |A & B| / |A | B|; "containment" is the share of the dropped document's shingles
    that its survivor has. `protected` bool (m,): documents that are never dropped, though others are for them.
    Raises ValueError for another measure, a threshold outside (0, 1], or arrays that do not fit together.
    """
    m = len(cluster_labels)
    protected = np.zeros(m, np.bool_) if protected is None else protected
    if measure not in ("jaccard", "containment"):
        raise ValueError(f'measure must be "jaccard" or "containment", not {measure!r}')
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, not {threshold}")
    sets = np.arange(m) if sets is None else sets
    if not len(ranks) == len(protected) == len(sets) == m or len(band_keys) != len(offsets) - 1:
        raise ValueError(
            f"{m} labels need as many ranks, rows of band keys and flags, and one offset more; "
            f"got {len(ranks)}, {len(band_keys)}, {len(protected)} and {len(offsets)}"
        )
    order = np.lexsort((ranks, cluster_labels))
    labels = cluster_labels[order]
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1], True]) if m else np.zeros(1, np.int64)
    survivor, similarity = np.full(m, -1, np.int64), np.full(m, np.nan, np.float32)
    near = similarity.copy()
    counts = kernel.verify_in_order(
        _frozen(order, np.int64),
        _frozen(starts, np.int64),
        _frozen(sets, np.int64),
        _frozen(band_keys, np.uint64),
        _frozen(values, np.uint32),
        _frozen(offsets, np.int64),
        float(threshold),
        measure == "containment",
        most,
        _frozen(protected, np.bool_),
        survivor,
        similarity,
        near,
    )
    return Verified(survivor, similarity, near, *counts)


def similarity_of_pairs(
    values: U32, offsets: I64, left: I64, right: I64, measure: Measure = "jaccard"
) -> npt.NDArray[np.float32]:
    """Return the similarity of documents left[k] and right[k], float32; shingles and `measure` as for `verify`."""
    out = np.zeros(len(left), np.float32)
    kernel.similarity_of_pairs(
        _frozen(values, np.uint32),
        _frozen(offsets, np.int64),
        _frozen(left, np.int64),
        _frozen(right, np.int64),
        measure == "containment",
        out,
    )
    return out


def clusters_of(survivor: I64) -> tuple[I64, I64]:
    """For each document, the place of the survivor of its cluster and the documents in it, both int64 (m,).

    A cluster is a survivor and all that were dropped for it; `survivor` is as in `Verified`.
    """
    head = np.where(survivor < 0, np.arange(len(survivor)), survivor)
    return head, np.bincount(head, minlength=len(head))[head]


def _frozen(array: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False  # one type, so one compiled kernel, whether the array is ours or Arrow's
    return view
