"""One process a run: a lock in its directory, of a file on this machine or an object in a store.

Ends with its process, however that ends; what is done under it is not known here.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from curate.errors import RunError
from curate.storage import Location, RemotePath
from curate.storage.lock import HeldError, check_held, hold_object, is_held_object

LOCK = ".lock"
_ATTEMPTS = 4


@contextmanager
def hold(path: Location) -> Iterator[None]:
    """Hold a run directory for this process. RunError when another one has it."""
    if isinstance(path, RemotePath):
        try:
            with hold_object(path / LOCK):
                yield
        except HeldError as error:
            raise RunError(f"another curate is working on {path}: {error}") from None
        return
    try:
        lock = (path / LOCK).open("w")
    except OSError as error:
        raise RunError(f"{path / LOCK}: cannot be written: {error.strerror}") from None
    with lock:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:  # or `is_held` looked, for a moment
                if attempt == _ATTEMPTS - 1:
                    raise RunError(
                        f"another curate is working on {path}; wait for it, or choose another --out"
                    ) from None
                time.sleep(0.05)
        yield


def is_held(path: Location) -> bool:
    """Tell whether a process works on a run directory."""
    if isinstance(path, RemotePath):
        return is_held_object(path / LOCK)
    try:
        with (path / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def check_still_held(path: Location) -> None:
    """Raise RunError where another process has taken over the run, as it can in a store."""
    if isinstance(path, RemotePath):
        check_held(path / LOCK)
