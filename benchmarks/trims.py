"""What trimming costs and takes: each step decided on the same measured run, in a process of its own.

    python benchmarks/trims.py [--threads N] [source=]FILE...

Prints seconds of processor time, and MB of text in each of them, for deciding with the step (it reads all texts
two times or more); the largest memory of the process and how much of it the step added; what was cut, and what is
gone of each source. Prints no texts: web pages hold personal data.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.pop(0)  # benchmarks/classifiers.py is not the package of that name

import curate

BASE = '[[steps]]\nname = "some_text"\nfilter = "char_count >= 1"\n'
STEPS = {
    "lines": 'dedup = "lines"',
    "lines, every length": 'dedup = "lines"\nmin_length = 1',
    "lines, 20 characters and more": 'dedup = "lines"\nmin_length = 20',
    "lines, 40 characters and more": 'dedup = "lines"\nmin_length = 40',
    "lines, once": 'dedup = "lines"\nmore_than = 1',
    "paragraphs": 'dedup = "lines"\nunit = "paragraph"',
    "3-line": 'dedup = "lines"\nunit = "3-line"',
    "substring, 50 words": 'dedup = "substring"',
    "substring, 20 words": 'dedup = "substring"\nmin_words = 20',
}


def most_memory() -> int:
    """Return the largest resident memory of this process so far, in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def decide(run: Path, name: str, threads: int) -> None:
    """Decide one step and print what it cost as JSON."""
    from curate.decide.stage import decide_run
    from curate.engines.local import Local
    from curate.pipeline import working
    from curate.report.build import build

    found = curate.Run(run)
    recipe = curate.Recipe.parse(f"{BASE}[[steps]]\nname = 'trim'\n{STEPS[name]}", "trims")
    before = most_memory()
    begun = time.process_time()
    with working(found, Local(threads)) as engine:
        decide_run(found, recipe, engine)
    seconds = time.process_time() - begun
    peak = most_memory()
    report = build(found, recipe)
    sources = {}
    for row in report["sources"]:
        sources[row["source"]] = 1 - row["output"]["bytes"] / max(row["input"]["bytes"], 1)
    facts = {key: value for key, value in report["trims"]["trim"].items() if key != "top"}
    sizes = {"seconds": seconds, "bytes": report["input"]["bytes"], "added_mb": peak - before}
    print(json.dumps({**sizes, "peak_mb": peak, "facts": facts, "sources": sources}))


def main() -> None:
    """Measure the files, decide every step, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run", type=Path, help="a run that `--step` decides; used by this script itself")
    parser.add_argument("--step")
    options = parser.parse_args()
    if options.step:
        decide(options.run, options.step, options.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        curate.corpus(options.inputs, run, curate.Recipe.parse(BASE, "base"), threads=options.threads)
        command = [sys.executable, __file__, "--run", str(run), "--threads", str(options.threads), "--step"]
        subprocess.run(
            [*command, "substring, 20 words"], check=True, capture_output=True
        )  # compiles, and fills the page cache
        for name in STEPS:
            found = json.loads(subprocess.run([*command, name], check=True, capture_output=True).stdout)
            facts, size = found["facts"], found["bytes"]
            units = facts.get("lines_removed", facts.get("spans_removed"))
            sources = ", ".join(f"{source} {share:.1%}" for source, share in found["sources"].items())
            print(
                f"{name:30} {found['seconds']:6.1f} s {size / 1e6 / found['seconds']:6.1f} MB/s "
                f"{found['peak_mb']:5.0f} MB peak, +{found['added_mb']:.0f} | "
                f"{units:,} cut from {facts['documents_touched']:,} documents, "
                f"{facts['documents_dropped']:,} dropped, {facts['bytes_removed'] / size:.2%} of bytes cut; "
                f"gone of {sources}",
                flush=True,
            )


if __name__ == "__main__":
    main()
