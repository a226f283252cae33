"""Train a shipped classifier from examples in memory, and say what its card says about them.

Does not choose data or parameters; the training itself is `classifiers.train`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from classifiers.train import train_lines

Example = tuple[str, str]
"""Label and text."""


def fit(examples: list[Example], out: Path, train: dict[str, Any], quantise: dict[str, Any]) -> dict[str, Any]:
    """Train on `examples` in the order given, write `out` (.ftz), return what the card says about it.

    `train` and `quantise` are keyword arguments of fastText's `train_supervised` and `quantize`; the examples should be
    shuffled. One thread, because more would make the result depend on their timing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "lines.txt"
        with lines.open("w", encoding="utf-8") as file:
            for label, text in examples:
                words = " ".join(text.replace("__label__", "label ").split())
                file.write(f"__label__{label} {words}\n")
        sha256 = hashlib.sha256(lines.read_bytes()).hexdigest()
        made = train_lines(lines, out, train, quantise=quantise)
    return {
        "examples": dict(sorted(Counter(label for label, _ in examples).items())),
        "examples_sha256": sha256,
        **made,
        "parameters": {"train": train, "quantise": quantise, "threads": 1},
    }
