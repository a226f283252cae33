"""Read JSON Lines: blocks of whole lines through pyarrow's parser, line by line where it refuses a block.

Accepts and refuses the same records whatever metadata is asked for, so that reading twice gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.types as pt

from curate.errors import InputError
from curate.shards.arrow_json import date_leaves, json_type, loses_digits, too_deep, without_dates
from curate.shards.batches import Batch, ReadOptions, no_text_column
from curate.shards.compression import Source
from curate.shards.lines import HEAD_BYTES, Lines, TooLarge, is_utf8, whole_lines
from curate.shards.plan import Shard
from curate.shards.records import BadRecordError, Columns, id_of, load, text_of
from curate.shards.rejects import Reject
from curate.shards.schema import MisfitError, SchemaCollector, choose, fit, join
from curate.shards.walk import printable

Refused = list[tuple[int, str, bytes]]
"""Records refused: line number from 0, reason, the line."""


def read_jsonl(
    shard: Shard, options: ReadOptions, on_reject: Callable[[Reject], None], collector: SchemaCollector | None
) -> Iterator[Batch]:
    """Yield the documents of a JSONL shard; see `read`."""
    path, part = shard.paths[0], shard.part
    from_byte = part[0] if part else 0
    with Source(path, options.max_expansion, part) as source:
        parser = _Parser(shard, options, collector)
        for block in whole_lines(source, part, options.batch_bytes, options.max_record_bytes):
            first = source.records
            if isinstance(block, TooLarge):
                batch, refused = None, [(first, parser.too_large, block.head)]
                source.records += 1
            else:
                lines = Lines(block, first)
                batch, refused = parser.parse(lines)
                source.records += len(lines)
            for row, reason, raw in sorted(refused):
                on_reject(Reject(path, row + 1, reason, raw, from_byte))
            if batch is not None and len(batch):
                yield batch


class _Parser:
    """Turns blocks of lines into batches; remembers what the blocks before taught about types."""

    def __init__(self, shard: Shard, options: ReadOptions, collector: SchemaCollector | None) -> None:
        self.path = printable(shard.paths[0])
        self.options = options
        self.collector = collector
        self.too_large = f"larger than {options.max_record_bytes:,} bytes"
        self.schema = options.metadata if isinstance(options.metadata, pa.Schema) else None
        self.infer = self.schema is None and (options.metadata is not False or collector is not None)
        self.id_type = pa.large_string()
        self.date_columns: dict[str, pa.DataType] = {}  # pyarrow takes strings that look like dates for dates
        self.text_column_seen = False
        self.any_line_seen = shard.part is not None and shard.part[0] > 0

    def parse(self, lines: Lines) -> tuple[Batch | None, Refused]:
        """Return the documents in a block of `lines`, and what is none."""
        refused: Refused = []
        if not lines.regular(self.options.max_record_bytes):
            lines = self._only_objects(lines, refused)
        self.any_line_seen = True
        if not len(lines):
            return None, refused
        table = self._table(lines)
        if table is None:
            return self._line_by_line(lines, refused), refused
        return self._batch(table, lines, refused), refused

    def _only_objects(self, lines: Lines, refused: Refused) -> Lines:
        """Leave out blank lines and those that cannot be an object, and strip white space."""
        kept: list[bytes] = []
        rows: list[int] = []
        all_utf8 = is_utf8(lines.block)
        for i in lines.filled().tolist():
            raw = lines.line(i)
            line = raw.strip(b" \t\r")
            if not line:
                continue
            row = int(lines.rows[i])
            if not self.any_line_seen:
                self._expect_json_lines(line)
            if len(line) > self.options.max_record_bytes:
                refused.append((row, self.too_large, raw[:HEAD_BYTES]))
                continue
            try:
                if not all_utf8:
                    line.decode()
                if not (line.startswith(b"{") and line.endswith(b"}")):
                    load(line)
            except UnicodeDecodeError:
                refused.append((row, "invalid UTF-8", raw))
            except BadRecordError as bad:
                refused.append((row, str(bad), raw))
            else:
                kept.append(line)
                rows.append(row)
        return Lines(b"\n".join(kept), np.array(rows, np.int64))

    def _expect_json_lines(self, first: bytes) -> None:
        """Raise InputError where the first line of a file shows that it is JSON, but not line by line."""
        self.any_line_seen = True
        if first in (b"[", b"{") or first.startswith(b"[{"):
            raise InputError(
                f"{self.path}: is one JSON document, not JSON Lines (one object a line); "
                "convert it, as with jq -c '.[]' for an array or jq -c . for objects"
            )

    def _table(self, lines: Lines) -> pa.Table | None:
        """Return what pyarrow makes of `lines`; None where it refuses them, or may crash or lose digits."""
        if self.infer and too_deep(lines):
            return None
        table = self._parse_block(lines)
        if table is None and pt.is_large_string(self.id_type) and self._first_id_is_integer(lines):
            self.id_type = pa.int64()
            table = self._parse_block(lines)
            if table is None:
                self.id_type = pa.large_string()
        if table is None or not self.infer:
            return table
        types = [(field.name, without_dates(field.type)) for field in self._metadata_fields(table)]
        wrong = {
            field.name: hint
            for field in self._metadata_fields(table)
            if self._wanted(field.name) and (hint := date_leaves(field.type)) is not None
        }
        if wrong:
            for name, hint in wrong.items():
                self.date_columns[name] = join(self.date_columns.get(name, hint), hint)
            table = self._parse_block(lines)
        if table is not None and loses_digits(table):
            return None
        if table is not None and self.collector is not None:
            self.collector.add(pa.schema(types))
        return table

    def _parse_block(self, lines: Lines) -> pa.Table | None:
        fields = [(self.options.text_column, pa.large_string()), (self.options.id_column, self.id_type)]
        if self.schema is not None:
            fields += [(field.name, json_type(field.type)) for field in self.schema]
        fields += self.date_columns.items()
        parsing = pj.ParseOptions(
            explicit_schema=pa.schema(fields), unexpected_field_behavior="infer" if self.infer else "ignore"
        )
        reading = pj.ReadOptions(use_threads=False, block_size=len(lines.block) + 64)
        try:
            table = pj.read_json(pa.BufferReader(lines.block), reading, parsing)
            table.validate()  # pyarrow 26 makes an array too short of [null, null]
        except (pa.ArrowException, UnicodeDecodeError):
            return None
        return table if len(table) == len(lines) else None

    def _first_id_is_integer(self, lines: Lines) -> bool:
        try:
            value = load(lines.line(0)).get(self.options.id_column)
        except BadRecordError:
            return False
        return isinstance(value, int) and not isinstance(value, bool)

    def _metadata_fields(self, table: pa.Table) -> list[pa.Field]:
        own = (self.options.text_column, self.options.id_column)
        return [field for field in table.schema if field.name not in own]

    def _wanted(self, name: str) -> bool:
        wanted = self.options.metadata
        return wanted is True or (isinstance(wanted, tuple) and name in wanted)

    def _batch(self, table: pa.Table, lines: Lines, refused: Refused) -> Batch:
        rows = lines.rows
        texts = table.column(self.options.text_column)
        if texts.null_count:
            present = pc.is_valid(texts)
            self._refuse_without_text(np.flatnonzero(~present.to_numpy()), lines, refused)
            table, texts, rows = table.filter(present), texts.filter(present), rows[present.to_numpy()]
        self.text_column_seen = True
        ids = table.column(self.options.id_column).cast(pa.large_string())
        metadata = table.select([field.name for field in self._metadata_fields(table)])
        return Batch(
            one_chunk(texts, pa.large_string()),
            None if ids.null_count == len(ids) else one_chunk(ids, pa.large_string()),
            self._chosen(metadata, rows),
            rows,
        )

    def _refuse_without_text(self, indices: Any, lines: Lines, refused: Refused) -> None:
        records = []
        for i in indices:
            records.append(load(lines.line(i)))
            try:
                text_of(records[-1], self.options.text_column)
            except BadRecordError as bad:
                refused.append((int(lines.rows[i]), str(bad), lines.line(i)))
        if len(indices) == len(lines):
            self._expect_text_column(records)

    def _expect_text_column(self, records: list[dict[str, Any]]) -> None:
        """Raise InputError where none of the first records of the file has the text column."""
        column = self.options.text_column
        if self.text_column_seen or not records or any(column in record for record in records):
            return
        found = dict.fromkeys(name for record in records for name in record)
        raise no_text_column(self.path, column, found, f" in its first {len(records):,} records")

    def _line_by_line(self, lines: Lines, refused: Refused) -> Batch:
        options = self.options
        records, texts, rows, loaded = [], [], [], []
        for i in range(len(lines)):
            try:
                loaded.append(load(lines.line(i)))
                texts.append(text_of(loaded[-1], options.text_column))
            except BadRecordError as bad:
                refused.append((int(lines.rows[i]), str(bad), lines.line(i)))
            else:
                records.append(loaded[-1])
                rows.append(int(lines.rows[i]))
        if not records:
            self._expect_text_column(loaded)
        self.text_column_seen = self.text_column_seen or bool(records)
        ids = pa.array([id_of(record.get(options.id_column)) for record in records], pa.large_string())
        columns = Columns(records, (options.text_column, options.id_column))
        if self.infer and self.collector is not None:
            self.collector.add(columns.schema())
        kept = np.array(rows, np.int64)
        if self.schema is not None:
            metadata = self._fitted(lambda: columns.table(self.schema), kept)
        else:
            metadata = self._chosen(columns.table(columns.schema()) if self.infer else pa.table({}), kept)
        return Batch(pa.array(texts, pa.large_string()), None if ids.null_count == len(ids) else ids, metadata, kept)

    def _chosen(self, metadata: pa.Table, rows: Any) -> pa.Table:
        """Return the columns that were asked for."""
        wanted = self.options.metadata
        if self.schema is not None:
            return self._fitted(lambda: fit(metadata, self.schema, len(rows)), rows)
        if isinstance(wanted, tuple):
            return choose(metadata, wanted, len(rows))
        return metadata if wanted else metadata.select([])

    def _fitted(self, make: Callable[[], pa.Table], rows: Any) -> pa.Table:
        try:
            return make()
        except MisfitError as misfit:
            where = f"lines {rows[0] + 1} to {rows[-1] + 1}"
            raise InputError(
                f"{self.path}, {where}: {misfit}, as it was when the file was measured; measure it again"
            ) from misfit


def one_chunk(column: pa.ChunkedArray, type: pa.DataType) -> pa.Array:
    """Return `column` as one array, without a copy where it has one chunk."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], type)
