"""Every kernel that reads bytes, over texts made to break it: what is found in a text depends on that text alone.

A kernel that reads past the end of a text sees its neighbour, so a text measured between others must come out as it
does alone. With NUMBA_BOUNDSCHECK=1 every access outside of an array is an error besides.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import classifiers
import curate
from classifiers.arrow import as_strings, to_array
from curate.dedup import signatures
from curate.signals import registry
from curate.text import CLEANERS, clean

NASTY = [
    "", " ", "\n", "\r\n", "\0", "\t \n", "a", ".", "...", "…", "\u2028", "\ufeff", "\u200b", "\u00a0", "\U0001f600",
    "\U0010ffff", "e\u0301", "\u0130", "ß", "ﬁ", "猫", "ไทย", "עברית", "{", "}", "lorem ipsum", "javascript", "http://",
    "https://a.b/c?d=e#f", "www.", "<p>", "&amp;", "Ã©", "â€™", "$$", "\\begin{", "\\", "#", "//", "/*", "def f():",
    "- ", "* ", "1.", "0", "9" * 40, "x" * 300, "é" * 100, "the ", "and ", "\"", "“", "!", "?", ";", "|", "\x7f",
    "\x1b[0m",
]  # fmt: skip
TEXT = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=30).map("".join),
    st.lists(st.sampled_from(NASTY), max_size=12).map("\n".join),
    st.text(max_size=80),
)
TEXTS = st.lists(TEXT, min_size=1, max_size=6)
FUZZ = settings(max_examples=40, deadline=None)


def same(together: pl.DataFrame, alone: pl.DataFrame) -> None:
    for name in together.columns:
        a, b = together[name], alone[name]
        if a.dtype.is_float():
            a, b = a.fill_nan(-1.5), b.fill_nan(-1.5)
        assert a.equals(b, null_equal=True), (name, a.to_list(), b.to_list())


@FUZZ
@given(TEXTS)
def test_signals_of_a_text_do_not_depend_on_its_neighbours(texts: list[str]) -> None:
    every = [name for name in registry() if "ftfy" not in name]
    together = curate.measure(texts, every)
    assert len(together) == len(texts) and together.width > 100
    same(together, pl.concat([curate.measure([text], every) for text in texts], how="vertical_relaxed"))
    for name, signal in registry().items():
        if name in together.columns and signal.dtype in ("int64", "float32"):
            values = together[name].cast(pl.Float64).drop_nulls().drop_nans()
            low = float("-inf") if signal.low is None else signal.low
            high = float("inf") if signal.high is None else signal.high
            assert values.is_between(low, high + 1e-6).all(), (name, values.to_list())


@pytest.mark.parametrize("cleaner", sorted(CLEANERS))
@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_a_cleaned_text_does_not_depend_on_its_neighbours_and_stays_utf_8(cleaner: str, texts: list[str]) -> None:
    together = to_array(clean(texts, [cleaner]))
    together.validate(full=True)
    assert together.to_pylist() == [to_array(clean([text], [cleaner])).to_pylist()[0] for text in texts]


@FUZZ
@given(TEXTS, st.sampled_from([1, 2, 5, 13]))
def test_signatures_do_not_depend_on_neighbours(texts: list[str], ngram: int) -> None:
    together = signatures(texts, num_perm=16, ngram=ngram)
    assert np.array_equal(together, np.concatenate([signatures([text], num_perm=16, ngram=ngram) for text in texts]))


@FUZZ
@given(TEXTS, st.integers(0, 3))
def test_a_slice_of_a_column_is_measured_as_a_column_of_its_own(texts: list[str], start: int) -> None:
    whole = pa.array(["before"] * start + texts + ["after"], pa.large_string())
    part = whole.slice(start, len(texts))
    assert to_array(as_strings(part)).to_pylist() == texts
    same(curate.measure(part, ["word_count", "char_count", "gopher_dup_lines"]),
         curate.measure(texts, ["word_count", "char_count", "gopher_dup_lines"]))  # fmt: skip


@pytest.mark.parametrize("name", classifiers.shipped())
@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_scores_do_not_depend_on_neighbours(name: str, texts: list[str]) -> None:
    model = classifiers.load(name)
    codes, scores = model.predict_codes(texts)
    for i, text in enumerate(texts):
        code, score = model.predict_codes([text])
        assert (code[0], score[0]) == (codes[i], scores[i])
