"""A segment of an index: the kept documents of one run, as Parquet files that are never changed.

    documents-0000.parquet …  a row a document: doc, id, source, exact hash, and shingles or signature
    exact.parquet             exact hashes in ascending order, with document numbers
    keys.parquet              keys of all bands in ascending order, with document numbers

Document numbers count the rows of the documents files, in order. Where a segment comes from is the manifest's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import RunError
from curate.index.sorted_keys import SortedKeys
from curate.shards.atomic import atomic_file

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

ROWS_PER_GROUP = 4096
SETS = {False: "shingles", True: "signature"}  # the column that similarities come from, by `signatures_only`


class Segment:
    """A folder that holds one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def keys(self) -> SortedKeys:
        """Band keys."""
        return SortedKeys(self.folder / "keys.parquet")

    @cached_property
    def exact(self) -> SortedKeys:
        """Exact hashes: the first half is the key, the second `other`."""
        return SortedKeys(self.folder / "exact.parquet")

    @cached_property
    def files(self) -> list[Path]:
        """The documents files, in order."""
        return sorted(self.folder.glob("documents-*.parquet"))

    def documents_file(self, number: int) -> Path:
        """Where the documents file of a number is, or is to be."""
        return self.folder / f"documents-{number:08d}.parquet"

    def rows(self, numbers: I64, columns: Sequence[str]) -> Iterator[tuple[int, int, pa.Table]]:
        """Yield (low, high, documents `numbers[low:high]`) of each row group that holds one; `numbers` ascend."""
        begin = 0
        for path in self.files:
            try:
                with pq.ParquetFile(path) as file:
                    for group in range(file.num_row_groups):
                        size = file.metadata.row_group(group).num_rows
                        low, high = np.searchsorted(numbers, [begin, begin + size])
                        if high > low:
                            table = file.read_row_group(group, columns=list(columns))
                            yield int(low), int(high), table.take(pa.array(numbers[low:high] - begin))
                        begin += size
            except (OSError, pa.ArrowException) as error:
                raise RunError(
                    f"{path}: cannot be read ({error}); forget the run it is of and add it to the index again"
                ) from None

    def groups(self) -> Iterator[pa.Table]:
        """Yield all documents, a row group at a time."""
        for path in self.files:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group)


def write_documents(path: Path, tables: Iterator[pa.Table]) -> int:
    """Write documents to a file; return how many. Ascending shingles are stored as differences."""
    written = 0
    writer = None
    with atomic_file(path) as sink:
        for table in tables:
            if writer is None:
                leaf = "shingles.list.element"
                encoding = {leaf: "DELTA_BINARY_PACKED"} if "shingles" in table.column_names else None
                writer = pq.ParquetWriter(
                    sink, table.schema, compression="zstd", use_dictionary=["source"], column_encoding=encoding
                )
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            written += len(table)
        assert writer is not None, "a documents file needs at least one table, even without rows"
        writer.close()
    return written


def sets_of(table: pa.Table) -> tuple[U32, I64]:
    """Return shingles or signatures of documents as values and offsets (n + 1,)."""
    name = SETS[True] if SETS[True] in table.column_names else SETS[False]
    column = table[name].combine_chunks()
    values = column.flatten().to_numpy().astype(np.uint32, copy=False)
    if pa.types.is_fixed_size_list(column.type):
        return values, np.arange(len(column) + 1) * column.type.list_size
    sizes = pa.compute.list_value_length(column).to_numpy()
    return values, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
