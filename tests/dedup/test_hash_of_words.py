"""Hashing a text by its words gives the hash of the text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.hashing import text_hash, text_hash_of_words
from curate.signals import Documents
from tests.signals.texts import TEXTS


def by_words(texts: object) -> np.ndarray:
    documents = Documents(texts)
    words = documents.words
    return text_hash_of_words(documents.strings, words.first, words.start, words.stop)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(TEXTS, st.text("ab \n\u3000é", max_size=40)), max_size=4))
def test_the_hash_of_the_words_is_that_of_the_text(texts: list[str]) -> None:
    np.testing.assert_array_equal(by_words(texts), text_hash(Documents(texts).strings))


def test_words_of_any_length_are_hashed_to_the_end_of_the_buffer() -> None:
    texts = [f"{'x' * size} {'y' * size}" for size in range(40)]
    array = pa.array(["left out", *texts]).slice(1)
    np.testing.assert_array_equal(by_words(array), text_hash(Documents([f"  {text}\n" for text in texts]).strings))
