"""Which documents an audit compares: all of a small run, or a sample in which duplicates occur.

Two documents drawn at random from a large corpus are hardly ever near-duplicates, so half of a sample is drawn by
whole buckets of the first band. Judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents to compare, as places among those that may be drawn: int64, ascending.

    `census`: these are all of them. `weight` float64: for a document drawn with its bucket, how many pairs of the
    bucket each drawn pair stands for (above 1 where a huge bucket was not taken whole); 0 for one that was drawn
    by itself.
    """

    places: I64
    census: bool
    weight: npt.NDArray[np.float64]


def mixed(values: U64, seed: int) -> U64:
    """Return a hash of each value that depends on the seed: the order in which documents and buckets are drawn."""
    h = values ^ np.uint64((seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & (2**64 - 1))
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed_: U64 = h ^ (h >> np.uint64(31))
    return mixed_


def draw(doc: U64, first_band: U64 | None, size: int, seed: int) -> Sample:
    """Draw `size` documents: half by their own hash, half by whole buckets of the first band.

    `doc`: uint64 (n,), the documents' names, so that the sample depends on nothing else. `first_band`: their keys in
    the first band, 0 for none; None draws all by themselves. Whether a document is drawn depends on no other band,
    so pairs of the sample are a fair test of the others.
    """
    n = len(doc)
    if n <= size:
        return Sample(np.arange(n), True, np.zeros(n))
    order = np.argsort(mixed(doc, seed), kind="stable")
    if first_band is None:
        return Sample(np.sort(order[:size]), False, np.zeros(size))
    weight = np.zeros(n)
    drawn = _whole_buckets(doc, first_band, size // 2, seed, weight)
    alone = order[~np.isin(order, drawn)][: size - len(drawn)]
    places = np.sort(np.concatenate([drawn, alone]))
    return Sample(places, False, weight[places])


def _whole_buckets(doc: U64, keys: U64, budget: int, seed: int, weight: npt.NDArray[np.float64]) -> I64:
    """Return documents of whole buckets, by the hash of their keys, until there are `budget`; fills `weight`."""
    by_key = np.argsort(keys, kind="stable")
    ordered = keys[by_key]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[begins, len(ordered)])
    several = np.flatnonzero((sizes > 1) & (ordered[begins] != 0))
    several = several[np.argsort(mixed(ordered[begins[several]], seed), kind="stable")]
    most = max(2, budget // 10)  # of one bucket: a template with a million pages must not be the whole sample
    taken: list[I64] = []
    held = 0
    for bucket in several.tolist():
        members = by_key[begins[bucket] : begins[bucket] + sizes[bucket]]
        size = len(members)
        if size > most:
            members = members[np.argsort(mixed(doc[members], seed), kind="stable")[:most]]
        if held + len(members) > budget:
            break
        weight[members] = size * (size - 1) / (len(members) * (len(members) - 1))
        taken.append(members)
        held += len(members)
    return np.concatenate(taken) if taken else np.zeros(0, np.int64)
