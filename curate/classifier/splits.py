"""Split labelled documents so that near-duplicates of one another never fall on both sides.

Decided by hashes of texts alone. Chooses no documents; that is `curate.classifier.labelled`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from classifiers.arrow import as_strings
from curate.classifier.labelled import SPLIT, Labelled, mixed
from curate.dedup.clusters import candidate_clusters
from curate.errors import InputError
from curate.kernels.minhash import sketch

# Documents become candidates with a chance of 97% at a Jaccard similarity of 0.7 and 99.96% at 0.8.
_SKETCH = {"ngram": 5, "bands": 20, "rows": 5}
_SKETCHED_AT_ONCE = 4096


def split(documents: Labelled, shares: Mapping[str, float], seed: int = 0) -> dict[str, Labelled]:
    """Split off parts for anything but training: `shares` by name; "train" is the rest.

    Documents that share a band of their MinHash signatures, through any chain of others, stay together; where such a
    cluster goes is decided by the smallest hash of its texts, so that more documents elsewhere do not move it. A
    cluster larger than half of the smallest share would be most of a part by itself: it is trained on.
    Raises InputError when a part has no document of some label.
    """
    cluster = near_duplicates(documents)
    smallest = np.full(len(documents), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, cluster, documents.hashes[:, 0])
    place = mixed(smallest[cluster], seed, SPLIT) / 2.0**64
    size = np.bincount(cluster, minlength=len(documents))[cluster]
    place[size > max(1.0, min(shares.values()) / 2 * len(documents))] = 1.0
    limits = np.cumsum(list(shares.values()))
    part = np.searchsorted(limits, place, side="right")
    made = {name: documents.take(part == number) for number, name in enumerate([*shares, "train"])}
    for name, some in made.items():
        for label, count in some.counts().items():
            if not count:
                whole = documents.counts()[label]
                raise InputError(
                    f'label "{label}" has {whole:,} documents, and none of them fell into the {name} part; '
                    "give more documents, or another --test-share or --seed"
                )
    return made


def near_duplicates(documents: Labelled) -> npt.NDArray[np.intp]:
    """Return for each document the smallest number of a document that it is chained to, int (n,)."""
    keys = [
        sketch(as_strings(documents.texts.slice(start, _SKETCHED_AT_ONCE)), **_SKETCH).band_keys
        for start in range(0, len(documents), _SKETCHED_AT_ONCE)
    ]
    bands = np.concatenate(keys) if keys else np.zeros((0, _SKETCH["bands"]), np.uint64)
    return candidate_clusters((np.ascontiguousarray(band) for band in bands.T), len(documents)).astype(np.intp)
