"""What runs on a node of a Ray cluster: one try of one task, in a process that Ray may use for many.

Imports no Ray before it is there.
"""

from __future__ import annotations

import fcntl
import functools
import os
import platform
import time
import traceback
from dataclasses import dataclass
from typing import Any

import curate
from curate.caches import user_cache
from curate.engines.workers import Workers
from curate.errors import CurateError, EngineError, RunError
from curate.shards.atomic import write_as
from curate.shipped import Shipment


@dataclass(frozen=True)
class Kit:
    """What all tasks of one kind share; sent to each node once and unpacked in each process once."""

    task: Any
    threads: int
    shipment: Shipment
    version: str


@dataclass(frozen=True)
class Done:
    """What a task returned, and how many seconds it took."""

    result: Any
    seconds: float


@dataclass(frozen=True)
class Failed:
    """Why a task did not return; `died`: its process was gone."""

    error: CurateError
    died: bool = False


def attempt(kit: list[Any], item: Any) -> Done | Failed:
    """Run a task on an item. `kit`: a reference to the Kit, in a list, so that Ray does not fetch it each time."""
    begun = time.monotonic()
    node = platform.node()
    name = getattr(getattr(item, "shard", item), "name", item)
    try:
        prepared = _prepared(kit[0])
        workers = Workers(prepared.threads)
        try:
            return Done(prepared.task(item, workers), time.monotonic() - begun)
        finally:
            workers.close()
    except CurateError as error:
        return Failed(type(error)(f"{name}, on {node}: {error}"))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Failed(RunError(f"{name}, on {node}: {where}{error.strerror or error}"))
    except MemoryError:
        return Failed(EngineError(f"{name}, on {node}: not enough memory; give tasks more with --memory-per-task"))
    except Exception:
        return Failed(EngineError(f"{name}, on {node}: a fault of curate:\n{traceback.format_exc()}"))


@functools.lru_cache(maxsize=2)
def _prepared(reference: Any) -> Kit:
    """Fetch a kit and make this process ready for it."""
    import ray

    kit: Kit = ray.get(reference)
    if kit.version != curate.__version__:
        raise EngineError(
            f"curate {curate.__version__} is installed there, and {kit.version} here: install the same on every node"
        )
    kit.shipment.unpack()
    _prepare_process()
    return kit


@functools.cache
def _prepare_process() -> None:
    """Compile kernels where no process of this machine has done it yet, while the others wait."""
    from curate.kernels.warmup import ensure_compiled

    write_as(f"{platform.node()}-{os.getpid()}")
    folder = user_cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "compiling.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure_compiled(lambda message: None)
