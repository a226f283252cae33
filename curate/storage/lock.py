"""A lock that is an object: who holds it, where, and until when, told anew while the work lasts.

Stores that create an object only where there is none (S3, Google, Azure, memory) let exactly one of two processes in.
A holder that died is waited for until its time is over; on its own machine it is known to be dead at once. Between
machines this trusts their clocks to a minute.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curate.errors import CurateError, RunError, StorageError
from curate.storage.backend import READ_ONLY, filesystem
from curate.storage.location import RemotePath
from curate.storage.reading import fetch
from curate.storage.retry import persist

HELD_SECONDS = 120.0  # after which a holder that said nothing is taken to be dead
BEAT_SECONDS = 20.0
_SETTLE_SECONDS = 1.0  # after taking over a dead lock, before looking who else did
_TRIES = 3
_ONLY_NEW: dict[str, dict[str, Any]] = {
    **{key: {"mode": "create"} for key in ("s3", "s3a", "gs", "gcs", "memory")},
    **{key: {"overwrite": False} for key in ("az", "abfs", "abfss")},
}
"""How each store is told to create an object and replace none; of others a lock is looked for before and after."""

_lost: set[str] = set()  # locks of this process that another one took over
_beaten: dict[str, tuple[str, float]] = {}  # who this process is to a lock, and when it last said so


class HeldError(Exception):
    """Another process has the lock; the text says which."""


@contextmanager
def hold_object(path: RemotePath) -> Iterator[None]:
    """Hold the lock `path` while the block runs. Raises HeldError, StorageError."""
    if path.protocol in READ_ONLY:
        raise StorageError(
            f"{path.parent}: {path.protocol}:// can only be read from; choose an --out on a disk or in s3://, gs://, az://"
        )
    owner = uuid.uuid4().hex
    _take(path, owner)
    _lost.discard(str(path))
    _beaten[str(path)] = owner, time.monotonic()
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, owner, ended), name="lock", daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        _beaten.pop(str(path), None)
        with suppress(CurateError, OSError):
            if _read(path).get("owner") == owner:
                path.unlink(missing_ok=True)


def check_held(path: RemotePath) -> None:
    """Raise RunError where this process held the lock and another one has taken it over."""
    owner, beaten = _beaten.get(str(path), ("", time.monotonic()))
    if time.monotonic() - beaten > 2 * BEAT_SECONDS and _read(path).get("owner") != owner:  # as after a suspension
        _lost.add(str(path))
    if str(path) in _lost:
        raise RunError(
            f"{path.parent}: another curate took over this run, which had heard nothing of this one for "
            f"{HELD_SECONDS:.0f} s; nothing more is written here"
        )


def is_held_object(path: RemotePath) -> bool:
    """Tell whether a process that is alive, as far as one can know, has the lock."""
    return _is_alive(_read(path))


def _take(path: RemotePath, owner: str) -> None:
    for _ in range(_TRIES):
        try:
            if _created(path, owner):
                return
            continue
        except FileExistsError:
            there = _read(path)
        except FileNotFoundError:
            raise StorageError(f"{path.parent}: its bucket does not exist, or cannot be seen; make it first") from None
        if there.get("owner") == owner:  # it was created, and the answer got lost
            return
        if not there:
            continue  # deleted in between
        if _is_alive(there):
            raise HeldError(
                f"process {there['process']} on {there['host']}, which has it until {_clock(there['until'])} unless it "
                f"goes on; if that process is dead, wait, or delete {path}"
            )
        _put(path, owner)
        time.sleep(_SETTLE_SECONDS)
        if _read(path).get("owner") == owner:
            return
    raise HeldError("another process that took it at the same moment")


def _beat(path: RemotePath, owner: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        with suppress(CurateError, OSError):  # the next beat may do better, and the work itself complains
            if _read(path).get("owner") != owner:  # taken over, or taken over and given back
                _lost.add(str(path))
                return
            _put(path, owner)
            _beaten[str(path)] = owner, time.monotonic()


def _created(path: RemotePath, owner: str) -> bool:
    """Create the lock. Raises FileExistsError where there is one; False where two did at the same moment."""
    if path.is_file():
        raise FileExistsError
    only_new = _ONLY_NEW.get(path.protocol, {})
    _put(path, owner, **only_new)
    if only_new and not _replaces(path, owner, only_new):
        return True
    time.sleep(_SETTLE_SECONDS)
    return bool(_read(path).get("owner") == owner)


def _replaces(path: RemotePath, owner: str, only_new: dict[str, Any]) -> bool:
    """Tell whether a server ignores the condition, as some that speak a store's language do: it is asked once more."""
    try:
        _put(path, owner, **only_new)
    except FileExistsError:
        return False
    return True


def _put(path: RemotePath, owner: str, **how: Any) -> None:
    facts = {**_self(), "owner": owner, "until": time.time() + HELD_SECONDS}
    content = json.dumps(facts).encode()
    store = filesystem(path.protocol)
    persist(str(path), lambda: store.pipe_file(str(path), content, **how))


def _read(path: RemotePath) -> dict[str, Any]:
    """Return what the lock says; nothing where there is none, and of a damaged one that it is of a dead process."""
    try:
        found = json.loads(fetch(path, 0, path.stat().st_size))
        return {"owner": found["owner"], "until": found["until"], **{name: found[name] for name in _self()}}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        return {"owner": "", "until": 0.0, **dict.fromkeys(_self(), "?")}


def _self() -> dict[str, Any]:
    """Return what tells this process from others: its machine, since it was started, and its number there."""
    place = []
    for name in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with suppress(OSError):
            place.append(os.readlink(name) if name.endswith("pid") else Path(name).read_text().strip())  # noqa: PTH115
    return {"host": platform.node(), "machine": " ".join(place), "process": os.getpid()}


def _is_alive(there: dict[str, Any]) -> bool:
    if not there or there["until"] < time.time():
        return False
    here = _self()
    if not here["machine"] or (there["host"], there["machine"]) != (here["host"], here["machine"]):
        return True
    try:
        os.kill(there["process"], 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))
