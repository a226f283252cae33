import numpy as np
import pytest

from classifiers.arrow import as_strings
from curate.dedup.candidates import Candidates, partition_of, read_partition, write_shingles
from curate.errors import RunError
from curate.kernels.minhash import sketch
from curate.kernels.shingles import shingle_sets

TEXTS = [f"document number {i} speaks of {i % 7} things and then of {i} more" for i in range(40)] + [""]


def batch(first: int, last: int) -> Candidates:
    strings = as_strings(TEXTS[first:last])
    doc = np.arange(first, last, dtype=np.uint64)
    cluster = (doc // 3).astype(np.uint32)
    ranks, protected, sets = doc.astype(np.int64) * 3, doc % 2 == 0, np.arange(len(doc))
    return Candidates(doc, cluster, ranks, protected, sets, sketch(strings).band_keys, *shingle_sets(strings))


def test_every_candidate_comes_back_once_in_the_partition_of_its_cluster(tmp_path):
    paths = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
    assert write_shingles(paths[0], [batch(0, 10), batch(10, 25)], 4) == 25
    assert write_shingles(paths[1], [batch(25, 41)], 4) == 16
    whole = batch(0, 41)
    seen = []
    for p in range(4):
        part = read_partition(paths, p, 4)
        assert (partition_of(part.cluster, 4) == p).all()
        for i, d in enumerate(part.doc.astype(int)):
            assert part.cluster[i] == whole.cluster[d]
            assert (part.rank[i], part.protected[i]) == (3 * d, d % 2 == 0)
            own = part.sets[i]
            assert np.array_equal(part.band_keys[own], whole.band_keys[d])
            ours = part.values[part.offsets[own] : part.offsets[own + 1]]
            assert np.array_equal(ours, whole.values[whole.offsets[d] : whole.offsets[d + 1]])
            seen.append(d)
    assert sorted(seen) == list(range(41))


def test_the_file_has_the_same_bytes_each_time_and_nothing_else_is_left(tmp_path):
    for name in ("a", "b"):
        write_shingles(tmp_path / name, [batch(0, 20)], 3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_failed_write_leaves_no_file(tmp_path):
    def batches():
        yield batch(0, 5)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_shingles(tmp_path / "a", batches(), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_without_candidates_is_an_empty_partition(tmp_path):
    assert write_shingles(tmp_path / "a", [], 2) == 0
    part = read_partition([tmp_path / "a"], 1, 2)
    assert len(part) == 0
    assert part.offsets.tolist() == [0]


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "a.arrow"
    write_shingles(path, [batch(0, 20)], 2)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RunError, match=r"a\.arrow.*run the same command again"):
        read_partition([path], 0, 2)


def test_files_divided_differently_are_refused(tmp_path):
    write_shingles(tmp_path / "a", [batch(0, 20)], 2)
    write_shingles(tmp_path / "b", [batch(20, 40)], 3)
    with pytest.raises(RunError, match="holds 3 partitions"):
        read_partition([tmp_path / "a", tmp_path / "b"], 0, 2)


def test_documents_with_equal_shingles_travel_as_one_set_a_batch(tmp_path):
    strings = as_strings(["a page that is there many times over"] * 1000 + ["another page of about as many words"])
    whole = Candidates(
        np.arange(1001, dtype=np.uint64), np.zeros(1001, np.uint32), np.arange(1001), np.zeros(1001, np.bool_),
        np.arange(1001), sketch(strings).band_keys, *shingle_sets(strings)
    )  # fmt: skip
    alone = Candidates(
        *(column[:1] for column in (whole.doc, whole.cluster, whole.rank, whole.protected, whole.sets)),
        whole.band_keys[:1], whole.values[: whole.offsets[1]], whole.offsets[:2],
    )  # fmt: skip
    for name, batches in (("a", [whole, whole]), ("b", [alone])):
        write_shingles(tmp_path / name, batches, 1)
    part = read_partition([tmp_path / "a", tmp_path / "b"], 0, 1)
    assert len(part) == 2003
    assert len(part.offsets) - 1 == 5  # two of each batch, and the one that is alone
    assert part.sets.tolist() == ([0] * 1000 + [1]) * 2 + [0]
    assert np.array_equal(part.band_keys[:2], whole.band_keys[-2:])
    assert (tmp_path / "a").stat().st_size < 150_000
