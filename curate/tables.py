"""Tables on disk, written piece by piece and there as a whole or not at all.

What the columns mean is the stages' business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import RunError
from curate.shards.atomic import atomic_file, partial_path
from curate.shards.schema import fit, join
from curate.storage import Location, open_arrow

if TYPE_CHECKING:
    import polars as pl

_ROWS_PER_GROUP = 32_768
_FACTS = b"curate"


class TableWriter:
    """Collects small tables into a Parquet file with row groups of a sensible size.

    A context manager: the file appears at `close`, and not at all when the block ends with an error. A column
    whose type changes on the way (metadata of JSON) gets the type that holds all of its values, as in the mix;
    what was written before is then written again. With `packed` off values are written as they are: hashes, which no
    dictionary and no compression makes smaller.
    """

    def __init__(self, path: Location, *, packed: bool = True) -> None:
        self._path = path
        self._packed = packed
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
        schemas = [table.schema for table in self._pending]
        schema = _joined(schemas if self._writer is None else [self._writer.schema, *schemas])
        if self._writer is None:
            self._writer = self._parquet(schema)
        elif schema != self._writer.schema:
            self._restart(schema)
        self._writer.write_table(pa.concat_tables([fit(table, schema, len(table)) for table in self._pending]))
        self._pending.clear()

    def _parquet(self, schema: pa.Schema) -> pq.ParquetWriter:
        packing = {"compression": "zstd" if self._packed else "none", "use_dictionary": self._packed}
        return pq.ParquetWriter(self._sink, schema, write_page_checksum=True, **packing)

    def _restart(self, schema: pa.Schema) -> None:
        """Write what is in the file again, with another schema."""
        assert self._writer is not None
        self._writer.close()
        self._sink.flush()
        with pq.ParquetFile(partial_path(self._path)) as written:
            groups = [written.read_row_group(number) for number in range(written.num_row_groups)]
        self._sink.seek(0)
        self._sink.truncate()
        self._writer = self._parquet(schema)
        for group in groups:
            self._writer.write_table(fit(group, schema, len(group)))

    def close(self, facts: Mapping[str, Any] | None = None) -> None:
        """Write what is left and `facts` (of JSON) into the footer, and make the file appear."""
        try:
            self._flush()
            assert self._writer is not None, "a table file needs at least one table, even without rows"
            if facts is not None:
                self._writer.add_key_value_metadata({_FACTS: json.dumps(facts).encode()})
            self._writer.close()
        except BaseException as error:
            self._closed = True
            self._file.__exit__(type(error), error, error.__traceback__)  # words it, and leaves nothing behind
            raise
        self._closed = True
        self._file.__exit__(None, None, None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._closed:
            return
        if kind is None:
            self.close()
        else:
            self._file.__exit__(kind, error, at)


def _joined(schemas: Iterable[pa.Schema]) -> pa.Schema:
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            types[field.name] = join(types[field.name], field.type) if field.name in types else field.type
    return pa.schema(list(types.items()))


def read_facts(path: Location) -> dict[str, Any] | None:
    """Return the facts that a table was closed with; None where there is no such table, or it says nothing."""
    try:
        facts = json.loads((read_footer(path).metadata or {}).get(_FACTS, b"null"))
    except (OSError, ValueError, pa.ArrowException):
        return None
    return facts if isinstance(facts, dict) else None


def read_footer(path: Location) -> pq.FileMetaData:
    """Return the footer of a table. Raises OSError or ArrowException where there is none."""
    if isinstance(path, Path):
        return pq.read_metadata(path)
    with open_arrow(path) as file:
        return pq.read_metadata(file)


def read_table(path: Location, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table of a run, its checksums verified.

    RunError where it is gone, cannot be read or is damaged. A damaged one is deleted, so that the same command finds
    it missing and makes it again.
    """
    try:
        return load_table(path, columns)
    except FileNotFoundError:
        raise RunError(f"{path} is gone; run curate corpus again: it makes it again") from None
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from error
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "FieldRef" not in why:  # else it has no such column, which is no damage
            path.unlink(missing_ok=True)
        raise RunError(
            f"{path} is damaged ({why}) and was deleted; run curate corpus again: it makes this part again"
        ) from error


def load_table(path: Location, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, its checksums verified. Raises OSError or ArrowException where it cannot be read."""
    wanted = None if columns is None else list(columns)
    if isinstance(path, Path):
        return pq.read_table(path, columns=wanted, partitioning=None, page_checksum_verification=True)
    with open_arrow(path) as file:
        return pq.read_table(file, columns=wanted, partitioning=None, page_checksum_verification=True)


def read_frame(path: Location, columns: Sequence[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
    """Read the first rows of a table, or all, for a question about a run; without checksums where it is local."""
    import polars as pl

    if isinstance(path, Path):
        return pl.read_parquet(path, columns=None if columns is None else list(columns), n_rows=n_rows, glob=False)
    table = read_table(path, columns)
    return pl.DataFrame(pl.from_arrow(table if n_rows is None else table.slice(0, n_rows)))


def read_schema(path: Location) -> pa.Schema:
    """Return the columns of a table, from its footer."""
    if isinstance(path, Path):
        return pq.read_schema(path)
    with open_arrow(path) as file:
        return pq.read_schema(file)
