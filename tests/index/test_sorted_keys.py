"""Keys in order in a Parquet file: a lookup finds every equal key, and reads only the groups that it needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup.spill import Spill
from curate.errors import RunError
from curate.index import sorted_keys
from curate.index.lookup import candidate_pairs, offsets_of
from curate.index.sorted_keys import SortedKeys, bucket_of, buckets_for, in_order, write_sorted

KEYS = st.lists(st.sampled_from([0, 1, 2, 2**63, 2**64 - 1, *range(5, 20)]), max_size=40)


def stored(path: Path, keys: list[int], folder: Path, buckets: int = 4) -> SortedKeys:
    spill = Spill(folder, path.stem, buckets)
    values = np.array(keys, np.uint64)
    rows = np.stack([values.view(np.int64), np.arange(len(keys))], axis=1)
    spill.scatter(bucket_of(values, buckets), rows)
    write_sorted(path, in_order(spill), 2)
    return SortedKeys(path)


@settings(deadline=None)
@given(KEYS, KEYS, st.integers(1, 5), st.integers(1, 50))
def test_a_join_finds_every_pair_of_equal_keys(tmp_path_factory, held, asked, group, at_a_time) -> None:
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_keys, "ROWS_PER_GROUP", group)
        patch.setattr(sorted_keys, "_PAIRS_AT_A_TIME", at_a_time)
        file = stored(folder / "a.parquet", held, folder)
        questions = np.sort(np.array(asked, np.uint64))
        found = [(int(a), int(b)) for at, numbers, _ in file.join(questions) for a, b in zip(at, numbers, strict=True)]
    expected = [(i, k) for i, key in enumerate(questions.tolist()) for k, other in enumerate(held) if key == other]
    assert sorted(found) == sorted(expected)


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=3), st.lists(KEYS, min_size=1, max_size=3), st.integers(1, 3000))
def test_candidate_pairs_are_those_of_a_double_loop(tmp_path_factory, bands, segments, memory) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    n = min(map(len, bands))
    columns = [lambda band=band: iter([np.array(band[:n], np.uint64)]) for band in bands]
    files = [stored(folder / f"{i}.parquet", keys, folder) for i, keys in enumerate(segments)]
    offsets = offsets_of([len(keys) for keys in segments])
    pairs = candidate_pairs(columns, n, files, offsets, memory, folder)
    expected = {
        (i, int(offsets[s]) + k)
        for band in bands
        for i in range(n)
        for s, keys in enumerate(segments)
        for k, key in enumerate(keys)
        if key == band[i] != 0
    }
    assert list(zip(pairs.asked.tolist(), pairs.known.tolist(), strict=True)) == sorted(expected)


def test_a_lookup_reads_only_the_row_groups_that_hold_its_keys(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sorted_keys, "ROWS_PER_GROUP", 100)
    file = stored(tmp_path / "a.parquet", list(range(1, 10_001)), tmp_path)
    read: list[int] = []
    whole = file._file.read_row_group
    monkeypatch.setattr(file._file, "read_row_group", lambda group: read.append(group) or whole(group))
    found = [numbers.tolist() for _, numbers, _ in file.join(np.array([555, 9_999], np.uint64))]
    assert found == [[554], [9_998]]
    assert read == [5, 99]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(RunError, match=r"keys\.parquet: cannot be read"):
        SortedKeys(tmp_path / "keys.parquet")


def test_buckets_are_powers_of_two_that_fit_the_memory() -> None:
    assert buckets_for(0, 2, 1000) == 1
    assert buckets_for(10**9, 2, 10**9) == 128
    assert bucket_of(np.array([0, 2**62, 2**63, 2**64 - 1], np.uint64), 4).tolist() == [0, 1, 2, 3]
