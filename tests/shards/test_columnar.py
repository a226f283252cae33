"""Parquet and Arrow IPC files."""

from __future__ import annotations

import resource
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shards_content import read_content

from curate.errors import InputError
from curate.shards import unify


@pytest.fixture(params=["parquet", "arrow", "stream.arrow"])
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Write a table to a file of each kind."""

    def write(table: pa.Table | dict[str, Any]) -> Path:
        table = pa.table(table) if isinstance(table, dict) else table
        path = tmp_path / f"web.{request.param}"
        if request.param == "parquet":
            try:
                pq.write_table(table, path)
            except pa.ArrowNotImplementedError as error:
                pytest.skip(f"this pyarrow cannot write it: {error}")
        else:
            opened = pa.ipc.new_stream if "stream" in request.param else pa.ipc.new_file
            with opened(str(path), table.schema) as writer:
                writer.write_table(table)
        return path

    return write


def test_metadata_keeps_its_types(put: Any) -> None:
    table = {
        "text": ["a", "b"],
        "id": [1, None],
        "day": [date(2020, 1, 1), None],
        "at": pa.array([datetime(2020, 1, 1), None], pa.timestamp("ns", "UTC")),
        "score": pa.array([0.5, 1.5], pa.float32()),
        "tags": [["x"], []],
        "nested": [{"a": 1}, None],
        "raw": [b"\xff", b""],
    }
    content = read_content(put(table))
    assert content.texts == ["a", "b"]
    assert content.ids == ["1", None]
    expected = pa.table(table).drop_columns(["text", "id"])
    assert content.batches[0].metadata.equals(expected)
    assert content.schema == expected.schema
    assert read_content(put(table), metadata=("score",)).metadata == [{"score": 0.5}, {"score": 1.5}]
    assert read_content(put(table), metadata=False).batches[0].metadata.num_columns == 0


@pytest.mark.parametrize(
    "type",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.binary(),
        pa.large_binary(),
    ],
    ids=str,
)
def test_text_and_id_may_be_stored_as_any_kind_of_string(put: Any, type: pa.DataType) -> None:
    plain = pa.array(["Zażółć", None, "b", ""])
    text = plain.dictionary_encode() if pa.types.is_dictionary(type) else plain.cast(type)
    content = read_content(put({"text": text, "id": text}))
    assert content.texts == ["Zażółć", "b", ""]
    assert content.ids == ["Zażółć", "b", ""]
    assert content.rows == [0, 2, 3]
    assert content.reasons == {2: "text is null"}


def test_texts_that_are_not_utf_8_are_rejected(put: Any) -> None:
    data = [b"a", b"\xff\xfe", None, b"b"]
    text = pa.Array.from_buffers(pa.string(), 4, pa.array(data, pa.binary()).buffers())  # what a careless writer stores
    for column in (text, pa.array(data, pa.binary())):
        content = read_content(put({"text": column, "n": [1, 2, 3, 4]}))
        assert content.texts == ["a", "b"]
        assert content.metadata == [{"n": 1}, {"n": 4}]
        assert content.reasons == {2: "invalid UTF-8", 3: "text is null"}
        assert content.rejects[0].raw == b"\xff\xfe"


def test_metadata_that_is_not_utf_8_is_repaired(put: Any) -> None:
    title = pa.Array.from_buffers(pa.string(), 2, pa.array([b"caf\xe9", b"b"], pa.binary()).buffers())
    assert read_content(put({"text": ["a", "b"], "title": title})).metadata == [
        {"title": "caf\ufffd"},
        {"title": "b"},
    ]


def test_a_missing_or_wrong_text_column_is_named(put: Any) -> None:
    with pytest.raises(InputError, match='no column "text"; columns found: txt, url; did you mean "txt"'):
        read_content(put({"txt": ["a"], "url": ["u"]}))
    with pytest.raises(InputError, match='column "text" is int64, not text'):
        read_content(put({"text": [1]}))


def test_large_and_small_batches_hold_the_same_documents_in_order(put: Any) -> None:
    path = put({"text": [f"{i} " * (i % 50) for i in range(3000)], "i": list(range(3000))})
    whole = read_content(path)
    small = read_content(path, batch_bytes=1000)
    assert whole.texts == small.texts
    assert whole.rows == small.rows == list(range(3000)) == [row["i"] for row in small.metadata]
    assert max(batch.text_bytes for batch in small.batches) <= 1000
    assert len(small.batches) > 100


def test_a_file_without_rows_has_no_documents(put: Any) -> None:
    assert read_content(put(pa.table({"text": pa.array([], pa.string())}))).texts == []


def test_files_of_polars_are_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["a", "b"], "n": [1, 2], "kind": pl.Series(["x", "y"], dtype=pl.Categorical)})
    frame.write_ipc(tmp_path / "a.arrow")
    frame.write_parquet(tmp_path / "b.parquet")
    for name in ("a.arrow", "b.parquet"):
        found = read_content(tmp_path / name)
        schema = unify([found.schema])
        rows = read_content(tmp_path / name, metadata=schema).metadata
        assert rows == [{"n": 1, "kind": "x"}, {"n": 2, "kind": "y"}]


@pytest.mark.parametrize("damage", ["cut", "footer", "middle", "empty"])
def test_a_corrupt_file_is_named(put: Any, damage: str) -> None:
    path = put({"text": [f"document number {i} {i**7}" for i in range(5000)]})
    data = path.read_bytes()
    if damage == "middle":
        half = len(data) // 2
        data = data[:half] + bytes(byte ^ 0x5A for byte in data[half : half + 3000]) + data[half + 3000 :]
        if "arrow" in path.name:
            pytest.skip("Arrow files have no checksums: what is changed inside a text cannot be seen")
    else:
        data = {"cut": data[: len(data) // 2], "footer": data[:-10] + b"\0" * 10, "empty": b""}[damage]
        if damage == "footer" and "stream" in path.name:
            pytest.skip("a stream has no footer")
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"{path.name}: .*--skip-bad-files"):
        read_content(path)


def test_memory_does_not_grow_with_a_row_group(tmp_path: Path) -> None:
    text = "some words of a long document that is not compressed " * 400
    path = tmp_path / "large.parquet"
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())]), compression="none", use_dictionary=False) as writer:
        writer.write_table(pa.table({"text": [f"{i} {text}" for i in range(6000)]}), row_group_size=6000)
    assert path.stat().st_size > 120 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 0
    from curate.shards import plan, read

    for batch in read(plan([path])[0], on_reject=print):
        size += batch.text_bytes
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert size > 120 << 20
    assert grown < 48 << 10, f"{grown} KiB"


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
                "id": st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
                "n": st.integers(-(2**63), 2**63 - 1) | st.none(),
                "tags": st.lists(st.text(st.characters(exclude_categories=["Cs"]))) | st.none(),
            }
        ),
        max_size=20,
    ),
    st.sampled_from([1, 100, 1 << 20]),
)
def test_records_round_trip(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], batch_bytes: int
) -> None:
    schema = pa.schema([("text", pa.string()), ("id", pa.string()), ("n", pa.int64()), ("tags", pa.list_(pa.string()))])
    path = tmp_path_factory.getbasetemp() / "x.parquet"
    pq.write_table(pa.Table.from_pylist(records, schema), path, row_group_size=7)
    content = read_content(path, batch_bytes=batch_bytes)
    kept = {row: record for row, record in enumerate(records) if record["text"] is not None}
    assert content.rows == list(kept)
    assert content.texts == [record["text"] for record in kept.values()]
    assert content.ids == [record["id"] for record in kept.values()]
    assert content.metadata == [{"n": record["n"], "tags": record["tags"]} for record in kept.values()]


def test_a_text_that_is_too_large_is_rejected_with_its_beginning_however_short_that_is(put: Any) -> None:
    content = read_content(put({"text": ["short", "x" * 2000, "y" * 9_000_000]}), max_record_bytes=1000)
    assert content.texts == ["short"]
    assert [reject.raw[:1] for reject in content.rejects] == [b"x", b"y"]
    assert len(content.rejects[0].raw) == 2000
