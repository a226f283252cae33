"""Many files at once: all below a folder, deleting them, and asking something of each without waiting for the last."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from curate.storage.location import Location, is_remote

Item = TypeVar("Item")
Result = TypeVar("Result")

_REQUESTS = 16  # on their way at a time


def files_below(folder: Location) -> list[Location]:
    """Return all files below a folder, sorted; none where there is no such folder."""
    if isinstance(folder, Path):
        return sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path, _ in folder.below()]


def remove_tree(folder: Location) -> None:
    """Delete a folder with all that is in it, where it is there."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for _ in each(lambda path: path.unlink(missing_ok=True), files_below(folder)):
        pass


def each(ask: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `ask(item)` for each item, in order; several are asked at a time, as for a request one mostly waits."""
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="storage") as pool:
        yield from pool.map(ask, items)


def ask_each(place: str | Location, ask: Callable[[Item], Result], items: Iterable[Item]) -> Iterable[Result]:
    """Ask something of each item: of a store, where each answer has to be waited for, many at a time."""
    return each(ask, items) if is_remote(place) else map(ask, items)
