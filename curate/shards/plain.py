"""Read text files, one document each, and WET files, the plain text of crawled pages.

Does not clean or decode anything: bytes that are not UTF-8 are rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from curate.errors import InputError
from curate.shards.batches import Batch, ReadOptions
from curate.shards.compression import Source, bad_file
from curate.shards.lines import HEAD_BYTES, wide_encoding
from curate.shards.plan import Shard
from curate.shards.rejects import Reject
from curate.shards.schema import SchemaCollector, choose, fit
from curate.shards.walk import printable

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 20
_MAX_HEADER = 64 << 10

TEXT_FILE_SCHEMA = pa.schema([("path", pa.string())])
WET_SCHEMA = pa.schema([("url", pa.string()), ("date", pa.string()), ("warc_id", pa.string())])


def read_text_files(
    shard: Shard, options: ReadOptions, on_reject: Callable[[Reject], None], collector: SchemaCollector | None
) -> Iterator[Batch]:
    """Yield the documents of a shard of .txt files, their path in the column `path`; see `read`."""
    gathered = _Gathered(TEXT_FILE_SCHEMA, options, collector)
    for row, path in enumerate(shard.paths):
        try:
            content = _read_file(path, options)
        except InputError as error:
            if not options.skip_bad_files:
                raise
            on_reject(Reject(path, 1, f"cannot be read: {error}", b""))
            continue
        reason = why_no_text(content, options.max_record_bytes)
        if reason:
            on_reject(Reject(path, 1, reason, _raw(content, options)))
            continue
        gathered.add(row, content.removeprefix(_BOM), (printable(path),))
        if gathered.full:
            yield gathered.batch()
    yield from gathered.rest()


def _read_file(path: str, options: ReadOptions) -> bytes:
    """Return the file's content, or somewhat more of it than a record may have."""
    limit = options.max_record_bytes
    with Source(path, max_expansion=options.max_expansion) as source:
        pieces: list[bytes] = []
        while sum(map(len, pieces)) <= limit and (piece := source.read(min(limit + 1, 16 << 20))):
            pieces.append(piece)
        return b"".join(pieces)


def why_no_text(content: bytes, limit: int) -> str | None:
    """Return why `content` cannot be a document; None where it can."""
    if len(content) > limit:
        return f"larger than {limit:,} bytes"
    try:
        content.decode()
    except UnicodeDecodeError:
        return f"is {wide}, not UTF-8" if (wide := wide_encoding(content)) else "invalid UTF-8"
    return None


def _raw(content: bytes, options: ReadOptions) -> bytes:
    return content if len(content) <= options.max_record_bytes else content[:HEAD_BYTES]


def read_wet(
    shard: Shard, options: ReadOptions, on_reject: Callable[[Reject], None], collector: SchemaCollector | None
) -> Iterator[Batch]:
    """Yield the conversion records of a WET file, with url, date and warc_id; see `read`."""
    path = shard.paths[0]
    gathered = _Gathered(WET_SCHEMA, options, collector)
    with Source(path, max_expansion=options.max_expansion) as source:
        for headers, content in _warc_records(source, options.max_record_bytes):
            row = source.records - 1
            if headers.get("warc-type") != "conversion":
                continue
            reason = why_no_text(content, options.max_record_bytes)
            if reason:
                on_reject(Reject(path, row + 1, reason, _raw(content, options)))
                continue
            values = tuple(headers.get(name) for name in ("warc-target-uri", "warc-date", "warc-record-id"))
            gathered.add(row, content, values)
            if gathered.full:
                yield gathered.batch()
    yield from gathered.rest()


def _warc_records(source: Source, limit: int) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield (headers by lower-case name, content) of each record; content is cut just above `limit`.

    Source: ISO 28500 (WARC 1.0, 1.1), sections 4 and 5: a version line, header lines, an empty line,
    Content-Length bytes, two empty lines.
    """
    stream = _Buffered(source)
    while (head := stream.until(b"\r\n\r\n", _MAX_HEADER)) is not None:
        version, _, rest = head.lstrip(b"\r\n").partition(b"\r\n")
        headers = dict(_header(line) for line in rest.split(b"\r\n") if b":" in line)
        length = headers.get("content-length", "")
        if not version.startswith(b"WARC/") or not length.isdecimal():
            raise bad_file(source.path, "is not WARC: no record starts where one should", source.records)
        content = stream.take(int(length), limit)
        source.records += 1
        yield headers, content


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.decode(errors="replace").strip().lower(), value.decode(errors="replace").strip()


class _Buffered:
    """Bytes of `source` by delimiter and by count."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held = b""
        self._at = 0

    def _more(self, size: int = _CHUNK) -> bool:
        chunk = self._source.read(size)
        self._held, self._at = self._held[self._at :] + chunk, 0
        return bool(chunk)

    def until(self, mark: bytes, limit: int) -> bytes | None:
        """Return the bytes before `mark`, past line breaks; None at the end."""
        while True:
            while self._held[self._at : self._at + 1] in (b"\r", b"\n"):
                self._at += 1
            end = self._held.find(mark, self._at)
            if end >= 0:
                head, self._at = self._held[self._at : end], end + len(mark)
                return head
            if len(self._held) - self._at > limit:
                raise bad_file(self._source.path, "is not WARC: a header does not end", self._source.records)
            if not self._more():
                if self._at < len(self._held):
                    raise self._truncated()
                return None

    def take(self, size: int, limit: int) -> bytes:
        """Return the next `size` bytes, or, reading on, only somewhat more than `limit` of them."""
        pieces: list[bytes] = []
        kept, missing = 0, size
        while True:
            piece = self._held[self._at : self._at + missing]
            self._at += len(piece)
            missing -= len(piece)
            if kept <= limit:
                pieces.append(piece)
                kept += len(piece)
            if not missing:
                return b"".join(pieces)
            if not self._more(max(_CHUNK, min(missing, limit))):
                raise self._truncated()

    def _truncated(self) -> InputError:
        return bad_file(self._source.path, "is truncated: it ends inside a record", self._source.records)


class _Gathered:
    """Documents being gathered into a batch."""

    def __init__(self, schema: pa.Schema, options: ReadOptions, collector: SchemaCollector | None) -> None:
        self._schema = schema
        self._options = options
        if collector is not None:
            collector.add(field for field in schema if field.name != options.id_column)
        self._clear()

    def _clear(self) -> None:
        self._rows: list[int] = []
        self._texts: list[bytes] = []
        self._values: list[tuple[Any, ...]] = []
        self._bytes = 0

    def add(self, row: int, text: bytes, values: tuple[Any, ...]) -> None:
        """Add a document; `values` are those of the columns of the schema."""
        self._rows.append(row)
        self._texts.append(text)
        self._values.append(values)
        self._bytes += len(text)

    @property
    def full(self) -> bool:
        return self._bytes >= self._options.batch_bytes

    def rest(self) -> Iterator[Batch]:
        """Yield the last batch, if there is one."""
        if self._rows:
            yield self.batch()

    def batch(self) -> Batch:
        """Return what was gathered, and start again."""
        columns = zip(*self._values, strict=True)
        table = pa.table([pa.array(column, pa.string()) for column in columns], schema=self._schema)
        ids = None
        if self._options.id_column in table.column_names:
            ids = table.column(self._options.id_column).chunk(0).cast(pa.large_string())
            table = table.drop_columns([self._options.id_column])
        texts = pa.array(self._texts, pa.large_binary()).cast(pa.large_string())
        rows = np.array(self._rows, np.int64)
        self._clear()
        return Batch(texts, ids, self._chosen(table, len(rows)), rows)

    def _chosen(self, table: pa.Table, length: int) -> pa.Table:
        wanted = self._options.metadata
        if isinstance(wanted, pa.Schema):
            return fit(table, wanted, length)
        if isinstance(wanted, tuple):
            return choose(table, wanted, length)
        return table if wanted else table.select([])
