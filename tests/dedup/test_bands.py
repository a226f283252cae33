"""Bands and rows chosen from what is wanted, against brute force, simulation and datasketch's own choice."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch.lsh import _optimal_param
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import curve, jaccard, shingles, signatures
from curate.dedup.bands import Expected, candidate_chance, choose, expected_candidates
from curate.errors import RecipeError
from curate.kernels.minhash import band_keys


def brute_force(recall: float, similarity: float, most: int) -> tuple[int, int] | None:
    fits = [
        (-rows, bands)
        for rows in range(1, most + 1)
        for bands in range(1, most // rows + 1)
        if candidate_chance(similarity, bands, rows) >= recall
    ]
    return (min(fits)[1], -min(fits)[0]) if fits else None


@settings(deadline=None, max_examples=60)
@given(st.floats(0.01, 0.999), st.floats(0.05, 1.0), st.integers(1, 96))
def test_the_choice_has_the_most_rows_and_then_the_fewest_bands_of_all_that_suffice(
    recall: float, similarity: float, most: int
) -> None:
    wanted = brute_force(recall, similarity, most)
    if wanted is None:
        with pytest.raises(RecipeError, match="takes at least"):
            choose(recall, similarity, most)
    else:
        assert choose(recall, similarity, most) == wanted


def test_95_percent_at_080_hold_at_080_exactly() -> None:
    bands, rows = choose(0.95, 0.8)
    assert (bands, rows) == (13, 7)
    assert curve(bands, rows)(0.8) >= 0.95
    assert curve(bands - 1, rows)(0.8) < 0.95  # one band less would not do
    assert curve(128 // (rows + 1), rows + 1)(0.8) < 0.95  # nor would one row more


def test_what_it_takes_is_named_when_it_cannot_be_had() -> None:
    with pytest.raises(RecipeError, match=r"16 permutations .* takes at least 299;") as error:
        choose(0.95, 0.01, 16)
    assert "0.95 of the pairs with similarity 0.01" in str(error.value)
    assert choose(0.95, 0.01, 299) == (299, 1)


def test_a_similarity_of_one_needs_one_band_of_all_rows() -> None:
    assert choose(0.99, 1.0, 128) == (1, 128)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 0.8), "share of pairs"),
        ((1.0, 0.8), "share of pairs"),
        ((0.9, 0), "similarity"),
        ((0.9, 1.1), "similarity"),
        ((float("nan"), 0.8), "share of pairs"),
        ((0.9, 0.8, 0), "permutations"),
    ],
)
def test_what_is_no_share_is_refused(arguments: tuple[float, ...], match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        choose(*arguments)  # type: ignore[arg-type]


def found_by_signatures(bands: int, rows: int, pairs: int = 4000) -> float:
    """Share of pairs of texts of Jaccard similarity 0.8 exactly whose real signatures share a band."""
    rng = np.random.default_rng(5)
    texts = []
    for _ in range(pairs):
        words = rng.choice(1 << 40, 100, replace=False).astype(str)  # 80 in both, 10 in one, 10 in the other
        texts += [" ".join(words[:90]), " ".join(np.r_[words[:80], words[90:]])]
    assert jaccard(shingles(texts[0], 1), shingles(texts[1], 1)) == 0.8
    keys = band_keys(signatures(texts, num_perm=bands * rows, ngram=1, seed=7), bands, rows)
    return float((keys[::2] == keys[1::2]).any(axis=1).mean())


def test_datasketch_finds_40_percent_at_its_threshold_and_ours_95() -> None:
    theirs = _optimal_param(0.8, 128, 0.5, 0.5)
    assert theirs == (9, 13)
    assert candidate_chance(0.8, *theirs) == pytest.approx(0.40, abs=0.01)
    assert found_by_signatures(*theirs) == pytest.approx(0.40, abs=0.03)
    ours = choose(0.95, 0.8, 128)
    assert candidate_chance(0.8, *ours) == pytest.approx(0.953, abs=0.001)
    assert found_by_signatures(*ours) == pytest.approx(0.953, abs=0.02)


def test_extra_candidates_are_the_pairs_below_that_the_curve_lets_through() -> None:
    expected = expected_candidates(14, 8, [0.5, 0.8, 0.9], [1000, 100, 10], at=0.8)
    chance = curve(14, 8)
    assert expected.extra == pytest.approx(1000 * chance(0.5))
    assert expected.found == pytest.approx(100 * chance(0.8) + 10 * chance(0.9))
    assert expected.missed == pytest.approx(110 - expected.found)
    assert expected.candidates == pytest.approx(expected.found + expected.extra)
    assert expected_candidates(14, 8, [], [], at=0.8) == Expected(0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="as many numbers of pairs"):
        expected_candidates(14, 8, [0.5], [1, 2], at=0.8)
    with pytest.raises(ValueError, match="at least 1"):
        expected_candidates(0, 8, [0.5], [1], at=0.8)
