"""What was measured of a large file so far, so that a run that was stopped inside it goes on there.

Batches are appended, each with its length and checksum; what a kill cut off at the end is dropped when the journal is
opened again. Only files that cannot be read in parts need one: a shard that is soon measured is measured again.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pyarrow as pa

from curate.errors import RunError
from curate.shards.atomic import explain_write_errors
from curate.shards.plan import TARGET_BYTES
from curate.storage import Location

if TYPE_CHECKING:
    from curate.engines.workers import Workers
    from curate.measure.texts import Measured
    from curate.shards import Batch, Shard

LEAST_BYTES = TARGET_BYTES
"""Shards of more bytes on disk than this have a journal: files that `plan` could not cut into parts."""

_HEAD = struct.Struct("<QI")  # bytes of a frame, and their CRC-32


def is_large(shard: Shard) -> bool:
    """Tell whether a shard takes so long that what is measured of it is kept."""
    return shard.bytes > LEAST_BYTES


class Journal:
    """A file of frames: the key that they belong to, then pairs of tables (signals, sketches), one a batch.

    A context manager. `batches` is how many it holds; a journal with another key starts anew. One that is not `on_disk`
    keeps nothing.
    """

    def __init__(self, path: Location, key: str, on_disk: bool) -> None:
        self.batches = 0
        self._path = path
        self._key = key.encode()
        self._on_disk = on_disk

    def __enter__(self) -> Journal:
        if not self._on_disk or not isinstance(self._path, Path):
            return self
        with explain_write_errors(self._path):
            self._path.parent.mkdir(exist_ok=True)
            self._file = self._path.open("r+b" if self._path.is_file() else "x+b")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another try at the same shard is writing it
                self._file.close()
                self._on_disk = False
                return self
            frames = self._frames()
            end = 0
            if next(frames, None) == self._key:
                end = self._file.tell()
                for _ in frames:
                    self.batches += 1
                    end = self._file.tell()
            self._file.seek(end)
            self._file.truncate()
            if not end:
                self._append(self._key)
        return self

    def _frames(self) -> Iterator[bytes]:
        """Yield the frames from the start up to the first that is not whole."""
        left = os.fstat(self._file.fileno()).st_size
        self._file.seek(0)
        while left >= _HEAD.size:
            size, checksum = _HEAD.unpack(self._file.read(_HEAD.size))
            left -= _HEAD.size + size
            if left < 0 or not size:
                return
            frame = self._file.read(size)
            if zlib.crc32(frame) != checksum:
                return
            yield frame

    def _append(self, frame: bytes | memoryview) -> None:
        self._file.write(_HEAD.pack(len(frame), zlib.crc32(frame)))
        self._file.write(frame)
        self._file.flush()

    def append(self, signals: pa.Table, sketches: pa.Table) -> None:
        """Add what was measured of the next batch. Raises SpaceError where the disk is full."""
        sink = pa.BufferOutputStream()
        for table in (signals, sketches):
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
        with explain_write_errors(self._path):
            self._append(memoryview(sink.getvalue()))
        self.batches += 1

    def through(
        self, workers: Workers, of_batch: Callable[[Batch], Measured], batches: Iterator[Batch]
    ) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Measure the batches that are not in the journal; yield signals and sketches of all of them, in order.

        Batches that are there are read, for what else is learnt of them, but not measured again.
        """
        if not self._on_disk:
            for measured in workers.map(of_batch, batches):
                yield measured.signals, measured.sketches
            return
        for _ in workers.map(lambda batch: None, islice(batches, self.batches)):
            pass
        for measured in workers.map(of_batch, batches):
            self.append(measured.signals, measured.sketches)
        yield from self.tables()

    def tables(self) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Yield signals and sketches of every batch, in order."""
        frames, found = self._frames(), 0
        next(frames)
        for frame in frames:
            source = pa.BufferReader(frame)
            signals, sketches = (pa.ipc.open_stream(source).read_all() for _ in range(2))
            found += 1
            yield signals, sketches
        if found != self.batches:
            raise RunError(f"{self._path} holds {found} batches of {self.batches}; delete it and run again")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._on_disk:
            self._file.close()

    def forget(self) -> None:
        """Delete it: the shard is measured."""
        if isinstance(self._path, Path):
            self._path.unlink(missing_ok=True)
