import sys

import mmh3
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.arrow import Strings, as_strings
from curate.kernels.hashing import murmur3, text_hash

TEXTS = st.lists(
    st.text(st.sampled_from("ab é中😀 \t\n\u00a0\u2003\u3000\x1c\x85\u200b") | st.characters(codec="utf-8"))
)


def reference(text: str) -> tuple[int, int]:
    return mmh3.hash64(text.encode(), seed=0, x64arch=True, signed=False)


def rows(hashes: np.ndarray) -> list[tuple[int, int]]:
    return [(int(first), int(second)) for first, second in hashes]


@given(TEXTS)
def test_murmur3_equals_mmh3(texts):
    assert rows(murmur3(as_strings(texts))) == [reference(text) for text in texts]


def test_murmur3_equals_mmh3_for_every_length_of_tail():
    texts = ["x" * 3 + "0123456789abcdef" * 3][0]
    texts = [texts[:size] for size in range(len(texts))]
    assert rows(murmur3(as_strings(texts))) == [reference(text) for text in texts]


@given(TEXTS)
def test_text_hash_is_that_of_the_text_with_normalised_white_space(texts):
    expected = [reference(" ".join(text.split())) for text in texts]
    assert rows(text_hash(as_strings(texts))) == expected


def test_text_hash_knows_every_white_space_character_and_no_other():
    characters = [chr(cp) for cp in range(sys.maxunicode + 1) if not 0xD800 <= cp < 0xE000]
    texts = [f"a{character}b" for character in characters if character.isspace() or ord(character) < 0x3100]
    padded = [text + "." * 100 for text in texts]  # far enough from the end of the data for whole blocks
    for variant in (texts, padded, padded + texts):
        assert rows(text_hash(as_strings(variant))) == [reference(" ".join(text.split())) for text in variant]


def test_text_hash_of_long_texts_crosses_blocks_rightly():
    texts = [" " * k + "word  word\n" * 40 + "\u2003" * k + "end" + "\t" * k for k in range(70)]
    assert rows(text_hash(as_strings(texts))) == [reference(" ".join(text.split())) for text in texts]


def test_a_batch_that_does_not_start_at_byte_zero_is_hashed_like_any_other():
    whole = as_strings(["left out", "first", "second"])
    part = Strings(whole.data, whole.offsets[1:])
    assert rows(murmur3(part)) == [reference("first"), reference("second")]
