"""The shingles of candidate duplicates: tasks that read their texts again, and tasks that judge a partition of them.

Which documents are candidates, and what is judged, is decided elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dedup.candidates import Candidates, read_partition, write_shingles
from curate.dedup.clusters import keys_within
from curate.errors import RunError
from curate.kernels.minhash import ShingleSets, shingle_sets
from curate.kernels.shingling import Shingling
from curate.shards import ReadOptions, Shard, read_chosen
from curate.storage import Location
from curate.tables import read_table
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.workers import Workers

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Wanted:
    """Documents whose shingles are wanted: their numbers (ascending) and clusters.

    In the Candidates that come back, `doc` is the place of a document in these arrays, and `band_keys` are those of
    the first `bands` bands, inside the `groups` (uint64, one a document) if there are some. `ranks` and `protected` do
    not change.
    """

    documents: Numbers
    cluster: npt.NDArray[np.uint32]
    bands: int = 0
    groups: U64 | None = None
    ranks: Numbers | None = None
    protected: Bools | None = None

    def of_part(self, begin: int, end: int) -> tuple[int, Wanted]:
        """Return the documents numbered `begin` to `end`, from 0 on, and the place of the first in all."""
        low, high = np.searchsorted(self.documents, [begin, end])
        here = slice(low, high)
        return int(low), Wanted(
            self.documents[here] - begin,
            self.cluster[here],
            self.bands,
            None if self.groups is None else self.groups[here],
            None if self.ranks is None else self.ranks[here],
            None if self.protected is None else self.protected[here],
        )

    def band_keys(self, sketches: Callable[[Sequence[str]], pa.Table]) -> npt.NDArray[np.uint64]:
        """Return uint64 (wanted, bands), read from the sketches of their part."""
        keys = np.zeros((len(self.documents), max(self.bands, 1)), np.uint64)
        for band in range(self.bands):
            column = sketches([f"band_{band}"]).column(0).to_numpy()[self.documents]
            keys[:, band] = column if self.groups is None else keys_within(column, self.groups)
        return keys

    def with_shingles(
        self, low: int, high: int, first: int, sets: ShingleSets, keys: npt.NDArray[np.uint64]
    ) -> Candidates:
        """Join documents `low` to `high`, the first of which has place `first`, with their shingle sets."""
        window = slice(low, high)
        places = np.arange(first, first + high - low, dtype=np.uint64)
        ranks = np.zeros(len(places), np.int64) if self.ranks is None else self.ranks[window]
        protected = np.zeros(len(places), np.bool_) if self.protected is None else self.protected[window]
        own = np.arange(len(places))
        return Candidates(places, self.cluster[window], ranks, protected, own, keys[window], sets.values, sets.offsets)


@dataclass(frozen=True)
class Judging:
    """The task that judges one partition of the shingles on disk. Picklable."""

    paths: Sequence[Location]
    partitions: int
    judge: Callable[[Candidates], Any]

    def __call__(self, partition: int, workers: Workers) -> Any:
        """Read a partition and judge it."""
        return self.judge(read_partition(self.paths, partition, self.partitions))


@dataclass(frozen=True)
class ShingleTask:
    """Shingle the wanted documents of one shard into a file of candidates. Picklable."""

    shard: Shard
    sketches: Location
    options: ReadOptions
    cleaners: tuple[str, ...]
    shingling: Shingling
    first: int  # place of the first wanted document among those of all shards
    wanted: Wanted
    partitions: int
    folder: Location

    @property
    def path(self) -> Location:
        """Where the candidates of this shard go."""
        return self.folder / f"{self.shard.name}.arrow"

    def band_keys(self) -> npt.NDArray[np.uint64]:
        """Read the band keys of the wanted documents."""
        return self.wanted.band_keys(lambda columns: read_table(self.sketches, columns))

    def batches(self) -> Iterator[tuple[int, int, pa.Array]]:
        """Yield (first, last) of the wanted documents of each batch, and their raw texts; stop after the last one."""
        wanted, high = self.wanted.documents, 0
        for low, high, texts in read_chosen(self.shard, self.options, wanted):
            if high > low:
                yield low, high, texts
        if high == len(wanted):
            return
        raise RunError(f"{self.shard.paths[0]} has fewer documents than were measured; run again with --overwrite")

    def of_batch(self, item: tuple[int, int, pa.Array], keys: npt.NDArray[np.uint64]) -> Candidates:
        """Clean and shingle the wanted documents of a batch."""
        low, high, texts = item
        sets = shingle_sets(clean(texts, self.cleaners), **self.shingling._asdict())
        return self.wanted.with_shingles(low, high, self.first + low, sets, keys)


def run_shingle_task(task: ShingleTask, workers: Workers) -> int:
    """Run a task; return how many documents it wrote."""
    of_batch = functools.partial(task.of_batch, keys=task.band_keys())
    return write_shingles(task.path, workers.map(of_batch, task.batches()), task.partitions)
