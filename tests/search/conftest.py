"""A run of three kinds of text that have nothing in common, and references of known parts of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import curate
from tests.corpora import write_jsonl

RECIPE = """
clean = []
[[steps]]
name = "long_enough"
filter = "word_count >= 20"
[mix]
by = "kind"
tokens = 20000
"""
LETTERS = {"web": "abcdefgh", "code": "ijklmn", "math": "opqrst"}
COUNTS = {"web": 200, "code": 60, "math": 40}


def text(kind: str, seed: int) -> str:
    """Words of the letters of a kind."""
    source = random.Random(f"{kind}{seed}")
    return " ".join("".join(source.choices(LETTERS[kind], k=source.randrange(2, 6))) for _ in range(120))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    write_jsonl(
        folder / "in.jsonl",
        [
            {"id": f"{kind}-{n}", "text": text(kind, n), "kind": kind}
            for kind, count in COUNTS.items()
            for n in range(count)
        ],
    )
    # Three quarters of one reference are like code, a quarter like math.
    kinds = ["code", "code", "code", "math"] * 4
    write_jsonl(folder / "manual.jsonl", [{"text": text(kind, 1000 + n)} for n, kind in enumerate(kinds)])
    write_jsonl(folder / "page.jsonl", [{"text": text("web", 2000 + n)} for n in range(16)])
    return folder


@pytest.fixture
def run(inputs: Path, tmp_path: Path) -> curate.Run:
    return curate.corpus(inputs / "in.jsonl", tmp_path / "run", curate.Recipe.parse(RECIPE, "test"), threads=1)
