"""One bucket with millions of documents: what it costs to link them, to verify them and to decide about them.

    python benchmarks/skew.py [--sizes 1M,10M] [--memory 8GB]

Corpora that need no texts: every document a copy of one page (a licence, an empty template), or every document the only
one of its kind; where these are verified they share a band but no shingle, and there are a fiftieth as many. Columns:
seconds of CPU, bytes of memory above what the same process takes for 1,000 documents (files that are mapped count).
Time and memory should grow no faster than the documents.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Python puts the folder of a script first, where a benchmark hides the package `classifiers`.
sys.path.append(sys.path.pop(0))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.dedup.candidates import Candidates, read_partition, write_shingles
from curate.dedup.clusters import link
from curate.dedup.keys import hash_of, key_pieces
from curate.dedup.membership import join
from curate.dedup.partitioned import Part, link_partitioned
from curate.dedup.survivors import best_of_clusters, verify
from curate.engines.local import Local
from curate.memory import parse_memory

SHARD = 1_000_000
BATCH = 20_000  # documents that one batch of a shard has
BANDS, SHINGLES = 14, 300


class Hashes:
    """Sketches of documents that are all the same, or all different: a file for each million."""

    def __init__(self, folder: Path, n: int, same: bool) -> None:
        self.folder, self.sizes = folder, [min(SHARD, n - first) for first in range(0, n, SHARD)]
        for part, size in enumerate(self.sizes):
            numbers = np.arange(part * SHARD, part * SHARD + size, dtype=np.uint64)
            first = np.full(size, 77, np.uint64) if same else (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            both = np.stack([first, first], axis=1)
            column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), size, [None, pa.py_buffer(both.tobytes())])
            pq.write_table(pa.table({"exact": column}), self.file(part), compression="none", use_dictionary=False)

    def file(self, part: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"{part}.parquet"

    def sketches(self, part: int, columns: list[str]) -> pa.Table:
        """Return sketches of a part."""
        return pq.read_table(self.file(part), columns=list(columns))


def linked_here(folder: Path, n: int, memory: int, same: bool) -> int:
    """Link exact copies in this process."""
    column = key_pieces(Hashes(folder, n, same), np.ones(n, np.bool_), hash_of("exact"))  # type: ignore[arg-type]
    return len(link([column], n, memory // 2).documents)


def linked_by_tasks(folder: Path, n: int, memory: int, same: bool) -> int:
    """Link exact copies by tasks."""
    population = Hashes(folder, n, same)
    parts = [
        Part.of(population.file(part), np.ones(size, np.bool_), None) for part, size in enumerate(population.sizes)
    ]
    linked = link_partitioned(Local(1), parts, [hash_of("exact")], memory // 2, memory // 2, folder / "links")
    return len(linked.documents)


def best(folder: Path, n: int, memory: int, same: bool) -> int:
    """Choose the best of a cluster and name it as the survivor of the others."""
    survivor = best_of_clusters(np.zeros(n, np.uint32) if same else np.arange(n, dtype=np.uint32), np.arange(n)[::-1])
    gone = np.flatnonzero(survivor >= 0)
    return len(join([gone], [survivor[gone]]).members)


def verified(folder: Path, n: int, memory: int, same: bool) -> int:
    """Verify one cluster, its shingles read from the files of shards; of different documents, one band is the same."""

    def batches(first: int, size: int) -> Iterator[Candidates]:
        for begin in range(first, first + size, BATCH):
            doc = np.arange(begin, min(begin + BATCH, first + size), dtype=np.uint64)
            m = len(doc)
            shift = np.zeros(m, np.uint32) if same else doc.astype(np.uint32) * np.uint32(2654435761)
            shingles = SHINGLES if same else 30
            values = np.sort(np.arange(shingles, dtype=np.uint32) * np.uint32(14_000_003) + shift[:, None], axis=1)
            keys = (
                np.full((m, BANDS), 5, np.uint64) if same else doc[:, None] + np.arange(2, BANDS + 2, dtype=np.uint64)
            )
            keys[:, 0] = 5
            offsets = np.arange(m + 1, dtype=np.int64) * shingles
            protected, cluster = np.zeros(m, np.bool_), np.zeros(m, np.uint32)
            yield Candidates(doc, cluster, doc.astype(np.int64), protected, np.arange(m), keys, values.ravel(), offsets)

    paths = []
    for first in range(0, n, SHARD):
        paths.append(folder / f"{first}.arrow")
        write_shingles(paths[-1], batches(first, min(SHARD, n - first)), 1)
    part = read_partition(paths, 0, 1)
    found = verify(
        part.cluster,
        part.rank,
        part.band_keys,
        part.values,
        part.offsets,
        0.7,
        sets=part.sets,
        protected=part.protected,
    )
    return int((found.survivor >= 0).sum())


WORK: dict[str, Callable[[Path, int, int, bool], int]] = {
    "linked by one process": linked_here,
    "linked by tasks": linked_by_tasks,
    "best of the cluster, survivors named": best,
    "shingles written, read and verified": verified,
}


def measured(name: str, n: int, memory: int, same: bool) -> dict[str, Any]:
    """Do one thing in this process: CPU seconds, bytes that it took, documents that it found."""
    with tempfile.TemporaryDirectory() as small:
        WORK[name](Path(small), 1000, memory, same)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = WORK[name](Path(folder), n, memory, same)
    seconds = time.process_time() - begun
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": seconds, "bytes": 1024 * used, "found": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1M,10M")
    parser.add_argument("--memory", default="8GB")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    memory = parse_memory(options.memory)
    if options.one:
        name, n, same = options.one
        print(json.dumps(measured(name, int(n), memory, same == "same")))
        return
    print("| | documents | CPU seconds | µs a document | bytes a document | duplicates |")
    print("|---|" + "---:|" * 5)
    for name in WORK:
        for kind in ("same", "different"):
            for size in options.sizes.split(","):
                n = int(float(size[:-1]) * 1e6)
                n = n // 50 if "verified" in name and kind == "different" else n
                command = [sys.executable, __file__, "--memory", options.memory, "--one", name, str(n), kind]
                found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
                each, held = found["seconds"] / n * 1e6, found["bytes"] / n
                print(
                    f"| {name}, all {kind} | {n:,} | {found['seconds']:.1f} | {each:.2f} | {held:.0f} "
                    f"| {found['found']:,} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
