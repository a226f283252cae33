"""Read Parquet and Arrow IPC files in batches, with only the columns that are asked for.

Knows nothing of JSON; types pass through as they are unless a schema is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from curate.errors import InputError
from curate.shards.batches import Batch, ReadOptions, no_text_column
from curate.shards.compression import explain_read_errors
from curate.shards.lines import HEAD_BYTES
from curate.shards.plan import Shard
from curate.shards.rejects import Reject
from curate.shards.schema import MisfitError, SchemaCollector, as_plain, as_string, choose, fit, is_text
from curate.shards.storable import plain
from curate.shards.walk import printable
from curate.storage import is_remote, open_arrow

_MAX_ROWS = 65_536

_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def read_parquet(
    shard: Shard, options: ReadOptions, on_reject: Callable[[Reject], None], collector: SchemaCollector | None
) -> Iterator[Batch]:
    """Yield the documents of a Parquet shard; see `read`."""
    path = shard.paths[0]
    with explain_read_errors(path, lambda: 0):
        opened = open_arrow(path)
    with opened:
        with explain_read_errors(path, lambda: 0):
            # Of a local file no more is read than a column needs; a store is asked for a row group at once.
            reading = {"pre_buffer": True} if is_remote(path) else {"buffer_size": 1 << 20, "pre_buffer": False}
            file = pq.ParquetFile(opened, **reading)
            reader = _Columns(path, options, file.schema_arrow, collector)
            groups = range(*(shard.part or (0, file.num_row_groups)))
            row = sum(file.metadata.row_group(group).num_rows for group in range(groups.start))
        for batch in _guarded(_row_group_batches(file, groups, reader), path, row):
            yield from reader.documents(batch, row, on_reject)
            row += len(batch)


def _row_group_batches(file: pq.ParquetFile, groups: range, reader: _Columns) -> Iterator[pa.RecordBatch]:
    for group in groups:
        size = _rows_a_batch(file, group, reader.options)
        yield from file.iter_batches(size, [group], reader.columns, use_threads=False)


def read_arrow(
    shard: Shard, options: ReadOptions, on_reject: Callable[[Reject], None], collector: SchemaCollector | None
) -> Iterator[Batch]:
    """Yield the documents of an Arrow IPC file or stream; see `read`."""
    path = shard.paths[0]
    row = 0
    with explain_read_errors(path, lambda: 0):
        mapped = open_arrow(path, ahead=True) if is_remote(path) else pa.memory_map(os.fsencode(path))
    with mapped:
        with explain_read_errors(path, lambda: 0):
            is_file = mapped.read(6) == b"ARROW1"
            mapped.seek(0)
            file = pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
            reader = _Columns(path, options, file.schema, collector)
        batches = (file.get_batch(i) for i in range(file.num_record_batches)) if is_file else file
        for batch in _guarded((batch.select(reader.columns) for batch in batches), path, row):
            yield from reader.documents(batch, row, on_reject)
            row += len(batch)


def _guarded(batches: Iterable[pa.RecordBatch], path: str, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield `batches`, naming file and rows read (`rows` before the first batch) in errors."""
    iterator = iter(batches)
    while True:
        with explain_read_errors(path, partial(int, rows)):
            batch = next(iterator, None)
        if batch is None:
            return
        yield batch
        rows += len(batch)


def _rows_a_batch(file: pq.ParquetFile, group: int, options: ReadOptions) -> int:
    """Return how many rows hold about `batch_bytes`.

    All columns are counted: asking a corrupt footer for one column ends the process (pyarrow 26).
    """
    held = file.metadata.row_group(group)
    return int(max(1, min(_MAX_ROWS, options.batch_bytes * held.num_rows // max(held.total_byte_size, 1))))


class _Columns:
    """Which columns of one file to read, and how a record batch of them becomes documents."""

    def __init__(self, path: str, options: ReadOptions, schema: pa.Schema, collector: SchemaCollector | None) -> None:
        self.path = printable(path)
        self.options = options
        names = schema.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f'{path}: has two columns named "{twice}"; rename one')
        if options.text_column not in names:
            raise no_text_column(path, options.text_column, names)
        _expect_text(path, schema.field(options.text_column))
        own = (options.text_column, options.id_column)
        metadata = [field for field in schema if field.name not in own]
        if collector is not None:
            collector.add(pa.schema(metadata))
        wanted = options.metadata
        if isinstance(wanted, pa.Schema):
            chosen = [name for name in wanted.names if name in names and name not in own]
        elif isinstance(wanted, tuple):
            chosen = [name for name in wanted if name in names and name not in own]
        else:
            chosen = [field.name for field in metadata] if wanted else []
        self.metadata = chosen
        self.has_ids = options.id_column in names
        self.columns = [*own, *chosen] if self.has_ids else [options.text_column, *chosen]

    def documents(self, batch: pa.RecordBatch, first: int, on_reject: Callable[[Reject], None]) -> Iterator[Batch]:
        """Yield the documents of `batch`, whose first row is number `first` of the file."""
        column = batch.column(self.options.text_column)
        if not pt.is_dictionary(column.type):
            yield from self._documents(batch, first, on_reject)
            return
        with explain_read_errors(self.path, partial(int, first)):
            cuts = _cuts_of_dictionary(column, self.options.batch_bytes)
        for start, end in pairwise(cuts):
            yield from self._documents(batch.slice(start, end - start), first + start, on_reject)

    def _documents(self, batch: pa.RecordBatch, first: int, on_reject: Callable[[Reject], None]) -> Iterator[Batch]:
        with explain_read_errors(self.path, partial(int, first)):
            texts, bad = self._texts(batch.column(self.options.text_column))
            ids = as_ids(sound(batch.column(self.options.id_column))) if self.has_ids else None
            metadata = pa.table({name: sound(batch.column(name)) for name in self.metadata})
        rows = np.arange(first, first + len(batch), dtype=np.int64)
        for index, reason, raw in bad:
            on_reject(Reject(self.path, first + index + 1, reason, raw))
        if bad:
            keep = np.ones(len(batch), bool)
            keep[[index for index, _, _ in bad]] = False
            texts, rows, ids = texts.filter(keep), rows[keep], None if ids is None else ids.filter(keep)
            metadata = metadata.filter(keep) if self.metadata else metadata
        yield from Batch(texts, ids, self._chosen(metadata, rows), rows).cut(self.options.batch_bytes)

    def _texts(self, column: pa.Array) -> tuple[pa.LargeStringArray, list[tuple[int, str, bytes]]]:
        """Return the texts, and (index, reason, bytes) of those that are none."""
        name = self.options.text_column
        binary = _as_bytes(column)
        bad: list[tuple[int, str, bytes]] = []
        if binary.null_count:
            bad = [(int(i), f"{name} is null", b"null") for i in np.flatnonzero(pc.is_null(binary))]
        limit = self.options.max_record_bytes
        if binary.nbytes > limit:
            large = np.flatnonzero(pc.fill_null(pc.binary_length(binary), 0).to_numpy() > limit)
            reason = f"larger than {limit:,} bytes"
            bad += [(int(i), reason, bytes(memoryview(binary[i].as_buffer())[:HEAD_BYTES])) for i in large]
            bad.sort()
        try:
            return binary.cast(pa.large_string()), bad
        except pa.ArrowInvalid:
            pass
        known = {index for index, _, _ in bad}
        for i, value in enumerate(binary):
            if i not in known and not _is_utf8(value.as_py()):
                bad.append((i, "invalid UTF-8", value.as_py()))
        broken = np.zeros(len(binary), bool)
        broken[[i for i, _, _ in bad]] = True
        repaired = pc.if_else(broken, pa.scalar(b"", pa.large_binary()), binary)
        return repaired.cast(pa.large_string()), sorted(bad)

    def _chosen(self, table: pa.Table, rows: npt.NDArray[np.int64]) -> pa.Table:
        wanted = self.options.metadata
        if isinstance(wanted, tuple):
            return choose(table, wanted, len(rows))
        if not isinstance(wanted, pa.Schema):
            return table
        try:
            return fit(table, wanted, len(rows))
        except MisfitError as misfit:
            where = f"rows {rows[0] + 1} to {rows[-1] + 1}" if len(rows) else "no rows"
            raise InputError(
                f"{self.path}, {where}: {misfit}, as it was when the file was measured; measure it again"
            ) from misfit


def _expect_text(path: str, field: pa.Field) -> None:
    type = field.type.value_type if pt.is_dictionary(field.type) else field.type
    binary = (pa.binary(), pa.large_binary(), pa.binary_view(), pa.null())
    if not is_text(type) and type not in binary:
        raise InputError(
            f'{path}: column "{field.name}" is {field.type}, not text (--text-column names the one to read)'
        )


def _cuts_of_dictionary(column: pa.DictionaryArray, batch_bytes: int) -> list[int]:
    """Return where to cut a column so that no piece has many more bytes of text than that: one text may stand often."""
    column.validate(full=True)
    lengths = pc.fill_null(pc.binary_length(column.dictionary.cast(pa.large_binary())).take(column.indices), 0)
    number = np.cumsum(lengths.to_numpy(zero_copy_only=False).astype(np.int64)) // batch_bytes
    return [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(column)]


def sound(column: pa.Array) -> pa.Array:
    """Return `column` fit for use: offsets come as they are from a file that may be corrupt, and are checked.

    Strings that are not UTF-8 are repaired with U+FFFD. Maps, views and the like, of which pyarrow can do
    little, become plain types. Raises ArrowInvalid where there is no repair.
    """
    try:
        column.validate(full=True)
        return as_plain(column)
    except MisfitError as error:
        raise pa.ArrowInvalid(str(error)) from error
    except pa.ArrowInvalid:
        if not is_text(column.type):
            raise
    values = [None if value is None else value.decode(errors="replace") for value in _as_bytes(column).to_pylist()]
    return pa.array(values, plain(column.type))


def _as_bytes(column: pa.Array) -> pa.LargeBinaryArray:
    """Return strings, however stored, as bytes; their offsets are checked, their UTF-8 is not."""
    if pt.is_dictionary(column.type):
        column.validate(full=True)
        column = column.dictionary_decode()
    column = column.view(_BYTES.get(column.type, column.type))
    column.validate(full=True)
    return column.cast(pa.large_binary())


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_id(value: Any) -> str | None:
    if isinstance(value, bytes) and _is_utf8(value):
        return value.decode()
    return None if value is None else as_string(value)


def as_ids(column: pa.Array) -> pa.LargeStringArray | None:
    """Return ids as strings; None where all are null."""
    if column.null_count == len(column):
        return None
    plain = column.dictionary_decode() if pt.is_dictionary(column.type) else column
    if is_text(plain.type) or pt.is_integer(plain.type):
        return plain.cast(pa.large_string())
    values = [_as_id(value) for value in plain.to_pylist()]
    return pa.array(values, pa.large_string())
