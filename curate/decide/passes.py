"""Map passes over the cleaned texts of a population: of the shards of a run, or of a batch in memory.

What is done with the texts is the visitor's business. A step that cuts texts needs two passes over them or more,
and what it found has to wait on disk: here is also where.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.decide.cuts import Cuts
from curate.errors import RunError
from curate.measure.stage import read_options
from curate.shards import ReadOptions, Shard, read_chosen
from curate.storage import Location, remove_tree, scratch_folder
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run

Numbers = npt.NDArray[np.int64]


class Visitor(Protocol):
    """What a pass does with one part (shard). Picklable; `batch` is called by many threads at a time."""

    def begin(self, number: int) -> Visitor:
        """Return the visitor with what it has to read of the part that has this number among all."""
        ...

    def batch(self, number: int, rows: Numbers, texts: Strings) -> Any:
        """Look at some documents: their positions in the part and their texts. Batches are numbered in order."""
        ...

    def finish(self, results: Iterable[Any]) -> Any:
        """Take what `batch` returned, in order, and return the result of the part."""
        ...


class Texts(Protocol):
    """The texts of a population, to be visited."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the parts."""
        ...

    @property
    def key(self) -> str:
        """A hash of everything that the texts and their signals depend on."""
        ...

    @property
    def threads(self) -> int:
        """How many batches are looked at at a time."""
        ...

    @property
    def tokenizer(self) -> str | None:
        """The file of the tokenizer that tokens are counted with; None for estimates."""
        ...

    @property
    def folder(self) -> Location:
        """Where cuts are kept, one folder a step."""
        ...

    @property
    def scratch(self) -> Location:
        """Where the tasks of one pass leave what those of the next read."""
        ...

    def visit(
        self, chosen: Sequence[Numbers], visitors: Sequence[Visitor], cuts: Location | None
    ) -> Iterator[tuple[int, Any]]:
        """Show each visitor the chosen documents of its part, without what `cuts` names.

        `chosen` are positions, ascending. Batches are the same for the same choice. Yields the number of each part
        with its result, as they come.
        """
        ...

    def each(self, task: Callable[[int, Any], Any], items: Sequence[int]) -> Iterator[Any]:
        """Run a task for every item, as an engine does, and yield the results as they come."""
        ...


class MemoryTexts:
    """Texts of one batch."""

    names: Sequence[str] = ("memory",)
    key = ""
    threads = 1
    tokenizer = None

    def __init__(self, cleaned: Strings) -> None:
        self._cleaned = cleaned

    @cached_property
    def folder(self) -> Path:
        """A temporary folder, deleted with this object."""
        path = tempfile.mkdtemp(prefix="curate-")
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return Path(path)

    @property
    def scratch(self) -> Location:
        """A folder in it for what passes leave to each other."""
        return self.folder / "scratch"

    def visit(
        self, chosen: Sequence[Numbers], visitors: Sequence[Visitor], cuts: Location | None
    ) -> Iterator[tuple[int, Any]]:
        """Show the visitor all chosen documents at once."""
        texts = as_strings(to_array(self._cleaned).take(pa.array(chosen[0])))
        texts = Cuts.of_step(cuts, self.names[0]).apply(texts, chosen[0])
        visitor = visitors[0].begin(0)
        yield 0, visitor.finish([visitor.batch(0, chosen[0], texts)])

    def each(self, task: Callable[[int, Any], Any], items: Sequence[int]) -> Iterator[Any]:
        """Run a task for every item, one after the other."""
        return (task(item, None) for item in items)


@dataclass(frozen=True)
class RunTexts:
    """Texts of the measured shards of a run."""

    run: Run
    engine: Engine
    cleaners: tuple[str, ...]
    shards: Sequence[Shard]

    @property
    def names(self) -> Sequence[str]:
        """The names of the shards."""
        return [shard.name for shard in self.shards]

    @property
    def key(self) -> str:
        """The key of the stage that measured them."""
        return str(self.run.stage("measure")["key"])

    @property
    def threads(self) -> int:
        """How many batches are looked at at a time."""
        return self.engine.threads

    @property
    def tokenizer(self) -> str | None:
        """The file of the tokenizer that tokens are counted with."""
        tokenizer: str | None = self.run.manifest["inputs"]["tokenizer"]
        return tokenizer

    @property
    def folder(self) -> Location:
        """Where cuts are kept."""
        return self.run.path / "cuts"

    @property
    def scratch(self) -> Location:
        """Where tasks leave things to each other: on this machine, unless they may be on others."""
        place = self.folder / "scratch"
        return place if self.engine.elsewhere else scratch_folder(place)

    def visit(
        self, chosen: Sequence[Numbers], visitors: Sequence[Visitor], cuts: Location | None
    ) -> Iterator[tuple[int, Any]]:
        """Read the shards again and clean them; one task a shard."""
        options = read_options(self.run, metadata=False)
        tasks = [
            _Visit(number, shard, options, self.cleaners, rows, visitor, cuts)
            for number, (shard, rows, visitor) in enumerate(zip(self.shards, chosen, visitors, strict=True))
        ]
        for task, result in self.engine.run(_run, tasks):
            yield task.number, result

    def each(self, task: Callable[[int, Any], Any], items: Sequence[int]) -> Iterator[Any]:
        """Run a task for every item on the engine."""
        return (result for _, result in self.engine.run(task, items))


@dataclass(frozen=True, eq=False)
class _Visit:
    """One shard of a pass. Picklable."""

    number: int
    shard: Shard
    options: ReadOptions
    cleaners: tuple[str, ...]
    chosen: Numbers
    visitor: Visitor
    cuts: Location | None

    def batches(self) -> Iterator[tuple[int, int, int, pa.Array]]:
        """Yield number, first and last of the chosen documents, and raw texts; nothing after the last document."""
        high = 0
        for number, (low, high, texts) in enumerate(read_chosen(self.shard, self.options, self.chosen)):
            yield number, low, high, texts
        if high == len(self.chosen):
            return
        raise RunError(f"{self.shard.paths[0]} has fewer documents than were measured; run again with --overwrite")

    def of_batch(self, item: tuple[int, int, int, pa.Array], visitor: Visitor, cuts: Cuts) -> Any:
        """Clean a batch, cut what earlier steps cut, and show it to the visitor."""
        number, low, high, texts = item
        rows = self.chosen[low:high]
        return visitor.batch(number, rows, cuts.apply(clean(texts, self.cleaners), rows))


def _run(task: _Visit, workers: Workers) -> Any:
    cuts, visitor = Cuts.of_step(task.cuts, task.shard.name), task.visitor.begin(task.number)
    return visitor.finish(workers.map(lambda item: task.of_batch(item, visitor, cuts), task.batches()))


@contextmanager
def scratch(texts: Texts) -> Iterator[Location]:
    """Give an empty folder that the tasks of all passes see, deleted afterwards."""
    texts.folder.mkdir(parents=True, exist_ok=True)
    path = texts.scratch / uuid4().hex  # a late task of another step writes elsewhere
    remove_tree(path.parent)
    try:
        path.mkdir(parents=True)
        yield path
    finally:
        remove_tree(path.parent)
