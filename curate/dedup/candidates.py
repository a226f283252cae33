"""How duplicate candidates travel from their shards to the task that verifies a cluster: one file a shard.

Decides nothing. Files are divided by cluster, so verifying needs the memory of one partition only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.errors import RunError
from curate.shards.atomic import partial_path, publish
from curate.storage import Location, open_arrow


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may be duplicates; entry i of every array is about the same document.

    `doc` uint64 (m,): its number in the run. `cluster` uint32 (m,): label of its candidate cluster.
    `band_keys` uint64 (m, bands). Its distinct shingles, ascending, are `values[offsets[i]:offsets[i + 1]]`,
    uint32 and int64 (m + 1,).
    """

    doc: npt.NDArray[np.uint64]
    cluster: npt.NDArray[np.uint32]
    band_keys: npt.NDArray[np.uint64]
    values: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.doc)


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
    """Write the candidates of one shard to an Arrow file; return how many documents that were.

    The file appears under its name only when it is complete. Each batch becomes `partitions` record
    batches, so record batch k belongs to partition k % partitions and can be read without the others.
    """
    unfinished = partial_path(path)
    written = 0
    try:
        with pa.OSFile(str(unfinished), "wb") as sink:
            writer = None
            for candidates in batches:
                record = _record(candidates, partitions)
                writer = writer or pa.ipc.new_file(sink, record.schema)
                part = partition_of(candidates.cluster, partitions)
                for p in range(partitions):
                    writer.write_batch(record.take(pa.array(np.flatnonzero(part == p))))
                written += len(candidates)
            if writer is None:
                writer = pa.ipc.new_file(sink, _schema(1, partitions))
            writer.close()
        publish(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return written


def read_partition(paths: Sequence[Location], partition: int) -> Candidates:
    """Read one partition of the files that `write_shingles` wrote, documents in the order of `paths`.

    Raises RunError, naming the file, for one that is damaged or divided differently from the first.
    """
    records: list[pa.RecordBatch] = []
    partitions = None
    for path in paths:
        try:
            with pa.memory_map(str(path)) if isinstance(path, Path) else open_arrow(path) as source:
                reader = pa.ipc.open_file(source)
                divided = int(reader.schema.metadata[b"partitions"])
                found = [reader.get_batch(k) for k in range(partition, reader.num_record_batches, divided)]
        except (OSError, pa.ArrowInvalid, KeyError, TypeError) as error:
            raise RunError(
                f"{path}: cannot read the shingles of duplicate candidates ({error}); "
                "delete the file and run the same command again"
            ) from error
        if divided != (partitions or divided):
            raise RunError(
                f"{path}: holds {divided} partitions where {paths[0]} holds {partitions}; "
                "delete both and run the same command again"
            )
        partitions = divided
        records += [record for record in found if record.num_rows]
    return _candidates(records)


def _schema(bands: int, partitions: int) -> pa.Schema:
    fields = [
        ("doc", pa.uint64()),
        ("cluster", pa.uint32()),
        ("band_keys", pa.list_(pa.uint64(), bands)),
        ("shingles", pa.large_list(pa.uint32())),
    ]
    return pa.schema(fields, metadata={"partitions": str(partitions)})


def _record(candidates: Candidates, partitions: int) -> pa.RecordBatch:
    bands = candidates.band_keys.shape[1]
    columns = [
        pa.array(candidates.doc, pa.uint64()),
        pa.array(candidates.cluster, pa.uint32()),
        pa.FixedSizeListArray.from_arrays(pa.array(candidates.band_keys.ravel(), pa.uint64()), bands),
        pa.LargeListArray.from_arrays(candidates.offsets, pa.array(candidates.values, pa.uint32())),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(bands, partitions))


def _candidates(records: list[pa.RecordBatch]) -> Candidates:
    if not records:
        return Candidates(
            np.zeros(0, np.uint64),
            np.zeros(0, np.uint32),
            np.zeros((0, 1), np.uint64),
            np.zeros(0, np.uint32),
            np.zeros(1, np.int64),
        )
    lists = [record.column("shingles") for record in records]
    sizes = np.concatenate([np.diff(part.offsets.to_numpy()) for part in lists])
    return Candidates(
        np.concatenate([record.column("doc").to_numpy() for record in records]),
        np.concatenate([record.column("cluster").to_numpy() for record in records]),
        np.concatenate([record.column("band_keys").flatten().to_numpy() for record in records]).reshape(len(sizes), -1),
        np.concatenate([part.flatten().to_numpy() for part in lists]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
    )
