"""Deciding, drawing the mix and reporting over many small documents: seconds and peak memory of each command.

    python benchmarks/decisions.py [--documents 10M] [--threads 2] [--keep DIR]

The documents are made up: a dozen words each, a language, a kind and a score, one in twenty an exact copy of another.
Measuring them is not timed. Every command runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.kernels.warmup import ensure_compiled
from curate.recipe import parse_count

PER_FILE = 500_000
LANGUAGES = ["en"] * 12 + ["de", "fr", "es", "ru", "zh", "sw"]
KINDS = ["web"] * 6 + ["books", "code", "math"]
RECIPE = """
[[steps]]
name = "some_words"
filter = "word_count >= 8"
[[steps]]
name = "good_enough"
filter = "score > 0.05"
[[steps]]
name = "not_shouting"
filter = "mean_word_length BETWEEN 2 AND 12"
[[steps]]
dedup = "exact"
keep = "score DESC"
[[steps]]
top = 0.9
by = "score"
within = ["lang"]
[mix]
by = "kind"
tokens = {tokens}
shares = {{ web = 0.5, books = 0.2, code = 0.2, math = 0.1 }}
within = {{ web = {{ by = "lang", method = "unimax" }} }}
quality = {{ by = "score" }}
"""


def write(folder: Path, count: int) -> None:
    """Write `count` documents in files of PER_FILE."""
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, count, PER_FILE)):
        rng = np.random.default_rng(number)
        n = min(PER_FILE, count - first)
        same_as = np.where(rng.random(n) < 0.05, rng.integers(0, n, n), np.arange(n)) + first
        size = 6 + (same_as * 2654435761 % 97) % 20
        texts = [
            " ".join([f"d{a}", *(f"w{(a * 31 + i * 7919) % 50021}" for i in range(k))])
            for a, k in zip(same_as, size, strict=True)
        ]
        table = pa.table({
            "id": [f"d{i}" for i in range(first, first + n)],
            "text": texts,
            "lang": np.array(LANGUAGES)[rng.integers(0, len(LANGUAGES), n)],
            "kind": np.array(KINDS)[rng.integers(0, len(KINDS), n)],
            "score": rng.random(n),
        })  # fmt: skip
        pq.write_table(table, folder / f"{number:05d}.parquet")


def timed(*command: str) -> tuple[float, float]:
    """Run a command of curate; return seconds and peak memory in MB."""
    script = (
        "import json, resource, subprocess, sys;"
        "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(json.dumps([code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))"
    )
    begun = time.perf_counter()
    whole = [sys.executable, "-c", script, sys.executable, "-m", "curate.cli", *command]
    ran = subprocess.run(whole, capture_output=True, text=True, check=True)
    code, memory = json.loads(ran.stdout)
    if code:
        raise SystemExit(ran.stderr)
    return time.perf_counter() - begun, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="10M")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--keep", type=Path, help="Where to make the run, and leave it.")
    options = parser.parse_args()
    count = parse_count(options.documents) or 1
    ensure_compiled(print)
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        recipe = root / "recipe.toml"
        if not (root / "in").is_dir():
            write(root / "in", count)
        recipe.write_text(RECIPE.format(tokens=count * 20))
        run, threads = str(root / "run"), ("--threads", options.threads)
        timed("measure", str(root / "in"), "--out", run, "--recipe", str(recipe), *threads)
        print(
            f"{count:,} documents, {options.threads} threads\n\n| command | seconds | peak memory MB |\n|---|---:|---:|"
        )
        for name, *rest in (
            ("decide", "--recipe", str(recipe)),
            ("mix", "--tokens", str(count * 10)),
            ("mix", "--share", "code=0.4"),
            ("report",),
        ):
            seconds, memory = timed(name, run, *rest, *threads)
            shown = " ".join(rest) if name == "mix" else "RUN"
            print(f"| curate {name} {shown} | {seconds:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
