"""Fit the constants of the estimated token count against real tokenizers.

    python benchmarks/calibrate_tokens.py tokenizer.json FILES... (JSONL with a text column)

Prints the constants for `curate/signals/tokens.py` and how far the estimate is from the truth, by file.
Even documents are fitted, odd ones are reported.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from tokenizers import Tokenizer

from classifiers.arrow import as_strings
from curate.kernels.bytes import CLASSES, byte_classes
from curate.shards import ReadOptions, plan, read


def features(texts: object) -> np.ndarray:
    strings = as_strings(texts)
    return byte_classes(strings.data, strings.offsets).astype(float)


def main(tokenizer_file: str, *files: str) -> None:
    tokenizer = Tokenizer.from_file(tokenizer_file)
    x, y, group = [], [], []
    for number, file in enumerate(files):
        for shard in plan([file]):
            for batch in read(shard, ReadOptions(metadata=False), on_reject=lambda reject: None):
                x.append(features(batch.texts))
                encoded = tokenizer.encode_batch_fast(batch.texts.to_pylist(), add_special_tokens=False)
                y.append([len(e) for e in encoded])
                group.append(np.full(len(encoded), number))
    x, y, group = np.concatenate(x), np.concatenate(y).astype(float), np.concatenate(group)
    fit = (np.arange(len(y)) % 2 == 0) & (y > 0)
    # Relative error counts, and every file counts the same, however many documents it holds.
    share = 1 / np.bincount(group, weights=fit)[group]
    scale = np.sqrt(share) / np.maximum(y, 20)
    weights, _ = nnls(x[fit] * scale[fit, None], y[fit] * scale[fit])
    print("TOKENS_PER_CHARACTER =", {name: round(float(w), 4) for name, w in zip(CLASSES, weights, strict=True)})
    for number, file in enumerate(files):
        held_out = (group == number) & ~fit
        estimate, truth = (x[held_out] @ weights), y[held_out]
        total = estimate.sum() / truth.sum()
        typical = np.median(np.abs(estimate - truth) / np.maximum(truth, 1))
        print(f"{Path(file).name:50} total x{total:.3f}   median error of a document {typical:.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
