"""Open input files for reading, decompressed, with every way to fail told in the user's words.

Knows nothing of what is in the files.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pyarrow as pa

from curate.errors import InputError
from curate.limits import MAX_EXPANSION
from curate.shards.frames import is_zstd
from curate.shards.inputs import kind
from curate.shards.walk import printable
from curate.storage import is_remote, locate, open_arrow, open_sparsely

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh91AY&SY": "bz2",
    b"PAR1\x15": "Parquet",
    b"ARROW1\0\0": "Arrow",
    b"PK\x03\x04": "zip",
    b"\xfd7zXZ": "xz",
}


_HARMLESS_BYTES = 64 << 20  # decompressed; below that no ratio is too large


class Source:
    """A file being read: `read(size)` gives decompressed bytes, fewer than asked for at the end, then b"".

    `records` is for the reader to count, so that an error can say how far it came. With `part` = [start, end) it stands
    at the byte before `start` of a plain file; of a compressed one it gives the frames there, and after `go_on` those
    that follow.
    Raises InputError naming the file where it cannot be opened, is truncated, corrupt, or becomes more than
    `max_expansion` times larger.
    """

    def __init__(self, path: str, max_expansion: int = MAX_EXPANSION, part: tuple[int, int] | None = None) -> None:
        self.path = printable(path)
        self._place = path
        self.records = 0
        self._given = 0
        self._max_expansion = max_expansion
        with self.explain():
            size = locate(path).stat().st_size
            self._file = open_arrow(path, ahead=True)
        codec = kind(path)[1]
        self._codec = codec
        start, end = part or (0, size)
        start = start if codec else max(start - 1, 0)
        self._start = start
        try:
            if codec and not size:
                raise bad_file(path, f"is empty, which no {codec} file is", 0)
            with self.explain():
                self._check_magic(codec, start)
                self._file.seek(start)
                self._goes_on = codec is not None and end < size
                inside = _Until(self._file, end) if self._goes_on else self._file
                self._stream = pa.CompressedInputStream(inside, codec) if codec else self._file
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; b"" at the end."""
        with self.explain():
            data = bytes(self._stream.read(size))
        self._given += len(data)
        if self._codec and self._given > _HARMLESS_BYTES:
            self._refuse_bomb()
        return data

    def _refuse_bomb(self) -> None:
        read = self._file.tell() - self._start  # of the compressed file, and somewhat ahead
        if self._given > self._max_expansion * read:
            raise bad_file(
                self.path,
                f"becomes more than {self._max_expansion:,} times larger when decompressed ({self._given:,} bytes "
                f"from {read:,} so far), as no text does; --max-expansion allows more",
                self.records,
            )

    def go_on(self) -> None:
        """Give the frames that follow those of the part, from now on."""
        if self._goes_on:
            with self.explain():
                self._stream = pa.CompressedInputStream(self._file, self._codec)

    @property
    def compressed(self) -> bool:
        """Whether what is read is not what is in the file."""
        return self._codec is not None

    def explain(self) -> AbstractContextManager[None]:
        """Return a context in which errors of pyarrow and the system become InputError naming this file."""
        return explain_read_errors(self.path, lambda: self.records)

    def _check_magic(self, codec: str | None, start: int) -> None:
        if start and is_remote(self._place):  # reading ahead is not for the beginning then
            with open_sparsely(self._place) as beginning:
                head = beginning.read(10)
        else:
            head = self._file.read(10)
        if head[:3] == b"BZh" and head[4:] == b"1AY&SY":  # the fourth byte is the level
            head = b"BZh91AY&SY"
        actual = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        if is_zstd(head):
            actual = "zstd"
        if actual != codec and (actual or codec):
            said = f"{codec} by its name" if codec else "plain text by its name"
            held = f"holds {actual}" if actual else f"does not start as {codec} does"
            raise bad_file(self.path, f"is {said} but {held}; rename or replace it", 0)


class _Until(io.RawIOBase):
    """A file that ends earlier than it does. Leaves it open, standing there."""

    def __init__(self, file: pa.NativeFile, end: int) -> None:
        self._file, self._end = file, end

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes before the end."""
        left = self._end - self._file.tell()
        return bytes(self._file.read(left if size < 0 else min(size, left)))


@contextmanager
def explain_read_errors(path: str, records: Callable[[], int]) -> Iterator[None]:
    """Turn errors of the system and of pyarrow into InputError naming `path` and the records read before."""
    try:
        yield
    except FileNotFoundError as error:
        what = "is gone: it was there when the run was planned, or is a broken link"
        raise bad_file(path, what, records()) from error
    except PermissionError as error:
        raise bad_file(path, "cannot be read: permission denied", records()) from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:  # the last from names in a footer
        raise bad_file(path, what_is_wrong(error), records()) from error


def what_is_wrong(error: Exception) -> str:
    """Word an error of pyarrow or the system for the user."""
    text = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
    if "Truncated compressed stream" in text:
        return "is truncated: the compressed data ends too early; copy or download it again"
    if "decompress" in text or "inflate" in text:
        return f"is corrupt ({text}); copy or download it again"
    return f"cannot be read ({text})"


def bad_file(path: str, what: str, records: int) -> InputError:
    """Return the error for a file that cannot be read (further), after `records` records of it were."""
    before = f" ({records:,} records were read before)" if records else ""
    return InputError(f"{printable(path)}: {what}{before}; --skip-bad-files goes on without it")
