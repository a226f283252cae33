"""Weights by cluster size, against the formula of the paper written out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup.membership import join
from curate.dedup.rehydration import Rehydration, rehydration
from curate.errors import RecipeError


def counted(*rows: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Documents as (cluster size, how many, how many of them removed)."""
    sizes = np.concatenate([np.full(n, size) for size, n, _ in rows])
    removed = np.concatenate([np.arange(n) < gone for _, n, gone in rows])
    return sizes, removed


def test_the_best_size_weighs_ten_the_average_and_worse_one_and_linear_between() -> None:
    found = rehydration(*counted((1, 500, 400), (2, 500, 250), (3, 500, 100), (4, 500, 175), (5, 500, 500)))
    overall = (400 + 250 + 100 + 175 + 500) / 2500
    assert found.overall == pytest.approx(overall)
    assert found.rate.tolist() == [0.8, 0.5, 0.2, 0.35, 1.0]
    between = [1 + 9 * (overall - rate) / (overall - 0.2) for rate in (0.5, 0.35)]
    assert found.weight.tolist() == pytest.approx([1, between[0], 10, between[1], 1])
    assert found.weights([1, 2, 3, 5, 5_000]).tolist() == pytest.approx([1, between[0], 10, 1, 1])
    assert found.table()["sizes"][2] == {
        "from": 3, "to": 3, "documents": 500, "removed": 100, "removal_rate": 0.2, "weight": 10.0,
    }  # fmt: skip


def test_sizes_with_few_documents_share_a_rate() -> None:
    found = rehydration(*counted((1, 900, 500), (2, 60, 10), (5, 50, 30), (9, 99, 0), (70, 20, 20)))
    assert list(zip(found.smallest.tolist(), found.largest.tolist(), strict=True)) == [(1, 1), (2, 5), (9, 70)]
    assert found.documents.tolist() == [900, 110, 119]
    assert found.removed.tolist() == [500, 40, 20]
    assert found.weights([3, 4, 8]).tolist() == [found.weight[1]] * 3


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=200), st.integers(1, 50))
def test_weights_are_between_one_and_the_most_and_fall_with_the_removal_rate(
    documents: list[tuple[int, bool]], least: int
) -> None:
    sizes, removed = [size for size, _ in documents], [gone for _, gone in documents]
    found = rehydration(sizes, removed, most=7, least_documents=least)
    assert ((found.weight >= 1) & (found.weight <= 7)).all()
    assert found.documents.sum() == len(documents)
    assert found.removed.sum() == sum(removed)
    assert (np.diff(found.weight[np.argsort(found.rate)]) <= 1e-12).all()
    assert len(found.weight) <= 1 or (found.documents >= least).all()
    assert len(found.weights(sizes)) == len(documents)
    stored = Rehydration.of_table(json.loads(json.dumps(found.table())))
    assert np.array_equal(stored.weights(range(1, 60)), found.weights(range(1, 60)))


def test_without_documents_or_removals_every_weight_is_one() -> None:
    assert rehydration([], []).weights([1, 5]).tolist() == [1, 1]
    assert rehydration([1, 2], [False, False]).weights([1, 2]).tolist() == [1, 1]
    assert rehydration([1, 2], [True, True]).weights([1, 2]).tolist() == [1, 1]


def test_what_makes_no_sense_is_refused() -> None:
    for arguments in (([1], [True, False]), ([0], [True]), ([1], [True], 0.5)):
        with pytest.raises(RecipeError, match="rehydration"):
            rehydration(*arguments)  # type: ignore[arg-type]


def test_clusters_of_several_steps_are_joined_through_their_survivors() -> None:
    # 0 is dropped for 1 by the first step, 1 and 4 for 5 by the second; 2 for 3; 6 is alone.
    joined = join([np.array([0]), np.array([2, 1, 4])], [np.array([1]), np.array([3, 5, 5])])
    assert joined.members.tolist() == [0, 1, 2, 3, 4, 5]
    assert joined.members[joined.standing].tolist() == [1, 5, 3, 3, 5, 5]
    assert joined.members[joined.root].tolist() == [5, 5, 3, 3, 5, 5]
    assert joined.sizes(7).tolist() == [4, 4, 2, 2, 4, 4, 1]
    assert join([], []).sizes(2).tolist() == [1, 1]
