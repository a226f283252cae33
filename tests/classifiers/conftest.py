"""Small fastText models of every loss, trained on sentences written for the purpose; each is trained once a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fasttext
import pytest
from small_models import Train, training_lines


@pytest.fixture(scope="session")
def train(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Return a function that trains a model, or returns the one trained before with the same arguments."""
    folder = tmp_path_factory.mktemp("models")
    made: dict[str, Path] = {}

    def train_one(labels: int = 5, quantise: dict[str, Any] | None = None, **arguments: Any) -> Path:
        key = repr((labels, quantise, sorted(arguments.items())))
        if key not in made:
            lines = folder / f"lines{len(made)}.txt"
            lines.write_text("\n".join(training_lines(labels)) + "\n", encoding="utf-8")
            options = {"dim": 10, "epoch": 5, "lr": 0.5, "bucket": 3000, "thread": 1, "verbose": 0} | arguments
            model = fasttext.train_supervised(str(lines), **options)
            if quantise is not None:
                model.quantize(str(lines), thread=1, verbose=0, **quantise)
            made[key] = folder / f"model{len(made)}.{'ftz' if quantise is not None else 'bin'}"
            model.save_model(str(made[key]))
        return made[key]

    return train_one
