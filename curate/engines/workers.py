"""A pool of threads that the tasks of one process share for their batches: kernels release the GIL.

Knows no task. The order of results never depends on the number of threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")

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
