"""Which of very many occurrences of 64-bit keys are too many: keys on disk by partition, counted one at a time.

A pass over the texts writes the keys of each batch, divided by their upper bits; counting holds the distinct
keys of one partition in memory and leaves one flag an occurrence; a second pass reads the flags of a part.
Exact, linear in the occurrences, and in memory as large as one partition for each thread. What a key stands for
is not known here, nor is anything kept: the folder is scratch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dedup.divided import read_divided, write_divided
from curate.kernels import tally
from curate.shards.atomic import atomic_file

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]

SLOT_BYTES = 16  # of a table: key, rank, count
KEY_BYTES = 4 * SLOT_BYTES  # of memory for a distinct key: tables are a quarter full at worst
_SMALLEST_TABLE = 1 << 12
_FLAGS = pa.schema([("flag", pa.uint8())])
_MOST = 20_000  # of the most frequent keys of a partition that are remembered


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one batch in the order of the partitions; `sizes` int64: how many each has. `ranks` may be empty."""

    keys: U64
    ranks: U32
    sizes: Numbers


@dataclass(frozen=True, slots=True)
class Frequent:
    """Keys with the number of times that they were counted, most frequent first."""

    keys: U64
    counts: Numbers

    @staticmethod
    def of(found: Iterable[Frequent], most: int = _MOST) -> Frequent:
        """Join several, and keep the most frequent."""
        pieces = list(found)
        keys = np.concatenate([np.zeros(0, np.uint64), *(piece.keys for piece in pieces)])
        counts = np.concatenate([np.zeros(0, np.int64), *(piece.counts for piece in pieces)])
        order = np.lexsort((keys, -counts))[:most]
        return Frequent(keys[order], counts[order])


@dataclass(frozen=True)
class Occurrences:
    """Scratch files of the keys of a corpus: for every part (shard) its keys, how they are divided, and their flags."""

    folder: Path
    partitions: int
    ranked: bool

    def divided(self, keys: U64, ranks: U32) -> Keys:
        """Put the keys of a batch, and their ranks where there are any, into the order of the partitions."""
        order, sizes = self.order(keys)
        return Keys(keys[order], ranks[order] if self.ranked else ranks, sizes)

    def order(self, keys: U64) -> tuple[Numbers, Numbers]:
        """Return the places of keys in the order of the partitions, and how many each partition has."""
        part, order = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        sizes = np.zeros(self.partitions, np.int64)
        tally.divide(keys, self.partitions, part, sizes)
        tally.arrange(part, sizes, order)
        return order, sizes

    def write(self, part: str, batches: Iterable[Keys]) -> int:
        """Write the keys of a part; return how many there are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sizes = [np.zeros(self.partitions, np.int64)]
        schema = pa.schema([("key", pa.uint64()), *([("rank", pa.uint32())] if self.ranked else [])])

        def pieces() -> Iterator[tuple[pa.RecordBatch, Numbers]]:
            for batch in batches:
                sizes.append(batch.sizes)
                columns = [pa.array(batch.keys), *([pa.array(batch.ranks)] if self.ranked else [])]
                yield pa.RecordBatch.from_arrays(columns, schema=schema), batch.sizes

        write_divided(self._file(part, "keys"), schema, pieces(), self.partitions)
        before = np.cumsum(sizes, axis=0)
        with atomic_file(self._file(part, "sizes"), lasting=False) as file:
            np.save(file, before)
        return int(before[-1].sum())

    def flag(self, partition: int, parts: Sequence[str], more_than: int, gone: npt.NDArray[np.bool_]) -> Frequent:
        """Flag the occurrences of one partition that are too many; return its most frequent keys among them.

        Without ranks those are all occurrences of a key that has more than `more_than`; with ranks all but the
        first in the best ranked place, where those whose rank is `gone` are not there at all.
        """
        table = np.zeros(_SMALLEST_TABLE, np.uint64)
        best, counts = np.zeros(len(table), np.uint32), np.zeros(len(table), np.uint32)
        at = np.zeros(3, np.int64)
        for part in parts:
            keys, ranks, begin, end = self._keys(part, partition)
            while not tally.count(keys, ranks, gone, begin, end, at, table, best, counts):
                larger = np.zeros(2 * len(table), np.uint64)
                more = np.zeros(len(larger), np.uint32), np.zeros(len(larger), np.uint32)
                tally.grow(table, best, counts, larger, *more)
                table, (best, counts) = larger, more

        def flagged() -> Iterator[tuple[pa.RecordBatch, Numbers]]:
            for part in parts:
                keys, ranks, begin, end = self._keys(part, partition)
                flags = np.empty(len(keys), np.uint8)
                if self.ranked:
                    tally.flag_copies(keys, ranks, gone, begin, end, table, best, counts, flags)
                else:
                    tally.flag_frequent(keys, begin, end, table, counts, more_than, flags)
                yield pa.RecordBatch.from_arrays([pa.array(flags)], schema=_FLAGS), end

        write_divided(self._file(str(partition), "flags"), _FLAGS, flagged(), 1)
        limit = max(more_than, 1) if self.ranked else more_than
        slots = np.flatnonzero(counts > limit)
        if len(slots) > _MOST:
            least = np.partition(counts[slots], -_MOST)[-_MOST]
            slots = slots[counts[slots] >= least]
        return Frequent.of([Frequent(table[slots], counts[slots].astype(np.int64))])

    def flags(self, part: str, number: int) -> Flags:
        """Read the flags of the part that has this number among all."""
        files = [self._file(str(partition), "flags") for partition in range(self.partitions)]
        found = [next(read_divided(file, 0, 1, number)).column(0).to_numpy() for file in files]
        return Flags(self, found, np.load(self._file(part, "sizes")))

    def _keys(self, part: str, partition: int) -> tuple[U64, U32, Numbers, Numbers]:
        """Return the keys of a part in a partition, their ranks if any, and the one slice that they are."""
        rows = list(read_divided(self._file(part, "keys"), partition, self.partitions))
        keys = np.concatenate([np.zeros(0, np.uint64), *(row.column(0).to_numpy() for row in rows)])
        ranks = [row.column(1).to_numpy() for row in rows] if self.ranked else []
        ends = np.zeros(1, np.int64), np.array([len(keys)], np.int64)
        return keys, np.concatenate([np.zeros(0, np.uint32), *ranks]), *ends

    def _file(self, part: str, what: str) -> Path:
        return self.folder / f"{part}.{what}"


@dataclass(frozen=True, eq=False)
class Flags:
    """The flags of a part, in memory: a byte for each of its keys.

    `found`: those of each partition. `before` int64 (batches + 1, partitions): how many keys came in batches before.
    """

    occurrences: Occurrences
    found: Sequence[npt.NDArray[np.uint8]]
    before: Numbers

    def of(self, batch: int, keys: U64) -> npt.NDArray[np.uint8]:
        """Return the flag of each key of a batch, given as they were when they were divided."""
        order, _ = self.occurrences.order(keys)
        flags = np.empty(len(keys), np.uint8)
        begin, end = self.before[batch], self.before[batch + 1]
        here = [flags[low:high] for flags, low, high in zip(self.found, begin, end, strict=True)]
        flags[order] = np.concatenate(here)
        return flags


@dataclass(frozen=True, eq=False)
class Flagging:
    """The task that counts one partition; see `Occurrences.flag`. Picklable; called as `task(partition, workers)`."""

    occurrences: Occurrences
    parts: Sequence[str]
    more_than: int
    gone: npt.NDArray[np.bool_]

    def __call__(self, partition: int, workers: Any) -> Frequent:
        """Count and flag a partition."""
        return self.occurrences.flag(partition, self.parts, self.more_than, self.gone)
