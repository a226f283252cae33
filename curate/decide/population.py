"""The documents that decide looks at, as columns: of a run directory, or of a batch in memory.

Documents are numbered 0..n-1 in the order of the parts (shards) and of the rows in them. No text is held; the
shingles of candidate duplicates are computed on request.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings
from curate.decide.passes import MemoryTexts, RunTexts, Texts
from curate.decide.shingle_tasks import Judging, ShingleTask, Wanted, run_shingle_task
from curate.dedup.candidates import Candidates, read_partition
from curate.dedup.clusters import Linked, link, passes
from curate.dedup.keys import KeyColumn, key_pieces
from curate.dedup.partitioned import Part, link_partitioned
from curate.errors import RecipeError
from curate.kernels.minhash import shingle_sets
from curate.kernels.shingling import Shingling
from curate.measure.stage import read_options
from curate.measure.stored import stored_metadata
from curate.measure.texts import Measured
from curate.memory import default_memory
from curate.shards import unify
from curate.shards.schema import fit
from curate.storage import Location, remove_tree, scratch_folder
from curate.tables import read_footer, read_table

if TYPE_CHECKING:
    import polars as pl

    from curate.engines.engine import Engine
    from curate.run import Run

Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]
Result = TypeVar("Result")

LINKING = 2  # part of the memory that linking may take
LINKED_HERE = 4_000_000  # documents that this process links by itself, where they fit: tasks are no slower beyond
MOST_PASSES = 3  # over the keys; dividing them costs less than more passes do


class Population(Protocol):
    """Columns of documents, part by part."""

    sizes: Sequence[int]
    memory: int  # bytes that may be taken by what grows with the number of documents
    scratch: Path  # where to put aside what does not fit; made when it is needed

    @property
    def texts(self) -> Texts:
        """The texts of the documents, for steps that have to read them."""
        ...

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of a part, one row a document."""
        ...

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a part, in the same order."""
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
        self.memory = default_memory()
        self.scratch = Path(tempfile.gettempdir())

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of the batch."""
        import polars as pl

        return pl.DataFrame(pl.from_arrow(self._measured.signals.select(list(columns))))

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of the batch."""
        return self._measured.sketches.select(list(columns))

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Link the living documents of the batch."""
        pieces = [key_pieces(self, alive, column, groups) for column in columns]
        return link(pieces, int(np.count_nonzero(alive)), self.memory // LINKING)

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


class RunPopulation:
    """The measured shards of a run directory."""

    def __init__(self, run: Run, engine: Engine, cleaners: Sequence[str]) -> None:
        self.run, self._engine, self._cleaners = run, engine, tuple(cleaners)
        self.shards = run.measured
        self.texts: Texts = RunTexts(run, engine, self._cleaners, self.shards)
        self.memory = engine.memory
        self.scratch = scratch_folder(run.path / "state" / "scratch")
        self.sizes: Sequence[int] = [read_footer(run.signals_file(shard)).num_rows for shard in self.shards]
        measured = set(run.stage("measure")["plan"]["metadata"])
        self._metadata = [
            field for field in unify(stored_metadata(run, shard) for shard in self.shards) if field.name in measured
        ]

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals of a shard."""
        import polars as pl

        file = self.run.signals_file(self.shards[part])
        frame = pl.DataFrame(pl.from_arrow(read_table(file, columns)))
        metadata = pa.schema([field for field in self._metadata if field.name in columns])
        if not metadata:
            return frame
        # A column of JSON may have been of another type in each shard; a predicate sees the one of the mix.
        stored = read_table(file, metadata.names)
        same = pl.DataFrame(pl.from_arrow(fit(stored, metadata, len(stored))))
        return frame.with_columns(same.get_columns())

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a shard."""
        return read_table(self.run.sketches_file(self.shards[part]), columns)

    def link(self, columns: Sequence[KeyColumn], alive: Bools, groups: U64 | None) -> Linked:
        """Link the living documents, here where there is room and they are not too many, else by tasks."""
        n, memory = int(np.count_nonzero(alive)), self.memory // LINKING
        if n <= LINKED_HERE and 0 < passes(n, memory, columns[0].wide) <= MOST_PASSES:
            return link([key_pieces(self, alive, column, groups) for column in columns], n, memory)
        ends = np.cumsum([np.count_nonzero(kept) for kept in self._by_part(alive)])
        # Tasks on other machines see the run directory only.
        exchange = self.run.path / "state" / "scratch" if self._engine.elsewhere else self.scratch
        scopes = [None] * len(ends) if groups is None else np.split(groups, ends[:-1])
        parts = [
            Part.of(self.run.sketches_file(shard), kept, scope)
            for shard, kept, scope in zip(self.shards, self._by_part(alive), scopes, strict=True)
        ]
        return link_partitioned(self._engine, parts, columns, memory, exchange / f"links-{uuid4().hex}")

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


def gather(population: Population, documents: Numbers, columns: Sequence[str]) -> pl.DataFrame:
    """Return signals of the numbered documents (ascending), one row each."""
    import polars as pl

    begin = starts(population)
    cuts = np.searchsorted(documents, begin)
    pieces = [
        population.frame(part, columns)[documents[low:high] - begin[part]]
        for part, (low, high) in enumerate(pairwise(cuts))
        if high > low
    ]
    return pl.concat(pieces, how="vertical_relaxed") if pieces else population.frame(0, columns).clear()


def sketch_column(population: Population, keep: npt.NDArray[np.bool_], name: str) -> npt.NDArray[Any]:
    """Return one sketch column of the documents where `keep` is true."""
    return _column(population, keep, lambda part: population.sketches(part, [name]).column(0).to_numpy())


def signal_column(population: Population, keep: npt.NDArray[np.bool_], name: str) -> npt.NDArray[Any]:
    """Return one numeric signal of the documents where `keep` is true; null becomes NaN in a float column."""
    return _column(population, keep, lambda part: population.frame(part, [name]).to_series().to_numpy())


def exact_hashes(population: Population, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return uint64 (kept, 2): the 128-bit text hashes of the documents where `keep` is true."""
    return hash_column(population, keep, "exact")


def hash_column(population: Population, keep: npt.NDArray[np.bool_], name: str) -> npt.NDArray[np.uint64]:
    """Return a sketch column of 128-bit hashes, uint64 (kept, 2); 0 and 0 for null."""

    def of(part: int) -> npt.NDArray[np.uint64]:
        column = population.sketches(part, [name]).column(0).combine_chunks()
        if column.null_count:
            column = column.fill_null(bytes(16))
        stored = column.buffers()[1]
        whole = np.zeros((0, 2), np.uint64) if stored is None else np.frombuffer(stored, np.uint64).reshape(-1, 2)
        return whole[column.offset : column.offset + len(column)]

    return _column(population, keep, of).reshape(-1, 2).astype(np.uint64, copy=False)


def nullable_column(
    population: Population, keep: npt.NDArray[np.bool_], name: str
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Return a sketch column of whole numbers, uint64 (kept,) with 0 for null, and where there is one."""
    found = _column(population, keep, lambda part: _zero_for_null(population.sketches(part, [name]).column(0)))
    return found.astype(np.uint64), found != 0


def _zero_for_null(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    values: npt.NDArray[np.uint64] = column.fill_null(0).to_numpy()
    return values


def _column(
    population: Population, keep: npt.NDArray[np.bool_], of: Callable[[int], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    begin = starts(population)
    pieces: list[npt.NDArray[Any]] = []
    for part, size in enumerate(population.sizes):
        kept = keep[begin[part] : begin[part] + size]
        if kept.any() or not pieces:
            pieces.append(of(part)[kept])
    return np.concatenate(pieces) if pieces else np.zeros(0)


def numeric(name: str, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return a column as float64; RecipeError, naming the step, when it holds something else than numbers."""
    if values.dtype.kind not in "biuf":
        if all(value is None for value in values):
            return np.full(len(values), np.nan)
        raise RecipeError(f'"{name}": documents can only be ranked by a column of numbers')
    return values.astype(np.float64)


class Extended:
    """A population with columns made from others, one array of all documents each."""

    def __init__(self, base: Population, made: Mapping[str, npt.NDArray[Any]]) -> None:
        self._base, self._made, self._begin = base, made, starts(base)
        self.sizes, self.texts = base.sizes, base.texts
        self.sizes, self.memory, self.scratch = base.sizes, base.memory, base.scratch

    def frame(self, part: int, columns: Sequence[str]) -> pl.DataFrame:
        """Return signals and made columns of a part."""
        import polars as pl

        window = slice(self._begin[part], self._begin[part + 1])
        made = [pl.Series(name, self._made[name][window]) for name in columns if name in self._made]
        stored = [name for name in columns if name not in self._made]
        frame = self._base.frame(part, stored).hstack(made) if stored else pl.DataFrame(made)
        return frame.select(columns)

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a part."""
        return self._base.sketches(part, columns)

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
