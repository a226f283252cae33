"""Threads in one process: N threads use N cores and share one copy of the models.

Two levels: up to N tasks are open at a time, and each hands its batches to one pool of N workers, so that a
single large file keeps every core busy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from curate.engines.failures import Failures
from curate.engines.workers import Workers
from curate.errors import CurateError
from curate.memory import parse_memory

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_TASK_MEMORY = 2 << 30
"""Bytes of a task, as many as one core of a task on Ray is declared to need."""

_POLL_SECONDS = 0.2  # how long an interrupt may go unnoticed


class Local:
    """Runs tasks on the threads of this process."""

    elsewhere = False

    def __init__(self, threads: int | None = None, memory: int | str | None = None) -> None:
        if threads is not None and threads < 1:
            raise CurateError(f"threads must be at least 1, not {threads}")
        self.threads = threads or len(os.sched_getaffinity(0))
        self.cores = self.threads
        self.memory = parse_memory(memory)
        self.task_memory = min(self.memory // self.threads, MOST_TASK_MEMORY)

    def ready(self) -> None:
        """Do nothing: threads are here."""

    def ship(self, files: Sequence[str | Path]) -> None:
        """Do nothing: tasks are in this process."""

    def end(self) -> None:
        """Do nothing: threads are held while tasks run only."""

    def run(
        self,
        task: Callable[[Item, Workers], Result],
        items: Sequence[Item],
        give_up: Callable[[Item, str], Result] | None = None,
    ) -> Iterator[tuple[Item, Result]]:
        """Run `task(item, workers)` for every item; yield each item with its result as it finishes.

        An item that fails does not stop the others: see `Failures`. An interrupt and a fault of ours do. What kills a
        task kills this process too, so `give_up` is never called.
        """
        failures = Failures(len(items))
        workers = Workers(self.threads)
        outer = ThreadPoolExecutor(max(1, min(self.threads, len(items))), thread_name_prefix="task")
        futures = {outer.submit(task, item, workers): item for item in items}
        try:
            while futures:
                done, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    item = futures.pop(future)
                    try:
                        result = future.result()
                    except CurateError as error:
                        failures.take(error)
                    else:
                        yield item, result
            failures.tell()
        finally:
            workers.stop()
            outer.shutdown(wait=True, cancel_futures=True)
            workers.close()
