"""A Parquet file of keys in ascending order, each with a document's number: an index that reads only what it needs.

Row groups hold neighbouring keys and the footer says where each begins. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curate.dedup.clusters import Pieces
from curate.dedup.spill import Spill
from curate.errors import RunError
from curate.shards.atomic import atomic_file

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

ROWS_PER_GROUP = 1 << 16
_PAIRS_AT_A_TIME = 1 << 21
_STARTS = b"starts"
_SORTING = 6  # times the size of a bucket that sorting it takes


def buckets_for(rows: int, width: int, memory: int) -> int:
    """Return into how many buckets `rows` of `width` numbers are spilled, so that sorting one takes `memory` bytes."""
    needed = _SORTING * 8 * width * rows // max(memory, 1) + 1
    return int(min(1 << (needed - 1).bit_length(), 4096))


def bucket_of(keys: U64, buckets: int) -> I64:
    """Return the bucket of each key: its upper bits, so that buckets are in the order of keys."""
    bits = buckets.bit_length() - 1
    shifted = keys >> np.uint64(64 - bits) if bits else np.zeros(len(keys), np.uint64)
    return shifted.astype(np.int64)


def write_sorted(path: Path, chunks: Iterator[I64], width: int) -> None:
    """Write rows (key, number[, other]), int64 (m, width) in ascending order of the key as uint64, to a file."""
    names = ["key", "number", "other"][:width]
    types = [pa.uint64(), pa.int64(), pa.uint64()][:width]
    schema = pa.schema(list(zip(names, types, strict=True)))
    starts: list[int] = []
    with atomic_file(path) as sink:
        encoding = {"key": "DELTA_BINARY_PACKED", "number": "PLAIN", "other": "PLAIN"}
        writer = pq.ParquetWriter(
            sink, schema, compression="zstd", use_dictionary=False, column_encoding={n: encoding[n] for n in names}
        )
        for rows in chunks:
            for begin in range(0, len(rows), ROWS_PER_GROUP):
                group = np.ascontiguousarray(rows[begin : begin + ROWS_PER_GROUP].T)
                columns = [
                    pa.array(c.view(np.uint64) if t == pa.uint64() else c) for c, t in zip(group, types, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=ROWS_PER_GROUP)
                starts.append(int(group[0, :1].view(np.uint64)[0]))
        writer.add_key_value_metadata({_STARTS: base64.b64encode(np.array(starts, np.uint64).tobytes())})
        writer.close()


def in_order(spill: Spill) -> Iterator[I64]:
    """Yield the rows of a spill in ascending order of the key, a bucket at a time, and delete them."""
    for bucket in range(spill.buckets):
        rows = spill.all(bucket)
        spill.remove(bucket)
        yield rows[np.argsort(rows[:, 0].view(np.uint64), kind="stable")]


def sorted_rows(columns: Sequence[Pieces], n: int, memory: int, folder: Path) -> Iterator[I64]:
    """Yield rows (key, document[, other half]) of documents numbered from 0 on, in ascending order of the key.

    Key 0 is none. They wait in files in `folder`; putting them in order takes half of `memory`.
    """
    spill: Spill | None = None
    for pieces in columns:
        first = 0
        for piece in pieces():
            halves = piece if isinstance(piece, tuple) else (piece,)
            width = 1 + len(halves)
            spill = spill or Spill(folder, "rows", buckets_for(n * len(columns), width, memory // 2), width)
            numbers = np.arange(first, first + len(halves[0]), dtype=np.int64)
            rows = np.stack([halves[0].view(np.int64), numbers, *(h.view(np.int64) for h in halves[1:])], axis=1)
            first += len(rows)
            there = halves[0] != 0
            spill.scatter(bucket_of(halves[0][there], spill.buckets), rows[there])
    if spill:
        yield from in_order(spill)


class SortedKeys:
    """A file that `write_sorted` wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
            stored = (self._file.metadata.metadata or {})[_STARTS]
        except (OSError, pa.ArrowException, KeyError) as error:
            raise RunError(
                f"{path}: cannot be read ({error}); forget the run it is of and add it to the index again"
            ) from None
        self._starts = np.frombuffer(base64.b64decode(stored), np.uint64)
        self.rows = self._file.metadata.num_rows

    def join(self, keys: U64) -> Iterator[tuple[I64, I64, U64 | None]]:
        """Yield, for ascending `keys`, (place in `keys`, number, other) of every row with the same key.

        Reads the row groups that may hold one of them; the pairs come a few million at a time.
        """
        if not len(keys):
            return
        ends = np.append(self._starts[1:], np.uint64(2**64 - 1))
        low = np.searchsorted(keys, self._starts, "left")
        high = np.searchsorted(keys, ends, "right")
        for group in np.flatnonzero(high > low).tolist():
            table = self._file.read_row_group(group)
            held = table["key"].to_numpy()
            first = low[group] + np.searchsorted(keys[low[group] : high[group]], held, "left")
            count = low[group] + np.searchsorted(keys[low[group] : high[group]], held, "right") - first
            rows = np.flatnonzero(count)
            if not len(rows):
                continue
            numbers = table["number"].to_numpy()
            others = table["other"].to_numpy() if "other" in table.column_names else None
            cuts = np.unique(np.cumsum(count[rows]) // _PAIRS_AT_A_TIME, return_index=True)[1]
            for begin, end in zip(cuts, [*cuts[1:], len(rows)], strict=True):
                some, times = rows[begin:end], count[rows[begin:end]]
                inside = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
                at = np.repeat(first[some], times) + inside
                yield at, np.repeat(numbers[some], times), None if others is None else np.repeat(others[some], times)

    def all(self) -> Iterator[I64]:
        """Yield the rows, int64 (m, width), in order."""
        for group in range(self._file.num_row_groups):
            columns = self._file.read_row_group(group).columns
            yield np.stack([column.to_numpy().view(np.int64) for column in columns], axis=1)
