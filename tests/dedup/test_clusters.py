import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup.clusters import candidate_clusters, exact_clusters, keys_within


@st.composite
def columns(draw):
    n = draw(st.integers(0, 40))
    bands = draw(st.integers(1, 4))
    return n, [draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)) for _ in range(bands)]


def keys(column):
    return np.array(column, np.uint64)


@given(columns())
def test_labels_are_the_smallest_member_of_each_connected_component(drawn):
    n, bands = drawn
    assert candidate_clusters(map(keys, bands), n).tolist() == naive.components(bands, n)


@given(columns())
def test_labels_do_not_depend_on_the_order_of_the_bands(drawn):
    n, bands = drawn
    forward, backward = candidate_clusters(map(keys, bands), n), candidate_clusters(map(keys, bands[::-1]), n)
    assert np.array_equal(forward, backward)


@given(columns(), st.randoms())
def test_shuffled_documents_fall_into_the_same_clusters(drawn, random):
    n, bands = drawn
    order = list(range(n))
    random.shuffle(order)
    labels = candidate_clusters(map(keys, bands), n)
    shuffled = candidate_clusters([keys([band[i] for i in order]) for band in bands], n)
    members = {frozenset(np.flatnonzero(labels == label)) for label in labels}
    assert members == {frozenset(np.array(order)[shuffled == label].tolist()) for label in shuffled}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_exact_clusters_need_both_halves_of_the_hash_to_be_equal(hashes):
    high, low = keys([high for high, _ in hashes]), keys([low for _, low in hashes])
    expected = naive.components([[10 * a + b for a, b in hashes]], len(hashes), skip_zero=False)
    assert exact_clusters(high, low).tolist() == expected


def test_documents_without_shingles_never_link():
    assert candidate_clusters([keys([0, 5, 0, 5])], 4).tolist() == [0, 1, 2, 1]


def test_one_giant_bucket_is_one_cluster():
    n = 1_000_000
    assert (candidate_clusters([np.full(n, 3, np.uint64)] * 2, n) == 0).all()


def test_keys_within_groups_link_nothing_across_groups():
    column, groups = keys([7, 7, 7, 0, 7, 0]), np.array([0, 1, 0, 0, 1, 1])
    assert candidate_clusters([keys_within(column, groups)], 6).tolist() == [0, 1, 0, 3, 1, 5]


def test_a_band_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 3 keys"):
        candidate_clusters([keys([1, 2])], 3)
