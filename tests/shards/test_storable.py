"""Types that readers of a mix do not know are written as ones that they do."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from shards_content import read_content

from curate.shards import MixWriter, unify
from curate.shards.schema import fit
from curate.shards.storable import storable

MAP = pa.map_(pa.string(), pa.int64())
ENTRIES = pa.list_(pa.struct([("key", pa.string()), ("value", pa.int64())]))
ENTRY = [{"key": "a", "value": 1}]


def extension(type: pa.DataType, values: list[Any]) -> pa.Array:
    return pa.ExtensionArray.from_storage(type, pa.array(values, type.storage_type))


# column of two rows, the type in the mix, the values in the mix
COLUMNS: dict[str, tuple[pa.Array, pa.DataType, list[Any]]] = {
    "map": (pa.array([[("a", 1)], None], MAP), ENTRIES, [ENTRY, None]),
    "map of maps": (
        pa.array([[("x", [("a", 1)])], []], pa.map_(pa.string(), MAP)),
        pa.list_(pa.struct([("key", pa.string()), ("value", ENTRIES)])),
        [[{"key": "x", "value": ENTRY}], []],
    ),
    "list of maps": (pa.array([[[("a", 1)], None], None], pa.list_(MAP)), pa.list_(ENTRIES), [[ENTRY, None], None]),
    "map in an object": (
        pa.array([{"m": [("a", 1)]}, None], pa.struct([("m", MAP)])),
        pa.struct([("m", ENTRIES)]),
        [{"m": ENTRY}, None],
    ),
    "pair of maps": (pa.array([[[("a", 1)]], None], pa.list_(MAP, 1)), pa.list_(ENTRIES), [[ENTRY], None]),
    "map to nanoseconds": (
        pa.array([[("a", 1_001)], None], pa.map_(pa.string(), pa.timestamp("ns"))),
        pa.list_(pa.struct([("key", pa.string()), ("value", pa.timestamp("ns"))])),
        [[{"key": "a", "value": 1_001}], None],
    ),
    "null": (pa.nulls(2), pa.string(), [None, None]),
    "object without keys": (pa.array([{}, None], pa.struct([])), pa.string(), ["{}", None]),
    "dictionary": (pa.array(["a", None]).dictionary_encode(), pa.string(), ["a", None]),
    "run-end encoded": (pc.run_end_encode(pa.array(["a", None])), pa.string(), ["a", None]),
    "list of run-end encoded": (
        pa.ListArray.from_arrays([0, 2, 2], pc.run_end_encode(pa.array(["a", "a"]))),
        pa.list_(pa.string()),
        [["a", "a"], []],
    ),
    "string view": (pa.array(["a", None], pa.string_view()), pa.large_string(), ["a", None]),
    "binary view": (pa.array([b"a", None], pa.binary_view()), pa.large_binary(), [b"a", None]),
    "list of views": (pa.array([["a"], None], pa.list_(pa.string_view())), pa.list_(pa.large_string()), [["a"], None]),
    "list view": (pa.array([[1, 2], None], pa.list_view(pa.int64())), pa.list_(pa.int64()), [[1, 2], None]),
    "large list view of maps": (
        pa.array([[[("a", 1)]], None], pa.large_list_view(MAP)),
        pa.large_list(ENTRIES),
        [[ENTRY], None],
    ),
    "interval": (
        pa.array([(14, 3, 1_500_000_000), None], pa.month_day_nano_interval()),
        pa.string(),
        ["P14M3DT1.500000000S", None],
    ),
    "union": (
        pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
        pa.string(),
        ["1", "b"],
    ),
    "small decimal256": (
        pa.array([Decimal("1.50"), None], pa.decimal256(20, 2)),
        pa.decimal128(20, 2),
        [Decimal("1.50"), None],
    ),
    "large decimal256": (pa.array([Decimal("1.50"), None], pa.decimal256(60, 2)), pa.string(), ["1.50", None]),
    "decimal of hundreds": (pa.array([Decimal("100"), None], pa.decimal128(20, -2)), pa.string(), ["1E+2", None]),
    "uuid": (extension(pa.uuid(), [b"a" * 16, None]), pa.string(), [str(uuid.UUID(bytes=b"a" * 16)), None]),
    "bool8": (extension(pa.bool8(), [1, None]), pa.bool_(), [True, None]),
    "other extension": (extension(pa.opaque(pa.int32(), "t", "v"), [1, None]), pa.int32(), [1, None]),
    "tensor": (
        extension(pa.fixed_shape_tensor(pa.int32(), [2]), [[1, 2], [3, 4]]),
        pa.list_(pa.int32(), 2),
        [[1, 2], [3, 4]],
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_written_as_a_type_that_every_reader_knows(tmp_path: Path, name: str) -> None:
    column, expected, values = COLUMNS[name]
    table = pa.table({"text": ["a", None, "b"], "c": pa.concat_arrays([column[:1], column[:1], column[1:]])})
    with pa.ipc.new_file(str(tmp_path / "in.arrow"), table.schema) as writer:
        writer.write_table(table)
    schema = unify([read_content(tmp_path / "in.arrow").schema])
    assert schema.field("c").type == expected
    content = read_content(tmp_path / "in.arrow", metadata=schema)
    assert content.texts == ["a", "b"]
    (batch,) = content.batches
    batch.metadata.validate(full=True)
    assert batch.metadata["c"].combine_chunks().equals(pa.array(values, expected))

    with MixWriter(tmp_path / "mix", schema) as mix:
        mix.write(batch.metadata)
    assert pq.read_table(tmp_path / "mix" / "part-00000.parquet").num_rows == 2
    assert pl.read_parquet(tmp_path / "mix" / "part-00000.parquet").height == 2


@pytest.mark.parametrize("name", COLUMNS)
def test_values_are_fitted_to_the_stored_type(name: str) -> None:
    column, expected, values = COLUMNS[name]
    fitted = fit(pa.table({"c": column}), pa.schema([("c", storable(column.type))]), 2)
    fitted.validate(full=True)
    assert fitted["c"].combine_chunks().equals(pa.array(values, expected))
    assert storable(expected) == expected


def test_maps_of_two_files_are_joined_inside(tmp_path: Path) -> None:
    for name, type, value in (("a", pa.int64(), 1), ("b", pa.string(), "x")):
        column = pa.array([[("k", value)]], pa.map_(pa.string(), type))
        pq.write_table(pa.table({"text": ["t"], "m": column}), tmp_path / f"{name}.parquet")
    schema = unify([read_content(tmp_path).schema])
    assert read_content(tmp_path, metadata=schema).metadata == [
        {"m": [{"key": "k", "value": "1"}]},
        {"m": [{"key": "k", "value": "x"}]},
    ]


def test_types_that_every_reader_knows_stay() -> None:
    for type in (
        pa.timestamp("ns", "UTC"),
        pa.duration("s"),
        pa.time64("ns"),
        pa.date64(),
        pa.float16(),
        pa.uint64(),
        pa.binary(4),
        pa.list_(pa.float32(), 3),
        pa.decimal128(38, 10),
    ):
        assert storable(type) == type


def test_an_id_may_be_a_uuid(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "id": extension(pa.uuid(), [b"a" * 16]), "at": pa.array([datetime(2020, 1, 1)])})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_content(tmp_path).ids == ["61616161-6161-6161-6161-616161616161"]
