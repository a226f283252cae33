"""Linking by tasks finds the components that brute force finds, however the keys and the edges are divided."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import cloudpickle
import dedup_naive as naive
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.dedup import partitioned, stars
from curate.dedup.clusters import keys_within
from curate.dedup.divided import read_divided
from curate.dedup.keys import band_columns, hash_of
from curate.dedup.partitioned import Part, link_partitioned
from curate.dedup.stars import components, write_edges
from curate.engines.local import Local
from curate.errors import RunError
from curate.storage import locate

ONE_THREAD = Local(1)
few = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


class Pickling(Local):
    """Sends every task, item and result through pickle, as an engine of several processes does."""

    def run(self, task, items, give_up=None):
        task = cloudpickle.loads(cloudpickle.dumps(task))
        for item in items:
            yield item, cloudpickle.loads(cloudpickle.dumps(task(cloudpickle.loads(cloudpickle.dumps(item)), None)))


def parts_of(folder: Path, columns: dict[str, pa.Array], cuts: list[int], kept, groups=None) -> list[Part]:
    """Write columns of sketches as files cut at some places, and name the documents where `kept` is true."""
    bounds = [0, *sorted(cuts), len(kept)]
    parts, first = [], 0
    for number, (low, high) in enumerate(pairwise(bounds)):
        file = folder / f"{number}.parquet"
        pq.write_table(pa.table({name: values[low:high] for name, values in columns.items()}), file)
        here = kept[low:high]
        scope = None if groups is None else groups[first : first + here.sum()]
        parts.append(Part.of(file, here, scope))
        first += int(here.sum())
    return parts


def found(linked):
    return linked.documents.tolist(), linked.labels.tolist()


def expected(bands, n):
    labels = naive.components(bands, n)
    documents = [i for i in range(n) if labels.count(labels[i]) > 1]
    order = sorted({labels[i] for i in documents})
    return documents, [order.index(labels[i]) for i in documents]


@st.composite
def sketches(draw):
    n = draw(st.integers(1, 40))
    key = st.integers(0, draw(st.sampled_from([2, 12, 60])))
    bands = [draw(st.lists(key, min_size=n, max_size=n)) for _ in range(draw(st.integers(1, 3)))]
    kept = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    cuts = draw(st.lists(st.integers(0, n), max_size=3))
    return bands, kept, cuts


@few
@given(sketches(), st.sampled_from([900, 5000, 1 << 30]), st.booleans(), st.booleans())
def test_the_components_are_those_of_brute_force(tmp_path_factory, drawn, memory, by_stars, scoped):
    bands, kept, cuts = drawn
    folder = tmp_path_factory.mktemp("sketches")
    columns = {f"band_{number}": pa.array(band, pa.uint64()) for number, band in enumerate(bands)}
    columns["short"] = pa.nulls(len(kept), pa.uint64())
    groups = np.arange(int(kept.sum()), dtype=np.uint64) % 3 if scoped else None
    parts = parts_of(folder, columns, cuts, kept, groups)
    with pytest.MonkeyPatch.context() as patch:
        if by_stars:
            patch.setattr(partitioned, "MOST_NUMBERS", 0)
        linked = link_partitioned(Pickling(2), parts, band_columns(len(bands)), memory, memory // 2, folder / "links")
    keys = [np.array(band, np.uint64)[kept] for band in bands]
    keys = keys if groups is None else [keys_within(band, groups) for band in keys]
    assert found(linked) == expected([band.tolist() for band in keys], int(kept.sum()))
    assert not (folder / "links").exists()


@few
@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2), max_size=80))
    ),
    st.sampled_from([40, 150, 1 << 20]),
    st.integers(1, 4),
)
def test_stars_contract_any_graph_to_its_components(tmp_path_factory, graph, memory, files):
    n, edges = graph
    folder = tmp_path_factory.mktemp("edges")
    pairs = np.array([edge for edge in edges if edge[0] != edge[1]], np.int64).reshape(-1, 2)
    paths = [folder / f"given-{number}" for number in range(files)]
    for number, path in enumerate(paths):
        some = pairs[number::files]
        write_edges(path, iter([(some[:, 0], some[:, 1])]), 1, both=False)
    documents, roots = components(Pickling(1), paths, n, memory, folder / "stars")
    labels = list(range(n))
    for _ in range(n):
        for a, b in pairs.tolist():
            labels[a] = labels[b] = min(labels[a], labels[b])
    linked = [i for i in range(n) if labels.count(labels[i]) > 1]
    assert documents.tolist() == linked
    assert roots.tolist() == [labels[i] for i in linked]


def test_a_long_chain_in_random_order_takes_few_rounds(tmp_path, monkeypatch):
    n = 20_000
    order = np.random.default_rng(1).permutation(n)
    write_edges(tmp_path / "chain", iter([(order[1:], order[:-1])]), 1, both=False)
    rounds = []
    monkeypatch.setattr(stars, "_remove", lambda files: rounds.append(len(files)))
    documents, roots = components(ONE_THREAD, [tmp_path / "chain"], n, 20_000, tmp_path / "stars")
    assert len(documents) == n and not roots.any()
    assert max(rounds) > 5  # partitions
    assert len(rounds) <= 16  # about the logarithm of n


def test_hashes_of_128_bits_have_to_agree_in_both_halves(tmp_path):
    hashes = [b"a" * 16, b"a" * 8 + b"b" * 8, b"a" * 16, None, None, b"\0" * 16, b"\0" * 16]
    parts = parts_of(tmp_path, {"exact": pa.array(hashes, pa.binary(16))}, [2, 4], np.ones(7, np.bool_))
    linked = link_partitioned(Pickling(3), parts, [hash_of("exact")], 4000, 4000 // 3, tmp_path / "links")
    assert found(linked) == ([0, 2, 5, 6], [0, 0, 1, 1])


def test_documents_too_short_for_a_shingle_are_not_linked_by_bands(tmp_path):
    columns = {"band_0": pa.array([5, 5, 5], pa.uint64()), "short": pa.array([None, 9, None], pa.uint64())}
    parts = parts_of(tmp_path, columns, [], np.ones(3, np.bool_))
    linked = link_partitioned(ONE_THREAD, parts, band_columns(1), 1 << 20, 1 << 20, tmp_path / "links")
    assert found(linked) == ([0, 2], [0, 0])


def test_in_a_store_a_file_of_keys_is_opened_once_for_all_bands_of_a_partition(tmp_path, monkeypatch):
    pytest.importorskip("fsspec", reason="needs fsspec, as every extra of object stores does")
    drawn, opened = np.random.default_rng(5), []
    columns = {f"band_{number}": pa.array(drawn.integers(0, 900, 1000), pa.uint64()) for number in range(5)}
    columns["short"] = pa.nulls(1000, pa.uint64())
    parts = parts_of(tmp_path, columns, [200, 500], np.ones(1000, np.bool_))
    here = link_partitioned(Pickling(2), parts, band_columns(5), 40_000, 20_000, tmp_path / "links")
    read = partitioned.read_divided
    monkeypatch.setattr(partitioned, "read_divided", lambda *given: opened.append(given[0].name) or read(*given))
    store = locate("memory://bucket/links")
    there = link_partitioned(Pickling(2), parts, band_columns(5), 40_000, 20_000, store)
    assert found(there) == found(here)
    keys = Counter(name for name in opened if not name.startswith("edges"))
    edges = len(opened) - keys.total()
    assert len(keys) > 1 and set(keys.values()) == {edges}  # of which each partition has one file
    assert not list(store.below())


@pytest.mark.parametrize("by_stars", [False, True])
def test_a_bucket_with_every_document_in_it_costs_no_more(tmp_path, monkeypatch, by_stars):
    if by_stars:
        monkeypatch.setattr(partitioned, "MOST_NUMBERS", 0)
    n = 400_000
    kept, short = np.ones(n, np.bool_), pa.nulls(n, pa.uint64())

    def seconds(keys, name):
        (tmp_path / name).mkdir()
        parts = parts_of(tmp_path / name, {"band_0": pa.array(keys), "short": short}, [n // 2], kept)
        started = time.process_time()
        linked = link_partitioned(ONE_THREAD, parts, band_columns(1), 64 << 20, 64 << 20, tmp_path / "links")
        return time.process_time() - started, linked

    seconds(np.arange(1, n + 1, dtype=np.uint64), "warm")
    usual, alone = seconds(np.arange(1, n + 1, dtype=np.uint64), "different")
    skewed, linked = seconds(np.full(n, 3, np.uint64), "same")
    assert not len(alone.documents)
    assert len(linked.documents) == n and not linked.labels.any()
    assert skewed < 20 * usual + 1  # a bucket compared with itself would take hours


def test_a_damaged_file_of_keys_is_named(tmp_path):
    (tmp_path / "keys").write_bytes(b"nothing of the kind")
    with pytest.raises(RunError, match=r"keys: cannot be read .* run the same command again"):
        list(read_divided(tmp_path / "keys", 0, 1))


def test_a_file_divided_otherwise_is_refused(tmp_path):
    write_edges(tmp_path / "edges", iter([(np.array([1]), np.array([0]))]), 3, both=False)
    with pytest.raises(RunError, match="holds 3 partitions where 2 are expected"):
        list(read_divided(tmp_path / "edges", 0, 2))
