"""Connected components of documents that share a band key or a hash: the candidate clusters, found by one process.

Compares no texts and drops nothing; `curate.dedup.survivors` does. What is too much for one process is linked by
`curate.dedup.partitioned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.kernels import clusters as kernel

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

Pieces = Callable[[], Iterator[U64 | tuple[U64, U64]]]
"""A column of keys, read anew at each call: uint64 arrays that together have one key a document, in order.

A piece may be a pair of arrays: halves of keys of 128 bits, which must both be equal.
"""

MOST_NUMBERS = (1 << 32) - 2  # documents that 32-bit numbers, and one for "none", are enough for
_LOAD = 0.7  # of a hash table: fuller ones probe longer


@dataclass(frozen=True, slots=True)
class Linked:
    """The documents of components of two or more: their numbers, int64 ascending, and cluster labels, uint32.

    Labels are 0, 1, … in the order of the smallest document of each cluster.
    """

    documents: I64
    labels: U32

    @staticmethod
    def of(parents: U32) -> Linked:
        """Read a union-find, uint32 (n,), in which the root of a component is its smallest document."""
        kernel.flatten(parents)
        linked = np.zeros(len(parents), np.uint8)
        if not kernel.mark_linked(parents, linked):
            return Linked(np.zeros(0, np.int64), np.zeros(0, np.uint32))
        documents = np.flatnonzero(linked)
        del linked
        smallest = parents[documents]
        number = np.cumsum(smallest == documents, dtype=np.uint32) - np.uint32(1)  # right where a document is a root
        return Linked(documents, number[np.searchsorted(documents, smallest)])


def passes(n: int, memory: int, wide: bool) -> int:
    """Return how often `link` reads a column of n keys of 64 or, if `wide`, 128 bits; 0 where it cannot at all."""
    if 4 * n > memory // 2 or n > MOST_NUMBERS:
        return 0
    return _table_size(n, 24 if wide else 16, memory - 4 * n)[1]


def link(columns: Sequence[Pieces], n: int, memory: int) -> Linked:
    """Find the components of n documents that share a key in one of `columns`; key 0 links to nothing.

    `memory`: bytes to use at most. A document costs 4 (its place in the union-find), and its key in a column 23
    (a row of a hash table), where there is room for all; otherwise columns are read in several `passes`, each over
    a share of the key space. The result is the same whatever the memory, the pieces and the order of columns.
    Raises ValueError when a column has not n keys, or when the union-find does not fit.
    """
    if 4 * n > memory // 2 or n > MOST_NUMBERS:
        raise ValueError(f"{n} documents do not fit into {memory} bytes; link them in partitions")
    parents = np.arange(n, dtype=np.uint32)
    for keys, others, first, share, shares, table in _passes(columns, n, memory - 4 * n):
        kernel.link_piece(keys, others, first, True, share, shares, table, parents)
    return Linked.of(parents)


def _passes(columns: Iterable[Pieces], n: int, memory: int) -> Iterator[tuple[U64, U64, int, int, int, U64]]:
    """Yield (keys, others, number of the first, share, shares, table) of every piece, for every share of keys.

    The table is cleared before the pieces of a new share or column.
    """
    table = np.zeros((0, 0), np.uint64)
    for pieces in columns:
        width, share, shares = 0, 0, 1
        while share < shares:
            first = 0
            for piece in pieces():
                keys, others = piece if isinstance(piece, tuple) else (piece, piece)
                if not width:
                    width = 3 if isinstance(piece, tuple) else 2
                    rows, shares = _table_size(n, 8 * width, memory)
                    if table.shape != (rows, width):
                        table = np.zeros((0, 0), np.uint64)  # free the old one before the new one is made
                        table = np.empty((rows, width), np.uint64)
                if not first:
                    table[:] = 0
                yield _frozen(keys), _frozen(others), first, share, shares, table
                first += len(keys)
            if first != n:
                raise ValueError(f"expected {n} keys, one a document, got {first}")
            share += 1


def _table_size(n: int, row_bytes: int, memory: int) -> tuple[int, int]:
    """Return rows of a table, and the number of passes over the keys that it then takes.

    A share of the key space has its part of the keys and some more by chance: five standard deviations.
    """
    most = max(memory // row_bytes, 64)
    shares = 1
    while True:
        keys = min(n, int(n / shares + 5 * (n / shares) ** 0.5 + 16))
        rows = int(keys / _LOAD) + 2
        if rows <= min(most, 1 << 32) or shares >= n:
            return rows, shares
        shares += 1


def candidate_clusters(band_keys_by_band: Iterable[U64], n: int) -> U32:
    """Label every document with the smallest number of a document in its component: uint32 (n,).

    `band_keys_by_band` yields the keys of one band at a time, uint64 (n,), in memory; key 0 (a document without
    shingles) links to nothing. `link` does the same for keys that are read piece by piece.
    Raises ValueError when a band has not n keys.
    """
    parents = np.arange(n, dtype=np.uint32)
    columns = (lambda keys=keys: iter([keys]) for keys in band_keys_by_band)
    for keys, others, first, share, shares, table in _passes(columns, n, 1 << 62):
        kernel.link_piece(keys, others, first, True, share, shares, table, parents)
    kernel.flatten(parents)
    return parents


def exact_clusters(hash_hi: U64, hash_lo: U64) -> U32:
    """Label every document with the smallest number of a document with the same 128-bit hash: uint32 (n,)."""
    n = len(hash_hi)
    parents = np.arange(n, dtype=np.uint32)
    for keys, others, first, share, shares, table in _passes([lambda: iter([(hash_lo, hash_hi)])], n, 1 << 62):
        kernel.link_piece(keys, others, first, False, share, shares, table, parents)
    kernel.flatten(parents)
    return parents


def keys_within(keys: U64, groups: npt.NDArray[np.integer[Any]]) -> U64:
    """Make keys of different groups differ, so that no component crosses groups.

    Two keys of different groups collide with a chance of 2^-64; key 0 stays 0.
    """
    salt = (groups.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    salt = (salt ^ (salt >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    salted = np.maximum(keys ^ (salt ^ (salt >> np.uint64(32))), np.uint64(1))
    return np.where(keys == 0, np.uint64(0), salted)


def _frozen(keys: U64) -> U64:
    column = np.ascontiguousarray(keys, np.uint64).view()
    column.flags.writeable = False  # one type, so one compiled kernel, whether the array is ours or Arrow's
    return column
