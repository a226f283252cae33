"""Every signal of the registry agrees with its plain-Python twin, on any text and however texts are batched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.arrow import Strings
from curate.errors import InputError
from curate.signals import Documents, compute, registry
from tests import naive, naive_cleaning, naive_code, naive_redpajama, naive_web, naive_words
from tests.signals import texts as written
from tests.signals.texts import TEXTS

DATA = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[3] / "shared" / "data"))
TWINS = naive.SIGNALS | naive_code.SIGNALS | naive_web.SIGNALS | naive_words.SIGNALS | naive_redpajama.SIGNALS
CLEANED = naive_cleaning.SIGNALS  # not about the text that is measured: see test_cleaned.py
WRITTEN = [value for name, value in vars(written).items() if name.isupper() and isinstance(value, str)]


def measured(texts: object) -> dict[str, np.ndarray]:
    return compute(Documents(texts), [name for name in registry() if name not in CLEANED])


def assert_like_twins(texts: list[str]) -> None:
    found = measured(texts)
    for name, twin in TWINS.items():
        expected = np.array([twin(text) for text in texts], registry()[name].dtype)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, err_msg=f"{name} of {texts!r}")


def test_every_signal_has_a_twin() -> None:
    assert {*TWINS, *CLEANED} == set(registry())


@settings(max_examples=400)
@given(st.lists(TEXTS, max_size=3))
def test_signals_agree_with_their_twins(texts: list[str]) -> None:
    assert_like_twins(texts)


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=3))
def test_signals_agree_with_their_twins_on_any_unicode(texts: list[str]) -> None:
    assert_like_twins(texts)


@settings(max_examples=100)
@given(st.lists(st.text("ab \n", min_size=20, max_size=300), max_size=3))
def test_signals_agree_with_their_twins_on_very_repetitive_texts(texts: list[str]) -> None:
    assert_like_twins(texts)


@pytest.mark.parametrize("text", WRITTEN)
def test_signals_agree_with_their_twins_on_written_texts(text: str) -> None:
    assert_like_twins([text])


def test_a_long_document_agrees_with_its_twin() -> None:
    words = [f"w{(i * i) % 307}" + ("," if i % 7 == 0 else "") for i in range(6000)]
    text = " ".join(word + ("\n" if i % 23 == 0 else "") for i, word in enumerate(words))
    assert_like_twins([text, "short", text[:3000] + text[:3000]])


@pytest.mark.data
@pytest.mark.parametrize("file", ["raw_web/cc_text", "raw_web/turku_registers_multiling", "code/code_mixed"])
def test_real_documents_agree_with_their_twins(file: str) -> None:
    path = DATA / f"{file}.jsonl.zst"
    if not path.is_file():
        pytest.skip(f"{path} is absent; set CURATE_DATA")
    with pa.input_stream(str(path), compression="zstd") as stream:
        head = stream.read(200_000)
    assert_like_twins([json.loads(line)["text"] for line in head.split(b"\n")[:-1]])


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=2, max_size=8), st.data())
def test_values_do_not_depend_on_the_batch(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    together, parts = measured(texts), (measured(texts[:cut]), measured(texts[cut:]))
    for name, values in together.items():
        np.testing.assert_array_equal(values, np.concatenate([part[name] for part in parts]), err_msg=name)


def test_a_slice_a_chunked_array_and_nulls_are_read_as_the_same_texts() -> None:
    texts = ["left out", "- the cat…\n\n- the cat…", "", "nah 漢字。 # 你好", "a b a b a b", "left out too"]
    expected = measured(texts[1:-1])
    large = pa.array(texts, pa.large_string())
    variants = [
        pa.array(texts).slice(1, 4),
        large.slice(1, 4),
        pa.chunked_array([large[:3], large[3:]]).slice(1, 4),
        pa.array([None if text == "" else text for text in texts[1:-1]]),
    ]
    for variant in variants:
        found = measured(variant)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_texts_far_into_a_large_buffer_are_found() -> None:
    text = b"so far, so far, and no further"
    data = np.zeros(2**32 + len(text), np.uint8)  # only the pages with text take memory
    data[2**32 :] = np.frombuffer(text, np.uint8)
    far = measured(Strings(data, np.array([2**32, 2**32, 2**32 + len(text)])))
    for name, values in measured(["", text.decode()]).items():
        np.testing.assert_array_equal(far[name], values, err_msg=name)


def test_a_batch_of_more_than_4_gib_is_refused() -> None:
    with pytest.raises(InputError, match=r"a batch can hold 4 GiB of text, this one has 5\.0"):
        Documents(Strings(np.zeros(0, np.uint8), np.array([0, 5 * 2**30])))


def test_an_empty_batch_gives_empty_columns_of_the_right_type() -> None:
    for name, values in measured([]).items():
        assert (len(values), values.dtype) == (0, registry()[name].dtype)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u00a0\n"])
def test_a_text_without_words_has_no_shares(text: str) -> None:
    found = measured([text])
    lengths = {"byte_count", "char_count", "token_count"}
    lengths |= {"code_max_line_length", "code_mean_line_length", "compression_ratio", "whitespace_ratio"}
    toolkits = {name for name in found if name.startswith(("datatrove_", "dolma_"))}  # they count blank lines
    assert {name for name, values in found.items() if values[0]} - toolkits <= lengths


@pytest.mark.parametrize("piece", ["x", "word ", "漢", "same words again. "])
def test_one_line_of_megabytes_is_measured(piece: str) -> None:
    times = 3_000_000 // len(piece.encode())
    found = measured([piece * times])
    assert found["char_count"] == times * len(piece)
    assert found["word_count"] == (1 if " " not in piece else times * piece.count(" "))
    assert found["line_count"] == 1
    assert found["gopher_dup_10gram"] == (1 if " " in piece else 0)


@settings(max_examples=100)
@given(TEXTS)
def test_values_stay_within_the_range_of_the_registry(text: str) -> None:
    for name, values in measured([text]).items():
        low, high = registry()[name].low, registry()[name].high
        assert low is None or values[0] >= low, name
        assert high is None or values[0] <= high, name
