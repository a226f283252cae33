"""Tasks on a Ray cluster, or on a Ray of its own where none is given: one task an item, on whichever node has room.

Small shards share a task: starting one costs as much as measuring a few kB.

Ray schedules, and starts a task again whose worker or node died. Here is decided what that means: tasks may be begun
twice (their files are there as a whole or not at all, and the same each time), an item that fails does not stop the
others, and one that takes far longer than the rest is tried elsewhere at the same time.
"""

from __future__ import annotations

import logging
import os
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import curate
from curate.engines.bundles import bundles, in_words, name_of
from curate.engines.failures import Failures
from curate.engines.logged import tell
from curate.engines.ray_session import Session, check_status, end_by_sigterm, import_ray
from curate.engines.ray_task import Done, Failed, Kit, attempt, get_ready
from curate.engines.workers import Workers
from curate.errors import EngineError
from curate.events import events_wanted
from curate.memory import parse_memory
from curate.shipped import Shipment

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger("curate.engines")

MEMORY_PER_TASK = "2GiB"
"""Declared to Ray for each task with one core: about three times what measuring a shard was seen to take."""

_POLL_SECONDS = 0.2  # how long an interrupt may go unnoticed
_QUEUED_PER_TASK = 4  # handed to Ray ahead of time, for each task that can run at a time
_BUNDLES_PER_TASK = 8  # that small shards are divided over, at least, for each
_COUNT_SECONDS = 10.0  # between two looks at how many cores a cluster has
_FIRST_NODE_SECONDS = 600.0  # that a cluster without a node may take until it has one
_RETRIES = 3  # of a task whose worker or node died
_STRAGGLER = 4.0  # times the median of its stage, after which a task is begun a second time …
STRAGGLER_SECONDS = 60.0  # … but never before so long


@dataclass
class _Running(Generic[Item]):
    """Items at work in one task: what they are called, and the tries by what Ray calls them."""

    items: Sequence[Item]
    names: Sequence[str]
    refs: set[Any] = field(default_factory=set)
    twice: bool = False
    outcomes: Sequence[Done | Failed] = ()  # of a try that ended before another


class Ray:
    """Runs tasks on a Ray cluster. Use as a context manager: a Ray that was started for it ends with it."""

    elsewhere = True

    def __init__(
        self,
        address: str | None = None,
        *,
        threads: int | None = None,
        cpus_per_task: int = 1,
        memory: int | str | None = None,
        memory_per_task: int | str | None = None,
        straggler_seconds: float = STRAGGLER_SECONDS,
    ) -> None:
        """Begin to connect to the cluster at `address` (default: RAY_ADDRESS), else to start one with `threads` cores.

        Where that fails, EngineError is raised by what is asked of the engine first. A task is given `cpus_per_task`
        cores and is declared to need `memory_per_task` bytes for each of them.
        """
        self.threads = cpus_per_task
        self.memory = parse_memory(memory)
        self.task_memory = parse_memory(memory_per_task or MEMORY_PER_TASK) * cpus_per_task
        self._straggler_seconds = straggler_seconds
        self._files: dict[str, None] = {}
        self._shipped: Any = None
        self._counted = (-_COUNT_SECONDS, 0)  # when, and how many cores
        self._lost = False
        address = address or os.environ.get("RAY_ADDRESS")
        self._own_cores = None if address else threads or len(os.sched_getaffinity(0))
        self._ray = import_ray()
        self._session = None
        if self._ray.is_initialized():
            self._own_cores = None
            self._check_room(threading.Event())
        else:
            end_by_sigterm()
            self._session = Session(self._ray, address, self._own_cores or 0, self._check_room)

    @cached_property
    def ray(self) -> Any:
        """Ray, when it is there."""
        if self._session:
            self._session.wait()
            end_by_sigterm()
        return self._ray

    @cached_property
    def _remote(self) -> Any:
        return self.ray.remote(attempt)

    @property
    def cores(self) -> int:
        """Cores of all nodes; of a cluster as it was within the last seconds: nodes come and go."""
        if self._own_cores:
            return self._own_cores
        if time.monotonic() - self._counted[0] > _COUNT_SECONDS:
            self._counted = time.monotonic(), int(self.ray.cluster_resources().get("CPU", 1))
        return self._counted[1]

    @property
    def at_once(self) -> int:
        """Tasks that can run at a time."""
        return max(1, self.cores // self.threads)

    def ready(self) -> None:
        """Return when tasks can run. Raises EngineError where they cannot."""
        assert self.ray

    def __enter__(self) -> Ray:
        return self

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if self._lost:  # to leave a Ray that is gone ends this process, before it has said why
            return
        self.end()
        if self._session:
            self._session.join()
        check_status(error)

    def end(self) -> None:
        """Begin to leave Ray, where nobody else has connected this process to it; a Ray of our own ends."""
        if self._session:
            self._session.end()

    def ship(self, files: Sequence[str | Path]) -> None:
        """Send files with the tasks that follow; each node gets one copy."""
        wanted = dict.fromkeys([*self._files, *map(str, files)])
        if list(wanted) != list(self._files):
            self._files, self._shipped = wanted, None

    def shipment(self) -> Any:
        """Return what Ray calls the files to send."""
        if self._shipped is None:
            self._shipped = self.ray.put(Shipment.of(self._files))
        return self._shipped

    def run(
        self,
        task: Callable[[Item, Workers], Result],
        items: Sequence[Item],
        give_up: Callable[[Item, str], Result] | None = None,
    ) -> Iterator[tuple[Item, Result]]:
        """Run `task(item, workers)` for every item; yield each item with its result as it finishes.

        An item that fails does not stop the others: when they are done the errors are raised as one, which names each.
        One whose worker dies every time fails, or has the result of `give_up(item, reason)`. A full disk, a mistake
        in the recipe and an interrupt stop everything.
        """
        return _Tasks(self, task, items, give_up).results()

    def submit(self, kit: Any, items: Sequence[Any], names: Sequence[str], tries: int) -> Any:
        """Hand one try to Ray; return what Ray calls it."""
        name = in_words(names)
        options: dict[str, Any] = {"num_cpus": self.threads, "memory": self.task_memory, "max_retries": _RETRIES}
        options |= {"name": f"curate {name}", "scheduling_strategy": "SPREAD" if tries else "DEFAULT"}
        return self._remote.options(**options).remote([kit], items, names, curate.__version__)

    def late(self, seconds: Sequence[float]) -> float:
        """Return after how many seconds a task is late, where others of its kind took `seconds`."""
        return max(_STRAGGLER * statistics.median(seconds), self._straggler_seconds)

    def idle(self) -> bool:
        """Tell whether there are cores for one more task; those of a node that died are none."""
        return bool(self.ray.available_resources().get("CPU", 0) >= self.threads)

    def lose(self) -> EngineError:
        """Return the error of a Ray that is gone from this machine; nothing more is asked of it."""
        self._lost = True
        return EngineError("Ray on this machine is gone (killed, or out of memory); the same command goes on")

    def _check_room(self, over: threading.Event) -> None:
        """Raise EngineError where no node has room for a task; a cluster without a CPU has time for its first node."""
        until = time.monotonic() + _FIRST_NODE_SECONDS
        asked = None
        while True:
            nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
            if any(node.get("CPU", 0) >= self.threads and node.get("memory", 0) >= self.task_memory for node in nodes):
                return
            most = max((node.get("CPU", 0), node.get("memory", 0)) for node in nodes)
            if most[0] or time.monotonic() > until:
                break
            if asked is None:
                log.warning("the Ray cluster has no CPU yet; waiting for its first node for up to ten minutes")
                wanted = self._ray.remote(get_ready).options(num_cpus=self.threads, memory=self.task_memory)
                asked = wanted.remote()  # a cluster that grows with its tasks begins to
            if over.wait(1.0):
                return
        if asked is not None:
            self._ray.cancel(asked)
        raise EngineError(
            f"no node of the Ray cluster has room for a task of {self.threads} CPUs and {self.task_memory >> 20} MiB: "
            f"the largest has {most[0]:.0f} CPUs and {most[1] / 2**20:.0f} MiB; give less with --cpus-per-task or "
            "--memory-per-task"
        )


class _Tasks(Generic[Item, Result]):
    """One call of `Ray.run`."""

    def __init__(
        self,
        engine: Ray,
        task: Callable[[Item, Workers], Result],
        items: Sequence[Item],
        give_up: Callable[[Item, str], Result] | None,
    ) -> None:
        self._engine, self._give_up = engine, give_up
        self._waiting = deque(bundles(items, _BUNDLES_PER_TASK * engine.at_once))
        self._running: dict[Any, _Running[Item]] = {}
        self._failures = Failures(len(items))
        self._seconds: list[float] = []
        self._idle_since: float | None = None
        self._task = task
        self._kit = engine.ray.put(Kit(task, engine.threads, [engine.shipment()], events_wanted()))

    def results(self) -> Iterator[tuple[Item, Result]]:
        """Submit, wait and yield until every item is done or failed."""
        wait = self._engine.ray.wait
        try:
            while self._running or self._waiting:
                self._submit()
                done, _ = wait(list(self._running), num_returns=1, timeout=_POLL_SECONDS)
                for ref in done:
                    yield from self._finish(ref)
                self._try_stragglers_twice()
            self._failures.tell()
        finally:
            for ref in self._running:
                self._engine.ray.cancel(ref, force=True)

    def _submit(self) -> None:
        room = _QUEUED_PER_TASK * self._engine.at_once - len(self._running)
        while self._waiting and room > 0:
            items = self._waiting.popleft()
            self._begin(_Running(items, [name_of(self._task, item) for item in items]), 0)
            room -= 1

    def _begin(self, running: _Running[Item], tries: int) -> None:
        ref = self._engine.submit(self._kit, running.items, running.names, tries)
        running.refs.add(ref)
        self._running[ref] = running

    def _finish(self, ref: Any) -> Iterator[tuple[Item, Result]]:
        """Take what one try gave; another try of the same items is not waited for, unless this one failed."""
        running = self._running.pop(ref, None)
        if running is None:
            return
        running.refs.discard(ref)
        found = _outcomes(self._engine, ref, running.names)
        for outcome, name in zip(found, running.names, strict=True):
            tell(outcome.logged, name)
        before = running.outcomes or found
        outcomes = [old if isinstance(old, Done) else new for old, new in zip(before, found, strict=True)]
        if running.refs and any(isinstance(outcome, Failed) for outcome in outcomes):
            running.outcomes = outcomes
            return
        for other in running.refs:
            self._running.pop(other)
            self._engine.ray.cancel(other, force=True)
        done = [outcome.seconds for outcome in outcomes if isinstance(outcome, Done)]
        self._seconds += [sum(done)] if done else []
        for item, outcome in zip(running.items, outcomes, strict=True):
            if len(running.items) > 1 and isinstance(outcome, Failed) and outcome.died:
                self._waiting.append([item])  # by itself: one of them is to blame
                self._idle_since = None
            else:
                yield from self._take(item, outcome)

    def _take(self, item: Item, outcome: Done | Failed) -> Iterator[tuple[Item, Result]]:
        if isinstance(outcome, Done):
            yield item, outcome.result
        elif outcome.died and self._give_up is not None:
            yield item, self._give_up(item, str(outcome.error))
        else:
            self._failures.take(outcome.error)

    def _try_stragglers_twice(self) -> None:
        """Begin a second try of what runs far longer than the others did, where cores are idle."""
        if self._waiting or not self._engine.idle():
            return
        self._idle_since = self._idle_since or time.monotonic()  # since then, nothing waits for a core
        if len(self._seconds) < 3 or time.monotonic() - self._idle_since < self._engine.late(self._seconds):
            return
        for running in list(self._running.values()):
            if not running.twice:
                running.twice = True
                self._begin(running, 1)


def _outcomes(engine: Ray, ref: Any, names: Sequence[str]) -> Sequence[Done | Failed]:
    """Return what a try gave for each item, or why its process is gone. EngineError where Ray itself is gone here."""
    ray = engine.ray
    what = f"the task {in_words(names)}"
    try:
        outcomes: list[Done | Failed] = ray.get(ref)
        return outcomes
    except ray.exceptions.LocalRayletDiedError:
        raise engine.lose() from None
    except ray.exceptions.OutOfMemoryError:
        error = EngineError(f"{what} ran out of memory each time; declare more with --memory-per-task")
        died = True
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError):
        why = "killed, or out of memory that it had not declared: --memory-per-task"
        error, died = EngineError(f"{what} lost its worker or its node {_RETRIES + 1} times ({why})"), True
    except Exception as fault:  # what Ray itself could not do, such as importing curate on a node
        error, died = EngineError(f"{what} could not be run: {fault}"), False
    return [Failed(error, died)] * len(names)
