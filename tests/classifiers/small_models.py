"""Training lines and texts that the tests of this folder share, written for the purpose."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


MODELS: dict[str, dict[str, Any]] = {
    "softmax, words": {},
    "softmax, two labels": {"labels": 2},
    "softmax, two labels, word 2-grams": {"labels": 2, "wordNgrams": 2},
    "softmax, word 3-grams": {"wordNgrams": 3, "dim": 3},
    "softmax, characters": {"minn": 2, "maxn": 4},
    "softmax, characters and word 2-grams": {"minn": 1, "maxn": 3, "wordNgrams": 2},
    "softmax, wide": {"dim": 40, "minn": 3, "maxn": 3},
    "softmax, single characters": {"minn": 1, "maxn": 1},
    "hierarchical softmax": {"loss": "hs", "dim": 3},
    "hierarchical softmax, characters": {"loss": "hs", "minn": 2, "maxn": 4},
    "hierarchical softmax, two labels": {"loss": "hs", "labels": 2},
    "negative sampling": {"loss": "ns"},
    "one vs all": {"loss": "ova", "wordNgrams": 2},
    "one vs all, characters": {"loss": "ova", "minn": 2, "maxn": 3},
    "quantised": {"quantise": {"dsub": 2}, "wordNgrams": 2},
    "quantised, odd width, norms": {"quantise": {"dsub": 3, "qnorm": True}, "minn": 2, "maxn": 3},
    "quantised, pruned": {"quantise": {"cutoff": 300, "qnorm": True}, "minn": 2, "maxn": 3},
    "quantised, pruned, word 2-grams": {"quantise": {"cutoff": 400}, "labels": 2, "wordNgrams": 2},
    "quantised, retrained, hierarchical": {
        "quantise": {"cutoff": 300, "retrain": True},
        "loss": "hs",
        "minn": 1,
        "maxn": 3,
    },
}


def documents() -> list[str]:
    """Return texts with everything that fastText treats in a way of its own."""
    rng = random.Random(7)
    vocabulary = FILLER + [word for words in WORDS.values() for word in words] + ["unknown", "löwe", "新", "x" * 3000]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(1, 60))) for _ in range(120)]
    return [
        *texts, "", " ", "\n\n", "cat\ndog", "cat\x00dog", "cat\x0bdog\x0c\tsaw\r\nrain",
        "cat\x1cdog\x85saw\u2028rain\u00a0x",
        "cat </s> hammer hammer", "</s> hammer", "cat </s>x hammer", "__label__tools cat", "x__label__tools cat",
        "cat __label__unheard dog saw", "__label__", "<cat>", "< >", "Cat CAT cat.", "😀 cat 😀😀", "\ufeffcat",
        " ".join(["rain snow"] * 2000), "rain " * 511, "rain " * 512, "rain " * 513, "".join(WORDS["food"]) * 50,
    ]  # fmt: skip
