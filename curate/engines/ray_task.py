"""What runs on a node of a Ray cluster: one try of a task, on one item or some small ones, in a process that Ray keeps.

Imports no Ray before it is there.
"""

from __future__ import annotations

import fcntl
import functools
import os
import platform
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import curate
from curate.caches import user_cache
from curate.engines.logged import Keeper, Logged
from curate.engines.workers import Workers
from curate.errors import CurateError, EngineError, RunError
from curate.events import heard
from curate.shards.atomic import write_as
from curate.shipped import Shipment


@dataclass(frozen=True)
class Kit:
    """What all tasks of one kind share; sent to each node once and unpacked in each process once."""

    task: Any
    threads: int
    shipment: list[Any]  # a reference to the files that go with it; in a list, so that Ray leaves it alone
    events: bool  # whether somebody listens to them


@dataclass(frozen=True)
class Done:
    """What a task returned, how many seconds it took, and what it logged."""

    result: Any
    seconds: float
    logged: Sequence[Logged] = ()


@dataclass(frozen=True)
class Failed:
    """Why a task did not return, and what it logged; `died`: its process was gone."""

    error: CurateError
    died: bool = False
    logged: Sequence[Logged] = ()


def attempt(kit: list[Any], items: Sequence[Any], names: Sequence[str], version: str) -> list[Done | Failed]:
    """Run a task on items, one after the other, for a process that has this `version` of curate.

    `kit`: a reference to the Kit, in a list, which Ray does not fetch each time. `names`: of the items, in messages.
    """
    return [_attempt_one(kit[0], item, name, version) for item, name in zip(items, names, strict=True)]


def _attempt_one(kit: Any, item: Any, name: str, version: str) -> Done | Failed:
    begun = time.monotonic()
    node = platform.node()
    logged: list[Logged] = []
    try:
        if version != curate.__version__:
            raise EngineError(
                f"curate {curate.__version__} is installed there, and {version} here: install the same on every node"
            )
        prepared = _prepared(kit)
        workers = Workers(prepared.threads)
        try:
            with heard(Keeper(logged, node), events=prepared.events):
                result = prepared.task(item, workers)
            return Done(result, time.monotonic() - begun, logged)
        finally:
            workers.close()
    except CurateError as error:
        failure: CurateError = type(error)(f"{name}, on {node}: {error}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        failure = RunError(f"{name}, on {node}: {where}{error.strerror or error}")
    except MemoryError:
        failure = EngineError(f"{name}, on {node}: not enough memory; give tasks more with --memory-per-task")
    except Exception:
        failure = EngineError(f"{name}, on {node}: a fault of curate:\n{traceback.format_exc()}")
    return Failed(failure, logged=logged)


def get_ready() -> None:
    """Load what every stage needs, so that nothing waits for it later; numba loads half of itself by its first call."""
    import polars as pl

    from classifiers.arrow import as_strings
    from curate.kernels.hashing import text_hash

    import_module("curate.measure.stage")
    text_hash(as_strings(pl.Series([""])))


@functools.lru_cache(maxsize=2)
def _prepared(reference: Any) -> Kit:
    """Fetch a kit and make this process ready for it."""
    import ray

    write_as(f"{platform.node()}-{os.getpid()}")
    _compile()
    kit: Kit = ray.get(reference)
    _unpack(kit.shipment[0])
    return kit


@functools.lru_cache(maxsize=2)
def _unpack(reference: Any) -> None:
    """Put the files that go with tasks where this process finds them."""
    import ray

    with _alone_on_this_machine():
        shipment: Shipment = ray.get(reference)
        shipment.unpack()


@functools.cache
def _compile() -> None:
    """Compile kernels where no process of this machine has done it yet, while the others wait."""
    from curate.kernels.warmup import ensure_compiled

    with _alone_on_this_machine():
        ensure_compiled(lambda message: None)


@contextmanager
def _alone_on_this_machine() -> Iterator[None]:
    """Let one process of this user at a time through."""
    folder = user_cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
