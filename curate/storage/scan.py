"""Objects of a store as one lazy table: what a question does not need of columns and files is not fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.storage.location import RemotePath
from curate.storage.reading import open_arrow

if TYPE_CHECKING:
    import polars as pl


def scan(files: Sequence[RemotePath], schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
    """Return the rows of objects, one after the other: of Parquet, or of .jsonl.zst with the columns of `schema`."""
    import polars as pl
    from polars.io.plugins import register_io_source

    columns = schema
    if columns is None:
        with open_arrow(files[0]) as opened:
            columns = pl.DataFrame(pl.from_arrow(pq.read_schema(opened).empty_table())).schema

    def rows(
        chosen: list[str] | None, predicate: pl.Expr | None, most: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        for file in files:
            if most == 0:
                return
            frame = _lines(file, columns) if file.suffix == ".zst" else _table(file, chosen)
            frame = frame if most is None else frame.head(most)
            most = None if most is None else most - len(frame)
            frame = frame if chosen is None else frame.select(chosen)
            yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(rows, schema=columns)


def _table(file: RemotePath, columns: list[str] | None) -> pl.DataFrame:
    import polars as pl

    with open_arrow(file) as opened:
        table = pq.read_table(opened, columns=columns, partitioning=None, page_checksum_verification=True)
    return pl.DataFrame(pl.from_arrow(table))


def _lines(file: RemotePath, schema: Mapping[str, Any]) -> pl.DataFrame:
    import polars as pl

    with open_arrow(file, ahead=True) as opened, pa.CompressedInputStream(opened, "zstd") as lines:
        return pl.read_ndjson(io.BytesIO(lines.read()), schema=dict(schema))
