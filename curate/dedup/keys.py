"""Band keys and hashes of a population's documents, read piece by piece, as linking wants them.

Links nothing itself and holds one part (shard) of one column in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dedup.clusters import Pieces, keys_within

if TYPE_CHECKING:
    from curate.decide.population import Population

Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]


def band_pieces(population: Population, keep: Bools, band: int, groups: U64 | None = None) -> Pieces:
    """Return the keys of a band of the documents where `keep` is true; `groups` uint64 (kept,) keeps scopes apart.

    Documents too short for a shingle have key 0: what becomes of them is not decided by bands.
    """

    def keys(table: pa.Table, kept: Bools) -> U64:
        column: U64 = table.column(0).to_numpy()[kept]
        short = table.column(1)
        if short.null_count < len(short):
            column = np.where(short.is_valid().to_numpy()[kept], np.uint64(0), column)
        return column

    def pieces() -> Iterator[U64]:
        for table, kept, window in _parts(population, keep, [f"band_{band}", "short"]):
            yield _within(keys(table, kept), groups, window)

    return pieces


def hash_pieces(population: Population, keep: Bools, name: str, groups: U64 | None = None) -> Pieces:
    """Return the 128-bit hashes in a sketch column of the documents where `keep` is true, as pairs; null is key 0."""

    def pieces() -> Iterator[tuple[U64, U64]]:
        for table, kept, window in _parts(population, keep, [name]):
            column = table.column(0).combine_chunks()
            there = column.is_valid().to_numpy(zero_copy_only=False)[kept]
            hashes = halves(column)[kept]
            # Key 0 links to nothing, but the hash of no text is 0, and texts without text are equal.
            low = np.where(there, np.maximum(hashes[:, 0], np.uint64(1)), np.uint64(0))
            yield _within(low, groups, window), hashes[:, 1]

    return pieces


def short_pieces(population: Population, keep: Bools, groups: U64 | None = None) -> Pieces:
    """Return what documents too short for a shingle are compared by, of those where `keep` is true; 0 for others."""

    def pieces() -> Iterator[U64]:
        for table, kept, window in _parts(population, keep, ["short"]):
            yield _within(table.column(0).fill_null(0).to_numpy()[kept], groups, window)

    return pieces


def short_documents(population: Population, keep: Bools) -> tuple[npt.NDArray[np.int64], U64]:
    """Return which of the documents where `keep` is true are too short for a shingle (places), and their keys."""
    places, found = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for table, kept, window in _parts(population, keep, ["short"]):
        keys = table.column(0).fill_null(0).to_numpy()[kept]
        places.append(np.flatnonzero(keys) + window.start)
        found.append(keys[keys != 0].astype(np.uint64))
    return np.concatenate(places), np.concatenate(found)


def halves(column: pa.Array) -> U64:
    """Return a column of 128-bit hashes as uint64 (n, 2); what a null holds is anything."""
    stored = column.buffers()[1]
    whole = np.zeros((0, 2), np.uint64) if stored is None else np.frombuffer(stored, np.uint64).reshape(-1, 2)
    return whole[column.offset : column.offset + len(column)]


def _parts(population: Population, keep: Bools, names: list[str]) -> Iterator[tuple[pa.Table, Bools, slice]]:
    """Yield (columns, where they are kept, which of all kept documents they are) of each part that keeps some."""
    begin = first = 0
    for part, size in enumerate(population.sizes):
        kept = keep[begin : begin + size]
        count = int(np.count_nonzero(kept))
        if count:
            yield population.sketches(part, names), kept, slice(first, first + count)
        begin, first = begin + size, first + count


def _within(keys: U64, groups: U64 | None, window: slice) -> U64:
    keys = keys.astype(np.uint64, copy=False)
    return keys if groups is None else keys_within(keys, groups[window])
