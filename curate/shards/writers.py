"""Write documents as the files of a mix: Parquet or JSON Lines, compressed with zstd, of about one size.

Does not choose what is written. Equal input gives equal bytes: no dates or random names are in the files.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from curate.shards.atomic import explain_write_errors, partial_path, publish, sync_folder
from curate.shards.schema import fit, is_text
from curate.shards.storable import is_list
from curate.storage import Location, locate

FORMATS = ("parquet", "jsonl.zst")

TARGET_BYTES = 512 << 20
"""Uncompressed size of a part, about."""

ROW_GROUP_BYTES = 32 << 20
"""Uncompressed size of a Parquet row group, about; it is held in memory until then."""

_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A file that was written: where, how many documents, how many bytes uncompressed and on disk."""

    path: Location
    documents: int
    uncompressed: int
    bytes: int


class MixWriter:
    """Write tables, in order, into files `PREFIX-00000.FORMAT`, … in `directory`; `format` is one of FORMATS.

    `first`: the number of the first file. A context manager. `write` takes tables or record batches that have `schema`;
    a file ends once it holds `target_bytes` of data. All files appear under their names when the block ends well, none
    after an error in it; one that is there already is replaced. `parts` then lists them (none where nothing was
    written). In JSON, dates and times are ISO 8601 strings, bytes base64, NaN and infinity null. Raises SpaceError
    where the disk is full.
    """

    def __init__(
        self,
        directory: str | Location,
        schema: pa.Schema,
        *,
        format: str = "parquet",
        target_bytes: int = TARGET_BYTES,
        prefix: str = "part",
        first: int = 0,
        text_column: str = "text",
    ) -> None:
        if format not in FORMATS:
            raise ValueError(f'format must be one of {FORMATS}, not "{format}"')
        self.parts: list[Part] = []
        self._directory = locate(directory)
        self._schema = schema
        self._format = format
        self._target_bytes = target_bytes
        self._prefix = prefix
        self._first = first
        self._text_column = text_column
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._open: _OpenPart | None = None

    def __enter__(self) -> MixWriter:
        return self

    def write(self, table: pa.Table | pa.RecordBatch) -> None:
        """Add documents. Raises ValueError where the columns are not those of the schema."""
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        if table.schema != self._schema:
            raise ValueError(f"expected columns {self._schema}, got {table.schema}")
        self._held.append(table)
        self._held_bytes += table.nbytes
        room = self._target_bytes - (self._open.uncompressed if self._open else 0)
        if self._held_bytes >= min(ROW_GROUP_BYTES, room):
            self._flush()

    def _flush(self) -> None:
        if not sum(map(len, self._held)):
            return
        if self._open is None:
            path = self._directory / f"{self._prefix}-{self._first + len(self.parts):05d}.{self._format}"
            self._open = _OpenPart(path, self._encoder)
        self._open.write(pa.concat_tables(self._held), self._held_bytes)
        self._held, self._held_bytes = [], 0
        if self._open.uncompressed >= self._target_bytes:
            self._finish()

    def _finish(self) -> None:
        if self._open is not None:
            self.parts.append(self._open.finish())
            self._open = None

    def _encoder(self, file: io.BufferedWriter) -> _Encoder:
        if self._format == "parquet":
            return _Parquet(file, self._schema, self._text_column)
        return _JsonLines(file, self._schema)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
                self._finish()
                for part in self.parts:
                    with explain_write_errors(part.path):
                        publish(part.path)
                if self.parts:
                    sync_folder(self._directory)
                return
        except BaseException:
            self._abandon()
            raise
        self._abandon()

    def _abandon(self) -> None:
        """Remove what was written and has no name yet: a file that has one may be another process's by now."""
        if self._open is not None:
            self._open.abandon()
        for part in self.parts:
            with suppress(OSError):
                partial_path(part.path).unlink()
        self.parts = []


class _Encoder(Protocol):
    def write(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class _OpenPart:
    """The file being written, under its partial name."""

    def __init__(self, path: Location, encoder: _MakeEncoder) -> None:
        self.path = path
        self.uncompressed = 0
        self._documents = 0
        with explain_write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = partial_path(path).open("wb")
            self._encoder = encoder(self._file)

    def write(self, table: pa.Table, size: int) -> None:
        with explain_write_errors(self.path):
            self._encoder.write(table)
        self._documents += len(table)
        self.uncompressed += size

    def finish(self) -> Part:
        with explain_write_errors(self.path):
            self._encoder.close()
            self._file.close()
            with partial_path(self.path).open("rb+") as file:
                os.fsync(file.fileno())
            size = partial_path(self.path).stat().st_size
        return Part(self.path, self._documents, self.uncompressed, size)

    def abandon(self) -> None:
        with suppress(OSError, pa.ArrowException):
            self._encoder.close()
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            partial_path(self.path).unlink()


class _MakeEncoder(Protocol):
    def __call__(self, file: io.BufferedWriter) -> _Encoder: ...


class _Parquet:
    def __init__(self, file: io.BufferedWriter, schema: pa.Schema, text_column: str) -> None:
        # Texts repeat too rarely for a dictionary, and are too long for statistics.
        short = [name for name in schema.names if name != text_column]
        self._writer = pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=_ZSTD_LEVEL,
            use_dictionary=short,
            write_statistics=short,
            write_page_checksum=True,
        )

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=len(table))

    def close(self) -> None:
        self._writer.close()


class _JsonLines:
    def __init__(self, file: io.BufferedWriter, schema: pa.Schema) -> None:
        self._schema = pa.schema([pa.field(field.name, _json_type(field.type)) for field in schema])
        self._stream = pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd")

    def write(self, table: pa.Table) -> None:
        import polars as pl

        lines = io.BytesIO()
        frame = pl.from_arrow(fit(table, self._schema, len(table)))
        assert isinstance(frame, pl.DataFrame)
        frame.write_ndjson(lines)
        self._stream.write(lines.getbuffer())

    def close(self) -> None:
        self._stream.close()


def _json_type(type: pa.DataType) -> pa.DataType:
    """Return the type that has the JSON form of values of `type`."""
    if pt.is_dictionary(type):
        return _json_type(type.value_type)
    if pt.is_map(type):
        return pa.list_(pa.struct([("key", _json_type(type.key_type)), ("value", _json_type(type.item_type))]))
    if is_list(type):
        return (pa.large_list if pt.is_large_list(type) else pa.list_)(_json_type(type.value_type))
    if pt.is_struct(type):
        return pa.struct([(field.name, _json_type(field.type)) for field in type])
    if pt.is_float16(type):
        return pa.float32()
    is_native = (pt.is_boolean, pt.is_integer, pt.is_floating, pt.is_null, is_text)
    return type if any(check(type) for check in is_native) else pa.string()
