"""RedPajama-V2's words: what normalising does, on small texts and against `unicodedata` on marks in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.signals import Documents, compute
from tests import naive_redpajama


def value(name: str, text: str) -> float:
    return float(compute(Documents([text]), [name])[name][0])


@pytest.mark.parametrize(
    ("text", "different"),
    [
        ("Don't dont DONT", 1),
        ("é e\u0301 É", 1),
        ("\u212a k K", 1),  # the Kelvin sign
        ("q\u0307\u0323 q\u0323\u0307", 1),  # two marks, in either order
        ("한 \u1112\u1161\u11ab", 1),
        ("İ i\u0307", 1),
        ("\0 \x01 \u00c8", 3),
        ("\0\u212a \0k", 1),
        ("aé éa", 2),
        ("abcdefghé abcdefgé", 2),
        ("abcdefgh1 abcdefgh2", 2),
        ("- -- ---", 0),
        ("…", 1),
    ],
)
def test_different_words_are_told_apart_after_normalising(text: str, different: int) -> None:
    words = value("rps_doc_word_count", text)
    assert round(value("rps_doc_frac_unique_words", text) * words) == different


def test_lengths_are_counted_in_normal_form_d() -> None:
    assert value("rps_doc_mean_word_length", "é") == 2
    assert value("rps_doc_mean_word_length", "한") == 3


def test_of_equally_frequent_ngrams_the_first_counts() -> None:
    assert value("rps_doc_frac_chars_top_2gram", "a b x a b y longer words z longer words") == pytest.approx(4 / 29)


@pytest.mark.parametrize(
    ("text", "sentences"), [("", 0), ("...", 0), ("One. Two", 2), ("a.b.c", 3), ("(?) What?!", 1), ("你好。再见", 1)]
)
def test_sentences(text: str, sentences: int) -> None:
    assert value("rps_doc_num_sentences", text) == sentences


_LETTERS = [
    "a",
    "A",
    "é",
    "e\u0301",
    "\u0323",
    "\u0307",
    "\u0345",
    "Å",
    "\u212b",
    "ﷺ",
    "한",
    "İ",
    "ß",
    "ẞ",
    "Σ",
    "ΐ",
    "ǅ",
]
_SIGNS = [
    "Ⅷ",
    "Ⓐ",
    "½",
    "٣",
    "\u0f43",
    "-",
    "'",
    ".",
    "!",
    "”",
    "•",
    "–",
    "…",
    "...",
    "#",
    "{",
    "}",
    "\u037e",
    "हि",
    "👍",
]
_SPACES = [" ", " ", "\n", "\n", "\u00a0", "\u2000", "\0", "\x01"]
_WORDS = ["lorem", "Ipsum", "lorem ipsum", "JavaScript", "javascript", "the", "the cat sat"]
_PIECES = st.sampled_from([*_LETTERS, *_SIGNS, *_SPACES, *_WORDS])


@settings(max_examples=600)
@given(st.lists(st.lists(_PIECES, max_size=30).map("".join), max_size=3))
def test_values_agree_with_plain_python(texts: list[str]) -> None:
    found = compute(Documents(texts), list(naive_redpajama.SIGNALS))
    for name, twin in naive_redpajama.SIGNALS.items():
        np.testing.assert_allclose(found[name], [twin(text) for text in texts], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_word_of_a_million_marks_takes_linear_time() -> None:
    assert value("rps_doc_mean_word_length", "a" + "\u0301\u0316" * 500_000) == 1_000_001
