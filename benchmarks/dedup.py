"""Deduplication side by side with others, on the same documents in one run; and at sizes that need no texts.

    taskset -c 0 python benchmarks/dedup.py FILE...               signatures: datasketch, rensa, datatrove
    taskset -c 0 python benchmarks/dedup.py FILE... --end-to-end  text in, survivors out: datatrove's four stages
    taskset -c 0 python benchmarks/dedup.py FILE... --normalisations   ours only, by kind of shingle
    python benchmarks/dedup.py --synthetic 1M,10M,100M            clustering sketches, in 8 GB and in 2 GB
    … --write                                                     the tables into docs/deduplication-benchmarks.md

FILE is JSONL (.zst, .gz) with a column "text". Needs `pip install rensa datatrove tokenizers spacy "xxhash<4"` beside
curate; what is not installed is left out. `taskset` gives all of them one core. Speeds are per CPU second, which a busy
machine distorts less than the clock; still, compare within one run.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# Python puts the folder of a script first, where a benchmark hides the package `classifiers`.
sys.path.append(sys.path.pop(0))

import datasketch
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json
import synthetic
from numba import njit

import curate
from classifiers.arrow import as_strings
from curate import dedup
from curate.kernels.hashing import text_hash
from curate.kernels.minhash import sketch
from curate.kernels.shingles import shingle_sets
from curate.kernels.survivors import shared
from curate.kernels.warmup import ensure_compiled

DOCS = Path(__file__).parents[1] / "docs" / "deduplication-benchmarks.md"
PERMUTATIONS, NGRAM, BANDS, ROWS, VERIFY = 112, 5, 14, 8, 0.7
RECIPE = f'[[steps]]\ndedup = "minhash"\nngram = {NGRAM}\nbands = {BANDS}\nrows = {ROWS}\nverify = {VERIFY}\n'


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU time of the fastest of some repeats: others on the machine slow it down less than a clock."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those that it started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def ngrams(text: str) -> list[str]:
    """Return the word n-grams of a text as the peers are given them."""
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + NGRAM]) for i in range(max(len(words) - NGRAM + 1, 1))] if words else []


def datasketch_from_text(text: str) -> datasketch.MinHash:
    """Signature by datasketch's fastest way, SHA-1 and all."""
    minhash = datasketch.MinHash(PERMUTATIONS, scheme="affine32")
    minhash.update_batch([ngram.encode() for ngram in ngrams(text)])
    return minhash


def datasketch_from_hashes(shingles: list[int]) -> datasketch.MinHash:
    """Signature from our shingle hashes."""
    minhash = datasketch.MinHash(PERMUTATIONS, scheme="affine32", hashfunc=int)
    minhash.update_batch(shingles)
    return minhash


def peers(texts: list[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield (name, work over all texts) of the other tools that are installed."""
    prepared = [ngrams(text) for text in texts]
    hashed = [dedup.shingles(text).tolist() for text in texts]
    yield "datasketch, from text", lambda: [datasketch_from_text(text) for text in texts]
    yield "datasketch, given our shingle hashes", lambda: [datasketch_from_hashes(one) for one in hashed]
    with suppress(ImportError):
        import rensa

        def by_rensa(grams: list[str]) -> Any:
            minhash = rensa.RMinHash(num_perm=PERMUTATIONS, seed=1)
            minhash.update(grams)
            return minhash.digest()

        yield "rensa RMinHash, from text", lambda: [by_rensa(ngrams(text)) for text in texts]
        yield "rensa RMinHash, given n-grams", lambda: [by_rensa(grams) for grams in prepared]
    with suppress(ImportError):
        from datatrove.pipeline.dedup import MinhashDedupSignature
        from datatrove.pipeline.dedup.minhash import MinhashConfig

        with tempfile.TemporaryDirectory() as folder:
            config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
            step = MinhashDedupSignature(folder, config=config)

            def by_datatrove(text: str) -> Any:
                grams = step.get_shingles(text)
                return step.get_signature(grams) if len(grams) else None

            by_datatrove(texts[0])
            yield "datatrove, from text", lambda: [by_datatrove(text) for text in texts]


def read_texts(path: Path) -> pa.ChunkedArray:
    """Return the column "text" of a JSONL file."""
    with pa.input_stream(str(path), compression="detect") as stream:
        return pa.json.read_json(stream, pa.json.ReadOptions(block_size=1 << 28))["text"]


def signatures(path: Path) -> str:
    """Return a table of MB/s of signatures, and of what else the sketches need."""
    texts = read_texts(path)
    strings, part = as_strings(texts), texts[:1000].to_pylist()
    same = as_strings(part)
    part_bytes = sum(len(text.encode()) for text in part)
    rows = [
        ("curate, signatures and band keys", lambda: sketch(strings), strings.nbytes, 7),
        ("curate, signatures and band keys, the same documents as the others",
         lambda: sketch(same), part_bytes, 7),
        ("curate, shingle sets", lambda: shingle_sets(strings), strings.nbytes, 5),
        ("curate, exact hash", lambda: text_hash(strings), strings.nbytes, 7),
        *((name, work, part_bytes, 2) for name, work in peers(part)),
    ]  # fmt: skip
    lines = [
        f"**{path.name}**: {len(strings):,} documents, {strings.nbytes / 1e6:.1f} MB; {len(part):,} for the others"
    ]
    lines += ["", "| | MB per CPU second |", "|---|---:|"]
    for name, work, size, repeats in rows:
        lines.append(f"| {name} | {size / best_seconds(work, repeats) / 1e6:.1f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def normalisations(path: Path) -> str:
    """Return a table of MB/s of signatures and shingle sets, by what a shingle is made of."""
    strings = as_strings(read_texts(path))
    lines = ["| MB per CPU second | signatures | shingle sets |", "|---|---:|---:|"]
    for shingle, ngram in (("word", 5), ("char", 9)):
        for normalise in ("none", "lower", "fineweb"):
            for fold in (False, True):
                options = {"ngram": ngram, "shingle": shingle, "normalise": normalise, "fold_numbers": fold}
                seconds = [
                    best_seconds(functools.partial(work, strings, **options), 5) for work in (sketch, shingle_sets)
                ]
                speeds = " | ".join(f"{strings.nbytes / one / 1e6:.0f}" for one in seconds)
                lines.append(f"| {shingle}, {normalise}{', numbers folded' if fold else ''} | {speeds} |")
    return "\n".join(lines)


@njit(nogil=True)
def similar_pairs(values: Any, offsets: Any, least: float) -> Any:
    """Compare all pairs of sets: (i, k, similarity) of those at least that similar."""
    found = []
    for i in range(len(offsets) - 1):
        size = offsets[i + 1] - offsets[i]
        for k in range(i):
            other = offsets[k + 1] - offsets[k]
            if size == 0 or other == 0 or min(size, other) < least * max(size, other):
                continue
            wanted = int(np.ceil(least / (1.0 + least) * (size + other) - 1e-9))
            common = shared(values, offsets[i], offsets[i + 1], offsets[k], offsets[k + 1], wanted)
            if common >= 0:
                found.append((float(i), float(k), common / (size + other - common)))
    return found


def truth(texts: list[str]) -> npt.NDArray[np.float64]:
    """Return every pair of documents that are similar, by brute force over sets of n-grams that no tool here made."""
    sets = [np.unique(np.array([zlib.crc32(gram.encode()) for gram in ngrams(text)], np.uint32)) for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.int64)
    return np.array(similar_pairs(np.concatenate(sets), offsets, VERIFY)).reshape(-1, 3)


def quality(kept: set[int], pairs: npt.NDArray[np.float64], n: int) -> tuple[float, float, int]:
    """Return recall, precision and removed documents.

    Recall: of the pairs at least 0.8 similar, those that lost a document. Precision: of the removed documents, those
    at least as similar as VERIFY to one that stayed.
    """
    removed = set(range(n)) - kept
    close = pairs[pairs[:, 2] >= 0.8]
    lost = [int(i) in removed or int(k) in removed for i, k, _ in close]
    explained = {int(i) for i, k, _ in pairs if int(k) in kept} | {int(k) for i, k, _ in pairs if int(i) in kept}
    return float(np.mean(lost)) if lost else 1.0, len(removed & explained) / max(len(removed), 1), len(removed)


def by_curate(source: Path, folder: Path, verify: bool) -> set[int]:
    """Deduplicate with a run of curate: the mix is written, and the report."""
    text = RECIPE if verify else RECIPE.replace(f"verify = {VERIFY}", "verify = false")
    run = curate.corpus(source, folder, curate.Recipe.parse(text, "minhash"), threads=1)
    return {int(name) for name in run.mix().collect()["id"]}


def by_datatrove(source: Path, folder: Path) -> set[int]:
    """Deduplicate with datatrove's four stages, one after the other in this process."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    sigs, buckets, ids, out = (str(folder / name) for name in ("sigs", "buckets", "ids", "out"))
    read = JsonlReader(str(source.parent), glob_pattern=source.name)
    stages = [
        ([read, MinhashDedupSignature(sigs, config=config)], 1),
        ([MinhashDedupBuckets(sigs, buckets, config=config)], BANDS),
        ([MinhashDedupCluster(buckets, ids, config=config)], 1),
        ([read, MinhashDedupFilter(ids), JsonlWriter(out, compression=None)], 1),
    ]
    for number, (pipeline, tasks) in enumerate(stages):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / f"log{number}")).run()
    files = Path(out).glob("*.jsonl")
    return {int(json.loads(line)["id"]) for file in files for line in file.read_text(encoding="utf-8").splitlines()}


def end_to_end(paths: list[Path], documents: int) -> str:
    """Return a table of seconds, recall and precision from a JSONL file to the survivors on disk."""
    texts = [text for path in paths for text in read_texts(path).to_pylist() if text][:documents]
    size = sum(len(text.encode()) for text in texts)
    pairs = truth(texts)
    lines = [
        f"{len(texts):,} documents, {size / 1e6:.1f} MB ({', '.join(path.name for path in paths)}); "
        f"{len(pairs):,} pairs with a similarity of {VERIFY} or more, of {len(texts) * (len(texts) - 1) // 2:,}",
        "",
        "| | seconds | CPU seconds | MB per CPU second | recall | precision | removed |",
        "|---" + "|---:" * 6 + "|",
    ]
    tools: list[tuple[str, Callable[[Path, Path], set[int]]]] = [
        ("curate, verified", lambda source, folder: by_curate(source, folder, True)),
        ("curate, verify = false", lambda source, folder: by_curate(source, folder, False)),
    ]
    with suppress(ImportError):
        import datatrove  # noqa: F401

        tools.append(("datatrove, four stages", by_datatrove))
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "in" / "docs.jsonl"
        source.parent.mkdir()
        rows = (json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts))
        source.write_text("".join(rows), encoding="utf-8")
        by_curate(source, Path(temporary) / "warm", True)
        for number, (name, work) in enumerate(tools):
            begun, busy = time.perf_counter(), cpu_seconds()
            kept = work(source, Path(temporary) / f"out{number}")
            seconds, busy = time.perf_counter() - begun, cpu_seconds() - busy
            recall, precision, removed = quality(kept, pairs, len(texts))
            speed = f"{seconds:.1f} | {busy:.1f} | {size / busy / 1e6:.2f}"
            lines.append(f"| {name} | {speed} | {recall:.3f} | {precision:.3f} | {removed:,} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def machine() -> str:
    """Name the processor, the cores this process may use, and the versions."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()) if sys.platform == "linux" else None
    versions = []
    for package in ("datasketch", "rensa", "datatrove", "numba"):
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    flags = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    wide = ", AVX-512" if "avx512f" in flags else ""
    return f"{found[1] if found else platform.processor()}{wide}, {cores} of its cores; {', '.join(versions)}"


def write_section(title: str, body: str, command: str) -> None:
    """Replace a section of the page of results, or add it."""
    page = DOCS.read_text(encoding="utf-8") if DOCS.exists() else "# Deduplication side by side\n"
    section = f"## {title}\n\n`{command}`\n\n{machine()}\n\n{body}\n"
    parts = re.split(r"(?m)^(?=## )", page)
    kept = [part for part in parts if not part.startswith(f"## {title}\n")]
    DOCS.write_text("\n".join(part.rstrip() + "\n" for part in [*kept, section]), encoding="utf-8")


def number(text: str) -> int:
    """Read 10M as 10,000,000."""
    return int(float(text[:-1]) * 1_000_000) if text.endswith("M") else int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--end-to-end", action="store_true")
    parser.add_argument("--normalisations", action="store_true", help="signatures by what a shingle is made of")
    parser.add_argument("--documents", type=int, default=5000, help="of the files together, for --end-to-end")
    parser.add_argument("--synthetic", metavar="SIZES", help="such as 1M,10M,100M")
    parser.add_argument("--memory", default="8GB,2GB", help="for --synthetic")
    parser.add_argument("--scratch", type=Path, help="where --synthetic puts its files: 112 bytes a document")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    ensure_compiled(print)
    sections: list[tuple[str, str, str]] = []
    names = " ".join(path.name for path in options.files)
    if options.synthetic:
        body = synthetic.report(
            [number(size) for size in options.synthetic.split(",")], options.memory, options.scratch
        )
        command = f"python benchmarks/dedup.py --synthetic {options.synthetic} --memory {options.memory}"
        sections.append((f"Clustering sketches: {options.synthetic}", body, command))
    elif options.end_to_end:
        body = end_to_end(options.files, options.documents)
        sections.append(
            (
                "End to end",
                body,
                f"taskset -c 0 python benchmarks/dedup.py {names} --end-to-end --documents {options.documents}",
            )
        )
    elif options.normalisations:
        body = "\n\n".join(normalisations(path) for path in options.files)
        sections.append(("Normalisations", body, f"taskset -c 0 python benchmarks/dedup.py {names} --normalisations"))
    else:
        body = "\n\n".join(signatures(path) for path in options.files)
        sections.append(("Signatures", body, f"taskset -c 0 python benchmarks/dedup.py {names}"))
    for title, body, command in sections:
        print(body)
        if options.write:
            write_section(title, body, command)


if __name__ == "__main__":
    main()
