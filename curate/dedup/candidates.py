"""How duplicate candidates travel from their shards to the task that verifies a cluster: one file a shard.

Decides nothing. Files are divided by cluster, so verifying needs the memory of one partition only. Documents of a
batch with equal shingles travel as one set: ten million copies of a page take their numbers, not their words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings
from curate.dedup.divided import in_partitions, read_divided, write_divided
from curate.kernels.hashing import murmur3
from curate.storage import Location

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may be duplicates.

    `doc` uint64 (m,): the number of each in the run. `cluster` uint32 (m,): label of its candidate cluster. `rank`
    int64 (m,): its place in the keep order. `protected` bool (m,): never to be dropped. `sets` int64 (m,): which
    set of shingles is its own. `band_keys` uint64 (sets, bands). The distinct shingles of set s, ascending, are
    `values[offsets[s]:offsets[s + 1]]`, uint32 and int64 (sets + 1,).
    """

    doc: U64
    cluster: U32
    rank: I64
    protected: npt.NDArray[np.bool_]
    sets: I64
    band_keys: U64
    values: U32
    offsets: I64

    def __len__(self) -> int:
        return len(self.doc)

    def each(self) -> tuple[U32, I64]:
        """Return values and offsets with one set a document, in the order of the documents."""
        if np.array_equal(self.sets, np.arange(len(self.offsets) - 1)):
            return self.values, self.offsets
        return taken(self.values, self.offsets, self.sets)


def taken(values: U32, offsets: I64, sets: I64) -> tuple[U32, I64]:
    """Return values and offsets of some sets, in the order of `sets`."""
    sizes = np.diff(offsets)[sets]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return values[np.repeat(offsets[sets] - ends[:-1], sizes) + np.arange(ends[-1])], ends


def partition_of(cluster: npt.NDArray[np.uint32], partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each cluster label, int64 from 0 to partitions - 1; neighbouring labels are spread."""
    mixed = (cluster.astype(np.uint64) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    return ((mixed * np.uint64(partitions)) >> np.uint64(32)).astype(np.int64)


def label_in(partition: npt.NDArray[np.int64], partitions: int) -> npt.NDArray[np.uint32]:
    """A cluster label for each partition that `partition_of` puts there, for documents that have no clusters."""
    lowest = (partition.astype(np.uint64) << np.uint64(32)) + np.uint64(partitions - 1)
    mixed = lowest // np.uint64(partitions)
    return ((mixed * np.uint64(pow(0x9E3779B1, -1, 1 << 32))) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def write_shingles(path: Location, batches: Iterable[Candidates], partitions: int) -> int:
    """Write the candidates of one shard, divided by cluster; return how many documents that were.

    The file appears under its name only when it is complete. In a batch the first document of a cluster with some
    shingles has them, and its band keys, and the others their hash only.
    """
    written = 0

    def pieces() -> Iterator[tuple[pa.RecordBatch, I64]]:
        nonlocal written
        for candidates in batches:
            written += len(candidates)
            yield in_partitions(_record(candidates), partition_of(candidates.cluster, partitions), partitions)

    write_divided(path, _SCHEMA, pieces(), partitions)
    return written


def read_partition(paths: Sequence[Location], partition: int, partitions: int) -> Candidates:
    """Read one partition of the files that `write_shingles` wrote, documents in the order of `paths`.

    Raises RunError, naming the file, for one that is damaged or divided otherwise.
    """
    records = [rows for path in paths for rows in read_divided(path, partition, partitions) if len(rows)]
    return _candidates(records)


_SCHEMA = pa.schema(
    [
        ("doc", pa.uint64()),
        ("cluster", pa.uint32()),
        ("rank", pa.int64()),
        ("protected", pa.uint8()),
        ("hash", pa.uint64()),
        ("other", pa.uint64()),  # half of the hash
        ("band_keys", pa.list_(pa.uint64())),
        ("shingles", pa.large_list(pa.uint32())),
    ]
)


def _record(candidates: Candidates) -> pa.RecordBatch:
    values, offsets = candidates.each()
    m, bands = len(candidates), candidates.band_keys.shape[1]
    hashes = murmur3(Strings(np.ascontiguousarray(values).view(np.uint8), 4 * offsets))
    first, _ = _classes(candidates.cluster, hashes)
    carries = np.zeros(m, np.bool_)
    carries[first] = True
    carriers = np.flatnonzero(carries)
    keys = candidates.band_keys[candidates.sets[carriers]]
    own, ends = taken(values, offsets, carriers)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(candidates.doc, pa.uint64()),
            pa.array(candidates.cluster, pa.uint32()),
            pa.array(candidates.rank, pa.int64()),
            pa.array(candidates.protected.astype(np.uint8)),
            pa.array(hashes[:, 0]),
            pa.array(hashes[:, 1]),
            _lists(carries, np.arange(len(carriers) + 1, dtype=np.int32) * bands, keys.ravel(), pa.uint64()),
            _lists(carries, ends, own, pa.uint32()),
        ],
        schema=_SCHEMA,
    )


def _lists(
    there: npt.NDArray[np.bool_], ends: npt.NDArray[np.integer], values: U32 | U64, kind: pa.DataType
) -> pa.Array:
    """Return lists for the rows that are `there`, null for the others; `ends` (rows there + 1,) cut the values."""
    offsets = ends[np.concatenate([[0], np.cumsum(there)])]
    made = pa.LargeListArray if ends.dtype == np.int64 else pa.ListArray
    return made.from_arrays(pa.array(offsets), pa.array(values, kind), mask=pa.array(~there))


def _classes(cluster: U32, hashes: U64) -> tuple[I64, I64]:
    """Return the first row of each class of rows with the same cluster and hash, and the class of each row."""
    order = np.lexsort((hashes[:, 1], hashes[:, 0], cluster))
    new = np.zeros(len(order), np.bool_)
    new[:1] = True
    for column in (cluster, hashes[:, 0], hashes[:, 1]):
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def _candidates(records: list[pa.RecordBatch]) -> Candidates:
    table = pa.Table.from_batches(records, _SCHEMA)
    doc, cluster, rank, protected, low, high = (table.column(k).to_numpy() for k in range(6))
    hashes = np.stack([low, high], axis=1)
    carriers = np.flatnonzero(table["shingles"].is_valid().to_numpy())
    first, number = _classes(cluster, hashes)
    set_of_class = np.zeros(len(first), np.int64)
    last_to_first = np.arange(len(carriers))[::-1]  # a set may come with several batches: the first one counts
    set_of_class[number[carriers[last_to_first]]] = last_to_first
    there = table["shingles"].drop_null()
    keys = table["band_keys"].drop_null()
    return Candidates(
        doc,
        cluster,
        rank,
        protected.astype(np.bool_),
        set_of_class[number],
        _flat(keys, np.uint64).reshape(len(carriers), -1) if len(carriers) else np.zeros((0, 1), np.uint64),
        _flat(there, np.uint32),
        np.concatenate([[0], np.cumsum(pa.compute.list_value_length(there).to_numpy())]).astype(np.int64),
    )


def _flat(lists: pa.ChunkedArray, dtype: type) -> npt.NDArray[Any]:
    """Return the values of all lists, one list after the other."""
    return np.concatenate([np.zeros(0, dtype), *(chunk.flatten().to_numpy() for chunk in lists.chunks)])
