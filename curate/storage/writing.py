"""Send files to a store: an object is there as a whole or not at all, and there is nothing to rename.

What is written piece by piece is written on this machine first, in a temporary folder that ends with the process.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from curate.storage.backend import filesystem
from curate.storage.location import Location, RemotePath
from curate.storage.reading import changed
from curate.storage.retry import ShortReadError, persist


def draft(path: RemotePath) -> Path:
    """Return where an object is written before it is sent; always the same in one process."""
    digest = hashlib.blake2b(str(path).encode(), digest_size=8).hexdigest()
    return temporary_folder() / f"{digest}-{path.name[-100:]}"


def temporary_folder() -> Path:
    """Return a folder of this machine, in TMPDIR, for what waits to be sent and what only this process needs."""
    return _folder(os.getpid())


@functools.cache
def _folder(process: int) -> Path:
    path = tempfile.mkdtemp(prefix="curate-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def scratch_folder(place: Location) -> Path:
    """Return where one process puts aside what does not fit into memory: `place`, or a folder of this machine."""
    if isinstance(place, Path):
        return place
    return temporary_folder() / f"scratch-{hashlib.blake2b(str(place).encode(), digest_size=8).hexdigest()}"


def upload(file: Path, path: RemotePath) -> None:
    """Send a file; large ones go in parts, of which nothing is seen before the last one is there.

    Raises StorageError where the store fails again and again, or has another size of it than was sent.
    """
    changed(path)
    store = filesystem(path.protocol)
    size = file.stat().st_size

    def put() -> None:
        store.put_file(str(file), str(path))
        there = store.info(str(path))["size"]
        if there != size:
            raise ShortReadError(f"{size} bytes were sent, {there} are there")

    persist(str(path), put)
