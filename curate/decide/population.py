"""The documents that decide looks at, as columns: of a run directory, or of a batch in memory.

Documents are numbered 0..n-1 in the order of the parts (shards) and of the rows in them. No text is held; the
shingles of candidate duplicates are computed on request.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings
from curate.decide.columns import Columns, Look, MadeColumns, MeasuredColumns, StoredColumns
from curate.decide.passes import MemoryTexts, RunTexts, Texts
from curate.decide.shingle_tasks import Judging, ShingleTask, Wanted, run_shingle_task
from curate.dedup.candidates import Candidates, read_partition
from curate.dedup.clusters import Linked, link, passes
from curate.dedup.keys import KeyColumn, key_columns
from curate.dedup.partitioned import Part, link_partitioned
from curate.kernels.minhash import shingle_sets
from curate.kernels.shingling import Shingling
from curate.measure.stage import read_options
from curate.measure.stored import stored_metadata
from curate.measure.texts import Measured
from curate.memory import default_memory
from curate.shards import unify
from curate.storage import Location, remove_tree, scratch_folder
from curate.tables import read_footer

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]
Result = TypeVar("Result")

LOOKED_AT = 64  # bytes of a document that a look reads, about
LINKING = 2  # part of the memory that linking may take
HELD = 4  # part of that which keys may take, read before they are linked
LINKED_HERE = 4_000_000  # documents that this process links by itself, where they fit: tasks are no slower beyond
MOST_PASSES = 3  # over the keys; dividing them costs less than more passes do


class Population(Protocol):
    """Columns of documents, part by part."""

    sizes: Sequence[int]
    memory: int  # bytes that may be taken by what grows with the number of documents …
    task_memory: int  # … and by that in one task
    scratch: Path  # where to put aside what does not fit; made when it is needed

    @property
    def texts(self) -> Texts:
        """The texts of the documents, for steps that have to read them."""
        ...

    def columns(self, part: int) -> Columns:
        """Return the signals and sketches of a part."""
        ...

    def look(self, look: Look[Result], parts: Mapping[int, Any]) -> Iterator[tuple[int, Result]]:
        """Yield what a look finds in some parts, with their numbers, as it comes; it is given what each part has."""
        ...

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Return the clusters of living documents that share a key, inside `groups`, uint64, one a living document.

        Documents are numbered among the living.
        """
        ...

    def shingles(self, wanted: Wanted, shingling: Shingling, partitions: int) -> Iterator[Candidates]:
        """Yield the wanted documents with their shingle sets, whole clusters at a time, in `partitions` pieces."""
        ...

    def judged(
        self, wanted: Wanted, shingling: Shingling, partitions: int, judge: Callable[[Candidates], Result]
    ) -> Iterator[Result]:
        """Yield what `judge`, which can be pickled, says of each of these pieces, as they come."""
        ...


def starts(population: Population) -> Numbers:
    """Return int64 (parts + 1,): the number of the first document of each part, and of all."""
    return np.concatenate([[0], np.cumsum(population.sizes)]).astype(np.int64)


class MemoryPopulation:
    """One batch, measured in memory."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.texts: Texts = MemoryTexts(measured.cleaned)
        self.sizes: Sequence[int] = [len(measured.signals)]
        self.memory = self.task_memory = default_memory()
        self.scratch = Path(tempfile.gettempdir())

    def columns(self, part: int) -> Columns:
        """Return the columns of the batch."""
        return MeasuredColumns(self._measured)

    def look(self, look: Look[Result], parts: Mapping[int, Any]) -> Iterator[tuple[int, Result]]:
        """Look at the batch."""
        return ((part, look(self.columns(part), given)) for part, given in parts.items())

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Link the living documents of the batch."""
        return _link_here(self, columns, alive, groups)

    def shingles(self, wanted: Wanted, shingling: Shingling, partitions: int) -> Iterator[Candidates]:
        """Yield all wanted documents at once: they are in memory anyway."""
        sets = shingle_sets(_take(self._measured.cleaned, wanted.documents), **shingling._asdict())
        keys = wanted.band_keys(self._measured.sketches.select)
        yield wanted.with_shingles(0, len(wanted.documents), 0, sets, keys)

    def judged(
        self, wanted: Wanted, shingling: Shingling, partitions: int, judge: Callable[[Candidates], Result]
    ) -> Iterator[Result]:
        """Judge all at once."""
        return map(judge, self.shingles(wanted, shingling, partitions))


@dataclass(frozen=True, eq=False)
class _Part:
    """A part that a task looks at, with what is given of it. `bytes`: about what it reads; small ones share a task."""

    number: int
    name: str
    columns: Columns
    given: Any
    bytes: int


@dataclass(frozen=True)
class _Looking(Generic[Result]):
    """Looks at a part, in a task. Picklable."""

    look: Look[Result]

    def __call__(self, part: _Part, workers: Workers) -> Result:
        return self.look(part.columns, part.given)


class RunPopulation:
    """The measured shards of a run directory."""

    def __init__(self, run: Run, engine: Engine, cleaners: Sequence[str]) -> None:
        self.run, self._engine, self._cleaners = run, engine, tuple(cleaners)
        self.shards = run.measured
        self.texts: Texts = RunTexts(run, engine, self._cleaners, self.shards)
        self.memory, self.task_memory = engine.memory, engine.task_memory
        self.scratch = scratch_folder(run.path / "state" / "scratch")
        self.sizes: Sequence[int] = [read_footer(run.signals_file(shard)).num_rows for shard in self.shards]
        measured = set(run.stage("measure")["plan"]["metadata"])
        self._metadata = pa.schema(
            [field for field in unify(stored_metadata(run, shard) for shard in self.shards) if field.name in measured]
        )

    def columns(self, part: int) -> Columns:
        """Return the columns of a shard."""
        shard = self.shards[part]
        return StoredColumns(self.run.signals_file(shard), self.run.sketches_file(shard), self._metadata)

    def look(self, look: Look[Result], parts: Mapping[int, Any]) -> Iterator[tuple[int, Result]]:
        """Look at shards, each in a task."""
        tasks = [
            _Part(part, self.shards[part].name, self.columns(part), given, self.sizes[part] * LOOKED_AT)
            for part, given in parts.items()
        ]
        for task, found in self._engine.run(_Looking(look), tasks):
            yield task.number, found

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Link the living documents, here where there is room and they are not too many, else by tasks."""
        n, memory = int(np.count_nonzero(alive)), self.memory // LINKING
        if n <= LINKED_HERE and 0 < passes(n, memory - memory // HELD, columns[0].wide) <= MOST_PASSES:
            return _link_here(self, columns, alive, groups)
        ends = np.cumsum([np.count_nonzero(kept) for kept in self._by_part(alive)])
        # Tasks on other machines see the run directory only.
        exchange = self.run.path / "state" / "scratch" if self._engine.elsewhere else self.scratch
        scopes = [None] * len(ends) if groups is None else np.split(groups, ends[:-1])
        parts = [
            Part.of(self.run.sketches_file(shard), kept, scope)
            for shard, kept, scope in zip(self.shards, self._by_part(alive), scopes, strict=True)
        ]
        each = self.task_memory // LINKING
        return link_partitioned(self._engine, parts, columns, memory, each, exchange / f"links-{uuid4().hex}")

    def _by_part(self, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        return np.split(values, starts(self)[1:-1])

    def shingles(self, wanted: Wanted, shingling: Shingling, partitions: int) -> Iterator[Candidates]:
        """Read the shards that hold wanted documents again, then one partition after the other here."""
        with self._shingled(wanted, shingling, partitions) as paths:
            for partition in range(partitions):
                yield read_partition(paths, partition, partitions)

    def judged(
        self, wanted: Wanted, shingling: Shingling, partitions: int, judge: Callable[[Candidates], Result]
    ) -> Iterator[Result]:
        """Read the shards that hold wanted documents again, then judge each partition in a task of its own."""
        with self._shingled(wanted, shingling, partitions) as paths:
            task = Judging(paths, partitions, judge)
            for _, result in self._engine.run(task, range(partitions)):
                yield result

    @contextmanager
    def _shingled(self, wanted: Wanted, shingling: Shingling, partitions: int) -> Iterator[Sequence[Location]]:
        """Put the shingles of the wanted documents on disk, divided by cluster; give the files."""
        begin = starts(self)
        folder = self.run.path / "state" / "shingles" / uuid4().hex  # a late task of another step writes elsewhere
        folder.mkdir(parents=True, exist_ok=True)
        options, tasks = read_options(self.run, metadata=False), []
        for part, shard in enumerate(self.shards):
            first, there = wanted.of_part(int(begin[part]), int(begin[part + 1]))
            if len(there.documents):
                sketches = self.run.sketches_file(shard)
                made = ShingleTask(
                    shard, sketches, options, self._cleaners, shingling, first, there, partitions, folder
                )
                tasks.append(made)
        try:
            for _ in self._engine.run(run_shingle_task, tasks):
                pass
            yield [task.path for task in tasks]
        finally:
            remove_tree(folder.parent)


def _take(strings: Strings, documents: Numbers) -> Strings:
    from classifiers.arrow import as_strings, to_array

    return as_strings(to_array(strings).take(pa.array(documents)))


def _link_here(population: Population, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
    memory = population.memory // LINKING
    pieces = key_columns(population, alive, columns, groups, memory // HELD)
    return link(pieces, int(np.count_nonzero(alive)), memory - memory // HELD)


@dataclass(frozen=True)
class _WithMade(Generic[Result]):
    """A look at stored columns and at made ones, which are given with what the look is given. Picklable."""

    look: Look[Result]

    @property
    def names(self) -> Sequence[str]:
        return self.look.names

    def __call__(self, columns: Columns, given: tuple[dict[str, npt.NDArray[Any]], Any]) -> Result:
        made, value = given
        return self.look(MadeColumns(columns, made), value)


class Extended:
    """A population with columns made from others, one array of all documents each."""

    def __init__(self, base: Population, made: Mapping[str, npt.NDArray[Any]]) -> None:
        self._base, self._made, self._begin = base, made, starts(base)
        self.texts = base.texts
        self.sizes, self.scratch = base.sizes, base.scratch
        self.memory, self.task_memory = base.memory, base.task_memory

    def columns(self, part: int) -> Columns:
        """Return stored and made columns of a part."""
        return MadeColumns(self._base.columns(part), self._of_part(part, list(self._made)))

    def look(self, look: Look[Result], parts: Mapping[int, Any]) -> Iterator[tuple[int, Result]]:
        """Look at stored and made columns; only those that are looked at are sent."""
        names = [name for name in look.names if name in self._made]
        if not names:
            return self._base.look(look, parts)
        given = {part: (self._of_part(part, names), value) for part, value in parts.items()}
        return self._base.look(_WithMade(look), given)

    def _of_part(self, part: int, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        window = slice(self._begin[part], self._begin[part + 1])
        return {name: self._made[name][window] for name in names}

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Link the living documents."""
        return self._base.link(columns, alive, groups)

    def shingles(self, wanted: Wanted, shingling: Shingling, partitions: int) -> Iterator[Candidates]:
        """Yield shingle sets of the wanted documents."""
        return self._base.shingles(wanted, shingling, partitions)

    def judged(
        self, wanted: Wanted, shingling: Shingling, partitions: int, judge: Callable[[Candidates], Result]
    ) -> Iterator[Result]:
        """Judge shingle sets of the wanted documents."""
        return self._base.judged(wanted, shingling, partitions, judge)
