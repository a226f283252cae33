"""Connected components of a graph too large for one memory: edges in files, contracted in rounds of tasks.

Large-star and small-star operations in turn, until every document hangs on the smallest of its component. Source:
Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii, "Connected Components in MapReduce and Beyond", SoCC 2014.
A task holds one number for each document of its partition and streams the edges past them, so that a document with
ten million neighbours takes no more memory than any other. No operation makes more edges than it reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dedup.divided import in_partitions, read_divided, write_divided
from curate.kernels import clusters as kernel

if TYPE_CHECKING:
    from curate.engines.engine import Engine

I64 = npt.NDArray[np.int64]
Edges = tuple[I64, I64]
"""Ends and other ends: int64 arrays of the same length."""

SCHEMA = pa.schema([("end", pa.int64()), ("other", pa.int64())])
BYTES_A_DOCUMENT = 9  # of a partition: the lowest neighbour, and a flag
_PIECE = 1 << 20  # edges in memory at a time


def components(engine: Engine, edges: Sequence[Path], n: int, memory: int, folder: Path) -> Edges:
    """Return the documents of components of two or more, ascending, and the smallest document of each's component.

    `edges`: files of one partition (`curate.dedup.divided`, SCHEMA) of pairs of documents 0 to n - 1. `memory`: bytes
    that one task may take, beside 48 MB for the edges at hand. The caller needs 16 bytes for each document of the
    result; files go to `folder`, which the caller deletes.
    """
    partitions = max(1, -(-n * BYTES_A_DOCUMENT // max(memory, 1)))
    folder.mkdir(parents=True, exist_ok=True)
    turned = [folder / f"edges-{number}" for number in range(len(edges))]
    spread = _Spread(partitions)
    for _ in engine.run(spread, list(zip(edges, turned, strict=True))):
        pass
    for turn in count():
        large = _Star(folder / f"large-{turn}", turned, n, partitions, large=True)
        moved = sum(moved for _, moved in engine.run(large, range(partitions)))
        _remove(turned)
        small = _Star(folder / f"small-{turn}", large.files, n, partitions, large=False)
        moved += sum(moved for _, moved in engine.run(small, range(partitions)))
        shutil.rmtree(large.folder)
        turned = small.files
        if not moved:
            break
    hung = [
        _down(piece) for file in turned for number in range(partitions) for piece in _read(file, number, partitions)
    ]
    ends = np.concatenate([np.zeros(0, np.int64), *(ends for ends, _ in hung)])
    roots = np.concatenate([np.zeros(0, np.int64), *(others for _, others in hung)])
    centres = np.unique(roots)
    ends, roots = np.concatenate([ends, centres]), np.concatenate([roots, centres])
    order = np.argsort(ends)
    return ends[order], roots[order]


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _down(edges: Edges) -> Edges:
    """Return those edges that lead to a smaller document."""
    ends, others = edges
    down = others < ends
    return ends[down], others[down]


def _read(file: Path, partition: int, partitions: int) -> Iterator[Edges]:
    for rows in read_divided(file, partition, partitions):
        for begin in range(0, len(rows), _PIECE):
            some = rows.slice(begin, _PIECE)
            yield some.column(0).to_numpy(), some.column(1).to_numpy()


def write_edges(file: Path, edges: Iterator[Edges], partitions: int, both: bool) -> None:
    """Write edges divided by their ends, a document belonging to partition number % partitions; or by `both` ends."""

    def pieces() -> Iterator[tuple[pa.RecordBatch, I64]]:
        for ends, others in _gathered(edges):
            rows = np.concatenate([ends, others]) if both else ends
            to = np.concatenate([others, ends]) if both else others
            batch = pa.RecordBatch.from_arrays([pa.array(rows), pa.array(to)], schema=SCHEMA)
            yield in_partitions(batch, rows % partitions, partitions)

    write_divided(file, SCHEMA, pieces(), partitions)


def _gathered(edges: Iterator[Edges]) -> Iterator[Edges]:
    """Put small arrays of edges together: a piece that is divided should not be much smaller than _PIECE."""
    waiting: list[Edges] = []
    for found in edges:
        waiting.append(found)
        if sum(len(ends) for ends, _ in waiting) >= _PIECE:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(several: list[Edges]) -> Edges:
    return np.concatenate([ends for ends, _ in several]), np.concatenate([others for _, others in several])


@dataclass(frozen=True)
class _Spread:
    """The task that turns edges into both directions, divided by partition. Picklable."""

    partitions: int

    def __call__(self, item: tuple[Path, Path], workers: Any) -> None:
        """Read the edges of one file and write them to another."""
        source, to = item
        write_edges(to, _read(source, 0, 1), self.partitions, both=True)


@dataclass(frozen=True)
class _Star:
    """The task of one operation for one partition; returns how many neighbours it moved. Picklable.

    The large one reads every edge from both ends and writes it from its larger end, the small one the reverse.
    """

    folder: Path
    edges: Sequence[Path]
    n: int
    partitions: int
    large: bool

    @property
    def files(self) -> list[Path]:
        """Where each partition writes its edges."""
        return [self.folder / str(partition) for partition in range(self.partitions)]

    def __call__(self, partition: int, workers: Any) -> int:
        """Hang the neighbours of the documents of a partition on their smallest one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lowest = np.arange(partition, self.n, self.partitions, dtype=np.int64)
        for ends, others in self._read(partition):
            kernel.lower(ends, others, self.partitions, lowest)
        moved = 0
        hung = np.zeros(0 if self.large else len(lowest), np.uint8)

        def hanging() -> Iterator[Edges]:
            nonlocal moved
            for ends, others in self._read(partition):
                out = np.empty_like(ends), np.empty_like(others)
                if self.large:
                    found, away = kernel.large_star(ends, others, self.partitions, lowest, *out)
                else:
                    found, away = kernel.small_star(ends, others, self.partitions, lowest, hung, *out)
                moved += away
                yield out[0][:found], out[1][:found]

        write_edges(self.files[partition], hanging(), self.partitions, both=not self.large)
        return moved

    def _read(self, partition: int) -> Iterator[Edges]:
        for file in self.edges:
            yield from _read(file, partition, self.partitions)
