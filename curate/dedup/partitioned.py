"""Linking by tasks: keys divided by hash, the edges of each partition, then the clusters of all edges.

For more documents than one process should link by itself; `curate.dedup.clusters.link` does that. Both find the same.
A task reads files and writes files, and takes a bounded share of memory, however many documents have one key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dedup.clusters import MOST_NUMBERS, Linked
from curate.dedup.divided import read_divided, write_divided
from curate.dedup.keys import KeyColumn
from curate.dedup.stars import SCHEMA, components
from curate.kernels import clusters as kernel
from curate.storage import Location, is_remote, remove_tree
from curate.tables import read_table

if TYPE_CHECKING:
    from curate.engines.engine import Engine

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Edges = tuple[I64, I64]

DIVIDED_BYTES = 64  # of memory for each document whose keys of one column are being divided
KEY_BYTES = 128  # of memory for each key of a partition in which edges are found, its table growing
HELD_BYTES = 20  # of memory for each key and column of a partition that is read from a store, all columns at once
CACHED_KEYS = 400_000  # of a partition, about: its table then stays in the cache of a core
MOST_FOR_CACHE = 256  # partitions that are made for the cache's sake
_LOAD = 0.6  # of a table for the keys that are expected


@dataclass(frozen=True, eq=False)
class Part:
    """The documents of a shard that are linked. Picklable.

    `sketches`: its file. `kept`: which of its rows, as `numpy.packbits` has them. `groups` uint64, one a kept document.
    """

    sketches: Location
    rows: int
    kept: npt.NDArray[np.uint8]
    documents: int
    groups: U64 | None

    @staticmethod
    def of(sketches: Location, kept: Bools, groups: U64 | None) -> Part:
        """Describe the documents of a shard where `kept` is true."""
        return Part(sketches, len(kept), np.packbits(kept), int(np.count_nonzero(kept)), groups)

    def keys(self, column: KeyColumn) -> tuple[U64, U64]:
        """Read the keys of the documents, and their other halves."""
        kept = np.unpackbits(self.kept, count=self.rows).astype(np.bool_)
        found = column.within(column.of(read_table(self.sketches, column.names), kept), self.groups)
        return found if isinstance(found, tuple) else (found, found)


def link_partitioned(
    engine: Engine, parts: Sequence[Part], columns: Sequence[KeyColumn], memory: int, each: int, folder: Location
) -> Linked:
    """Find the components of the documents of `parts`, numbered in order, that share a key in one of `columns`.

    `memory`: bytes that this process may take, and `each` what a task may. Dividing keys takes DIVIDED_BYTES for each
    document of a task, and a task has as many shards as that allows (one at least); finding edges KEY_BYTES for each
    different key of a partition, and for each column HELD_BYTES more in a store; there are as many partitions as that
    takes. Each key travels once: 12 bytes, 20 for hashes of 128 bits. The edges are joined here by a union-find of 4
    bytes a document where it fits, and by tasks otherwise (`curate.dedup.stars`). Files go to `folder` and are deleted.
    """
    n = sum(part.documents for part in parts)
    of_key = KEY_BYTES + (HELD_BYTES * len(columns) if is_remote(folder) else 0)
    partitions = max(engine.cores, -(-n * of_key // each), min(n // CACHED_KEYS, MOST_FOR_CACHE))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        groups = _grouped(parts, max(each // DIVIDED_BYTES, 1), -(-n // engine.cores))
        divide = _Divide(folder, tuple(columns), partitions)
        for _ in engine.run(divide, groups):
            pass
        files = [(divide.file(group), group.first) for group in groups]
        find = _Find(folder, files, len(columns), partitions, int(n / partitions / _LOAD) + 64)
        for _ in engine.run(find, range(partitions)):
            pass
        remove_tree(divide.folder)
        edges = [find.file(partition) for partition in range(partitions)]
        if 4 * n <= memory and n <= MOST_NUMBERS:
            return _united(edges, n)
        documents, roots = components(engine, edges, n, each, folder / "stars")
        return Linked(documents, np.unique(roots, return_inverse=True)[1].astype(np.uint32))
    finally:
        remove_tree(folder)


def _united(files: Sequence[Location], n: int) -> Linked:
    parents = np.arange(n, dtype=np.uint32)
    for file in files:
        for rows in read_divided(file, 0, 1):
            kernel.link_edges(rows.column(0).to_numpy(), rows.column(1).to_numpy(), parents)
    return Linked.of(parents)


@dataclass(frozen=True)
class _Group:
    """Neighbouring shards whose keys one task divides. `first`: number of their first document."""

    number: int
    first: int
    parts: Sequence[Part]


def _grouped(parts: Sequence[Part], most: int, about: int) -> list[_Group]:
    """Group neighbouring parts of at most `most` documents, unless one has more, and not far above `about`."""
    groups: list[_Group] = []
    some: list[Part] = []
    first = held = 0
    for part in parts:
        if some and held + part.documents > min(most, about):
            groups.append(_Group(len(groups), first, some))
            first, some, held = first + held, [], 0
        some.append(part)
        held += part.documents
    return [*groups, _Group(len(groups), first, some)]


@dataclass(frozen=True)
class _Divide:
    """The task that divides the keys of a group of shards: one piece of its file is one column. Picklable."""

    run_folder: Location
    columns: Sequence[KeyColumn]
    partitions: int

    @property
    def folder(self) -> Location:
        """Where the keys go."""
        return self.run_folder / "keys"

    def file(self, group: _Group) -> Location:
        """Where the keys of a group go."""
        return self.folder / str(group.number)

    def __call__(self, group: _Group, workers: Any) -> None:
        """Write the keys of a group."""
        self.folder.mkdir(parents=True, exist_ok=True)
        wide = any(column.wide for column in self.columns)
        fields = [("key", pa.uint64()), ("document", pa.uint32()), *([("other", pa.uint64())] if wide else [])]
        schema = pa.schema(fields)
        pieces = (self._divided(group, column, schema) for column in self.columns)
        write_divided(self.file(group), schema, pieces, self.partitions)

    def _divided(self, group: _Group, column: KeyColumn, schema: pa.Schema) -> tuple[pa.RecordBatch, I64]:
        read = [part.keys(column) for part in group.parts if part.documents]
        sizes = np.zeros(self.partitions, np.int64)
        for keys, _ in read:
            kernel.count_keys(_frozen(keys), sizes)
        total = int(sizes.sum())
        out, documents = np.empty(total, np.uint64), np.empty(total, np.uint32)
        others = np.empty(total if "other" in schema.names else 0, np.uint64)
        at, first = np.cumsum(sizes) - sizes, 0
        for keys, halves in read:
            kernel.divide_keys(_frozen(keys), _frozen(halves), first, at, out, others, documents)
            first += len(keys)
        made = [pa.array(out), pa.array(documents), *([pa.array(others)] if "other" in schema.names else [])]
        return pa.RecordBatch.from_arrays(made, schema=schema), sizes


@dataclass(frozen=True)
class _Find:
    """The task that finds the edges of one partition: from every document to the first that has its key. Picklable."""

    folder: Location
    groups: Sequence[tuple[Location, int]]  # files of keys, and the number of the first document of each
    columns: int
    partitions: int
    rows: int  # of a table to begin with

    def file(self, partition: int) -> Location:
        """Where the edges of a partition go."""
        return self.folder / f"edges-{partition}"

    def __call__(self, partition: int, workers: Any) -> None:
        """Write the edges of a partition."""

        column_of = self._reader(partition)

        def pieces() -> Iterator[tuple[pa.RecordBatch, I64]]:
            for column in range(self.columns):
                for edges in self._edges(column_of(column)):
                    rows = pa.RecordBatch.from_arrays([pa.array(end) for end in edges.T], schema=SCHEMA)
                    yield rows, np.array([len(edges)])

        write_divided(self.file(partition), SCHEMA, pieces(), 1)

    def _reader(self, partition: int) -> Callable[[int], Iterator[pa.RecordBatch]]:
        """Return what reads a column of a partition, group by group; in a store each file is opened once for all."""
        files = [file for file, _ in self.groups]
        if is_remote(self.folder):
            held = [list(read_divided(file, partition, self.partitions)) for file in files]
            return lambda column: (of_group[column] for of_group in held)
        return lambda column: (next(read_divided(file, partition, self.partitions, column)) for file in files)

    def _edges(self, groups: Iterator[pa.RecordBatch]) -> Iterator[I64]:
        """Yield the edges of one column, whose keys come group by group."""
        table, taken = np.zeros((0, 2), np.uint64), np.zeros(1, np.int64)
        for rows, (_, first) in zip(groups, self.groups, strict=True):
            keys, documents, *others = (_frozen(values.to_numpy()) for values in rows.columns)
            if not len(table):
                table = np.zeros((self.rows, 2 + len(others)), np.uint64)
            begin, edges = 0, np.empty((len(keys), 2), np.int64)
            while begin < len(keys):
                begin, found = kernel.edges_of_keys(
                    keys, others[0] if others else keys, documents, first, begin, taken, table, edges
                )
                if found:
                    yield edges[:found].copy()
                if begin < len(keys):
                    larger = np.zeros((2 * len(table), table.shape[1]), np.uint64)
                    kernel.grow(table, larger)
                    table = larger


def _frozen(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column = np.ascontiguousarray(values).view()
    column.flags.writeable = False  # one type, so one compiled kernel, whether the array is ours or Arrow's
    return column
