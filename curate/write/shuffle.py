"""The last pass of a shuffled mix: documents of all classes in one random order, the same for every run.

Write divides documents over buckets by a hash; here each bucket, which fits into memory, is put into the order of
another hash and becomes a file. Which documents are written is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.shards import MixWriter
from curate.storage import Location
from curate.tables import read_table

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers

ORDER = "_order"  # column of the buckets: where a document goes

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def orders(doc: npt.NDArray[np.uint64], copy: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of document number and copy, uint64 (n,): the copies of a document end up far apart."""
    mixed = doc ^ ((copy + np.uint64(1)) * _GOLDEN)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    hashed: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return hashed


def buckets_of(order: npt.NDArray[np.uint64], buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each document, int64 (n,): buckets are consecutive stretches of the order."""
    return ((order >> np.uint64(32)) * np.uint64(buckets) >> np.uint64(32)).astype(np.int64)


def bucket_name(bucket: int) -> str:
    """Return the folder of a bucket."""
    return f"bucket-{bucket:05d}"


@dataclass(frozen=True)
class Shuffled:
    """What was written in its order: documents, and the files that hold them."""

    documents: int = 0
    files: Sequence[Location] = ()


@dataclass(frozen=True)
class ShuffleTask:
    """Turns one bucket into files of the mix; `task(number, workers)`. Picklable."""

    pieces: Sequence[Sequence[Location]] = field(repr=False)  # of each bucket
    mix: Location
    schema: pa.Schema
    format: str
    target_bytes: int
    text_column: str

    def __call__(self, bucket: int, workers: Workers) -> Shuffled:
        """Write a bucket in its order and forget it."""
        if not self.pieces[bucket]:
            return Shuffled()
        table = pa.concat_tables(read_table(piece) for piece in self.pieces[bucket])
        rows = np.argsort(table[ORDER].to_numpy(), kind="stable")
        table = table.drop_columns([ORDER]).cast(self.schema)
        with MixWriter(
            self.mix / "shuffled",
            self.schema,
            format=self.format,
            target_bytes=2 * self.target_bytes,
            prefix=f"part-{bucket:05d}",
            text_column=self.text_column,
        ) as writer:
            step = 4096
            for start in range(0, len(rows), step):
                writer.write(table.take(pa.array(rows[start : start + step])).combine_chunks())
        return Shuffled(len(rows), [part.path for part in writer.parts])


def shuffle(task: ShuffleTask, buckets: int, engine: Engine) -> Shuffled:
    """Write every bucket; the buckets stay until the caller knows that all is there."""
    total = Shuffled()
    for _, written in engine.run(task, range(buckets)):
        total = Shuffled(total.documents + written.documents, [*total.files, *written.files])
    return total
