"""Rows of integers put aside on disk, divided into buckets, and read back bucket by bucket.

Keeps the order of the rows of a bucket and nothing else: no names, no types, no copy that outlives the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curate.shards.atomic import explain_write_errors

I64 = npt.NDArray[np.int64]

_ROWS_AT_A_TIME = 1 << 20


class Spill:
    """Files `name-0`, `name-1`, … in a folder that the caller makes and deletes; rows are int64 (m, width)."""

    def __init__(self, folder: Path, name: str, buckets: int, width: int = 2) -> None:
        self._folder, self._name, self._width = folder, name, width
        self.buckets = buckets

    def scatter(self, bucket: I64, rows: I64) -> None:
        """Append row i to bucket `bucket[i]`. Raises SpaceError where the disk is full."""
        if not len(rows):
            return
        order = np.argsort(bucket, kind="stable")
        bucket, rows = bucket[order], rows[order]
        present, starts = np.unique(bucket, return_index=True)
        for k, start, end in zip(present.tolist(), starts, [*starts[1:], len(rows)], strict=True):
            path = self._path(k)
            with explain_write_errors(path), path.open("ab") as file:
                rows[start:end].tofile(file)

    def pieces(self, bucket: int) -> Iterator[I64]:
        """Yield the rows of a bucket in the order they came, about a million at a time."""
        path = self._path(bucket)
        if path.exists():
            with path.open("rb") as file:
                while len(rows := np.fromfile(file, np.int64, self._width * _ROWS_AT_A_TIME)):
                    yield rows.reshape(-1, self._width)

    def all(self, bucket: int) -> I64:
        """Return the rows of a bucket."""
        path = self._path(bucket)
        rows = np.fromfile(path, np.int64) if path.exists() else np.zeros(0, np.int64)
        return rows.reshape(-1, self._width)

    def remove(self, bucket: int) -> None:
        """Delete the rows of a bucket."""
        self._path(bucket).unlink(missing_ok=True)

    def _path(self, bucket: int) -> Path:
        return self._folder / f"{self._name}-{bucket}"
