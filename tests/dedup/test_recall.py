"""Candidates and verified drops against exact pairs of real web pages."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json
import pytest

from classifiers.arrow import as_strings
from curate import dedup
from curate.dedup.clusters import candidate_clusters
from curate.dedup.survivors import best_of_clusters, clusters_of, verify
from curate.kernels.minhash import sketch
from curate.kernels.shingles import shingle_sets

DATA = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[3] / "shared" / "data"))
SHARDS = ("webkb_pages_main_text", "extraction_bench_pages_main_text", "cc_text", "turku_registers_multiling")
BANDS, ROWS = 14, 8

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (DATA / "neardup").is_dir(), reason=f"no real corpora at {DATA}; set CURATE_DATA to their folder"
    ),
]


def read(path: Path, *columns: str) -> list[list]:
    with pa.input_stream(str(path), compression="zstd") as stream:
        table = pa.json.read_json(stream, pa.json.ReadOptions(block_size=1 << 28))
    return [table[column].to_pylist() for column in columns]


@pytest.fixture(scope="module")
def corpus() -> tuple[dict[str, int], list[str]]:
    ids, texts = [], []
    for name in SHARDS:
        more_ids, more_texts = read(DATA / "raw_web" / f"{name}.jsonl.zst", "id", "text")
        ids += more_ids
        texts += more_texts
    return {key: i for i, key in enumerate(ids)}, texts


@pytest.fixture(scope="module")
def pairs(corpus) -> np.ndarray:
    """Structured array of the labelled pairs whose documents are here and have 20 shingles at least."""
    number, _ = corpus
    columns = read(DATA / "neardup" / "raw_web.pairs.jsonl.zst", "a", "b", "jaccard", "n_a", "n_b")
    kept = [
        (number[a], number[b], similarity)
        for a, b, similarity, n_a, n_b in zip(*columns, strict=True)
        if a in number and b in number and min(n_a, n_b) >= 20
    ]
    return np.array(kept, [("a", np.int64), ("b", np.int64), ("jaccard", np.float64)])


def test_candidates_are_found_as_often_as_the_curve_says(corpus, pairs, capsys):
    _, texts = corpus
    keys = sketch(as_strings(texts), bands=BANDS, rows=ROWS).band_keys
    together = (keys[pairs["a"]] == keys[pairs["b"]]).any(axis=1)
    expected = dedup.curve(BANDS, ROWS)(pairs["jaccard"])
    with capsys.disabled():
        print(f"\n{len(pairs)} labelled pairs of {len(texts)} pages, {BANDS} bands of {ROWS} rows")
        for low, high in ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01)):
            chosen = (pairs["jaccard"] >= low) & (pairs["jaccard"] < high)
            print(
                f"  Jaccard {low:.1f} to {min(high, 1):.1f}: {chosen.sum():4d} pairs, "
                f"found {together[chosen].mean():.3f}, curve {expected[chosen].mean():.3f}"
            )
    spread = np.sqrt((expected * (1 - expected)).sum())
    assert abs(together.sum() - expected.sum()) < 5 * spread
    assert together[pairs["jaccard"] >= 0.8].mean() > 0.95


def test_verified_drops_are_true_and_nearly_all_are_found(corpus, pairs, capsys):
    _, texts = corpus
    strings = as_strings(texts)
    keys = sketch(strings, bands=BANDS, rows=ROWS).band_keys
    labels = candidate_clusters(keys.T, len(texts))
    ranks = np.arange(len(texts))
    values, offsets = shingle_sets(strings)
    found = verify(labels, ranks, keys, values, offsets, 0.8)
    unverified = best_of_clusters(labels, ranks)
    dropped = np.flatnonzero(found.survivor >= 0)
    exact = [
        dedup.jaccard(values[offsets[i] : offsets[i + 1]], values[offsets[s] : offsets[s + 1]])
        for i, s in zip(dropped, found.survivor[dropped], strict=True)
    ]
    near = pairs[pairs["jaccard"] >= 0.8]
    gone = (found.survivor[near["a"]] >= 0) | (found.survivor[near["b"]] >= 0)
    _, size = clusters_of(found.survivor)
    with capsys.disabled():
        print(
            f"\n  candidates alone drop {(unverified >= 0).sum()}, verified {len(dropped)} "
            f"(spared {found.spared}, pairs compared {found.pairs_compared}, largest cluster {size.max()}); "
            f"least similarity {min(exact):.3f}; of {len(near)} labelled pairs at 0.8 "
            f"{gone.mean():.3f} lost a document"
        )
    assert min(exact) >= 0.8
    assert gone.mean() > 0.97
    assert (unverified >= 0).sum() == len(dropped) + found.spared
