"""Synthetic sketches of millions of documents on disk, and what it costs to cluster them as a run does.

Run by `python benchmarks/dedup.py --synthetic 1M,10M,100M`. Has no texts, so it verifies nothing.

The duplicate structure: of every ten documents three are copies of a document chosen evenly from all originals before
them, so that clusters of all sizes up to a few dozen arise. A copy shares each band with its original with a chance of
one half, and always the last band but one or the last. Every thousandth original has one key in common with all others
of its kind in band 0: one bucket that grows with the corpus.
"""

from __future__ import annotations

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
from curate.dedup.keys import band_pieces
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
            path = self.folder / f"{part:05d}-{size}.parquet"
            if not path.exists():
                columns: dict[str, Any] = {f"band_{number}": band(documents, number) for number in range(BANDS)}
                columns["short"] = pa.nulls(size, pa.uint64())  # none is too short for a shingle
                pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)

    def sketches(self, part: int, columns: Sequence[str]) -> pa.Table:
        """Return sketches of a part."""
        return pq.read_table(self.folder / f"{part:05d}-{self.sizes[part]}.parquet", columns=list(columns))


def cluster(folder: Path, n: int, memory: int) -> dict[str, float]:
    """Cluster the sketches in a folder; return seconds, peak memory in bytes, documents and clusters found."""
    population = SketchFolder(folder, n)
    link([lambda: iter([np.arange(9, dtype=np.uint64)])], 9, memory)  # loads the compiled kernels
    alive = np.ones(n, np.bool_)
    begun, cpu = time.perf_counter(), time.process_time()
    found = link([band_pieces(population, alive, number) for number in range(BANDS)], n, memory // 2, folder)  # type: ignore[arg-type]
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


def in_a_process(folder: Path, n: int, memory: int) -> dict[str, float]:
    """Run `cluster` in a process of its own, so that the peak memory is its own."""
    command = [sys.executable, __file__, str(folder), str(n), str(memory)]
    return dict(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))


def report(sizes: Sequence[int], memory: str, keep: Path | None = None) -> str:
    """Return a Markdown table of what clustering costs at each size."""
    rows = ["| documents | --memory | seconds | CPU seconds | ns a key | peak memory GB | in clusters | clusters |"]
    rows.append("|---:" * 8 + "|")
    with tempfile.TemporaryDirectory(dir=keep) as temporary:
        for n in sizes:
            folder = Path(temporary)
            SketchFolder(folder, n).write()
            for limit in memory.split(","):
                found = in_a_process(folder, n, parse_memory(limit))
                rows.append(
                    f"| {n:,} | {limit} | {found['seconds']:.1f} | {found['cpu']:.1f} "
                    f"| {found['seconds'] / n / BANDS * 1e9:.0f} | {found['bytes'] / 1e9:.2f} "
                    f"| {found['linked']:,} | {found['clusters']:,} |"
                )
                print(rows[-1], file=sys.stderr, flush=True)
    return "\n".join(rows)


if __name__ == "__main__":
    print(json.dumps(cluster(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
