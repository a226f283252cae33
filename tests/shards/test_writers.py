"""The files of a mix, rejects, and writing whole files or none."""

from __future__ import annotations

import base64
import json
import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from shards_content import read_content

from curate.errors import RunError, SpaceError
from curate.shards import MixWriter, Reject, RejectWriter, atomic_bytes, atomic_file

TABLE = pa.table(
    {
        "id": pa.array(["a", "b", None], pa.large_string()),
        "text": pa.array(["Zażółć \0 😀\n", "", '"quoted" \\'], pa.large_string()),
        "n": pa.array([1, None, 2**53 + 1], pa.int64()),
        "tags": [["x", None], [], None],
        "o": [{"a": 1, "b": "x"}, None, {"a": None, "b": None}],
    }
)


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_what_is_written_reads_back(tmp_path: Path, format: str) -> None:
    with MixWriter(tmp_path / "mix", TABLE.schema, format=format) as writer:
        writer.write(TABLE)
        writer.write(TABLE.to_batches()[0])
    (part,) = writer.parts
    assert part.path == tmp_path / "mix" / f"part-00000.{format}"
    assert (part.documents, part.bytes) == (6, part.path.stat().st_size)
    content = read_content(part.path)
    assert content.texts == TABLE["text"].to_pylist() * 2
    assert content.ids == TABLE["id"].to_pylist() * 2
    rows = [{name: row[name] for name in ("n", "tags", "o")} for row in content.metadata]
    assert rows == TABLE.select(["n", "tags", "o"]).to_pylist() * 2


def test_other_tools_read_the_files_as_they_are(tmp_path: Path) -> None:
    for format in ("parquet", "jsonl.zst"):
        with MixWriter(tmp_path / format, TABLE.schema, format=format) as writer:
            writer.write(TABLE)
    texts = TABLE["text"].to_pylist()
    assert pl.scan_parquet(tmp_path / "parquet" / "*.parquet").collect()["text"].to_list() == texts
    assert ds.dataset(tmp_path / "parquet").to_table()["text"].to_pylist() == texts
    assert pl.read_ndjson(tmp_path / "jsonl.zst" / "part-00000.jsonl.zst")["text"].to_list() == texts


def test_parts_end_at_the_target_size_and_bytes_are_always_the_same(tmp_path: Path) -> None:
    piece = pa.table({"text": [f"{i} " + "word " * 200 for i in range(100)]})
    for run in ("a", "b"):
        for format in ("parquet", "jsonl.zst"):
            with MixWriter(
                tmp_path / run, piece.schema, format=format, target_bytes=250_000, prefix=format[:2]
            ) as writer:
                for _ in range(10):
                    writer.write(piece)
            assert [part.documents for part in writer.parts] == [300, 300, 300, 100]
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [f"js-{i:05d}.jsonl.zst" for i in range(4)] + [f"pa-{i:05d}.parquet" for i in range(4)]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_json_has_a_form_for_every_type(tmp_path: Path) -> None:
    table = pa.table(
        {
            "at": pa.array([datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("us", "UTC")),
            "ns": pa.array([1], pa.timestamp("ns")),
            "day": [date(2020, 1, 2)],
            "took": [timedelta(seconds=1.5)],
            "raw": [b"\xff\x00"],
            "price": [Decimal("1.50")],
            "kind": pa.array(["x"]).dictionary_encode(),
            "map": pa.array([[("k", b"v")]], pa.map_(pa.string(), pa.binary())),
            "nan": [float("nan")],
            "fixed": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
            "half": pa.array([np.float16(1.5)], pa.float16()),
            "nothing": pa.nulls(1),
        }
    )
    with MixWriter(tmp_path, table.schema, format="jsonl.zst") as writer:
        writer.write(table)
    with pa.input_stream(writer.parts[0].path, compression="zstd") as stream:
        assert json.loads(stream.read()) == {
            "at": "2020-01-02T03:04:05+00:00",
            "ns": "1970-01-01T00:00:00",
            "day": "2020-01-02",
            "took": "0:00:01.500000",
            "raw": "/wA=",
            "price": "1.50",
            "kind": "x",
            "map": [{"key": "k", "value": "dg=="}],
            "nan": None,
            "fixed": [1, 2],
            "half": 1.5,
            "nothing": None,
        }


def test_nothing_written_makes_no_file(tmp_path: Path) -> None:
    with MixWriter(tmp_path / "mix", TABLE.schema) as writer:
        writer.write(TABLE.slice(0, 0))
    assert writer.parts == []
    assert not (tmp_path / "mix").exists()


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_an_error_leaves_no_file(tmp_path: Path, format: str) -> None:
    with pytest.raises(KeyError), MixWriter(tmp_path, TABLE.schema, format=format, target_bytes=1) as writer:
        writer.write(TABLE)
        writer.write(TABLE)
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected columns"), MixWriter(tmp_path, TABLE.schema) as writer:
        writer.write(TABLE.select(["text"]))


def test_row_groups_are_of_a_sensible_size(tmp_path: Path) -> None:
    piece = pa.table({"text": ["x" * 1000] * 4000})
    with MixWriter(tmp_path, piece.schema) as writer:
        for _ in range(20):
            writer.write(piece)
    groups = pq.read_metadata(writer.parts[0].path)
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [36000, 36000, 8000]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_a_full_disk_is_named(tmp_path: Path, format: str) -> None:
    (tmp_path / f".part-00000.{format}.partial").symlink_to("/dev/full")
    text = base64.b64encode(os.urandom(1 << 20)).decode()
    with (
        pytest.raises(SpaceError, match=rf"part-00000\.{format}: no space left to write to; free some in"),
        MixWriter(tmp_path, pa.schema([("text", pa.string())]), format=format, target_bytes=1) as writer,
    ):
        writer.write(pa.table({"text": [text]}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_for_small_files_and_rejects(tmp_path: Path) -> None:
    for name in ("run.json", "a.jsonl"):
        (tmp_path / f".{name}.partial").symlink_to("/dev/full")
    with pytest.raises(SpaceError, match=r"run\.json: no space left"):
        atomic_bytes(tmp_path / "run.json", b"x")
    with (
        pytest.raises(SpaceError, match=r"a\.jsonl: no space left"),
        RejectWriter(tmp_path / "a.jsonl") as rejects,
    ):
        rejects(Reject("f", 1, "bad", b"x"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    atomic_bytes(path, b"old")
    with pytest.raises(KeyError), atomic_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        raise KeyError
    assert path.read_bytes() == b"old"
    with atomic_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"missing/run\.json: cannot be written: No such file or directory"):
        atomic_bytes(tmp_path / "missing" / "run.json", b"")


def test_rejects_are_written_with_their_raw_bytes(tmp_path: Path) -> None:
    with RejectWriter(tmp_path / "rejects" / "a.jsonl") as rejects:
        rejects(Reject("web.jsonl", 3, "invalid JSON", '{"é'.encode()))
        rejects(Reject("web.jsonl", 7, "invalid UTF-8", b"\xff", from_byte=100))
    assert (rejects.documents, rejects.bytes) == (2, 5)
    lines = [json.loads(line) for line in (tmp_path / "rejects" / "a.jsonl").read_text().splitlines()]
    assert lines == [
        {"file": "web.jsonl", "record": 3, "reason": "invalid JSON", "raw": '{"é'},
        {"file": "web.jsonl", "record": 7, "from_byte": 100, "reason": "invalid UTF-8", "raw_base64": "/w=="},
    ]


def test_no_rejects_make_no_file_and_remove_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with RejectWriter(path):
        pass
    assert not path.exists()


def test_rejects_are_not_left_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RejectWriter(tmp_path / "a.jsonl") as rejects:
        rejects(Reject("f", 1, "bad", b""))
        raise KeyError
    assert list(tmp_path.iterdir()) == []
