"""Leaks against a plain count of common shingles, and how references and samples are cut."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.arrow import as_strings
from curate.audit.leaks import LeakFinder
from curate.audit.pool import draw
from curate.audit.references import beginnings
from curate.dedup import shingles

WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five", "six"]), max_size=30).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=4), min_size=1, max_size=3), st.lists(WORDS, max_size=6))
def test_a_text_leaks_a_reference_when_they_share_half_of_the_shingles_of_the_smaller_one(references, texts):
    found = LeakFinder([as_strings(pa.array(one, pa.large_string())) for one in references]).find(
        as_strings(pa.array(texts, pa.large_string()))
    )
    for text, number in zip(texts, found.tolist(), strict=True):
        own = set(shingles(text).tolist())
        leaked = []
        for place, reference in enumerate(references):
            for other in (set(shingles(one).tolist()) for one in reference):
                if own & other and len(own & other) >= 0.5 * min(len(own), len(other)):
                    leaked.append(place)
        assert (number in leaked) if leaked else number == -1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=9), min_size=1, max_size=9), st.integers(0, 40), st.randoms())
def test_a_sample_is_a_prefix_of_the_texts_in_their_order(texts, size, source):
    order = np.array(source.sample(range(len(texts)), len(texts)))
    whole = "".join(texts[place] for place in order).encode()
    sample = draw(pa.array(texts, pa.large_string()), order, size)
    got = bytes(sample.data[: sample.offsets[-1]])
    assert whole.startswith(got)
    assert min(size, len(whole)) - 3 <= len(got) <= size
    got.decode()


@given(st.lists(st.text(max_size=12)), st.integers(0, 12))
def test_beginnings_are_the_longest_whole_characters_that_fit(texts, size):
    cut = beginnings(as_strings(pa.array(texts, pa.large_string())), size)
    for number, text in enumerate(texts):
        got = bytes(cut.data[cut.offsets[number] : cut.offsets[number + 1]])
        assert got == text.encode()[:size].decode(errors="ignore").encode()
