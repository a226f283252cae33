"""How fast signals and cleaners are on one core, by family and all together; beside datatrove's filters when installed.

    python benchmarks/signals.py [FILE...]

FILEs are anything that curate reads with a column "text"; without any, the texts of this Python (`curate demo`).
Prints MB of UTF-8 a second of processor time. datatrove gets the first documents only: it would take too long.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.demo import write_corpus
from curate.shards import ReadOptions, plan, read
from curate.signals import Documents, compute, registry
from curate.signals.registry import families
from curate.text import CLEANERS, clean

BATCH_BYTES = 4_000_000
MOST_BYTES = 64_000_000
DATATROVE_DOCUMENTS = 200


def batches(files: Iterable[str]) -> list[pa.Array]:
    """Read texts as batches of about four megabytes, until there is enough."""
    texts = [
        batch.texts
        for shard in plan(list(files))
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None)
    ]
    joined = pa.concat_arrays([array.cast(pa.large_string()) for array in texts])
    found, start, size = [], 0, 0
    for end, length in enumerate(pa.compute.binary_length(joined).to_pylist(), start=1):
        size += length or 0
        if size >= BATCH_BYTES or end == len(joined):
            found.append(joined[start:end])
            start, size = end, 0
    return found[: max(1, MOST_BYTES // BATCH_BYTES)]


def speed(work: Callable[[pa.Array], object], texts: list[pa.Array], repeats: int = 5) -> float:
    """Return MB a second of processor time of this thread, the best of some repeats after one to compile."""
    work(texts[0])
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        for batch in texts:
            work(batch)
        seconds.append(time.thread_time() - started)
    return sum(megabytes(batch) for batch in texts) / min(seconds)


def megabytes(texts: pa.Array) -> float:
    """Return the size of the texts in UTF-8."""
    return float((pa.compute.sum(pa.compute.binary_length(texts)).as_py() or 0) / 1e6)


def report(name: str, value: float) -> None:
    """Print one line of the result."""
    print(f"{name:44} {value:9.1f} MB/s")


def measure_curate(texts: list[pa.Array]) -> None:
    """Print the speed of every family and of every cleaner."""
    for family, entries in families().items():
        names = [entry.name for entry in entries]
        report(f"{family} ({len(names)} signals)", speed(lambda b, names=names: compute(Documents(b), names), texts))
    rules = [entry.name for family, entries in families().items() if family != "Lengths" for entry in entries]
    rules += ["word_count", "mean_word_length"]
    report(
        f"Gopher, C4 and FineWeb together ({len(rules)} signals)",
        speed(lambda b: compute(Documents(b), rules), texts),
    )
    report(f"all {len(registry())} signals", speed(lambda b: compute(Documents(b), registry()), texts))
    for name in CLEANERS:
        report(f"cleaner {name}", speed(lambda b, name=name: clean(b, [name]), texts))


def measure_datatrove(texts: pa.Array) -> None:
    """Print the speed of datatrove's filters of the same rules, documents already in memory."""
    try:
        from datatrove.data import Document
        from datatrove.pipeline.filters import (
            C4QualityFilter,
            FineWebQualityFilter,
            GopherQualityFilter,
            GopherRepetitionFilter,
        )
    except ImportError:
        print("datatrove is not installed: pip install 'datatrove[processing]'")
        return
    filters = [GopherQualityFilter(), GopherRepetitionFilter(), FineWebQualityFilter()]
    filters.append(C4QualityFilter(filter_no_terminal_punct=False))

    def judge(batch: pa.Array, filters: list[Any]) -> None:
        for number, text in enumerate(batch.to_pylist()):
            for rules in filters:  # one document at a time: datatrove keeps its words for the next filter
                rules.filter(Document(text=text, id=str(number)))

    part = texts[:DATATROVE_DOCUMENTS]
    for rules in filters:
        report(f"datatrove {type(rules).__name__}", speed(lambda b, rules=rules: judge(b, [rules]), [part], 1))
    report("datatrove, these four together", speed(lambda b: judge(b, filters), [part], 1))


def main(files: list[str]) -> None:
    """Measure on files, or on the demo corpus."""
    with tempfile.TemporaryDirectory() as folder:
        texts = batches(files or [str(write_corpus(Path(folder)))])
    count, size = sum(map(len, texts)), sum(map(megabytes, texts))
    print(f"{count:,} documents, {size:.1f} MB, {size / count * 1000:.1f} KB each")
    measure_curate(texts)
    measure_datatrove(texts[0])


if __name__ == "__main__":
    main(sys.argv[1:])
