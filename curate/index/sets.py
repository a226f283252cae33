"""What similarities of a run's documents are computed from, in the order of their numbers: shingles or signatures.

Compares nothing, and holds the sets of one stretch of documents at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.decide.columns import sketch_column
from curate.decide.population import Population, starts
from curate.decide.shingle_tasks import Wanted
from curate.dedup.candidates import label_in, taken
from curate.kernels.shingling import Shingling

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

Sets = tuple[int, int, U32, I64]
"""(low, high, values, offsets): the set of document `documents[low + i]` is `values[offsets[i]:offsets[i + 1]]`."""


def mask(population: Population, documents: I64) -> npt.NDArray[np.bool_]:
    """Return where a population's documents are among these."""
    chosen = np.zeros(sum(population.sizes), np.bool_)
    chosen[documents] = True
    return chosen


def stretches(sizes: npt.NDArray[np.integer], budget: int) -> I64:
    """Cut a row of sizes where they fill the budget: int64 (stretches + 1,) from 0 to their number."""
    total = np.concatenate([[0], np.cumsum(sizes.astype(np.int64))])
    cuts = np.searchsorted(total, np.arange(0, int(total[-1]), max(budget, 1)), "left")
    return np.unique([0, *cuts, len(sizes)]).astype(np.int64)


def shingle_stretches(population: Population, documents: I64, shingling: Shingling, cuts: I64) -> Iterator[Sets]:
    """Yield the shingle sets of documents (ascending numbers), one stretch between two `cuts` after the other."""
    stretch = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
    labels = label_in(stretch, max(len(cuts) - 1, 1))
    wanted = Wanted(documents, labels)
    done = 0
    for piece in population.shingles(wanted, shingling, max(len(cuts) - 1, 1)):
        yield done, done + len(piece), *taken(piece.values, piece.offsets, piece.sets[np.argsort(piece.doc)])
        done += len(piece)


def signature_stretches(population: Population, documents: I64, cuts: I64) -> Iterator[Sets]:
    """Yield the signatures of documents (ascending numbers), one stretch between two `cuts` after the other."""
    begin = starts(population)
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        some = documents[low:high]
        pieces = [np.zeros(0, np.uint32)]
        width = 1
        for part in np.unique(np.searchsorted(begin, some, "right") - 1).tolist():
            column = population.columns(part).sketches(["signature"]).column(0).combine_chunks()
            here = some[(some >= begin[part]) & (some < begin[part + 1])] - begin[part]
            width = column.type.list_size
            pieces.append(column.take(pa.array(here)).flatten().to_numpy())
        yield low, high, np.concatenate(pieces), np.arange(high - low + 1) * width


def shingle_counts(population: Population, documents: I64) -> npt.NDArray[np.uint32]:
    """Return how many shingles each document has, repeated ones counted again: at least as many as its set."""
    counts: npt.NDArray[np.uint32] = sketch_column(population, mask(population, documents), "shingles")
    return counts
