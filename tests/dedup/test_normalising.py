"""What normalisation makes of a text before it is shingled."""

from __future__ import annotations

import unicodedata

import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.arrow import Strings, as_strings, to_array
from curate import dedup
from curate.kernels.normalising import build, folding, normalised

TEXTS = st.lists(
    st.text(st.sampled_from("aÉß_ .,-09٣１\u0301\u0e31ท中한Ⱥ😀\n\t") | st.characters(codec="utf-8")), max_size=6
)


def made(texts: list[str], *, fold: bool, numbers: bool) -> list[str]:
    found: list[str] = to_array(normalised(as_strings(texts), fold=fold, numbers=numbers)).to_pylist()
    return found


@given(TEXTS, st.booleans())
def test_fineweb_equals_plain_python(texts: list[str], numbers: bool) -> None:
    assert made(texts, fold=True, numbers=numbers) == [naive.normalised(text, "fineweb", numbers) for text in texts]


@given(TEXTS)
def test_numbers_become_zero_and_nothing_else_changes(texts: list[str]) -> None:
    assert made(texts, fold=False, numbers=True) == [naive.normalised(text, "none", True) for text in texts]


def test_case_accents_punctuation_and_white_space_are_folded() -> None:
    texts = ["  L'ÉTÉ—à  Zürich!\n", "e\u0301te\u0301", "…", "snake_case", "naïve 漢字 한국"]
    assert made(texts, fold=True, numbers=False) == ["l ete a zurich", "ete", "", "snake case", "naive 漢字 한국"]


def test_a_number_is_one_zero_with_its_separators() -> None:
    texts = ["1,299.00 EUR", "3. 4", "v1.2.3-rc4", "5.", ".5", "1..2", "٣٤", "in 2024, 17 of"]
    assert made(texts, fold=False, numbers=True) == [
        "0 EUR", "0. 0", "v0-rc0", "0.", ".0", "0..0", "0", "in 0, 0 of",
    ]  # fmt: skip


def test_a_batch_that_does_not_start_at_byte_zero_is_normalised_like_any_other() -> None:
    whole = as_strings(["left out", "Été 12", ""])
    part = normalised(Strings(whole.data, whole.offsets[1:]), fold=True, numbers=True)
    assert to_array(part).to_pylist() == ["ete 0", ""]


def test_the_shipped_table_is_what_build_derives() -> None:
    if unicodedata.unidata_version != "14.0.0":
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}, the table was built with 14.0.0")
    for shipped, derived in zip(folding(), build(), strict=True):
        assert np.array_equal(shipped, derived)


def test_texts_that_differ_in_what_is_folded_have_the_same_shingles() -> None:
    one, two = "Prix: 1.299 € à l'Été, chez Zoé_Marie.", "prix 1 299 a l'ete chez zoe marie"
    same = {"normalise": "fineweb", "fold_numbers": True}
    assert np.array_equal(dedup.shingles(one.replace("1.299", "17"), **same), dedup.shingles(one, **same))
    assert np.array_equal(dedup.shingles(one.replace("1.299", "1 299"), normalise="fineweb"), dedup.shingles(two))
    assert not np.array_equal(dedup.shingles(one), dedup.shingles(two))
    assert not np.array_equal(dedup.shingles("A b", normalise="none"), dedup.shingles("a b", normalise="none"))
