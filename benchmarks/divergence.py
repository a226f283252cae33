"""What divergence from a reference distribution tells apart, and how well: odd pages beside prose of every length.

    python benchmarks/divergence.py REFERENCE... [--prose FILE...] [--odd NAME=FILE...]

Learns the distribution from the REFERENCE files and prints percentiles of the divergence, in nats, of each kind of
text: held-out documents of the reference and the FILEs, whole and cut to their first 30, 100 and 1,000 words, and
odd pages that this script makes (log lines, a list of numbers, base64, one sentence over and over, shuffled
letters). `plug-in` is the mean of the estimate without correction; the last column the share of documents above
LIMIT nats.
"""

from __future__ import annotations

import argparse
import base64
import random
import string
import sys
from collections.abc import Sequence
from pathlib import Path

# Python puts the folder of a script first, where classifiers.py hides the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402

from classifiers.arrow import as_strings  # noqa: E402
from curate.kernels.divergence import document_sums  # noqa: E402
from curate.kernels.shingle_words import shingle_words  # noqa: E402
from curate.shards import ReadOptions, plan, read  # noqa: E402
from curate.signals import Documents  # noqa: E402
from curate.signals.divergence import Reference, divergence  # noqa: E402
from curate.text import clean  # noqa: E402

SAMPLE = 20_000
VOCABULARY = 65_536
LENGTHS = (30, 100, 1000)
MADE = 300
LIMIT = 4.0


def texts_of(paths: Sequence[str]) -> list[str]:
    """Read and clean texts."""
    return [
        text
        for shard in plan(list(paths))
        for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None)
        for text in batch.texts.to_pylist()
        if text.strip()
    ]


def cut(texts: Sequence[str], words: int) -> list[str]:
    """Return the first so many words of the texts that have them."""
    split = (text.split() for text in texts)
    return [" ".join(found[:words]) for found in split if len(found) >= words]


def odd_pages(source: random.Random) -> dict[str, list[str]]:
    """Return pages that are no prose, of about 200 words each."""

    def log_line(k: int) -> str:
        when = f"2024-03-{source.randrange(1, 29):02} 12:00:{k % 60:02}"
        return f"{when} ERROR worker-{source.randrange(9)}: timeout 0x{source.randrange(16**6):06x}"

    def noise(size: int) -> str:
        return "".join(source.choices(string.ascii_lowercase, k=size))

    made = range(MADE)
    return {
        "log lines": ["\n".join(log_line(k) for k in range(25)) for _ in made],
        "list of numbers": ["\n".join(str(source.randrange(10**6)) for _ in range(200)) for _ in made],
        "base64": [base64.encodebytes(source.randbytes(4000)).decode() for _ in made],
        "one sentence over and over": ["click here to read more about this offer today " * 22 for _ in made],
        "shuffled letters": [" ".join(noise(source.randrange(2, 9)) for _ in range(200)) for _ in made],
    }


def plug_in(reference: Reference, texts: Sequence[str]) -> np.ndarray:
    """Return the uncorrected estimate: the sums of the kernel give the cross entropy; the entropy is counted here."""
    words = shingle_words(as_strings(pa.array(texts, pa.large_string())))
    cross = -document_sums(words, reference.classes)[:, 0]
    found = []
    for d, total in enumerate(cross):
        hashes = words.hash[words.first[d] : words.first[d + 1]]
        if len(hashes):
            at = np.minimum(np.searchsorted(reference.words, hashes), len(reference.words) - 1)
            other = reference.words[at] != hashes
            at[other] = len(reference.words) + (hashes[other] >> np.uint64(48)).astype(np.int64)
            share = np.unique(at, return_counts=True)[1] / len(hashes)
            found.append(total / len(hashes) + float((share * np.log(share)).sum()))
    return np.array(found)


def values(reference: Reference, texts: Sequence[str]) -> np.ndarray:
    """Return the divergence of the texts that have words."""
    cleaned = clean(pa.array(texts, pa.large_string()), ["unicode"])
    found = divergence(reference, Documents(cleaned)).drop_null().to_numpy()
    return np.asarray(found)


def row(name: str, reference: Reference, texts: Sequence[str]) -> None:
    """Print one line."""
    found = values(reference, texts)
    low, middle, high = np.percentile(found, [5, 50, 95])
    above = (found > LIMIT).mean()
    mean = plug_in(reference, texts).mean()
    print(f"| {name} | {len(found):,} | {mean:.2f} | {low:.2f} | {middle:.2f} | {high:.2f} | {above:.1%} |")


def main() -> None:
    """Measure on files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", nargs="+")
    parser.add_argument("--prose", nargs="*", default=[])
    parser.add_argument("--odd", nargs="*", default=[])
    options = parser.parse_args()
    source = random.Random(1)
    texts = texts_of(options.reference)
    source.shuffle(texts)
    held_out, counted = texts[: len(texts) // 5], texts[len(texts) // 5 :][:SAMPLE]
    reference = Reference.of_words(shingle_words(clean(pa.array(counted, pa.large_string()), ["unicode"])).hash,
                                   VOCABULARY, len(counted))  # fmt: skip
    share = reference.others / reference.total
    print(
        f"{len(counted):,} documents, {reference.total:,} words, {len(reference.words):,} classes, {share:.1%} others"
    )
    print(f"| texts | number | plug-in, mean | 5% | 50% | 95% | above {LIMIT:g} |\n|---|---|---|---|---|---|---|")
    row("held out, whole", reference, held_out)
    for words in LENGTHS:
        row(f"held out, first {words} words", reference, cut(held_out, words))
    for name, *_, paths in (item.partition("=") for item in options.prose):
        row(name, reference, texts_of([paths]))
    for name, pages in odd_pages(source).items():
        row(name, reference, pages)
    for name, *_, paths in (item.partition("=") for item in options.odd):
        row(name, reference, texts_of([paths]))


if __name__ == "__main__":
    main()
