"""Rows divided into partitions, in one Arrow file that any task can read one partition of.

Knows nothing of what the rows mean. A file is a row of pieces, each cut into one record batch a partition: record
batch k belongs to partition k % partitions, so that a reader touches nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.errors import RunError
from curate.shards.atomic import atomic_file
from curate.storage import Location, open_arrow

I64 = npt.NDArray[np.int64]


def write_divided(
    path: Location, schema: pa.Schema, pieces: Iterable[tuple[pa.RecordBatch, I64]], partitions: int
) -> None:
    """Write pieces (rows in the order of their partitions, and int64 (partitions,): how many are of each).

    The file appears under its name only when it is complete. Raises SpaceError where the disk is full.
    """
    marked = schema.with_metadata({**(schema.metadata or {}), "partitions": str(partitions)})
    with atomic_file(path, lasting=False) as sink, pa.ipc.new_file(sink, marked) as writer:
        for rows, sizes in pieces:
            begin = 0
            for size in sizes.tolist():
                writer.write_batch(rows.slice(begin, size))
                begin += size


def read_divided(path: Location, partition: int, partitions: int, piece: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a partition, one record batch a piece, in the order that they were written; or of one `piece`.

    Raises RunError, naming the file, where it is damaged or is not divided into so many partitions.
    """
    try:
        with pa.memory_map(str(path)) if isinstance(path, Path) else open_arrow(path) as source:
            reader = pa.ipc.open_file(source)
            divided = int(reader.schema.metadata[b"partitions"])
            if divided == partitions:
                chosen = range(partition, reader.num_record_batches, divided)
                for number in chosen if piece is None else chosen[piece : piece + 1]:
                    yield reader.get_batch(number)
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); delete the file and run the same command again") from error
    if divided != partitions:
        raise RunError(
            f"{path}: holds {divided} partitions where {partitions} are expected; "
            "delete the file and run the same command again"
        )


def in_partitions(rows: pa.RecordBatch, partition: I64, partitions: int) -> tuple[pa.RecordBatch, I64]:
    """Put rows into the order of their partitions, each partition in its own order; a piece for `write_divided`."""
    order = np.argsort(partition.astype(np.uint16 if partitions <= 1 << 16 else np.int64), kind="stable")
    return rows.take(pa.array(order)), np.bincount(partition, minlength=partitions).astype(np.int64)
