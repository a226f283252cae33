"""Threads in one process: kernels release the GIL, so N threads use N cores and share one copy of the models.

Two levels: up to N tasks are open at a time, and each hands its batches to one pool of N workers, so that a
single large file keeps every core busy. The order of results never depends on the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from curate.errors import CurateError
from curate.memory import parse_memory

Item = TypeVar("Item")
Batch = TypeVar("Batch")
Result = TypeVar("Result")

_POLL_SECONDS = 0.2  # how long an interrupt may go unnoticed
_BATCHES_PER_THREAD = 2  # being computed, and waiting for the consumer


class _StoppedError(Exception):
    """Ends a task quietly after another one failed or the user interrupted."""


class Workers:
    """The pool that tasks share for their batches."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")
        self._permits = threading.BoundedSemaphore(threads * _BATCHES_PER_THREAD)
        self._stopped = threading.Event()

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """Yield `function(batch)` in the order of the batches, with a bounded number of them in memory."""
        pending: deque[Future[Result]] = deque()
        try:
            for batch in batches:
                while not self._permits.acquire(blocking=not pending):
                    yield self._take(pending)
                if self._stopped.is_set():
                    self._permits.release()
                    raise _StoppedError
                pending.append(self._pool.submit(function, batch))
                while pending and pending[0].done():
                    yield self._take(pending)
            while pending:
                yield self._take(pending)
        finally:
            for future in pending:
                future.cancel()
                self._permits.release()

    def _take(self, pending: deque[Future[Result]]) -> Result:
        try:
            return pending[0].result()
        finally:
            pending.popleft()
            self._permits.release()

    def stop(self) -> None:
        """Make every task end at its next batch."""
        self._stopped.set()

    def close(self) -> None:
        """Wait for the batches at work and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Local:
    """Runs tasks on the threads of this process."""

    def __init__(self, threads: int | None = None, memory: int | str | None = None) -> None:
        if threads is not None and threads < 1:
            raise CurateError(f"threads must be at least 1, not {threads}")
        self.threads = threads or len(os.sched_getaffinity(0))
        self.memory = parse_memory(memory)  # bytes that the parts which grow with a corpus may take together

    def run(self, task: Callable[[Item, Workers], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        """Run `task(item, workers)` for every item; yield each item with its result as it finishes.

        The first exception stops the other tasks and is raised; so does an interrupt.
        """
        workers = Workers(self.threads)
        outer = ThreadPoolExecutor(max(1, min(self.threads, len(items))), thread_name_prefix="task")
        futures = {outer.submit(task, item, workers): item for item in items}
        try:
            while futures:
                done, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    item = futures.pop(future)
                    yield item, future.result()
        finally:
            workers.stop()
            outer.shutdown(wait=True, cancel_futures=True)
            workers.close()
