"""MinHash signatures side by side with datasketch, on the same texts in one process.

Run `python benchmarks/dedup.py FILE...`, JSONL with a column "text". Measures speed only, not recall.
"""

from __future__ import annotations

import functools
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import datasketch
import pyarrow as pa
import pyarrow.json

from classifiers.arrow import as_strings
from curate import dedup
from curate.kernels.hashing import text_hash
from curate.kernels.minhash import sketch
from curate.kernels.shingles import shingle_sets


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        work()
        seconds.append(time.thread_time() - started)
    return min(seconds)


def datasketch_from_text(text: str) -> datasketch.MinHash:
    words = re.findall(r"\w+", text.lower())
    minhash = datasketch.MinHash(112, scheme="affine32")
    if words:
        minhash.update_batch([" ".join(words[i : i + 5]).encode() for i in range(max(len(words) - 4, 1))])
    return minhash


def datasketch_from_hashes(shingles: list[int]) -> datasketch.MinHash:
    minhash = datasketch.MinHash(112, scheme="affine32", hashfunc=int)
    minhash.update_batch(shingles)
    return minhash


def compare(path: Path) -> None:
    with pa.input_stream(str(path), compression="detect") as stream:
        texts = pa.json.read_json(stream, pa.json.ReadOptions(block_size=1 << 28))["text"]
    strings, part = as_strings(texts), texts[:1000].to_pylist()
    shingles = [dedup.shingles(text).tolist() for text in part]
    part_bytes = sum(len(text.encode()) for text in part)
    rows = [
        ("curate, signatures and band keys", lambda: sketch(strings), strings.nbytes, 10),
        ("curate, shingle sets", lambda: shingle_sets(strings), strings.nbytes, 5),
        ("curate, exact hash", lambda: text_hash(strings), strings.nbytes, 10),
        ("datasketch from text", lambda: list(map(datasketch_from_text, part)), part_bytes, 1),
        (
            "datasketch from shingle hashes",
            lambda: list(map(datasketch_from_hashes, shingles)),
            part_bytes,
            1,
        ),
    ]
    for shingle, ngram in (("word", 5), ("char", 9)):
        for normalise in ("none", "lower", "fineweb"):
            for fold in (False, True):
                options = {"ngram": ngram, "shingle": shingle, "normalise": normalise, "fold_numbers": fold}
                name = f"{shingle} {normalise}{' numbers' if fold else ''}"
                rows += [
                    (f"signatures, {name}", functools.partial(sketch, strings, **options), strings.nbytes, 5),
                    (f"sets, {name}", functools.partial(shingle_sets, strings, **options), strings.nbytes, 5),
                ]
    print(f"{path.name}: {len(strings)} documents, {strings.nbytes / 1e6:.1f} MB, {len(part)} by datasketch")
    for name, work, size, repeats in rows:
        print(f"  {name:35} {size / best_seconds(work, repeats) / 1e6:8.1f} MB/s")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        compare(Path(argument))
