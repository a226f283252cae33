from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ngrams_naive import NaiveModel

from classifiers.arrow import Strings, as_strings
from curate.audit.ngram_model import NgramModel
from curate.errors import CurateError

TEXTS = st.lists(st.one_of(st.text("ab ", max_size=40), st.text(max_size=30)), max_size=12)


def _bytes(texts: list[str]) -> list[bytes]:
    return [text.encode() for text in texts]


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 8))
def test_bits_and_probabilities_are_those_of_a_dictionary_of_counters(seen, asked, order):
    model, naive = NgramModel.train(seen, order), NaiveModel(order, _bytes(seen))
    assert model.bits(asked) == pytest.approx([naive.bits(text) for text in _bytes(asked)], rel=1e-12)
    each = [naive.probability(text[:i], text[i]) for text in _bytes(asked) for i in range(len(text))]
    assert model.probabilities(asked) == pytest.approx(each, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.lists(st.tuples(st.text("ab ", max_size=20), st.text("ab ", max_size=20)), max_size=8))
def test_a_continuation_costs_what_its_bytes_cost_after_the_context(seen, pairs):
    model, naive = NgramModel.train(seen), NaiveModel(6, _bytes(seen))
    contexts, continuations = [a for a, _ in pairs], [b for _, b in pairs]
    wanted = [naive.bits((a + b).encode(), len(a.encode())) for a, b in pairs]
    assert model.continuation_bits(contexts, continuations) == pytest.approx(wanted, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_counts_add_up(first, second, asked):
    together = NgramModel.train(first + second)
    apart = NgramModel.train(first)
    other = apart.copy()
    other.add(second)
    assert np.array_equal(other.bits(asked), together.bits(asked))
    assert np.array_equal(apart.bits(asked), NgramModel.train(first).bits(asked))  # the copied one is as it was


def test_strings_may_begin_anywhere_in_their_buffer():
    whole = as_strings(["left out", "the cat sat", "on the mat", "left out too"])
    part = Strings(whole.data, whole.offsets[1:4])
    assert np.array_equal(NgramModel.train(part).bits(part), NgramModel.train(["the cat sat", "on the mat"]).bits(part))
    assert NgramModel.train(part).continuation_bits(part, part)[0] == pytest.approx(
        NaiveModel(6, [b"the cat sat", b"on the mat"]).bits(b"the cat satthe cat sat", 11)
    )


def _noise(size: int, letters: int) -> str:
    return "".join(map(chr, np.random.default_rng(1).integers(97, 97 + letters, size)))


def test_many_followers_of_one_context_find_room_in_other_lines():
    seen = [_noise(20_000, 26)]
    model, naive = NgramModel(3, entries=1 << 18), NaiveModel(3, _bytes(seen))
    model.add(seen)
    assert model.bits([seen[0][:2000]]) == pytest.approx([naive.bits(seen[0][:2000].encode())], rel=1e-9)


@pytest.mark.parametrize("letters", [4, 26])
def test_probabilities_sum_to_one_even_where_the_table_is_full(letters):
    model = NgramModel(6, entries=64)
    model.add([_noise(5000, letters)])
    before = _noise(300, letters)[-7:]
    after = [bytes([byte]).decode("latin-1") for byte in range(128)]
    sums = 2.0 ** -model.continuation_bits([before] * 128, after)
    never = 2.0 ** -model.continuation_bits([before], ["\x00"])[0]  # the other 128 bytes are like this one
    assert sums.sum() + 128 * never == pytest.approx(1, rel=1e-9)


def test_a_small_table_makes_a_worse_model_and_no_error():
    seen = [_noise(200_000, 4)]
    small, large = NgramModel.train(seen, memory="64KiB"), NgramModel.train(seen)
    assert small.nbytes < large.nbytes
    assert small.bits(seen)[0] > large.bits(seen)[0]


def test_texts_like_those_it_was_trained_on_cost_fewer_bits():
    model = NgramModel.train(["the cat sat on the mat and the dog sat on the cat"] * 20)
    english, noise = model.bits(["the dog sat on the mat", "qzx wvk jjq zz xqk vvw"])
    assert english < 0.2 * noise


def test_orders_and_memory_out_of_range_are_named():
    with pytest.raises(CurateError, match="0 to 8 bytes, not 9"):
        NgramModel.train(["a"], order=9)
    with pytest.raises(CurateError, match="at least 64KiB"):
        NgramModel.train(["a"], memory="1KB")
    with pytest.raises(ValueError, match="2 contexts and 1 continuations"):
        NgramModel.train(["a"]).continuation_bits(["a", "b"], ["c"])
