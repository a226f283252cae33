"""Brute force over a sample: the kernel against sets of Python, pair by pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup.truth import HISTOGRAM_BINS, MAX_DOCUMENTS, all_pairs
from curate.errors import CurateError

Sets = list[set[int]]


def flat(sets: Sets) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([value for one in sets for value in sorted(one)], np.uint32)
    return values, np.cumsum([0, *map(len, sets)]).astype(np.int64)


def no_keys(sets: Sets) -> np.ndarray:
    return np.zeros((len(sets), 0), np.uint64)


def jaccard(a: set[int], b: set[int]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(0, 30), max_size=12),
            st.integers(0, 1),
            st.lists(st.integers(0, 3), min_size=3, max_size=3),
        ),
        max_size=14,
    ),
    st.floats(0, 1),
)
def test_every_pair_is_what_sets_of_python_say(documents: list[tuple[set[int], int, list[int]]], floor: float) -> None:
    sets = [entry[0] for entry in documents]
    groups = np.array([entry[1] for entry in documents], np.uint64)
    keys = np.array([entry[2] for entry in documents], np.uint64).reshape(-1, 3)
    found = all_pairs(*flat(sets), keys, floor=floor, groups=groups, threads=2)
    expected, histogram = {}, np.zeros(HISTOGRAM_BINS, int)
    for i, j in combinations(range(len(sets)), 2):
        similarity = jaccard(sets[i], sets[j])
        agree = [a == b != 0 for a, b in zip(keys[i], keys[j], strict=True)]
        if groups[i] != groups[j] or not sets[i] & sets[j]:
            continue
        histogram[min(int(similarity * HISTOGRAM_BINS), HISTOGRAM_BINS - 1)] += 1
        if similarity >= floor or any(agree):
            expected[i, j] = (similarity, sum(agree), agree[0])
    got = zip(found.left, found.right, found.similarity, found.matches, found.drawn, strict=True)
    assert {(i, j): (s, m, d) for i, j, s, m, d in got} == expected
    assert found.histogram.tolist() == histogram.tolist()
    assert found.compared == sum(groups[i] == groups[j] for i, j in combinations(range(len(sets)), 2))


def test_pairs_are_the_same_for_any_number_of_threads_and_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    sets = [set(rng.integers(0, 200, 40).tolist()) for _ in range(120)]
    whole = all_pairs(*flat(sets), no_keys(sets), floor=0.1, threads=1)
    monkeypatch.setattr("curate.dedup.truth._PLACES", 500)
    cut = all_pairs(*flat(sets), no_keys(sets), floor=0.1, threads=3)
    for name in ("left", "right", "similarity", "matches", "drawn", "histogram"):
        assert np.array_equal(getattr(whole, name), getattr(cut, name)), name
    assert len(whole.left) > 1000


def test_nothing_and_one_document_have_no_pairs() -> None:
    for sets in ([], [{1, 2}], [set(), set()]):
        found = all_pairs(*flat(sets), no_keys(sets), floor=0.0)
        assert (len(found.left), found.histogram.sum()) == (0, 0)


def test_a_sample_whose_pairs_nobody_waits_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    many = np.zeros(MAX_DOCUMENTS + 2, np.int64)
    with pytest.raises(CurateError, match=r"50,001 documents has 1,250,025,000 pairs.*smaller --sample"):
        all_pairs(np.zeros(0, np.uint32), many, np.zeros((MAX_DOCUMENTS + 1, 0), np.uint64), floor=0.5)
    monkeypatch.setattr("curate.dedup.truth.MAX_PAIRS", 10)
    same = [{1, 2, 3}] * 20
    with pytest.raises(CurateError, match="more than 10 pairs"):
        all_pairs(*flat(same), no_keys(same), floor=0.5)
