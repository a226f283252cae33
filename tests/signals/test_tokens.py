"""The estimated token count, and counting with a tokenizer file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import InputError
from curate.signals import Documents, compute
from curate.signals.tokens import TokenCounter
from tests.signals.texts import TEXTS

DATA = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def estimate(texts: object) -> np.ndarray:
    return compute(Documents(texts), ["token_count"])["token_count"]


def test_nothing_has_no_tokens_and_anything_has_one() -> None:
    assert estimate(["", " ", "a", "\0"]).tolist() == [0, 1, 1, 1]


@given(TEXTS, TEXTS)
def test_more_text_never_has_fewer_tokens(text: str, more: str) -> None:
    assert estimate([text + more])[0] >= estimate([text])[0]


@given(st.lists(TEXTS, max_size=5))
def test_the_estimate_is_that_of_the_characters_in_any_order(texts: list[str]) -> None:
    assert estimate(texts).tolist() == estimate([text[::-1] for text in texts]).tolist()


def word_tokenizer(path: Path) -> Path:
    vocabulary = {"[UNK]": 0, "the": 1, "cat": 2}
    model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    nothing = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    facts = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"}, "model": model}
    path.write_text(json.dumps(facts | nothing))
    return path


def test_a_tokenizer_file_counts_exactly(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    counter = TokenCounter(word_tokenizer(tmp_path / "tokenizer.json"))
    counts = counter.count(["the cat and the dog", "", "cat"])
    assert (counts.tolist(), counts.dtype) == ([5, 0, 1], np.int64)


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, content: str | None) -> None:
    pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"tokenizer\.json is not a tokenizer\.json that can be read"):
        TokenCounter(path)


@pytest.mark.data
@pytest.mark.parametrize(
    "file", ["raw_web/cc_text", "raw_web/extraction_bench_pages_main_text", "high_quality/books_standardebooks"]
)
def test_the_estimate_of_a_corpus_is_near_a_real_tokenizer(file: str) -> None:
    tokenizer = DATA / "tokenizers" / "olmo2_dolma2_tokenizer.json"  # 100,000 entries
    if not tokenizer.is_file():
        pytest.skip(f"{tokenizer} is absent; set CURATE_DATA")
    with pa.input_stream(str(DATA / f"{file}.jsonl.zst"), compression="zstd") as stream:
        head = stream.read(2_000_000)
    texts = [json.loads(line)["text"] for line in head.split(b"\n")[:-1]]
    truth = TokenCounter(tokenizer).count(texts).sum()
    assert estimate(texts).sum() == pytest.approx(truth, rel=0.15)
