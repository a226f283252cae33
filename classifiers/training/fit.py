"""Train a fastText classifier from labelled lines, quantise it, and write it with its card.

Does not choose data or parameters.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections import Counter
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fasttext

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
        model = fasttext.train_supervised(str(lines), thread=1, verbose=1, **train)
        model.quantize(str(lines), thread=1, verbose=1, **quantise)
        out.parent.mkdir(parents=True, exist_ok=True)
        model.save_model(str(out))
    return {
        "examples": dict(sorted(Counter(label for label, _ in examples).items())),
        "examples_sha256": sha256,
        "parameters": {"train": train, "quantise": quantise, "threads": 1},
        "versions": {
            "python": platform.python_version(),
            "fasttext-community": version("fasttext-community"),
        },
        "date": date.today().isoformat(),
        "model_bytes": out.stat().st_size,
        "model_sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }


def write_card(model: Path, card: dict[str, Any]) -> None:
    """Write `card` beside `model`."""
    model.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
