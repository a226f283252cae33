"""Filters that fail the same documents are counted as a person would: document by document, pair by pair."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.report.overlap import SHOWN, Overlap

NAMES = [f"f{i}" for i in range(40)]


def added(shards: list[list[set[str]]]) -> dict[str, list[list[int]] | list[str]]:
    overlap = Overlap(NAMES)
    for documents in shards:
        numbers = np.repeat(np.arange(len(documents)), [len(failed) for failed in documents])
        names = [name for failed in documents for name in sorted(failed)]
        overlap.add(numbers.astype(np.int64), pa.array(names, pa.string()))
    return overlap.table()


@settings(deadline=None)
@given(st.lists(st.lists(st.sets(st.sampled_from(NAMES), max_size=6), max_size=20), max_size=3))
def test_each_pair_is_counted_once_a_document(shards: list[list[set[str]]]) -> None:
    found = added(shards)
    documents = [failed for shard in shards for failed in shard]
    fails = {name: sum(name in failed for failed in documents) for name in NAMES}
    assert found["filters"] == sorted((n for n in NAMES if fails[n]), key=lambda n: -fails[n])[:SHOWN]
    for i, one in enumerate(found["filters"]):
        for j, other in enumerate(found["filters"]):
            assert found["documents"][i][j] == sum({one, other} <= failed for failed in documents)


def test_more_documents_than_are_counted_at_a_time() -> None:
    found = added([[{"f1", "f2"}] * 70_000 + [{"f3"}]])
    assert found == {"filters": ["f1", "f2", "f3"], "documents": [[70_000, 70_000, 0], [70_000, 70_000, 0], [0, 0, 1]]}
