"""Greedy verification inside candidate clusters: who is kept, and whose duplicate everyone else is.

Takes documents already in order and shingle sets already sorted; finds no candidates by itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_FREE = np.int64(-1)
_LOOKED_AT = 4  # comparisons of a document that are carried to their end though they cannot drop it


@njit(nogil=True, cache=True)
def best_of_cluster(labels: U32, ranks: I64, best: I64) -> None:
    """Write to `best[label]`, -1 before, the document with the lowest rank; of equals the first."""
    for i in range(labels.shape[0]):
        current = best[labels[i]]
        if current < 0 or ranks[i] < ranks[current]:
            best[labels[i]] = i


@njit(nogil=True, cache=True)
def shared(values: U32, a: int, a_end: int, b: int, b_end: int, wanted: int) -> int:
    """Size of the intersection of two ascending runs of `values`; -1 as soon as it cannot reach `wanted`."""
    found = 0
    spare = min(a_end - a, b_end - b) - wanted
    if spare < 0:
        return -1
    a_misses = (a_end - a) - wanted
    b_misses = (b_end - b) - wanted
    while a < a_end and b < b_end:
        stop = min(min(a_end - a, b_end - b), 64)
        for _ in range(stop):  # each step moves at least one side by one, none beyond its end
            x, y = values[a], values[b]
            found += x == y
            a_misses -= x < y
            b_misses -= y < x
            a += x <= y
            b += y <= x
        if a_misses < 0 or b_misses < 0:
            return -1
    return found if found >= wanted else -1


@njit(nogil=True, cache=True, inline="always")
def wanted_shared(size: int, other: int, least: float, containment: bool) -> int:
    """The shingles that a set of `size` must share with one of `other` to be `least` similar to it."""
    if containment:
        return int(np.ceil(least * size - 1e-9))
    return int(np.ceil(least / (1.0 + least) * (size + other) - 1e-9))


@njit(nogil=True, cache=True)
def _slot(table: I64, slots: int, keys: U64, key: np.uint64, band: int) -> np.int64:
    """The slot with an entry for `key` in this band, or else the free one where it belongs."""
    bands = keys.shape[1]
    slot = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)) & (slots - 1)
    while table[slot] != _FREE:
        entry = table[slot]
        if entry % bands == band and keys[entry // bands, band] == key:
            break
        slot = (slot + 1) & (slots - 1)
    return slot


@njit(nogil=True, cache=True)
def _insert(table: I64, held: I64, slots: int, following: I64, keys: U64, s: int, most: int) -> None:
    """Put set s at the head of the chain of each of its band keys, but only count it where that has `most`."""
    for band in range(keys.shape[1]):
        if keys[s, band] != 0:
            slot = _slot(table, slots, keys, keys[s, band], band)
            if table[slot] == _FREE:
                held[slot] = 0
            held[slot] += 1
            if held[slot] <= most:
                following[s * keys.shape[1] + band] = table[slot]
                table[slot] = s * keys.shape[1] + band


@njit(nogil=True, cache=True)
def verify_in_order(
    order: I64,
    cluster_starts: I64,
    sets: I64,
    keys: U64,
    values: U32,
    offsets: I64,
    threshold: float,
    containment: bool,
    most: int,
    protected: Bools,
    survivor: I64,
    similarity: F32,
    near: F32,
) -> tuple[int, int, int, int, int]:
    """Decide for every document; `order[cluster_starts[c]:cluster_starts[c + 1]]` is cluster c, best first.

    A document is compared with the survivors of its cluster that share a band key with it, the `most` best ranked of
    each key, and is dropped for the most similar (the best ranked of equals) if the similarity reaches the threshold,
    unless it is protected. Documents of one set (`sets`, of one cluster each) are compared as long as survivors are
    added, and not at all once one of them survives. Writes `survivor` (-1: is one) and `similarity`; for a document
    that no survivor was similar enough to, `near` is the best similarity among the first _LOOKED_AT survivors it was
    compared with. Returns the pairs compared; the documents, other than the first of each cluster, that were kept:
    because no survivor was similar enough, and because they are protected; and of the former those that share a key
    with more than `most`, and the survivors that these were not compared with, one for each such key.
    """
    bands = keys.shape[1]
    count = keys.shape[0]
    following = np.empty(count * bands, np.int64)
    survivors = np.empty(count, np.int64)  # their sets
    standing = np.empty(count, np.int64)  # of a surviving set: how many of its cluster came before
    document = np.full(count, _FREE, np.int64)  # of a surviving set: the document
    met = np.full(count, _FREE, np.int64)  # the document that a surviving set was last compared with
    seen = np.full(count, _FREE, np.int64)  # how many survived when a document of the set was last compared …
    last = np.full(count, _FREE, np.int64)  # … with the set of its survivor,
    last_share = np.zeros(count, np.float64)  # and how similar it was to that
    table = np.full(64, _FREE, np.int64)
    held = np.zeros(64, np.int64)
    compared = spared = shielded = crowded = uncompared = 0
    for c in range(cluster_starts.shape[0] - 1):
        alive = 0
        slots = 64
        table[:slots] = _FREE
        for place in range(cluster_starts[c], cluster_starts[c + 1]):
            i = order[place]
            own = sets[i]
            size = offsets[own + 1] - offsets[own]
            best, best_share, twin, looked, left_out = _FREE, 0.0, False, 0, 0
            if document[own] != _FREE and size > 0:
                best, best_share, twin = own, 1.0, True
            elif seen[own] == alive and last[own] != _FREE:
                best, best_share = last[own], last_share[own]
            else:
                for band in range(bands):
                    if keys[own, band] == 0:
                        continue
                    slot = _slot(table, slots, keys, keys[own, band], band)
                    entry = table[slot]
                    if entry != _FREE:
                        left_out += max(held[slot] - most, 0)
                    while entry != _FREE:
                        s = entry // bands
                        entry = following[entry]
                        if met[s] == i:
                            continue
                        met[s] = i
                        compared += 1
                        other = offsets[s + 1] - offsets[s]
                        least = max(threshold, best_share)
                        wanted = wanted_shared(size, other, least, containment)
                        common = shared(values, offsets[own], offsets[own + 1], offsets[s], offsets[s + 1], wanted)
                        if common < 0:
                            if best == _FREE and looked < _LOOKED_AT:
                                looked += 1
                                common = shared(values, offsets[own], offsets[own + 1], offsets[s], offsets[s + 1], 0)
                                close = common / (size if containment else size + other - common)
                                near[i] = close if np.isnan(near[i]) else max(near[i], np.float32(close))
                            continue
                        twin = twin or common == size == other
                        share = common / (size if containment else size + other - common)
                        tie = share == best_share and (best == _FREE or standing[s] < standing[best])
                        if share >= threshold and (share > best_share or tie):
                            best, best_share = s, share
                seen[own], last[own], last_share[own] = alive, best, best_share
            if protected[i]:
                shielded += alive > 0
                if twin:
                    continue  # it stays, but its twin already stands for all that it could stand for
            elif best != _FREE:
                survivor[i] = document[best]
                similarity[i] = best_share
                near[i] = np.nan
                continue
            else:
                spared += alive > 0
                crowded += left_out > 0
                uncompared += left_out
            if document[own] != _FREE:
                continue  # sets without shingles: one of them stands for none anyway
            document[own] = i
            survivors[alive] = own
            standing[own] = alive
            alive += 1
            if 2 * alive * bands > slots:
                slots *= 4
                if slots > table.shape[0]:
                    table = np.empty(slots, np.int64)
                    held = np.empty(slots, np.int64)
                table[:slots] = _FREE
                for k in range(alive):
                    _insert(table, held, slots, following, keys, survivors[k], most)
            else:
                _insert(table, held, slots, following, keys, own, most)
    return compared, spared, shielded, crowded, uncompared


@njit(nogil=True, cache=True)
def similarity_of_pairs(values: U32, offsets: I64, left: I64, right: I64, containment: bool, out: F32) -> None:
    """Write the Jaccard similarity of documents left[k] and right[k].

    With `containment` the share of the left one's shingles that the right one has. 0 for two documents
    without shingles.
    """
    for k in range(left.shape[0]):
        a, b = left[k], right[k]
        size, other = offsets[a + 1] - offsets[a], offsets[b + 1] - offsets[b]
        common = shared(values, offsets[a], offsets[a + 1], offsets[b], offsets[b + 1], 0)
        whole = size if containment else size + other - common
        out[k] = common / whole if whole > 0 else 0.0
