"""The directory of an index: who may change it when, and which folders in it count.

Reads no segment; the manifest decides what belongs to the index.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.errors import RunError
from curate.index.manifest import MANIFEST, Manifest


def check_place(path: Path) -> None:
    """Make the directory; RunError when something else is there or it cannot be made."""
    if path.exists() and not (path / MANIFEST).is_file():
        foreign = not path.is_dir() or any(child.name not in (".lock", "segments") for child in path.iterdir())
        if foreign:
            raise RunError(f"{path} exists and is not an index; choose another place (nothing was touched)")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the index {path}: {error.strerror}") from None


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Hold an index for changing it, and remove segments that were left half made."""
    with locked(path, fcntl.LOCK_EX, "works with"):
        if (path / MANIFEST).is_file():
            collect(path, Manifest.read(path))
        elif (path / "segments").is_dir():
            shutil.rmtree(path / "segments")
        yield


@contextmanager
def locked(path: Path, kind: int, what: str) -> Iterator[None]:
    """Lock an index (`kind`: LOCK_EX, or LOCK_SH for reading); RunError when another process keeps it from that."""
    file = path / ".lock"
    if kind == fcntl.LOCK_SH and not file.exists():  # a copy, perhaps on a disk that cannot be written to
        yield
        return
    with file.open("a" if kind == fcntl.LOCK_EX else "r") as lock:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"another curate {what} the index {path}; try again when it is done") from None
        yield


def collect(path: Path, manifest: Manifest) -> None:
    """Delete the segments that the manifest does not name."""
    held = {entry.segment for entry in manifest.entries}
    for folder in (path / "segments").glob("*/"):
        if folder.name not in held:
            shutil.rmtree(folder, ignore_errors=True)


def new_folder(path: Path, run: str) -> Path:
    """Make the folder of a new segment, with a name that nobody else takes."""
    (path / "segments").mkdir(exist_ok=True)
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", run)[:40] or "run"
    folder = path / "segments" / f"{readable}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    return folder


def size_of(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(file.stat().st_size for file in folder.iterdir())
