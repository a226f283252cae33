"""One progress bar on stderr for a command that does one thing; silent where stderr is no terminal.

The bars of a run's stages are `curate.terminal`'s.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Counter:
    """Counts to `total`, in whatever unit; a context manager."""

    def __init__(self, what: str, total: int) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Counter:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def advance(self, done: int) -> None:
        """Say that so much more is done; from any thread."""
        self._bar.advance(self._task, done)
