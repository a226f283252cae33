"""MB of text a second on one core, beside `fasttext.predict` on the same documents, and how far the two agree.

    python benchmarks/classifiers.py FILES... [--models lid.176.ftz language quality domain] [--documents 12000]

FILES are inputs as `curate corpus` takes them. The DCLM-like model (dim 100, word pairs, 2 million buckets, every
word kept) is trained here, in a folder that is removed at the end: on FILES, half of the sources against the other
half; a model of such a size, not a useful one. `--models` adds shipped names and fastText files.

fastText is given a list of lines in one call, its fastest way; ours an Arrow array. Both run three times in
turn, and the best CPU time counts, so that a busy machine disturbs neither. Loading and compiling are not timed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Python puts the folder of a script first, where this file hides the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import fasttext  # noqa: E402
import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402

import classifiers  # noqa: E402
from classifiers.card import find_model  # noqa: E402
from curate.shards import ReadOptions, plan, read  # noqa: E402

ROUNDS = 3
DCLM = {"dim": 100, "wordNgrams": 2, "bucket": 2_000_000, "minCount": 1, "epoch": 2, "lr": 0.1, "verbose": 0}


def documents(files: list[str]) -> list[tuple[str, str]]:
    """Return (file, text as one line) of every document that holds anything, in an order mixed once for all."""
    found: list[tuple[str, str]] = []
    for shard in plan(files):
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None):
            lines = (text.replace("\n", " ") for text in batch.texts.to_pylist())
            found += [(shard.name, line) for line in lines if line.strip()]
    order = np.random.default_rng(0).permutation(len(found))
    return [found[i] for i in order]


def train_dclm_like(found: list[tuple[str, str]], folder: Path, threads: int) -> Path:
    """Train a model of the size of DCLM's classifier on all documents, every second source being positive."""
    names = sorted({name for name, _ in found})
    lines = folder / "lines.txt"
    with lines.open("w", encoding="utf-8") as file:
        for name, text in found:
            file.write(f"__label__{'hq' if names.index(name) % 2 else 'cc'} {text}\n")
    model = fasttext.train_supervised(str(lines), thread=threads, **DCLM)
    lines.unlink()
    path = folder / "dclm-like.bin"
    model.save_model(str(path))
    return path


def best_of(*functions: Callable[[], object]) -> list[float]:
    """Return the least CPU seconds of each function; they take turns."""
    seconds = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            start = time.process_time()
            function()
            seconds[number] = min(seconds[number], time.process_time() - start)
    return seconds


def compare(name: str, path: Path, lines: list[str], megabytes: float) -> str:
    """Return one row of the table."""
    theirs = fasttext.load_model(str(path))
    ours = classifiers.load(path)
    texts = pa.array(lines, pa.large_string())
    codes, scores = ours.predict_codes(texts)  # compiles
    fast, slow = best_of(lambda: ours.predict_codes(texts), lambda: theirs.predict(lines))
    labels, probabilities = theirs.predict(lines)
    best = np.array([ours.labels[code] if code >= 0 else "" for code in codes])
    expected = np.array([found[0].removeprefix("__label__") if len(found) else "" for found in labels])
    reference = np.array([found[0] if len(found) else 0.0 for found in probabilities])
    same = best == expected
    difference = np.abs(scores - np.minimum(reference, 1))[same].max()
    return (
        f"| {name} | {megabytes / fast:.0f} | {megabytes / slow:.1f} | {slow / fast:.1f} "
        f"| {same.mean():.4%} | {difference:.1e} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--models", nargs="*", default=["language", "quality", "domain"])
    parser.add_argument("--documents", type=int, default=12_000, help="scored at most")
    parser.add_argument("--threads", type=int, default=2, help="for training only")
    parser.add_argument("--dclm", type=Path, help="a DCLM-like model to use instead of training one")
    given = parser.parse_args()
    found = documents(given.files)
    lines = [text for _, text in found[: given.documents]]
    megabytes = sum(len(line.encode()) for line in lines) / 1e6
    print(f"{len(lines):,} documents, {megabytes:.1f} MB of text; one core each, best CPU time of {ROUNDS}\n")
    print("| model | MB/s | fasttext MB/s | times as fast | same label | largest difference |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        dclm = given.dclm or train_dclm_like(found, Path(folder), given.threads)
        print(compare("DCLM-like", dclm, lines, megabytes), flush=True)
    for name in given.models:
        print(compare(Path(name).name, find_model(name), lines, megabytes), flush=True)


if __name__ == "__main__":
    main()
