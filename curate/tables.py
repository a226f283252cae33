"""Tables on disk, written piece by piece and there as a whole or not at all.

What the columns mean is the stages' business.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from curate.shards.atomic import atomic_file

_ROWS_PER_GROUP = 32_768


class TableWriter:
    """Collects small tables of one schema into a Parquet file with row groups of a sensible size.

    A context manager: the file appears at `close`, and not at all when the block ends with an error. Columns
    that were null so far take the type of the first table that has values; later tables are cast.
    """

    def __init__(self, path: Path, compression: str = "zstd") -> None:
        self._compression = compression
        self._file = atomic_file(path)
        self._writer: pq.ParquetWriter | None = None
        self._pending: list[pa.Table] = []
        self._closed = False

    def __enter__(self) -> TableWriter:
        self._sink = self._file.__enter__()
        return self

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._pending.append(table)
        if sum(map(len, self._pending)) >= _ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        table = pa.concat_tables(self._pending, promote_options="permissive")
        self._pending.clear()
        if self._writer is None:
            table = table.cast(pa.schema([_storable(field) for field in table.schema]))
            self._writer = pq.ParquetWriter(self._sink, table.schema, compression=self._compression)
        elif table.schema != self._writer.schema:
            table = table.cast(self._writer.schema)
        self._writer.write_table(table)

    def close(self, metadata: dict[bytes, bytes] | None = None) -> None:
        """Write what is left and `metadata` into the footer, and make the file appear."""
        self._flush()
        assert self._writer is not None, "a table file needs at least one table, even without rows"
        if metadata:
            self._writer.add_key_value_metadata(metadata)
        self._writer.close()
        self._closed = True
        self._file.__exit__(None, None, None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._closed:
            return
        if kind is None:
            self.close()
        else:
            self._file.__exit__(kind, error, at)


def _storable(field: pa.Field) -> pa.Field:
    return field.with_type(pa.string()) if pa.types.is_null(field.type) else field
