"""The documents that decide looks at, as columns: of a run directory, or of a batch in memory.

Documents are numbered 0..n-1 in the order of the parts (shards) and of the rows in them. No text is held; the
shingles of candidate duplicates are computed on request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.arrow import Strings
from curate.errors import RunError
from curate.kernels.minhash import ShingleSets, shingle_sets
from curate.measure import Measured, read_options
from curate.shards import Shard, read
from curate.text import clean

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.local import Local, Workers
    from curate.run import Run

Numbers = npt.NDArray[np.int64]


class Population(Protocol):
    """Columns of documents, part by part."""

    sizes: Sequence[int]

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of a part, one row a document."""
        ...

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a part, in the same order."""
        ...

    def shingles(self, documents: Numbers, ngram: int) -> ShingleSets:
        """Return the shingle sets of the numbered documents (ascending), computed from their cleaned texts."""
        ...


def starts(population: Population) -> Numbers:
    """Return int64 (parts + 1,): the number of the first document of each part, and of all."""
    return np.concatenate([[0], np.cumsum(population.sizes)]).astype(np.int64)


class MemoryPopulation:
    """One batch, measured in memory."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.sizes: Sequence[int] = [len(measured.signals)]

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of the batch."""
        import polars as pl

        return pl.DataFrame(pl.from_arrow(self._measured.signals.select(list(columns))))

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of the batch."""
        return self._measured.sketches.select(list(columns))

    def shingles(self, documents: Numbers, ngram: int) -> ShingleSets:
        """Return the shingle sets of the numbered documents."""
        return shingle_sets(_take(self._measured.cleaned, documents), ngram)


class RunPopulation:
    """The measured shards of a run directory."""

    def __init__(self, run: Run, engine: Local, cleaners: Sequence[str]) -> None:
        self.run, self._engine, self._cleaners = run, engine, tuple(cleaners)
        self.shards = run.measured
        self.sizes: Sequence[int] = [pq.read_metadata(run.signals_file(shard)).num_rows for shard in self.shards]

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of a shard."""
        import polars as pl

        return pl.read_parquet(self.run.signals_file(self.shards[part]), columns=list(columns), glob=False)

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a shard."""
        return pq.read_table(self.run.sketches_file(self.shards[part]), columns=list(columns), partitioning=None)

    def shingles(self, documents: Numbers, ngram: int) -> ShingleSets:
        """Read the shards that hold the numbered documents again and return their shingle sets."""
        begin = starts(self)
        owner = np.searchsorted(begin, documents, side="right") - 1
        wanted = [(int(part), documents[owner == part] - begin[part]) for part in np.unique(owner)]
        task = _ShingleTask(self.run, self.shards, self._cleaners, ngram)
        found = dict(self._engine.run(task, [_Wanted(part, tuple(rows.tolist())) for part, rows in wanted]))
        return _join([sets for _, sets in sorted(found.items(), key=lambda pair: pair[0].part)])


@dataclass(frozen=True)
class _Wanted:
    part: int
    positions: tuple[int, ...]


@dataclass(frozen=True)
class _ShingleTask:
    """Reads one shard and shingles some of its documents; `task(wanted, workers)`."""

    run: Run
    shards: Sequence[Shard]
    cleaners: tuple[str, ...]
    ngram: int

    def __call__(self, wanted: _Wanted, workers: Workers) -> ShingleSets:
        shard = self.shards[wanted.part]
        options = read_options(self.run, metadata=False)
        positions = np.asarray(wanted.positions, np.int64)

        def of_batch(item: tuple[int, Any]) -> ShingleSets:
            start, batch = item
            low, high = np.searchsorted(positions, [start, start + len(batch)])
            chosen = batch.texts.take(pa.array(positions[low:high] - start))
            return shingle_sets(clean(chosen, self.cleaners), self.ngram)

        sets = _join(list(workers.map(of_batch, numbered(read(shard, options, on_reject=lambda reject: None)))))
        if len(sets.offsets) - 1 != len(positions):
            raise RunError(
                f"{shard.paths[0]} has fewer documents than when it was measured; run again with --overwrite"
            )
        return sets


def numbered(batches: Any) -> Any:
    """Yield (position of its first document in the shard, batch)."""
    start = 0
    for batch in batches:
        yield start, batch
        start += len(batch)


def _take(strings: Strings, documents: Numbers) -> Strings:
    from classifiers.arrow import as_strings, to_array

    return as_strings(to_array(strings).take(pa.array(documents)))


def _join(parts: Sequence[ShingleSets]) -> ShingleSets:
    if not parts:
        return ShingleSets(np.zeros(0, np.uint32), np.zeros(1, np.int64))
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return ShingleSets(np.concatenate([part.values for part in parts]), np.concatenate([[0], np.cumsum(counts)]))


def gather(population: Population, documents: Numbers, columns: Sequence[str]) -> pl.DataFrame:
    """Return signals of the numbered documents (ascending), one row each."""
    import polars as pl

    begin = starts(population)
    cuts = np.searchsorted(documents, begin)
    pieces = [
        population.frame(part, columns)[documents[low:high] - begin[part]]
        for part, (low, high) in enumerate(pairwise(cuts))
        if high > low
    ]
    return pl.concat(pieces, how="vertical_relaxed") if pieces else population.frame(0, columns).clear()


def sketch_column(population: Population, keep: npt.NDArray[np.bool_], name: str) -> npt.NDArray[Any]:
    """Return one sketch column of the documents where `keep` is true."""
    return _column(population, keep, lambda part: population.sketches(part, [name]).column(0).to_numpy())


def signal_column(population: Population, keep: npt.NDArray[np.bool_], name: str) -> npt.NDArray[Any]:
    """Return one numeric signal of the documents where `keep` is true; null becomes NaN in a float column."""
    return _column(population, keep, lambda part: population.frame(part, [name]).to_series().to_numpy())


def exact_hashes(population: Population, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return uint64 (kept, 2): the 128-bit text hashes of the documents where `keep` is true."""

    def of(part: int) -> npt.NDArray[np.uint64]:
        column = population.sketches(part, ["exact"]).column(0).combine_chunks()
        whole = np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, 2)
        return whole[column.offset : column.offset + len(column)]

    return _column(population, keep, of)


def _column(
    population: Population, keep: npt.NDArray[np.bool_], of: Callable[[int], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    begin = starts(population)
    pieces: list[npt.NDArray[Any]] = []
    for part, size in enumerate(population.sizes):
        kept = keep[begin[part] : begin[part] + size]
        if kept.any() or not pieces:
            pieces.append(of(part)[kept])
    return np.concatenate(pieces) if pieces else np.zeros(0)
