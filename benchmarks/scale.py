"""How a run grows: 1, 2, 4 and 8 times the corpus, one and two workers, threads against Ray.

What a second worker can give on a machine is told by two runs at a time, of one thread each, that share nothing.

    python benchmarks/scale.py [FILES...] [--mb 125] [--recipe web] [--parts grow,workers,engines]

The files (JSONL; the demo corpus when none are given) are repeated up to --mb of text, a third of the words of every
copy replaced, and up to 2, 4 and 8 times that. Kernels are compiled before the clock starts. What is compared is run
one after the other, two or three times, and the quickest counts; machines are busy, so compare within one table.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.estimate import varied
from benchmarks.run import curate_once, documents, repeat
from curate.demo import write_corpus
from curate.kernels.warmup import ensure_compiled

MULTIPLES = (1, 2, 4, 8)
PORT = 6399
TIMES = 3


def quicker(
    source: Path, root: Path, recipe: str, threads: int, *more: str, times: int = 2, core: int | None = None
) -> dict[str, float]:
    """Run several times into new folders; return the figures of the quickest."""
    found = []
    for _ in range(times):
        out = root / "out"
        found.append(curate_once(source, out, recipe, threads, "--ignore-disk", *more, core=core))
        shutil.rmtree(out)
    return min(found, key=lambda figures: figures["wall"])


def grow(sources: dict[int, Path], root: Path, recipe: str, mb: int) -> None:
    """Print throughput and memory of growing corpora, as a multiple of the smallest one's too."""
    print(
        "\n| times | MB | s | MB/s | CPU s a GB | of the first | peak memory MB |\n|---:|---:|---:|---:|---:|---:|---:|"
    )
    first = None
    for times, source in sources.items():
        used = quicker(source, root, recipe, 2, times=1 if times > 2 else 2)
        cost = used["cpu"] / (mb * times) * 1000
        first = first or cost
        row = f"| {times} | {mb * times} | {used['wall']:.1f} | {mb * times / used['wall']:.1f} | {cost:.1f} "
        print(f"{row}| {cost / first:.2f} | {used['memory']:.0f} |", flush=True)


def workers(source: Path, root: Path, recipe: str) -> None:
    """Print the speed-up of a second worker, as threads, as tasks of Ray, and of a second run beside a first.

    One worker is held to one core: beside its thread others read and write.
    """
    print("\n| engine | 1 worker s | 2 workers s | speed-up | measure | write |\n|---|---:|---:|---:|---:|---:|")
    alone: dict[str, float] = {}
    for engine in ("local", "ray"):
        one = quicker(source, root, recipe, 1, "--engine", engine, times=1, core=0)
        two = quicker(source, root, recipe, 2, "--engine", engine)
        alone = alone or one
        stages = [one[name] / two[name] for name in ("measure", "write")]
        row = f"| {engine} | {one['wall']:.1f} | {two['wall']:.1f} | {one['wall'] / two['wall']:.2f} "
        print(row + "".join(f"| {speed:.2f} " for speed in stages) + "|", flush=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda core: quicker(source, root / f"{core}", recipe, 1, times=1, core=core), range(2)))
    walls, *stages = ([run[name] for run in both] for name in ("wall", "measure", "write"))
    gains = [2 * alone[name] / max(found) for name, found in zip(("measure", "write"), stages, strict=True)]
    row = f"| two runs at a time | {alone['wall']:.1f} each | {max(walls):.1f} | {2 * alone['wall'] / max(walls):.2f} "
    print(row + "".join(f"| {gain:.2f} " for gain in gains) + "|", flush=True)


def engines(source: Path, root: Path, recipe: str) -> None:
    """Print what Ray takes more than threads: one that starts and ends with the run, and one that is there."""
    print("\n| engine | s | | measure | decide | write | report |\n|---|---:|---:|---:|---:|---:|---:|")
    ways: dict[str, list[str]] = {
        "threads": [],
        "a Ray of its own": ["--engine", "ray"],
        "a Ray that runs": ["--engine", "ray", "--address", f"127.0.0.1:{PORT}"],
    }
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(TIMES):  # in turns, so that what else the machine does meets all of them
        for way, options in ways.items():
            with a_ray() if "--address" in options else contextlib.nullcontext():
                found[way].append(quicker(source, root, recipe, 2, *options, times=1))
    quickest = {way: min(runs, key=lambda used: used["wall"]) for way, runs in found.items()}
    for way, used in quickest.items():
        stages = "".join(f"| {used[name]:.1f} " for name in ("measure", "decide", "write", "report"))
        print(
            f"| {way} | {used['wall']:.1f} | {used['wall'] / quickest['threads']['wall'] - 1:+.0%} {stages}|",
            flush=True,
        )


@contextlib.contextmanager
def a_ray() -> Iterator[None]:
    """Run a Ray of two cores on this machine."""
    os.environ["RAY_AUTH_MODE"] = "disabled"  # it is gone in a minute, and nobody else is here
    start = ["ray", "start", "--head", "--block", "--num-cpus=2", f"--port={PORT}", "--include-dashboard=false"]
    command = [sys.executable, "-c", "import sys; from ray.scripts.scripts import main; sys.exit(main())", *start[1:]]
    with subprocess.Popen(
        [*command, "--disable-usage-stats"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as ray:
        try:
            time.sleep(15)  # until its own processes have settled
            yield
        finally:
            ray.terminate()
            del os.environ["RAY_AUTH_MODE"]


def main() -> None:
    """Make the corpora and print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--mb", type=int, default=125)
    parser.add_argument("--recipe", default="web")
    parser.add_argument("--parts", default="grow,workers,engines")
    options = parser.parse_args()
    ensure_compiled(print)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        texts = documents(options.files or [str(write_corpus(root / "demo"))])
        parts = options.parts.split(",")
        sources = {times: root / f"in-{times}" for times in (MULTIPLES if "grow" in parts else MULTIPLES[-1:])}
        for times, source in sources.items():
            repeat(texts, options.mb * times * 1_000_000, source, varied(texts))
        if "grow" in parts:
            grow(sources, root, options.recipe, options.mb)
        if "workers" in parts:
            workers(sources[8], root, options.recipe)
        if "engines" in parts:
            engines(sources[8], root, options.recipe)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
