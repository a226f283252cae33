"""The figures of an audit: shares with their intervals, by similarity, and purity of clusters.

Arrays in, JSON-like values out; reads no run.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.dedup import curve

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EDGES = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)  # the last bin holds 1 too
_Z = 1.959964  # 95% of a normal distribution


def interval(hits: int, of: int) -> list[float] | None:
    """Return the 95% interval of a share, [low, high]; None of nothing.

    Source: Wilson 1927; see Brown, Cai, DasGupta 2001, Interval Estimation for a Binomial Proportion.
    """
    if of == 0:
        return None
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    spread = _Z / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return [0.0 if hits == 0 else middle - spread, 1.0 if hits == of else middle + spread]


def share(hits: int, of: int) -> dict[str, Any]:
    """Return {"hits", "of", "share", "interval"}; share and interval are None of nothing."""
    return {"hits": int(hits), "of": int(of), "share": hits / of if of else None, "interval": interval(hits, of)}


def ratio(hit: Bools, weight: F64, bucket: I64) -> tuple[float | None, list[float] | None]:
    """Return the weighted share of hits among pairs that were drawn by buckets, and its 95% interval.

    The interval goes by how much buckets differ, as the pairs of one are much alike: None for fewer than two.
    Source: Cochran 1977, Sampling Techniques, section 6.4 (ratio estimate, clusters as units).
    """
    total = float(weight.sum())
    if not total:
        return None, None
    _, place = np.unique(bucket, return_inverse=True)
    x, y = np.bincount(place, weights=weight), np.bincount(place, weights=weight * hit)
    found, n = float(y.sum()) / total, len(x)
    if n < 2:
        return found, None
    spread = _Z * math.sqrt(float(((y - found * x) ** 2).sum()) * n / (n - 1)) / total
    return found, [max(0.0, found - spread), min(1.0, found + spread)]


def recall_by_similarity(
    similarity: F64, matches: npt.NDArray[np.integer], bands: int, rows: int, whole: int
) -> list[dict[str, Any]]:
    """Return what share of the pairs the bands found, by similarity, beside what the S-curve says.

    `matches`: in how many of the `bands` that are judged each pair agrees. `theory` is the mean of
    1 - (1 - s^rows)^bands over the very pairs of the bin. Where fewer than the `whole` bands of the step are judged,
    `all_bands` adds what the others find by theory: f + (1 - f) (1 - (1 - s^rows)^(whole - bands)).
    """
    found = matches > 0
    theory = curve(bands, rows)(similarity) if bands else np.zeros(len(similarity))
    rest = curve(whole - bands, rows)(similarity) if whole > bands else np.zeros(len(similarity))
    bins = []
    for low, high in pairwise(EDGES):
        inside = (similarity >= low) & ((similarity < high) | (high == 1.0))
        n, hits = int(inside.sum()), int((found & inside).sum())
        measured = share(hits, n)
        both = None if not n else measured["share"] + (1 - measured["share"]) * float(rest[inside].mean())
        bins.append(
            {
                "from": low,
                "to": high,
                "pairs": n,
                "found": hits,
                "recall": measured["share"],
                "interval": measured["interval"],
                "theory": float(theory[inside].mean()) if n else None,
                "all_bands": both,
            }
        )
    return bins


def precision_by_similarity(similarity: F64, weight: F64) -> list[dict[str, Any]]:
    """Return how candidate pairs are spread over similarities: `pairs`, and their weighted `share`."""
    total = weight.sum()
    bins = []
    for low, high in pairwise((0.0, *EDGES)):
        inside = (similarity >= low) & ((similarity < high) | (high == 1.0))
        part = float(weight[inside].sum() / total) if total else None
        bins.append({"from": low, "to": high, "pairs": int(inside.sum()), "share": part})
    return bins


def components(n: int, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> I64:
    """Return for each of n nodes the smallest node that it is connected with, int64."""
    labels = np.arange(n)
    while len(left):
        low = np.minimum(labels[left], labels[right])
        before = labels.copy()
        np.minimum.at(labels, left, low)
        np.minimum.at(labels, right, low)
        labels = labels[labels]
        if np.array_equal(labels, before):
            break
    return labels


def purity(labels: I64, whole: Bools, true: I64) -> dict[str, Any]:
    """Return how pure clusters are: of the documents in clusters, the share in the largest true group of theirs.

    `labels`: cluster of each document, -1 for none. `whole`: documents of clusters that may be judged. `true`:
    group of each document by brute force. Clusters of one are left out.
    """
    chosen = np.flatnonzero(whole & (labels >= 0))
    _, cluster = np.unique(labels[chosen], return_inverse=True)
    sizes = np.bincount(cluster)
    chosen, cluster = chosen[sizes[cluster] > 1], cluster[sizes[cluster] > 1]
    pairs, counts = np.unique(np.stack([cluster, true[chosen]]), axis=1, return_counts=True)
    best = np.zeros(len(sizes), np.int64)
    np.maximum.at(best, pairs[0], counts)
    return {"clusters": int((sizes > 1).sum()), **share(int(best.sum()), len(chosen))}
