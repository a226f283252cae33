"""The proxy's speed, and the audit of shipped recipes: the tables of docs/audit.md and docs/results.md.

    python benchmarks/audit.py speed FILE...
    python benchmarks/audit.py recipes --work DIR --reference NAME=FILES... [--recipe NAME...] [source=]FILE...

`speed` prints MB of text a second of processor time for training and evaluating the n-gram model. `recipes` curates
the files with each recipe (web, fineweb, dclm and llama3 by default; runs stay in DIR) and audits every run. Prints no
texts: web pages hold personal data.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.pop(0)  # benchmarks/classifiers.py is not the package of that name

import curate
from classifiers.arrow import Strings
from curate.audit.ngram_model import NgramModel
from curate.audit.references import read_corpora

RECIPES = ("web", "fineweb", "dclm", "llama3")


def speed(files: list[str], megabytes: int = 20, repeats: int = 3) -> None:
    """Print the best of some timings, for orders 2 to 8 and sizes of the text."""
    texts = read_corpora({"speed": files}, megabytes * 1_000_000)["speed"]
    half = len(texts) // 2
    trained, asked = (Strings(texts.data, texts.offsets[part]) for part in (slice(half + 1), slice(half, None)))
    print(f"trained on {trained.nbytes / 1e6:.1f} MB, evaluated on {asked.nbytes / 1e6:.1f} MB, one thread\n")
    print("| order | training, MB/s | evaluation, MB/s | table, MB | bits per byte |\n|---:|---:|---:|---:|---:|")
    for order in (2, 4, 6, 8):
        NgramModel.train(["compiles the kernels"], order).bits(["first"])
        train = evaluate = float("inf")
        for _ in range(repeats):
            begun = time.process_time()
            model = NgramModel.train(trained, order)
            train, begun = min(train, time.process_time() - begun), time.process_time()
            bits = model.bits(asked).sum()
            evaluate = min(evaluate, time.process_time() - begun)
        rates = f"{trained.nbytes / train / 1e6:.1f} | {asked.nbytes / evaluate / 1e6:.1f}"
        print(f"| {order} | {rates} | {model.nbytes / 1e6:.0f} | {bits / asked.nbytes:.3f} |")


def recipes(names: list[str], work: Path, references: dict[str, list[str]], files: list[str], steps: bool) -> None:
    """Curate the files with each recipe and print what audits say, as Markdown."""
    found = {}
    for name in names:
        run = curate.corpus(files, work / name, recipe=name)
        found[name] = curate.audit(run, references, steps=steps)
        print(f"{name}: audited in {found[name]['seconds']:.0f} s", file=sys.stderr)
    columns = [one["name"] for one in next(iter(found.values()))["references"]]
    print(f"| recipe | trained on | {' | '.join(columns)} | mean | against random | 95% |")
    print("|---|---|" + "---:|" * (len(columns) + 3))
    for name, audited in found.items():
        for arm in audited["arms"]:
            print(f"| {name}, {audited['sample']['bytes'] / 1e6:.1f} MB | {_row(arm, columns)} |")
    for name, audited in found.items() if steps else ():
        print(f"\n{name}, {audited['sample']['step_bytes'] / 1e6:.1f} MB samples:\n")
        print("| step | tokens paid | bits per byte bought | 95% |\n|---|---:|---:|---:|")
        for step in audited["steps"]:
            if step["gain"]:
                gain = step["gain"]["mean"]
                bounds = " to ".join(f"{bound:+.4f}" for bound in gain["interval"])
                print(f"| {step['name']} | {step['tokens_paid']:.2%} | {gain['value']:+.4f} | {bounds} |")
    for name, audited in found.items():
        print(f"\n{name}: {audited['leaks']['documents']} of {audited['leaks']['looked_at']} documents left out")


def _row(arm: dict[str, Any], columns: list[str]) -> str:
    figures = arm["bits_per_byte"]
    cells = [arm["name"], *(f"{figures['references'][name]['value']:.3f}" for name in columns)]
    mean = figures["mean"]
    cells.append(f"{mean['value']:.3f}")
    if "difference" in mean:
        low, high = mean["difference_interval"]
        cells += [f"{mean['difference']:+.3f}", f"{low:+.3f} to {high:+.3f}"]
    else:
        cells += ["", ""]
    return " | ".join(cells)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    fast = parts.add_parser("speed")
    fast.add_argument("files", nargs="+")
    tables = parts.add_parser("recipes")
    tables.add_argument("--work", type=Path, required=True)
    tables.add_argument("--reference", action="append", required=True, metavar="NAME=FILES")
    tables.add_argument("--recipe", action="append")
    tables.add_argument("--steps", action="store_true")
    tables.add_argument("files", nargs="+")
    asked = parser.parse_args()
    if asked.part == "speed":
        speed(asked.files)
        return
    references: dict[str, list[str]] = {}
    for one in asked.reference:
        references.setdefault(one.partition("=")[0], []).append(one)
    recipes(asked.recipe or list(RECIPES), asked.work, references, asked.files, asked.steps)


if __name__ == "__main__":
    main()
