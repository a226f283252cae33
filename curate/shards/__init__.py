"""Shards: from input files to batches of documents, and from documents to the files of a mix.

Knows nothing of signals, recipes or runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.shards.atomic import atomic_bytes, atomic_file
from curate.shards.batches import Batch, ReadOptions
from curate.shards.columnar import read_arrow, read_parquet
from curate.shards.jsonl import read_jsonl
from curate.shards.plain import read_text_files, read_wet
from curate.shards.plan import Shard, plan, refuse_inputs
from curate.shards.rejects import Reject, RejectWriter
from curate.shards.schema import SchemaCollector, unify
from curate.shards.seals import holds, seal
from curate.shards.writers import MixWriter, Part

__all__ = [
    "Batch",
    "MixWriter",
    "Part",
    "ReadOptions",
    "Reject",
    "RejectWriter",
    "SchemaCollector",
    "Shard",
    "atomic_bytes",
    "atomic_file",
    "holds",
    "plan",
    "read",
    "read_again",
    "read_chosen",
    "refuse_inputs",
    "seal",
    "unify",
]

_READERS = {
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "txt": read_text_files,
    "wet": read_wet,
}


def read(
    shard: Shard,
    options: ReadOptions | None = None,
    *,
    on_reject: Callable[[Reject], None],
    collector: SchemaCollector | None = None,
) -> Iterator[Batch]:
    """Yield the documents of `shard` in batches; what is no document goes to `on_reject` with the reason.

    Documents, their order and the rejects are the same at every call with the same options but `metadata`,
    whatever metadata is asked for. `collector` takes in the names and types of all metadata columns, also of
    those that are not asked for; `unify` makes of what the collectors of all shards found the schema in which
    metadata can be read and written.

    Memory does not grow with the size of a file. Raises InputError, naming the file and what to do, where it
    cannot be opened, is truncated or corrupt, or has no column of the text's name; earlier batches stand.
    """
    return _READERS[shard.format](shard, options or ReadOptions(), on_reject, collector)


def read_again(shard: Shard, options: ReadOptions) -> Iterator[tuple[int, Batch]]:
    """Yield (position of its first document in the shard, batch) of a shard whose rejects are known already."""
    start = 0
    for batch in read(shard, options, on_reject=lambda reject: None):
        yield start, batch
        start += len(batch)


def read_chosen(
    shard: Shard, options: ReadOptions, chosen: npt.NDArray[np.int64]
) -> Iterator[tuple[int, int, pa.Array]]:
    """Yield of each batch which of the chosen documents it holds, as first and last + 1 of `chosen`, and their texts.

    `chosen` int64: positions in the shard, ascending. Ends with the batch of the last one; a shard that has fewer
    documents ends before.
    """
    if not len(chosen):
        return
    for start, batch in read_again(shard, options):
        low, high = np.searchsorted(chosen, [start, start + len(batch)])
        yield int(low), int(high), batch.texts.take(pa.array(chosen[low:high] - start))
        if high == len(chosen):
            return
