"""Write a file so that it is there as a whole or not at all.

Does not lock: two writers of one path at the same time are the caller's mistake.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from curate.errors import RunError, SpaceError
from curate.storage import Location, RemotePath, locate
from curate.storage.writing import draft, upload

_writer = ""  # in the hidden names of files that are being written


def write_as(writer: str) -> None:
    """Give the hidden names of this process a part of their own: another process may write the same files now."""
    global _writer
    _writer = f".{writer}"


def partial_path(path: Location) -> Path:
    """Return the hidden name beside `path` under which it is written; always the same, so none pile up.

    What becomes an object is written into a temporary folder of this process.
    """
    return draft(path) if isinstance(path, RemotePath) else path.with_name(f".{path.name}{_writer}.partial")


def publish(path: Location) -> None:
    """Make what was written to `partial_path(path)`, and brought to the disk, appear as `path`.

    A file is renamed, an object is sent as a whole. Names in a folder are on disk after `sync_folder`.
    """
    if isinstance(path, RemotePath):
        upload(partial_path(path), path)
        partial_path(path).unlink()
    else:
        partial_path(path).replace(path)


@contextmanager
def atomic_file(path: str | Location, *, lasting: bool = True) -> Iterator[IO[bytes]]:
    """Open `path` for writing bytes; it appears, complete and on disk, when the block ends well.

    One that is not `lasting` (scratch, made again after a power cut) is not waited for until it is on the disk.
    After an error nothing is left behind and an older `path` is untouched.
    Raises SpaceError where the disk is full, RunError where the place cannot be written to, StorageError where a
    store cannot be reached.
    """
    path = locate(path)
    partial = partial_path(path)
    with explain_write_errors(path):
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
            publish(path)
            if lasting:
                sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise


def sync_folder(folder: Location) -> None:
    """Bring the names in a folder to the disk: a file that was renamed is there after a power cut only then."""
    if isinstance(folder, RemotePath):
        return
    with suppress(OSError):  # some file systems cannot
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def atomic_bytes(path: str | Location, content: bytes) -> None:
    """Write `content` to `path`, as a whole or not at all. Raises as `atomic_file` does."""
    with atomic_file(path) as file:
        file.write(content)


@contextmanager
def explain_write_errors(path: str | Location) -> Iterator[None]:
    """Turn the OSErrors of writing `path` into SpaceError or RunError."""
    try:
        yield
    except OSError as error:
        place = locate(path)
        folder = partial_path(place).parent if isinstance(place, RemotePath) else place.parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpaceError(
                f"{path}: no space left to write to; free some in {folder}, then start again to resume"
            ) from error
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
