"""Zstd files of several frames are read in parts that hold every line once, wherever the frames were cut."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import curate
from curate.shards import ReadOptions, read
from curate.shards.frames import found_ranges, frame_ranges
from curate.shards.plan import plan
from curate.storage import backend, locate

SEEK_TABLE = b"\x5e\x2a\x4d\x18\x09\x00\x00\x00" + b"\x00\x00\x00\x00\x00\xb1\xea\x92\x8f"  # a skippable frame


def frame(data: bytes) -> bytes:
    """Compress as one frame."""
    return pa.compress(data, codec="zstd", asbytes=True)


def texts_of(shards, **options):
    return [text for shard in shards for batch in read(shard, ReadOptions(**options), on_reject=print)
            for text in batch.texts.to_pylist()]  # fmt: skip


lines_of_files = st.lists(st.sampled_from(["", "a", "bc", "x" * 40, "é" * 9]), max_size=12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines_of_files, st.lists(st.integers(0, 400), max_size=6), st.booleans(), st.booleans(), st.integers(1, 60))
def test_every_line_is_read_once_in_order_however_frames_are_cut(tmp_path, texts, cuts, ends, table, target):
    records = [json.dumps({"text": text}, ensure_ascii=False) if text else "" for text in texts]
    whole = ("\n".join(records) + "\n" * ends).encode()
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[low:high] for low, high in pairwise(bounds)]
    file = tmp_path / "many.jsonl.zst"
    file.write_bytes(b"".join(frame(piece) for piece in pieces) + SEEK_TABLE * table)
    shards = plan([file], target_bytes=target)
    assert texts_of(shards, batch_bytes=50) == [text for text in texts if text]
    assert sum(shard.bytes for shard in shards) == file.stat().st_size
    assert len({shard.name for shard in shards}) == len(shards)


def lines(count: int) -> bytes:
    return b"".join(b'{"id": "%d", "text": "document %d of many"}\n' % (i, i) for i in range(count))


def test_frames_are_found_by_their_headers(tmp_path):
    frames = [frame(lines(50)), SEEK_TABLE, frame(b""), frame(lines(700))]
    data = b"".join(frames)
    sizes = [len(one) for one in frames]
    ends = [sum(sizes[: k + 1]) for k in range(4)]
    assert frame_ranges(io.BytesIO(data), len(data), max(sizes)) == [(0, ends[3])]
    large = frame(bytes(range(256)) * 4000 + lines(20_000))
    assert frame_ranges(io.BytesIO(data + large), len(data + large), 100) == []  # nothing to gain: it is not read on
    assert frame_ranges(io.BytesIO(data + b"?"), len(data) + 1, max(sizes)) == []
    assert frame_ranges(io.BytesIO(data[:-1]), len(data) - 1, max(sizes)) == []


def found_in(data: bytes, target: int, window: int) -> list[tuple[int, int]]:
    return found_ranges(lambda start, end: data[start:end], len(data), target, window)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.booleans(), st.integers(100, 4000))
def test_frames_of_a_file_far_away_are_found_where_a_part_should_begin(sizes, table, target):
    source = random.Random(sum(sizes))
    frames = [frame(bytes(source.choices(b"abc\n", k=size)) + source.randbytes(size // 4)) for size in sizes]
    data = b"".join(frames) + SEEK_TABLE * table
    starts = {sum(map(len, frames[:number])) for number in range(len(frames))}
    found = found_in(data, target, 1 << 20)
    if not found:
        return
    assert [found[0][0], found[-1][1]] == [0, len(data)]
    cuts = [start for start, _ in found[1:]]
    assert cuts == [end for _, end in found[:-1]]
    for cut in cuts:
        assert cut in starts
        assert max((start for start in starts if start < cut), default=0) < cut // target * target + target
    wanted = {min((at for at in starts if at >= k * target), default=None) for k in range(1, len(data) // target)}
    assert set(cuts) == wanted - {None, 0}


def test_what_only_looks_like_a_frame_is_none():
    source = random.Random(3)
    noise = b"".join(source.randbytes(700) + b"\x28\xb5\x2f\xfd" for _ in range(2000))
    assert found_in(noise, 100_000, 1 << 20) == []
    good = frame(lines(500)) * 8
    cut_off = good[: -len(good) // 16]  # the last frame has no end
    assert found_in(cut_off, len(good) // 3, 1 << 20)[-1][1] == len(cut_off)
    assert found_in(good, len(good) // 3, 10) == []  # nothing begins so near
    assert len(found_in(good, len(good) // 3, 1 << 20)) == 3
    zeros = b"\x28\xb5\x2f\xfd" + bytes(100)
    assert found_in(bytes(200) + zeros + bytes(200), 200, 1 << 20) == []
    assert found_in(good, len(good), 1 << 20) == []


def test_a_large_file_in_a_store_is_read_in_parts():
    whole = b"".join(frame(lines(100 + number)) for number in range(40))
    place = locate("memory://frames/many.jsonl.zst")
    backend.filesystem("memory").pipe_file(str(place), whole)
    shards = plan([place], target_bytes=len(whole) // 7)
    assert len(shards) == 6 or len(shards) == 7
    assert texts_of(shards, batch_bytes=500) == texts_of(plan([place]))


def test_files_in_which_a_frame_to_be_skipped_is_before_each_other(tmp_path):
    """As pzstd writes them: it holds the size of the next one."""
    pieces = [frame(lines(50 + number)) for number in range(12)]
    head = b"\x50\x2a\x4d\x18\x04\x00\x00\x00"
    file = tmp_path / "pzstd.jsonl.zst"
    file.write_bytes(b"".join(head + len(piece).to_bytes(4, "little") + piece for piece in pieces))
    whole = texts_of(plan([file]))
    assert len(whole) == sum(50 + number for number in range(12))
    cut = plan([file], target_bytes=400)
    assert len(cut) > 3
    assert texts_of(cut) == whole
    place = locate("memory://frames/pzstd.jsonl.zst")
    backend.filesystem("memory").pipe_file(str(place), file.read_bytes())
    far = plan([place], target_bytes=400)
    assert len(far) > 3
    assert texts_of(far) == whole


@pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd")
def test_frames_with_blocks_and_checksums_as_the_tool_makes_them(tmp_path):
    data = lines(40_000)
    made = [
        subprocess.run(["zstd", "-q", "-c", *options], input=part, stdout=subprocess.PIPE, check=True).stdout
        for options, part in ((["--check"], data[: len(data) // 2]), (["--no-check"], data[len(data) // 2 :]))
    ]
    file = tmp_path / "tool.jsonl.zst"
    file.write_bytes(b"".join(made))
    shards = plan([file], target_bytes=max(map(len, made)))
    assert texts_of(plan([file])) == texts_of(shards)


def test_a_file_of_one_frame_is_one_shard(tmp_path):
    file = tmp_path / "one.jsonl.zst"
    file.write_bytes(frame(lines(500)))
    assert [shard.part for shard in plan([file], target_bytes=100)] == [None]


def test_rejects_are_counted_from_the_part_and_say_where_it_begins(tmp_path):
    first, second = lines(30), b'{"text": 1}\n{"text": "fine"}\n{"text": 2}\n'
    file = tmp_path / "bad.jsonl.zst"
    file.write_bytes(frame(first) + frame(b"\n" + second))
    shards = plan([file], target_bytes=40)
    assert len(shards) == 2 and shards[1].part is not None
    found = []
    for shard in shards:
        for _ in read(shard, on_reject=found.append):
            pass
    assert [(reject.record, reject.from_byte) for reject in found] == [(1, shards[1].part[0]), (3, shards[1].part[0])]


def test_decisions_are_the_same_whether_a_file_is_cut_or_not(tmp_path, monkeypatch):
    file = tmp_path / "in" / "many.jsonl.zst"
    file.parent.mkdir()
    data = lines(300) + lines(200)
    file.write_bytes(b"".join(frame(data[at : at + 1500]) for at in range(0, len(data), 1500)))
    recipe = curate.Recipe.parse('[[steps]]\ndedup = "exact"\n[[steps]]\nname = "odd"\nfilter = "char_count > 17"')
    kept = []
    for name, target in (("whole", 1 << 28), ("cut", 400)):
        monkeypatch.setitem(plan.__kwdefaults__, "target_bytes", target)
        run = curate.corpus(file.parent, tmp_path / name, recipe, ignore_disk=True)
        kept.append(run.decisions().select("id", "kept", "dropped_by", "survivor").sort("id", "kept").collect())
        assert len(run.shards) > 3 or name == "whole"
    assert kept[0].equals(kept[1])
