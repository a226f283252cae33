"""Band keys and hashes of a population's documents, read piece by piece, as linking wants them.

Links nothing itself and holds one part (shard) of one column in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from curate.dedup.clusters import Pieces, keys_within

if TYPE_CHECKING:
    import pyarrow as pa

    from curate.population import Population

Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]


def band_pieces(population: Population, keep: Bools, band: int, groups: U64 | None = None) -> Pieces:
    """Return the keys of a band of the documents where `keep` is true; of one scope each, `groups` (kept,)."""
    return lambda: (
        _within(keys[kept], groups, window)
        for keys, kept, window in _parts(population, keep, f"band_{band}", lambda column: column.to_numpy())
    )


def exact_pieces(population: Population, keep: Bools, groups: U64 | None = None) -> Pieces:
    """Return the 128-bit text hashes of the documents where `keep` is true, as pairs of arrays."""
    return lambda: (
        # Key 0 links to nothing, but the hash of no text is 0, and texts without text are equal.
        (_within(np.maximum(hashes[kept, 0], np.uint64(1)), groups, window), hashes[kept, 1])
        for hashes, kept, window in _parts(population, keep, "exact", halves)
    )


def halves(column: pa.ChunkedArray) -> U64:
    """Return a column of 128-bit hashes as uint64 (n, 2)."""
    whole = column.combine_chunks()
    hashes = np.frombuffer(whole.buffers()[1] or b"", np.uint64).reshape(-1, 2)
    return hashes[whole.offset : whole.offset + len(whole)]


def _parts(population: Population, keep: Bools, name: str, of: Any) -> Iterator[tuple[Any, Bools, slice]]:
    """Yield (values, where they are kept, which of all kept documents they are) of each part that keeps some."""
    begin = first = 0
    for part, size in enumerate(population.sizes):
        kept = keep[begin : begin + size]
        count = int(np.count_nonzero(kept))
        if count:
            yield of(population.sketches(part, [name]).column(0)), kept, slice(first, first + count)
        begin, first = begin + size, first + count


def _within(keys: U64, groups: U64 | None, window: slice) -> U64:
    return keys if groups is None else keys_within(keys, groups[window])
