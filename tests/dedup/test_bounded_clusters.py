"""Linking in little memory: the same clusters, whatever does not fit."""

from __future__ import annotations

import time

import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup.clusters import Linked, link, passes


@st.composite
def columns(draw):
    n = draw(st.integers(0, 60))
    key = st.integers(0, draw(st.sampled_from([3, 12, 60])))
    return n, [draw(st.lists(key, min_size=n, max_size=n)) for _ in range(draw(st.integers(1, 4)))]


def in_pieces(column, size, low=None):
    """Read a column of numbers as pieces of `size` keys, of 128 bits when `low` is given."""
    keys = np.array(column, np.uint64)

    def pieces():
        for start in range(0, len(keys), size):
            piece = keys[start : start + size]
            yield piece if low is None else (piece, np.array(low[start : start + size], np.uint64))

    return pieces


def expected(bands, n):
    """The documents of components of two or more, and the rank of the component of each."""
    labels = naive.components(bands, n)
    documents = [i for i in range(n) if labels.count(labels[i]) > 1]
    order = sorted({labels[i] for i in documents})
    return documents, [order.index(labels[i]) for i in documents]


def found(linked: Linked):
    return linked.documents.tolist(), linked.labels.tolist()


@settings(deadline=None)
@given(columns(), st.integers(1, 20))
def test_pieces_of_keys_are_linked_like_whole_columns(drawn, size):
    n, bands = drawn
    assert found(link([in_pieces(band, size) for band in bands], n, 1 << 30)) == expected(bands, n)


@settings(deadline=None)
@given(columns(), st.integers(1, 20))
def test_a_table_for_a_few_keys_takes_more_passes_and_finds_the_same(drawn, size):
    n, bands = drawn
    memory = max(8 * n, 64 * 16 // 2)  # the union-find fits, and 64 rows of a table
    assert found(link([in_pieces(band, size) for band in bands], n, memory)) == expected(bands, n)


def test_what_does_not_fit_into_one_process_is_refused_by_it():
    with pytest.raises(ValueError, match="link them in partitions"):
        link([in_pieces([1, 1, 1], 3)], 3, 12)
    assert passes(3, 12, wide=False) == 0
    assert passes(1000, 1 << 30, wide=True) == 1


def test_both_halves_of_a_long_key_have_to_agree():
    high, low = [7, 7, 7, 9, 0], [1, 2, 1, 1, 1]
    assert found(link([in_pieces(high, 2, low)], 5, 1 << 30)) == ([0, 2], [0, 0])


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 4 keys, one a document, got 3"):
        link([in_pieces([1, 2, 3], 2)], 4, 1 << 30)


@pytest.mark.parametrize("memory", [1 << 30, 16 << 20])
def test_a_bucket_with_every_document_in_it_is_one_cluster_and_costs_no_more(memory: int) -> None:
    n = 1_000_000
    same, different = np.full(n, 3, np.uint64), np.arange(1, n + 1, dtype=np.uint64)
    started = time.perf_counter()
    linked = link([in_pieces(different, n // 8)] * 2, n, memory)
    usual = time.perf_counter() - started
    assert not len(linked.documents)
    started = time.perf_counter()
    linked = link([in_pieces(same, n // 8)] * 2, n, memory)
    assert time.perf_counter() - started < 20 * usual + 1  # a bucket compared with itself would take hours
    assert len(linked.documents) == n and not linked.labels.any()
