"""Synthetic sketches of millions of documents on disk, and what it costs to cluster them as a run does.

Run by `python benchmarks/dedup.py --synthetic 1M,10M,100M`. Has no texts, so it verifies nothing.

The duplicate structure: of every ten documents three are copies of a document chosen evenly from all originals before
them, so that clusters of all sizes up to a few dozen arise. A copy shares each band with its original with a chance of
one half, and always the last band but one or the last. Every thousandth original has one key in common with all others
of its kind in band 0: one bucket that grows with the corpus.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curate.dedup.clusters import link
from curate.dedup.keys import band_columns, key_pieces
from curate.dedup.partitioned import Part, link_partitioned
from curate.engines.local import Local
from curate.memory import parse_memory

BANDS = 14
SHARD = 1_000_000
U64 = npt.NDArray[np.uint64]


def mixed(values: npt.NDArray[np.integer], salt: int) -> U64:
    """Hash numbers: the finaliser of splitmix64."""
    h = values.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x1234567) % (1 << 64))
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def originals(documents: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return of each document the one that it copies; itself for an original."""
    chosen = (mixed(documents, 99) % np.maximum(documents, 1).astype(np.uint64)).astype(np.int64)
    chosen -= np.where(chosen % 10 >= 7, chosen % 10, 0)
    return np.where(documents % 10 >= 7, chosen, documents)


def band(documents: npt.NDArray[np.int64], number: int) -> U64:
    """Return the keys of a band, uint64, never 0."""
    source = originals(documents)
    shares = (mixed(documents, 7) >> np.uint64(number)) & np.uint64(1) == 1
    if number >= BANDS - 2:
        shares = (documents % 2 == number % 2) | shares
    keys = np.where(shares | (source == documents), source, documents)
    keys = mixed(keys, 1000 + number)
    if number == 0:
        keys[(documents % 1000 == 0) & (source == documents)] = 12345
    return np.maximum(keys, np.uint64(1))


class SketchFolder:
    """The sketches as a population has them: a Parquet file for each million documents."""

    def __init__(self, folder: Path, n: int) -> None:
        self.folder = folder
        self.sizes: Sequence[int] = [min(SHARD, n - start) for start in range(0, n, SHARD)]

    def write(self) -> None:
        """Write what is not there yet."""
        for part, size in enumerate(self.sizes):
            documents = np.arange(part * SHARD, part * SHARD + size)
            path = self.file(part)
            if not path.exists():
                columns: dict[str, Any] = {f"band_{number}": band(documents, number) for number in range(BANDS)}
                columns["short"] = pa.nulls(size, pa.uint64())  # none is too short for a shingle
                pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a part."""
        return pq.read_table(self.file(part), columns=list(columns))

    def file(self, part: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"{part:05d}-{self.sizes[part]}.parquet"


def cluster(folder: Path, n: int, memory: int, threads: int = 0) -> dict[str, float]:
    """Cluster the sketches in a folder; return seconds, peak memory in bytes, documents and clusters found.

    In this process, or with `threads` by tasks: keys divided into partitions, so many tasks at a time.
    """
    columns = band_columns(BANDS)

    def linked(size: int) -> Any:
        population = SketchFolder(folder, size)
        alive = np.ones(size, np.bool_)
        if not threads:
            pieces = [key_pieces(population, alive, column) for column in columns]  # type: ignore[arg-type]
            return link(pieces, size, memory // 2)
        parts = [Part.of(population.file(part), alive[:rows], None) for part, rows in enumerate(population.sizes)]
        engine = Local(threads, memory)
        return link_partitioned(engine, parts, columns, memory // 2, engine.task_memory // 2, folder / f"links-{size}")

    SketchFolder(folder, 9).write()
    linked(9)  # loads the compiled kernels
    begun, cpu = time.perf_counter(), time.process_time()
    found = linked(n)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    check(found.documents, found.labels, n)
    return {
        "documents": n,
        "seconds": seconds,
        "cpu": cpu,
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "linked": len(found.documents),
        "clusters": int(found.labels.max(initial=0)) + 1,
    }


def check(documents: npt.NDArray[np.int64], labels: npt.NDArray[np.uint32], n: int) -> None:
    """Raise AssertionError unless every hundredth copy is in the cluster of its original, and all are found."""
    some = np.arange(7, n, 100)
    source = originals(some)
    at, of = np.searchsorted(documents, some), np.searchsorted(documents, source)
    assert np.array_equal(documents[at], some) and np.array_equal(documents[of], source)
    assert np.array_equal(labels[at], labels[of])


def in_a_process(folder: Path, n: int, memory: int, threads: int) -> dict[str, float]:
    """Run `cluster` in a process of its own, so that the peak memory is its own."""
    command = [sys.executable, __file__, str(folder), str(n), str(memory), str(threads)]
    return dict(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))


def report(sizes: Sequence[int], memory: str, keep: Path | None = None) -> str:
    """Return a Markdown table of what clustering costs at each size."""
    rows = [
        "| documents | --memory | linked by | seconds | CPU seconds | ns a key | peak memory GB | in clusters "
        "| clusters |"
    ]
    rows.append("|---:" * 9 + "|")
    with tempfile.TemporaryDirectory(dir=keep) as temporary:
        for n in sizes:
            folder = Path(temporary)
            SketchFolder(folder, n).write()
            for limit, threads in itertools.product(memory.split(","), (0, 1, 2)):
                found = in_a_process(folder, n, parse_memory(limit), threads)
                way = f"tasks, {threads} at a time" if threads else "one process"
                rows.append(
                    f"| {n:,} | {limit} | {way} | {found['seconds']:.1f} | {found['cpu']:.1f} "
                    f"| {found['seconds'] / n / BANDS * 1e9:.0f} | {found['bytes'] / 1e9:.2f} "
                    f"| {found['linked']:,} | {found['clusters']:,} |"
                )
                print(rows[-1], file=sys.stderr, flush=True)
    return "\n".join(rows)


if __name__ == "__main__":
    print(json.dumps(cluster(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
