"""Linking in little memory: the same clusters, whatever does not fit."""

from __future__ import annotations

import time
from pathlib import Path

import dedup_naive as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import contraction
from curate.dedup.clusters import Linked, candidate_clusters, link


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


@settings(deadline=None)
@given(columns(), st.integers(1, 20), st.integers(1, 30))
def test_documents_that_do_not_fit_are_contracted_on_disk_to_the_same_clusters(tmp_path_factory, drawn, size, block):
    n, bands = drawn
    folder = tmp_path_factory.mktemp("edges")
    edges = []
    for band in bands:
        first: dict[int, int] = {}
        edges += [(i, first[key]) for i, key in enumerate(band) if key and first.setdefault(key, i) != i]
    pairs = np.array(edges, np.int64).reshape(-1, 2)
    pieces = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    documents, roots = contraction.components_on_disk(pieces, n, block * contraction.BYTES_A_DOCUMENT, folder)
    labels = naive.components(bands, n)
    assert documents.tolist() == expected(bands, n)[0]
    assert roots.tolist() == [labels[i] for i in documents]
    assert not list(folder.iterdir())


@settings(deadline=None)
@given(columns(), st.integers(1, 20))
def test_link_splits_by_itself_when_the_union_find_is_too_large(tmp_path_factory, drawn, size):
    n, bands = drawn
    split = link([in_pieces(band, size) for band in bands], n, 4 * n, tmp_path_factory.mktemp("edges"))
    assert found(split) == expected(bands, n)


def test_more_documents_than_32_bit_numbers_take_the_way_over_the_disk(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    bands = [rng.integers(0, 4000, 5000).astype(np.uint64) for _ in range(3)]
    whole = link([in_pieces(band, 700) for band in bands], 5000, 1 << 30)
    monkeypatch.setattr("curate.dedup.clusters.MOST_NUMBERS", 4999)
    monkeypatch.setattr("curate.dedup.contraction.MOST_NUMBERS", 611)
    split = link([in_pieces(band, 700) for band in bands], 5000, 1 << 30, tmp_path)
    assert found(split) == found(whole)
    assert 0 < len(whole.documents) <= 5000


def test_without_a_folder_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="without a folder"):
        link([in_pieces([1, 1, 1], 3)], 3, 12)


def test_both_halves_of_a_long_key_have_to_agree():
    high, low = [7, 7, 7, 9, 0], [1, 2, 1, 1, 1]
    assert found(link([in_pieces(high, 2, low)], 5, 1 << 30)) == ([0, 2], [0, 0])


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 4 keys, one a document, got 3"):
        link([in_pieces([1, 2, 3], 2)], 4, 1 << 30)


@pytest.mark.parametrize("memory", [1 << 30, 16 << 20, 4_000_000])
def test_a_bucket_with_every_document_in_it_is_one_cluster_and_costs_no_more(tmp_path: Path, memory: int) -> None:
    n = 1_000_000
    same, different = np.full(n, 3, np.uint64), np.arange(1, n + 1, dtype=np.uint64)
    started = time.perf_counter()
    linked = link([in_pieces(different, n // 8)] * 2, n, memory, tmp_path)
    usual = time.perf_counter() - started
    assert not len(linked.documents)
    started = time.perf_counter()
    linked = link([in_pieces(same, n // 8)] * 2, n, memory, tmp_path)
    assert time.perf_counter() - started < 20 * usual + 1  # a bucket compared with itself would take hours
    assert len(linked.documents) == n and not linked.labels.any()


def test_long_chains_across_blocks_end_in_one_cluster(tmp_path: Path) -> None:
    n = 50_000
    chain = np.arange(n) // 2 + 1, (np.arange(n) + 1) // 2 + 1  # 0-1, 2-3, … and 1-2, 3-4, …
    order = np.random.default_rng(1).permutation(n)
    bands = [column[order].astype(np.uint64) for column in chain]
    linked = link([in_pieces(band, 999) for band in bands], n, 30_000, tmp_path)
    assert found(linked) == found(link([in_pieces(band, 999) for band in bands], n, 1 << 30))
    assert len(linked.documents) == n and not linked.labels.any()
    assert not candidate_clusters(bands, n).any()
