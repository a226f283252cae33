"""End to end: MB of text a second and core by stage, and peak memory, for a small and a large corpus.

    python benchmarks/run.py [FILES...] [--sizes 100,1000] [--threads 1] [--recipe web] [--markdown]

The files (JSONL; the demo corpus when none are given) are repeated with changed ids up to each size, in shards of
50 MB, and curated by the command line in a process of its own. Kernels are compiled before the clock starts.
Figures are of this machine as busy as it is now: compare two within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from curate.demo import write_corpus
from curate.kernels.warmup import ensure_compiled
from curate.shards import ReadOptions, plan, read

SHARD_BYTES = 50_000_000


def documents(files: list[str]) -> list[str]:
    """Return the texts of the files."""
    texts: list[str] = []
    for shard in plan(files):
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None):
            texts += batch.texts.to_pylist()
    return texts


def repeat(
    texts: list[str], size: int, folder: Path, change: Callable[[str, int], str] = lambda text, number: text
) -> int:
    """Write texts again and again, with ids of their own, until they hold `size` bytes; return the bytes.

    `change` makes of a text and the number of the document what is written, after each was written once.
    """
    folder.mkdir(parents=True)
    written = in_shard = number = 0
    file = (folder / "00000.jsonl").open("wb")
    while written < size:
        for text in texts:
            text = text if number < len(texts) else change(text, number)
            file.write(orjson.dumps({"id": f"doc-{number}", "text": text}, option=orjson.OPT_APPEND_NEWLINE))
            number += 1
            written += len(text.encode())
            if written - in_shard >= SHARD_BYTES:
                file.close()
                in_shard = written
                file = (folder / f"{written // SHARD_BYTES:05d}.jsonl").open("wb")
            if written >= size:
                break
    file.close()
    return written


def curate_once(
    source: Path, out: Path, recipe: str, threads: int, *more: str, core: int | None = None
) -> dict[str, float]:
    """Run `curate corpus`; return seconds, CPU seconds, peak memory in MB, and seconds by stage.

    `more`: other options; `core`: the only one that the run may use. CPU seconds and memory are of the process and its
    children, so not of a Ray's workers. Python may keep what it compiled of the sources, as of a package that is
    installed.
    """
    command = [sys.executable, "-m", "curate.cli", "corpus", str(source), "--out", str(out), "--recipe", recipe]
    script = (
        "import json, resource, subprocess, sys;"
        "code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))"
    )
    held = [] if core is None else ["taskset", "-c", str(core)]
    begun = time.perf_counter()
    ran = subprocess.run(
        [*held, sys.executable, "-c", script, *command, "--threads", str(threads), *more],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )
    code, cpu, memory = json.loads(ran.stdout)
    if code:
        raise SystemExit(ran.stderr)
    report = json.loads((out / "report.json").read_text())
    stages = {name: stage["seconds"] for name, stage in report["timing"]["by_stage"].items()}
    return {"wall": time.perf_counter() - begun, "cpu": cpu, "memory": memory, **stages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sizes", default="100,1000", help="MB of text, separated by commas")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--recipe", default="web")
    options = parser.parse_args()
    ensure_compiled(print)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        texts = documents(options.files or [str(write_corpus(root / "demo"))])
        print("| text MB | threads | MB/s | MB per CPU second | measure | decide | write | report | peak memory MB |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for size in options.sizes.split(","):
            source = root / f"in-{size}"
            megabytes = repeat(texts, int(size) * 1_000_000, source) / 1e6
            found = curate_once(source, root / f"out-{size}", options.recipe, options.threads)
            speeds = [megabytes / max(found[stage], 1e-9) for stage in ("measure", "decide", "write", "report")]
            print(
                f"| {megabytes:.0f} | {options.threads} "
                f"| {megabytes / found['wall']:.1f} | {megabytes / found['cpu']:.1f} | "
                + " | ".join(f"{speed:.0f}" for speed in speeds)
                + f" | {found['memory']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
