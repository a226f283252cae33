"""Which documents of a population an index knows: candidates by equal keys, then the most similar of them.

Drops nothing and changes nothing. Memory: 16 bytes for each pair of candidates, and a share of the budget for the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curate.dedup.clusters import Pieces
from curate.dedup.spill import Spill
from curate.index.segment import SETS, Segment, sets_of
from curate.index.sets import Sets, stretches
from curate.index.sorted_keys import SortedKeys, sorted_rows
from curate.kernels import matches as kernel

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]

_QUERY_RANGES = 64  # into which candidate pairs are divided until each is there once


@dataclass(frozen=True)
class Pairs:
    """Candidates: entry i says that document `asked[i]` shares a key with document `known[i]` of the index.

    Ordered by `asked`, then `known`; no pair is there twice.
    """

    asked: I64
    known: I64


def offsets_of(sizes: Sequence[int]) -> I64:
    """Number the documents of all segments: int64 (segments + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def candidate_pairs(
    columns: Sequence[Pieces], n: int, segments: Sequence[SortedKeys], offsets: I64, memory: int, folder: Path
) -> Pairs:
    """Find the pairs of n documents and documents of an index that have a key in common.

    `columns` as in `curate.dedup.clusters.link`; keys of 128 bits must agree in both halves; key 0 meets nothing.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        pairs = Spill(Path(place), "pairs", _QUERY_RANGES)
        for asked in sorted_rows(columns, n, memory, Path(place)):
            keys = np.ascontiguousarray(asked[:, 0]).view(np.uint64)
            for segment, first in zip(segments, offsets, strict=False):
                for at, numbers, others in segment.join(keys):
                    if others is not None:
                        equal = asked[at, 2] == others.view(np.int64)
                        at, numbers = at[equal], numbers[equal]
                    found = np.stack([asked[at, 1], numbers + first], axis=1)
                    pairs.scatter(found[:, 0] * _QUERY_RANGES // n, found)
        each = [_distinct(pairs.all(k)) for k in range(_QUERY_RANGES)]
    whole = np.concatenate(each)
    return Pairs(whole[:, 0], whole[:, 1])


def _distinct(pairs: I64) -> I64:
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs = pairs[order]
    new = np.ones(len(pairs), np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[new]


@dataclass(frozen=True)
class Best:
    """For each of `documents` that the index knows, ascending: the most similar one there, and how similar it is."""

    documents: I64
    known: I64
    similarity: F32


def first_of(pairs: Pairs, similarity: float) -> Best:
    """Take the first candidate of each document, unverified."""
    documents, first = np.unique(pairs.asked, return_index=True)
    return Best(documents, pairs.known[first], np.full(len(documents), similarity, np.float32))


class Verification:
    """Compares the candidate pairs stretch by stretch, so that the sets of one stretch are in memory.

    `documents`: those with candidates, int64 ascending; `cuts` divides them.
    """

    def __init__(self, pairs: Pairs, bytes_each: npt.NDArray[np.integer], memory: int, positional: bool) -> None:
        self.documents, self._starts = np.unique(pairs.asked, return_index=True)
        self._starts = np.append(self._starts, len(pairs.asked)).astype(np.int64)
        self._known, self._positional = pairs.known, positional
        # What similar documents weigh is about the same, so a document with k candidates weighs k + 1 times its own.
        weights = bytes_each.astype(np.int64) * (np.diff(self._starts) + 1)
        self.cuts = stretches(weights, memory)

    def best(
        self,
        sets: Iterator[Sets],
        segments: Sequence[Segment],
        offsets: I64,
        threshold: float,
        measure: str,
        folder: Path,
    ) -> Best:
        """Return the most similar candidate of every document that has one at or above the threshold.

        `sets`: of `documents`, one stretch after the other.
        """
        best = np.full(len(self.documents), -1, np.int64)
        similarity = np.full(len(self.documents), np.nan, np.float32)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            needed = _Fetched(segments, offsets, SETS[self._positional], self._stretch_pairs(), Path(place))
            for (low, high, values, begins), (known, others, other_begins) in zip(sets, needed.stretches, strict=True):
                pairs = slice(self._starts[low], self._starts[high])
                chosen = np.full(high - low, -1, np.int64)
                together = np.concatenate([values, others])
                own, theirs = np.asarray(begins, np.int64), other_begins + len(values)
                first = self._starts[low : high + 1] - self._starts[low]
                candidates = np.searchsorted(known, self._known[pairs])
                if self._positional:
                    kernel.best_estimates(
                        together, own, theirs, first, candidates, threshold, chosen, similarity[low:high]
                    )
                else:
                    containment = measure == "containment"
                    kernel.best_matches(
                        together, own, theirs, first, candidates, threshold, containment, chosen, similarity[low:high]
                    )
                best[low:high] = np.where(chosen < 0, -1, known[chosen] if len(known) else -1)
        found = best >= 0
        return Best(self.documents[found], best[found], similarity[found])

    def _stretch_pairs(self) -> list[I64]:
        """Return the known documents that each stretch needs, ascending, each once."""
        bounds = self._starts[self.cuts]
        return [np.unique(self._known[low:high]) for low, high in pairwise(bounds.tolist())]


class _Fetched:
    """Sets of known documents by stretch, put aside on disk in one pass over the segments."""

    def __init__(self, segments: Sequence[Segment], offsets: I64, column: str, needed: list[I64], folder: Path) -> None:
        self._needed = needed
        self._sizes = Spill(folder, "sizes", len(needed), 1)
        self._folder = folder
        everyone = np.unique(np.concatenate([np.zeros(0, np.int64), *needed]))
        for segment, begin, end in zip(segments, offsets[:-1], offsets[1:], strict=True):
            low, high = np.searchsorted(everyone, [begin, end])
            mine = everyone[low:high]
            for first, last, table in segment.rows(mine - begin, [column]):
                self._put(mine[first:last], *sets_of(table))

    def _put(self, known: I64, values: U32, begins: I64) -> None:
        for number, needed in enumerate(self._needed):
            low, high = np.searchsorted(needed, [known[0], known[-1] + 1])
            if high == low:
                continue
            places = np.searchsorted(known, needed[low:high])
            sizes = np.diff(begins)[places]
            self._sizes.scatter(np.full(len(sizes), number), sizes[:, None])
            taken = np.repeat(begins[places] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
            with (self._folder / f"values-{number}").open("ab") as file:
                values[taken].tofile(file)

    @property
    def stretches(self) -> Iterator[tuple[I64, U32, I64]]:
        """Yield (known documents, values, offsets) of every stretch."""
        for number, known in enumerate(self._needed):
            begins = np.concatenate([[0], np.cumsum(self._sizes.all(number)[:, 0])]).astype(np.int64)
            path = self._folder / f"values-{number}"
            yield known, np.fromfile(path, np.uint32) if path.exists() else np.zeros(0, np.uint32), begins
            self._sizes.remove(number)
            path.unlink(missing_ok=True)
