import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.arrow import as_strings
from curate.dedup.survivors import best_of_clusters, clusters_of, similarity_of_pairs, verify
from curate.kernels.shingles import shingle_sets


def ragged(sets):
    values = np.array([value for one in sets for value in sorted(one)], np.uint32)
    return values, np.cumsum([0, *map(len, sets)])


@st.composite
def problems(draw):
    m = draw(st.integers(0, 25))
    sets = draw(st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=8), min_size=m, max_size=m))
    labels = draw(st.lists(st.integers(0, 2), min_size=m, max_size=m))
    ranks = draw(st.permutations(range(m)))
    keys = draw(st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=m, max_size=m))
    keys = np.array(keys, np.uint64).reshape(m, 2) * np.array([1, 100], np.uint64)
    return np.array(labels, np.uint32), np.array(ranks, np.int64), keys, sets


@given(problems(), st.sampled_from([0.2, 0.5, 0.7, 1.0]), st.booleans())
def test_verification_equals_comparing_with_every_better_survivor(problem, threshold, containment):
    labels, ranks, keys, sets = problem
    measure = "containment" if containment else "jaccard"
    found = verify(labels, ranks, keys, *ragged(sets), threshold, measure)
    assert found.survivor.tolist() == naive.verify(labels, ranks, keys, sets, threshold, containment)


@given(problems(), st.sampled_from([0.2, 0.5, 0.7, 1.0]), st.booleans())
def test_documents_that_share_a_set_are_decided_as_if_each_had_its_own(problem, threshold, containment):
    labels, ranks, keys, sets = problem
    measure = "containment" if containment else "jaccard"
    kinds = sorted({(int(label), tuple(sorted(one))) for label, one in zip(labels, sets, strict=True)})
    which = np.array(
        [kinds.index((int(label), tuple(sorted(one)))) for label, one in zip(labels, sets, strict=True)], np.int64
    )
    first = [which.tolist().index(kind) for kind in range(len(kinds))]
    keys = keys[[first[kind] for kind in which]].reshape(-1, 2)  # the same shingles have the same bands …
    keys[:, 0] = np.maximum(keys[:, 0], 1)  # … and some band
    shared = [set(one) for _, one in kinds]
    own = keys[first].reshape(-1, 2)
    found = verify(labels, ranks, own, *ragged(shared), threshold, measure, None, which)
    expected = naive.verify(labels, ranks, keys, sets, threshold, containment)
    assert found.survivor.tolist() == expected
    each = verify(labels, ranks, keys, *ragged(sets), threshold, measure)
    assert np.array_equal(found.similarity, each.similarity, equal_nan=True)
    assert np.array_equal(found.near, each.near, equal_nan=True)
    assert found.spared == each.spared and found.pairs_compared <= each.pairs_compared


@given(problems(), st.sampled_from([0.2, 0.7]), st.integers(1, 4))
def test_in_a_crowded_bucket_the_best_ranked_survivors_are_compared_with(problem, threshold, most):
    labels, ranks, keys, sets = problem
    found = verify(labels, ranks, keys, *ragged(sets), threshold, most=most)
    assert found.survivor.tolist() == naive.verify(labels, ranks, keys, sets, threshold, False, most=most)
    whole = verify(labels, ranks, keys, *ragged(sets), threshold)
    assert (whole.crowded, whole.uncompared) == (0, 0)
    if not found.crowded:
        assert found.uncompared == 0
    assert found.uncompared >= found.crowded


def test_a_bucket_of_documents_that_are_not_similar_takes_linear_time_and_says_what_it_left_out():
    m, most = 6000, 100
    sets = [set(range(20 * i, 20 * i + 20)) for i in range(m)]
    found = verify(np.zeros(m, np.uint32), np.arange(m), np.ones((m, 1), np.uint64), *ragged(sets), 0.8, most=most)
    assert (found.survivor == -1).all()
    assert found.pairs_compared == most * (most - 1) // 2 + (m - most) * most
    assert found.crowded == m - most - 1
    assert found.uncompared == (m - most - 1) * (m - most) // 2


@given(problems(), st.sampled_from([0.2, 0.5, 0.7, 1.0]))
def test_every_dropped_document_is_similar_to_its_own_survivor(problem, threshold):
    labels, ranks, keys, sets = problem
    found = verify(labels, ranks, keys, *ragged(sets), threshold)
    for i, s in enumerate(found.survivor):
        if s < 0:
            assert np.isnan(found.similarity[i])
            continue
        share = len(sets[i] & sets[s]) / len(sets[i] | sets[s])
        assert share >= threshold
        assert found.similarity[i] == np.float32(share)
        assert found.survivor[s] == -1
        assert ranks[s] < ranks[i]


@given(problems(), st.sampled_from([0.2, 0.5, 1.0]), st.booleans(), st.data())
def test_protected_documents_all_stay_and_others_are_dropped_for_them(problem, threshold, containment, data):
    labels, ranks, keys, sets = problem
    protected = np.array(data.draw(st.lists(st.booleans(), min_size=len(sets), max_size=len(sets))), np.bool_)
    ranks = ranks + np.where(protected, 0, len(sets))  # as the step ranks them: protected ones first
    keys = keys[[sets.index(one) for one in sets]]  # the same shingles have the same bands
    keys[:, 0] = np.maximum(keys[:, 0], 1)
    measure = "containment" if containment else "jaccard"
    found = verify(labels, ranks, keys, *ragged(sets), threshold, measure, protected)
    expected = naive.verify(labels, ranks, keys, sets, threshold, containment, protected.tolist())
    # Of protected documents with the same shingles the first stands for all; which one is named does not matter.
    same = [-1 if s < 0 else next(i for i in np.argsort(ranks) if sets[i] == sets[s] and labels[i] == labels[s])
            for s in expected]  # fmt: skip
    assert found.survivor.tolist() == same
    assert (found.survivor[protected] == -1).all()
    clusters = len(set(labels.tolist()))
    assert (found.survivor >= 0).sum() + found.spared + found.protected == len(sets) - clusters


def test_many_equal_protected_documents_cost_one_comparison_each():
    m = 20_000
    protected = np.arange(m) < m // 2
    keys = np.full((m, 4), 9, np.uint64)
    found = verify(np.zeros(m, np.uint32), np.arange(m), keys, *ragged([{1, 2, 3}] * m), 0.8, "jaccard", protected)
    assert found.pairs_compared == m - 1
    assert (found.survivor[protected] == -1).all()
    assert (found.survivor[~protected] == 0).all()
    assert found.protected == m // 2 - 1


def test_the_best_similarity_of_what_was_spared_is_known():
    sets = [set(range(10)), set(range(4, 14)), set(range(100, 110)), set(range(1, 10))]
    found = verify(np.zeros(4, np.uint32), np.arange(4), np.ones((4, 1), np.uint64), *ragged(sets), 0.8)
    assert found.survivor.tolist() == [-1, -1, -1, 0]
    assert found.spared == 2
    assert found.near[1] == np.float32(6 / 14)
    assert found.near[2] == 0
    assert np.isnan(found.near[[0, 3]]).all()


@given(problems(), st.booleans())
def test_the_similarity_of_pairs_is_exact(problem, containment):
    _, _, _, sets = problem
    pairs = [(i, j) for i in range(len(sets)) for j in range(len(sets))]
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    found = similarity_of_pairs(*ragged(sets), left, right, "containment" if containment else "jaccard")
    expected = [len(sets[i] & sets[j]) / len(sets[i] if containment else sets[i] | sets[j]) for i, j in pairs]
    assert np.array_equal(found, np.array(expected, np.float32))


@given(problems(), st.randoms())
def test_the_order_of_the_documents_changes_nothing(problem, random):
    labels, ranks, keys, sets = problem
    order = list(range(len(labels)))
    random.shuffle(order)
    before = verify(labels, ranks, keys, *ragged(sets), 0.5)
    after = verify(labels[order], ranks[order], keys[order], *ragged([sets[i] for i in order]), 0.5)
    expected = [-1 if before.survivor[i] < 0 else order.index(before.survivor[i]) for i in order]
    assert after.survivor.tolist() == expected
    assert (after.pairs_compared, after.spared) == (before.pairs_compared, before.spared)
    assert np.array_equal(after.near, before.near[order], equal_nan=True)


def test_a_chain_does_not_drop_its_far_end():
    a = "one two three four five six seven eight nine ten"
    b, c = a.replace("one two", "1 2"), a.replace("one two", "1 2").replace("nine ten", "9 10")
    sets = shingle_sets(as_strings([a, b, c]), 1)
    shared = np.array([[1, 0], [1, 2], [0, 2]], np.uint64)  # A ~ B and B ~ C are candidates
    kept_b = verify(np.zeros(3, np.uint32), np.array([1, 0, 2]), shared, *sets, 0.6)
    assert kept_b.survivor.tolist() == [1, -1, 1]
    kept_a = verify(np.zeros(3, np.uint32), np.array([0, 1, 2]), shared, *sets, 0.6)
    assert kept_a.survivor.tolist() == [-1, 0, -1]
    assert kept_a.spared == 1


def test_containment_drops_a_page_inside_a_longer_one_and_jaccard_does_not():
    sets = [set(range(100)), set(range(20))]
    arguments = (np.zeros(2, np.uint32), np.array([0, 1]), np.ones((2, 1), np.uint64), *ragged(sets), 0.8)
    assert verify(*arguments, "containment").survivor.tolist() == [-1, 0]
    assert verify(*arguments, "jaccard").survivor.tolist() == [-1, -1]


def test_the_most_similar_survivor_stands_for_a_dropped_document():
    sets = [set(range(10)), set(range(4, 16)), set(range(5, 16))]
    found = verify(np.zeros(3, np.uint32), np.array([0, 1, 2]), np.ones((3, 1), np.uint64), *ragged(sets), 0.4)
    assert found.survivor.tolist() == [-1, -1, 1]
    assert found.similarity[2] == np.float32(11 / 12)


def test_a_giant_identical_cluster_costs_one_comparison_a_document():
    m = 50_000
    found = verify(
        np.zeros(m, np.uint32),
        np.arange(m)[::-1],
        np.full((m, 14), 9, np.uint64),
        *ragged([{1, 2, 3}] * m),
        0.8,
    )
    assert found.pairs_compared == m - 1
    assert (found.survivor[:-1] == m - 1).all()


def test_a_dense_cluster_of_distinct_documents_compares_only_those_that_share_a_band():
    m, bands = 6000, 14
    rng = np.random.default_rng(3)
    keys = rng.integers(1, 3000, (m, bands)).astype(np.uint64)
    sets = [set(rng.integers(0, 2**32, 50).tolist()) for _ in range(m)]
    found = verify(np.zeros(m, np.uint32), np.arange(m), keys, *ragged(sets), 0.8)
    assert (found.survivor == -1).all()
    assert found.pairs_compared < 0.01 * m * m
    assert found.spared == m - 1


def test_unverified_the_best_ranked_of_a_cluster_survives():
    labels, ranks = np.array([4, 9, 4, 4, 9], np.uint32), np.array([2, 1, 0, 3, 1])
    assert best_of_clusters(labels, ranks).tolist() == [2, -1, -1, 2, 1]
    assert best_of_clusters(np.zeros(0, np.uint32), np.zeros(0, np.int64)).tolist() == []


def test_a_cluster_is_a_survivor_and_what_was_dropped_for_it():
    head, size = clusters_of(np.array([2, -1, -1, 2]))
    assert head.tolist() == [2, 1, 2, 2]
    assert size.tolist() == [3, 1, 3, 3]


@pytest.mark.parametrize(("threshold", "measure"), [(0.0, "jaccard"), (1.1, "jaccard"), (0.5, "cosine")])
def test_a_threshold_or_measure_that_makes_no_sense_is_refused(threshold, measure):
    with pytest.raises(ValueError):
        verify(np.zeros(0, np.uint32), np.zeros(0), np.zeros((0, 1)), *ragged([]), threshold, measure)
