"""Repetition: who is written how often, so that a class gives its tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.recipe import Quality
from curate.repeat import Preference, copies, giving_most, quality_curve, quality_level


def numbered(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 2**63, n).astype(np.uint64)


def preferring(quality: Quality, n: int, most: float = 10.0) -> Preference:
    bucket = (np.arange(n) * quality.buckets // n).astype(np.int16)
    return Preference(bucket, quality_level(quality), np.ones(n), most)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.floats(0, 5))
def test_copies_come_within_half_a_document_of_the_target(sizes: list[int], epochs: float) -> None:
    tokens = np.array(sizes, np.int64)
    target = epochs * tokens.sum()
    found = copies(tokens, numbered(len(sizes)), target)
    if target >= tokens.max():
        assert abs((found * tokens).sum() - target) <= tokens.max() / 2
    assert set(found.tolist()) <= {int(target // tokens.sum()) + extra for extra in (-1, 0, 1)}


def test_a_class_that_is_asked_for_gives_something_however_little() -> None:
    assert copies(np.array([100, 100]), numbered(2), 1.0).sum() == 1


def test_who_is_drawn_does_not_depend_on_the_order_of_documents() -> None:
    tokens = np.arange(1, 101)
    doc = numbered(100)
    order = np.random.default_rng(2).permutation(100)
    assert np.array_equal(copies(tokens, doc, 1700.0)[order], copies(tokens[order], doc[order], 1700.0))


@pytest.mark.parametrize("quality", [None, Quality("q", weights=(0, 1, 5), buckets=3), Quality("q")])
def test_a_larger_budget_only_adds_documents(quality: Quality | None) -> None:
    tokens = np.random.default_rng(3).integers(10, 900, 400)
    preference = preferring(quality, 400) if quality else None
    before = np.zeros(400, np.int32)
    for target in np.linspace(0.05, 4, 25) * tokens.sum():
        found = copies(tokens, numbered(400), target, preference)
        assert (found >= before).all()
        before = found


def test_weights_of_buckets_are_the_proportions_in_which_documents_are_seen() -> None:
    quality = Quality("q", weights=(0, 1, 3), buckets=3)
    tokens = np.full(3000, 10)
    found = copies(tokens, numbered(3000), 2 * tokens.sum(), preferring(quality, 3000))
    seen = found.reshape(3, 1000).mean(axis=1)
    assert seen == pytest.approx([0, 1.5, 4.5], abs=0.05)  # weights (0, 1, 3) with mean 4/3 scaled to 2 epochs
    assert abs((found * tokens).sum() - 60_000) <= 5


def test_the_curve_of_a_power_is_the_analytic_one() -> None:
    # Without growth the share of the tokens drawn below rank t is ((t - a) / (1 - a)) ** (p + 1).
    curve = quality_curve(1.0, Quality("q", buckets=20, drop=0.4, most=7.0))
    assert curve.mean() == pytest.approx(1.0)
    assert curve[-1] == pytest.approx(7.0, rel=1e-3)
    assert (curve[:8] == 0).all() and (np.diff(curve[8:]) > 0).all()
    # p from the best bucket: 7 / 20 of the tokens are above t = 0.95.
    power = np.log(1 - 7 / 20) / np.log((0.95 - 0.4) / 0.6)
    ranks = np.arange(8, 21) / 20
    drawn = np.diff(((ranks - 0.4) / 0.6) ** power) * 20
    assert curve[8:] == pytest.approx(drawn, rel=5e-3, abs=2e-3)


@given(
    st.floats(0.01, 9),
    st.sampled_from([0.0, 0.3, 0.4, 0.9]),
    st.floats(1, 9),
    st.sampled_from([0.0, 2.0]),
    st.sampled_from([4, 20]),
)
def test_no_curve_exceeds_its_most_and_its_mean_is_what_was_asked_for(
    epochs: float, drop: float, most: float, growth: float, buckets: int
) -> None:
    curve = quality_curve(epochs, Quality("q", buckets, (), drop, most, growth))
    assert (curve >= 0).all() and (curve <= most * (1 + 1e-9)).all()
    assert (np.diff(curve) >= -1e-9).all()
    possible = min(epochs, most * np.mean(curve > 0))
    assert curve.mean() == pytest.approx(possible, rel=1e-6)


def test_documents_that_may_not_be_repeated_more_bound_what_their_class_can_give() -> None:
    tokens = np.array([10, 20, 30])
    preference = Preference(np.zeros(3, np.int16), lambda e: np.array([e]), np.array([1.0, 2.0, 0.0]), 4.0)
    assert giving_most(tokens, preference) == 4 * (10 + 20)
    assert copies(tokens, numbered(3), 1e9, preference).tolist() == [4, 4, 0]
