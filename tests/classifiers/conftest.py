"""Small fastText models of every loss, trained on sentences written for the purpose; each is trained once a run."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fasttext
import pytest

WORDS = {
    "animals": ["cat", "dog", "horse", "cow", "sheep", "mouse", "hörn", "räv", "猫", "犬", "кошка", "собака"],
    "tools": ["hammer", "saw", "drill", "nail", "screw", "wrench", "såg", "borr", "锤", "锯", "молоток", "пила"],
    "food": ["bread", "soup", "apple", "rice", "onion", "cake", "bröd", "äpple", "面包", "汤", "хлеб", "суп"],
    "weather": ["rain", "snow", "wind", "storm", "cloud", "sun", "regn", "snö", "雨", "雪", "дождь", "снег"],
    "music": ["song", "drum", "violin", "choir", "opera", "tune", "sång", "trumma", "歌", "鼓", "песня", "барабан"],
}
FILLER = ["the", "a", "of", "and", "in", "on", "with", "for", "it", "is", "was", "not", "very", "one", "two", "three"]

Train = Callable[..., Path]


def training_lines(labels: int, count: int = 600) -> list[str]:
    """Return labelled lines: words of one topic between filler words."""
    rng = random.Random(labels)
    names = list(WORDS)[:labels]
    lines = []
    for _ in range(count):
        name = rng.choice(names)
        words = [
            rng.choice(WORDS[name]) if rng.random() < 0.4 else rng.choice(FILLER) for _ in range(rng.randint(2, 12))
        ]
        lines.append(f"__label__{name} {' '.join(words)}")
    return lines


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
