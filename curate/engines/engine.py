"""What a stage asks of the place where its tasks run, whichever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from curate.engines.workers import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs tasks. A task is picklable, works on one item (a shard, a partition), writes files and returns counts.

    A task with a method `name_of` says what its items are called in messages.
    """

    @property
    def threads(self) -> int:
        """Batches that one task works on at a time."""

    @property
    def cores(self) -> int:
        """Cores that all tasks together have."""

    @property
    def memory(self) -> int:
        """Bytes that the parts which grow with a corpus may take together in one process."""

    @property
    def task_memory(self) -> int:
        """Bytes that the parts which grow with a corpus may take in one task, about."""

    @property
    def elsewhere(self) -> bool:
        """Whether tasks may be on other machines, which see the inputs and the run directory but not this disk."""

    def ready(self) -> None:
        """Return when tasks can run. Raises EngineError where they cannot."""

    def ship(self, files: Sequence[str | Path]) -> None:
        """Make files of this machine (models, word lists, a tokenizer) readable by tasks, under the same names."""

    def end(self) -> None:
        """Begin to give back what the engine holds: no task will follow."""

    def run(
        self,
        task: Callable[[Item, Workers], Result],
        items: Sequence[Item],
        give_up: Callable[[Item, str], Result] | None = None,
    ) -> Iterator[tuple[Item, Result]]:
        """Run `task(item, workers)` for every item; yield each item with its result as it finishes.

        An item that kills its process every time has the result `give_up(item, reason)`; without that it is an error.
        """
