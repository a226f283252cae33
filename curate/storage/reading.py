"""Read objects by ranges of bytes: one large block after the other ahead of a decompressor, or just what is asked for.

An answer that fails or ends too early is asked for again from the byte where it broke off.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any

import pyarrow as pa

from curate.storage.backend import filesystem
from curate.storage.location import Location, RemotePath, locate
from curate.storage.retry import ShortReadError, persist

BLOCK_BYTES = 8 << 20  # read ahead at a time
_WINDOW_BYTES = 256 << 10  # read at least, where a footer or a column is looked for
_SPARSE_BYTES = 64 << 10
_MOST_ENDS = 8192  # each of _SPARSE_BYTES at most
_AHEAD = 2  # blocks on their way while one is used


def open_arrow(place: str | Location, *, ahead: bool = False) -> Any:
    """Open a file for pyarrow: a local one as it is, an object by ranges; `ahead` where it is read from end to end.

    Raises OSError (FileNotFoundError for an object that is not there) or StorageError.
    """
    where = locate(place)
    if not isinstance(where, RemotePath):
        return pa.OSFile(os.fsencode(where), "rb")
    return pa.PythonFile(ReadAhead(where) if ahead else Ranged(where), "r")


def open_sparsely(place: str | Location) -> IO[bytes]:
    """Open a file of which only a few bytes, here and there, will be read. Raises as `open_arrow` does."""
    where = locate(place)
    return Ranged(where, _SPARSE_BYTES) if isinstance(where, RemotePath) else where.open("rb")  # type: ignore[return-value]


def fetch(path: RemotePath, start: int, end: int) -> bytes:
    """Return bytes `start` to `end` of an object. Raises FileNotFoundError or StorageError."""
    store = filesystem(path.protocol)

    def some() -> bytes:
        piece: bytes = store.cat_file(str(path), start=at, end=end)
        if not 0 < len(piece) <= end - at:
            raise ShortReadError(f"bytes {at} to {end} were asked for, {len(piece)} bytes came")
        return piece

    pieces: list[bytes] = []
    at = start
    while at < end:  # an answer that ends too early is one that brought something: go on from there
        pieces.append(persist(str(path), some))
        at += len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Ends:
    """Sizes and last bytes of objects that nobody changes for a while: footers of tables that are read many times."""

    def __init__(self) -> None:
        self._folders: list[Location] = []
        self._lock = threading.Lock()
        self._held: dict[RemotePath, tuple[int, bytes]] = {}

    def of(self, path: RemotePath) -> tuple[int, bytes] | None:
        return self._held.get(path)

    def remember(self, path: RemotePath, size: int, end: bytes) -> None:
        with self._lock:
            if path.parent in self._folders and len(self._held) < _MOST_ENDS:
                self._held[path] = size, end

    def forget(self, path: RemotePath) -> None:
        self._held.pop(path, None)

    @contextmanager
    def of_folders(self, folders: Sequence[Location]) -> Iterator[None]:
        with self._lock:
            self._folders += folders
        try:
            yield
        finally:
            with self._lock:
                for folder in folders:
                    self._folders.remove(folder)
                self._held = {path: end for path, end in self._held.items() if path.parent in self._folders}


_ends = _Ends()


def remembering(*folders: Location) -> AbstractContextManager[None]:
    """Return a context in which objects in some folders are changed by nobody but this process.

    Their sizes and footers are then asked for once.
    """
    return _ends.of_folders(folders)


def changed(path: RemotePath) -> None:
    """Tell that this process has written or deleted an object."""
    _ends.forget(path)


class Ranged(io.RawIOBase):
    """An object as a file whose reads are requests: for formats that say where in them is what."""

    def __init__(self, path: RemotePath, window_bytes: int = _WINDOW_BYTES) -> None:
        self.path = path
        self._window_bytes = window_bytes
        self._at = 0
        self.size, self._end = _ends.of(path) or (path.stat().st_size, b"")
        self._window = (0, b"")  # where it begins, and what is in it

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self._at + size, self.size)
        found = self._between(self._at, end) if end > self._at else b""
        self._at += len(found)
        return found

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self.read(len(view))
        view[: len(found)] = found
        return len(found)

    def _between(self, start: int, end: int) -> bytes:
        if start >= self.size - len(self._end):
            return self._end[start - self.size + len(self._end) : end - self.size + len(self._end)]
        first, held = self._window
        if not (first <= start and end <= first + len(held)):
            # The end of a file is read first, and then what is just before it.
            first = min(start, max(0, self.size - self._window_bytes)) if end == self.size else start
            held = fetch(self.path, first, min(max(end, first + self._window_bytes), self.size))
            self._window = first, held
            if first + len(held) == self.size:
                self._end = held[-_SPARSE_BYTES:]
                _ends.remember(self.path, self.size, self._end)
        return held[start - first : end - first]


class ReadAhead(Ranged):
    """An object as a file that is read from one place to its end, the next blocks being on their way already."""

    def __init__(self, path: RemotePath) -> None:
        super().__init__(path)
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="read-ahead")
        self._coming: dict[int, Future[bytes]] = {}  # by the number of the block

    def _between(self, start: int, end: int) -> bytes:
        pieces = []
        for number in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
            block = self._block(number)
            begin = number * BLOCK_BYTES
            pieces.append(block[max(start - begin, 0) : end - begin])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _block(self, number: int) -> bytes:
        first, held = self._window
        if held and first == number * BLOCK_BYTES:
            return held
        reads_on = bool(held) and first + len(held) == number * BLOCK_BYTES
        for other in [other for other in self._coming if not number <= other <= number + _AHEAD]:
            self._coming.pop(other).cancel()
        wanted = range(number, number + 1 + (_AHEAD if reads_on else 0))
        for block in wanted:
            if block not in self._coming and block * BLOCK_BYTES < self.size:
                self._coming[block] = self._pool.submit(self._fetched, block)
        found = self._coming.pop(number).result()
        self._window = number * BLOCK_BYTES, found
        return found

    def _fetched(self, number: int) -> bytes:
        return fetch(self.path, number * BLOCK_BYTES, min((number + 1) * BLOCK_BYTES, self.size))

    def close(self) -> None:
        if not self.closed:
            self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()
