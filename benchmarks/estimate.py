"""Estimates against the runs that they are of: 10, 100 and 1,000 MB, each from a sample of 5 MB or of its own choice.

    python benchmarks/estimate.py [FILES...] [--sizes 10,100,1000] [--sample-mb 5] [--threads 2] [--recipe web]

The files (JSONL; the demo corpus when none are given) are repeated up to each size, with a third of the words of every
copy replaced by others of the corpus, so that copies are no duplicates of each other. Seconds are of one machine, as
busy as it is in that minute.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import curate
from benchmarks.run import documents, repeat
from curate.demo import write_corpus
from curate.estimate.estimate import estimate
from curate.kernels.warmup import ensure_compiled


def main() -> None:
    """Print predicted and actual figures, and their ratio, for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--sample-mb", type=float, default=5, help="0: what curate estimate takes by itself")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recipe", default="web")
    options = parser.parse_args()
    ensure_compiled(print)
    print("| MB | what | predicted | actual | ratio |\n|---|---|---:|---:|---:|")
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            texts = documents(options.files or [str(write_corpus(folder / "demo"))])
            repeat(texts, size * 1_000_000, folder / "raw", varied(texts))
            sample = int(options.sample_mb * 1e6) or None
            found = estimate(folder / "raw", options.recipe, threads=options.threads, sample_bytes=sample)
            run = curate.corpus(folder / "raw", folder / "run", options.recipe, threads=options.threads)
            compare(size, found["whole"], run)


def varied(texts: list[str]) -> Callable[[str, int], str]:
    """Return what makes of a text and a number another text, a third of whose words are from anywhere in `texts`."""
    words = [word for text in texts[:2000] for word in text[:20_000].split(" ")]

    def other(text: str, number: int) -> str:
        source = random.Random(number)
        parts = text.split(" ")
        for place in range(number % 3, len(parts), 3):
            parts[place] = words[source.getrandbits(30) % len(words)]
        return " ".join(parts)

    return other


def compare(size: int, predicted: dict[str, float], run: curate.Run) -> None:
    """Print the rows of one size."""
    folders = ("signals", "sketches", "decisions", "mix")
    reports = sum(path.stat().st_size for path in run.path.glob("report.*"))
    actual = {
        "documents": run.report["input"]["documents"],
        "tokens": run.report["input"]["tokens"],
        "seconds": run.report["timing"]["seconds"],
        "disk": sum(sum(run.sizes(folder).values()) for folder in folders) + reports,
    }
    for what, there in actual.items():
        print(
            f"| {size} | {what} | {predicted[what]:,.1f} | {there:,.1f} | {predicted[what] / there:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
