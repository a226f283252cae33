"""Which of very many occurrences of 64-bit keys are too many: keys on disk by partition, counted one at a time.

A pass over the texts writes the keys of each batch, divided by their upper bits; counting holds the distinct
keys of one partition in memory and leaves one flag an occurrence; a second pass asks for the flags of a batch.
Exact, linear in the occurrences, and in memory as large as one partition for each thread. What a key stands for
is not known here, nor is anything kept: the folder is scratch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.kernels import tally
from curate.shards.atomic import explain_write_errors

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int64]

SLOT_BYTES = 16  # of a table: key, rank, count
KEY_BYTES = 4 * SLOT_BYTES  # of memory for a distinct key: tables are a quarter full at worst
_SMALLEST_TABLE = 1 << 12
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
        order, sizes = self._order(keys)
        return Keys(keys[order], ranks[order] if self.ranked else ranks, sizes)

    def _order(self, keys: U64) -> tuple[Numbers, Numbers]:
        part, order = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        sizes = np.zeros(self.partitions, np.int64)
        tally.divide(keys, self.partitions, part, sizes)
        tally.arrange(part, sizes, order)
        return order, sizes

    def write(self, part: str, batches: Iterable[Keys]) -> int:
        """Write the keys of a part; return how many there are."""
        sizes = []
        with explain_write_errors(self._file(part, "keys")):
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._file(part, "keys").open("wb") as keys, self._file(part, "ranks").open("wb") as ranks:
                for batch in batches:
                    keys.write(batch.keys.data)
                    ranks.write(batch.ranks.data)
                    sizes.append(batch.sizes)
            table = np.stack(sizes) if sizes else np.zeros((0, self.partitions), np.int64)
            np.save(self._file(part, "npy"), table)
            total = int(table.sum())
            with self._file(part, "flags").open("wb") as flags:
                flags.truncate(total)
        return total

    def flag(self, partition: int, parts: Sequence[str], more_than: int, gone: npt.NDArray[np.bool_]) -> Frequent:
        """Flag the occurrences of one partition that are too many; return its most frequent keys among them.

        Without ranks those are all occurrences of a key that has more than `more_than`; with ranks all but the
        first in the best ranked place, where those whose rank is `gone` are not there at all.
        """
        table = np.zeros(_SMALLEST_TABLE, np.uint64)
        best, counts = np.zeros(len(table), np.uint32), np.zeros(len(table), np.uint32)
        at = np.zeros(3, np.int64)
        for part in parts:
            keys, ranks, _, begin, end = self._slices(part, partition)
            while not tally.count(keys, ranks, gone, begin, end, at, table, best, counts):
                larger = np.zeros(2 * len(table), np.uint64)
                more = np.zeros(len(larger), np.uint32), np.zeros(len(larger), np.uint32)
                tally.grow(table, best, counts, larger, *more)
                table, (best, counts) = larger, more
        for part in parts:
            keys, ranks, flags, begin, end = self._slices(part, partition)
            if self.ranked:
                tally.flag_copies(keys, ranks, gone, begin, end, table, best, counts, flags)
            else:
                tally.flag_frequent(keys, begin, end, table, counts, more_than, flags)
        limit = max(more_than, 1) if self.ranked else more_than
        slots = np.flatnonzero(counts > limit)
        if len(slots) > _MOST:
            least = np.partition(counts[slots], -_MOST)[-_MOST]
            slots = slots[counts[slots] >= least]
        return Frequent.of([Frequent(table[slots], counts[slots].astype(np.int64))])

    def flags_of(self, part: str, batch: int, keys: U64) -> npt.NDArray[np.uint8]:
        """Return the flag of each key of a batch, given as they were when they were divided."""
        sizes = np.load(self._file(part, "npy"), mmap_mode="r")
        begin = int(sizes[:batch].sum())
        order, _ = self._order(keys)
        flags = np.empty(len(keys), np.uint8)
        flags[order] = _mapped(self._file(part, "flags"), np.uint8, "r")[begin : begin + len(keys)]
        return flags

    def _slices(self, part: str, partition: int) -> tuple[Any, Any, Any, Numbers, Numbers]:
        """Return keys, ranks and flags of a part, and where in them those of a partition begin and end."""
        sizes = np.load(self._file(part, "npy"))
        ends = np.cumsum(sizes).reshape(sizes.shape)
        end = np.ascontiguousarray(ends[:, partition])
        return (
            _mapped(self._file(part, "keys"), np.uint64, "r"),
            _mapped(self._file(part, "ranks"), np.uint32, "r"),
            _mapped(self._file(part, "flags"), np.uint8, "r+"),
            end - sizes[:, partition],
            end,
        )

    def _file(self, part: str, what: str) -> Path:
        return self.folder / f"{part}.{what}"


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


def _mapped(path: Path, dtype: Any, mode: Any) -> npt.NDArray[Any]:
    if not path.stat().st_size:
        empty = np.zeros(0, dtype)
        empty.flags.writeable = mode != "r"
        return empty
    return np.asarray(np.memmap(path, dtype, mode))
